//! Time, and what is to run later.

use std::time::Duration;

use parlor_guest::{Result, Value, json};

use crate::scene::Args;

pub fn run(name: &str, args: &Args<'_>) -> Result<Option<Value>> {
    let (timers, alarm) = (args.scene.actor.timers(), args.scene.actor.alarm());
    let span = |at: usize| args.read(at).map(Duration::from_millis);
    let done = match name {
        "now" => json!(args.scene.actor.now()),
        "timer" => json!(timers.set(&args.text(0)?, span(1)?, args.raw(2))?),
        "timer-cancel" => json!(timers.cancel(&args.text(0)?)?),
        "alarm-in" => json!(alarm.set_in(span(0)?)?),
        "alarm-at" => json!(alarm.set_at(args.read(0)?)?),
        "alarm" => json!(alarm.get()?),
        "alarm-cancel" => json!(alarm.cancel()?),
        _ => return Ok(None),
    };
    Ok(Some(done))
}
