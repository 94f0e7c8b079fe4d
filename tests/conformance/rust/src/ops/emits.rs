//! Saying things to clients.

use parlor_guest::{Result, Value, json};

use crate::scene::Args;

pub fn run(name: &str, args: &Args<'_>) -> Result<Option<Value>> {
    let actor = args.scene.actor;
    // The data stands last, behind the event's name.
    let said = |at: usize| Ok::<_, parlor_guest::Error>((args.text(at)?, args.value(at + 1)?));
    let count = match name {
        "emit" => {
            let (event, data) = said(0)?;
            args.scene.ctx()?.emit(&event, data)
        }
        "emit-to" => {
            let (event, data) = said(1)?;
            args.scene.ctx()?.to(&args.text(0)?).emit(&event, data)
        }
        "emit-all" => {
            let (event, data) = said(0)?;
            actor.emit(&event, data)
        }
        "emit-channel" => {
            let (event, data) = said(1)?;
            actor.to(&args.text(0)?).emit(&event, data)
        }
        "emit-except" => {
            let (event, data) = said(2)?;
            actor.to(&args.text(0)?).except(args.read::<Vec<String>>(1)?).emit(&event, data)
        }
        "emit-user" => {
            let (event, data) = said(1)?;
            actor.to_user(&args.text(0)?).emit(&event, data)
        }
        "emit-clients" => {
            let (event, data) = said(1)?;
            actor.to_clients(args.read::<Vec<String>>(0)?).emit(&event, data)
        }
        "emit-socket" => {
            let (event, data) = said(1)?;
            actor.socket(args.read(0)?).emit(&event, data)
        }
        _ => return Ok(None),
    };
    Ok(Some(json!(count?)))
}
