//! Saying things to clients.

use std::time::Duration;

use parlor_guest::{Args as Arguments, Bytes, Result, Value, json};

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
        "emit-some" => {
            let (event, data) = said(4)?;
            let channel = args.text(0)?;
            let mut some = actor.to_some(&channel).except(args.read::<Vec<String>>(3)?);
            if let Some(users) = args.read::<Option<Vec<String>>>(1)? {
                some = some.users(users);
            }
            if let Some(clients) = args.read::<Option<Vec<String>>>(2)? {
                some = some.clients(clients);
            }
            some.emit(&event, data)
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
        "emit-args" => args.scene.ctx()?.emit(&args.text(0)?, Arguments(args.read::<Vec<Value>>(1)?)),
        "emit-room" => return elsewhere(args),
        _ => return asks(name, args),
    };
    Ok(Some(json!(count?)))
}

fn elsewhere(args: &Args<'_>) -> Result<Option<Value>> {
    let (room, channel) = (args.text(0)?, args.read::<Option<String>>(1)?);
    let mut there = args.scene.actor.to_room(&room);
    if let Some(channel) = &channel {
        there = there.channel(channel);
    }
    if let Some(users) = args.read::<Option<Vec<String>>>(2)? {
        there = there.users(users);
    }
    if let Some(clients) = args.read::<Option<Vec<String>>>(3)? {
        there = there.clients(clients);
    }
    Ok(Some(json!(there.emit(&args.text(4)?, args.value(5)?)?)))
}

fn asks(name: &str, args: &Args<'_>) -> Result<Option<Value>> {
    let ask = |socket, at: usize| {
        let (event, data, timeout) = (args.text(at)?, args.value(at + 1)?, Duration::from_millis(args.read(at + 3)?));
        args.scene.actor.socket(socket).ask_as(&args.text(at + 2)?, &event, data, timeout)
    };
    let done = match name {
        "ask" => json!(ask(args.scene.ctx()?.id(), 0)?),
        "ask-socket" => json!(ask(args.read(0)?, 1)?),
        "bytes" => json!(Bytes(args.read(0)?)),
        _ => return Ok(None),
    };
    Ok(Some(done))
}
