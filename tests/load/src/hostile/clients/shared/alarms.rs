//! Alarms: of rooms that always have one due, and of very many that are due at one moment.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::held::{Held, OF_AN_ADDRESS, path};
use crate::hostile::attack::Arena;
use crate::hostile::costs::gauge;
use crate::hostile::low_priority;

/// Rooms whose alarm is always due.
const PAST: usize = 300;
/// Rooms whose alarms are set at once.
const BATCH: usize = 500;
/// How long rooms may take to answer.
const ANSWERS: Duration = Duration::from_secs(20);
/// What setting an alarm may take, and what starting a server: the alarms are due so much later.
const SETTING: Duration = Duration::from_micros(2_500);
const STARTING: Duration = Duration::from_secs(5);
/// From one look at how many are left to the next.
const LOOK_EVERY: Duration = Duration::from_millis(200);

fn rooms(from: usize, to: usize) -> Vec<String> {
    (from..to).map(|number| path(&format!("a{number}"))).collect()
}

pub fn past(arena: &Arena) {
    low_priority();
    let Ok(mut held) = Held::join(arena, 0, OF_AN_ADDRESS, &rooms(0, PAST)) else { return };
    if held.wait_to_go() {
        held.all_say(r#"{"type":"past"}"#);
        held.hear(held.count(), ANSWERS);
        // Nobody needs to be in a room whose alarm rings.
        drop(held);
        while arena.seen.pause(LOOK_EVERY) {}
    }
}

/// Sets the alarms of the storm; the windows before it take so long.
pub fn set(arena: &Arena, windows: Duration) {
    let alarms = arena.scale.alarms;
    let due = SystemTime::now() + windows + STARTING + SETTING * alarms as u32;
    arena.seen.set_due(due);
    let due_ms = due.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    for first in (0..alarms).step_by(BATCH) {
        let paths = rooms(first, alarms.min(first + BATCH));
        let Ok(mut held) = Held::join(arena, 0, BATCH, &paths) else { return };
        held.all_say(&format!(r#"{{"type":"alarm","data":{due_ms}}}"#));
        if !held.hear(paths.len(), ANSWERS) {
            return arena.seen.breach("not all alarms could be set");
        }
    }
}

/// Looks on until all have rung.
pub fn storm(arena: &Arena) {
    let seen = &arena.seen;
    let due = seen.due().unwrap_or_else(SystemTime::now);
    while !seen.may_go() || SystemTime::now() < due {
        if !seen.pause(Duration::from_millis(5)) {
            return;
        }
    }
    seen.act();
    let mut left = arena.scale.alarms;
    while seen.pause(LOOK_EVERY) {
        // One may be the good tenant's.
        left = gauge("parlor_alarms", None, arena).map_or(left, |alarms| (alarms as usize).saturating_sub(1));
        if left == 0 {
            return seen.stop(&format!("all {} rang", arena.scale.alarms));
        }
    }
    seen.note(&format!("{left} of {} have not rung", arena.scale.alarms));
}
