//! Sockets, and the room that they are in.

use parlor_guest::{Meta, Result, Socket, Value, json};

use crate::scene::Args;

pub fn run(name: &str, args: &Args<'_>) -> Result<Option<Value>> {
    let actor = args.scene.actor;
    let done = match name {
        "socket" => json!(args.scene.ctx()?.id()),
        "count" => json!(actor.session_count()),
        "users" => json!(actor.user_ids()),
        "room" => json!(actor.room_id()),
        "sockets" if args.is_given(0) => json!(actor.sockets_of(&args.text(0)?)),
        "sockets" => json!(actor.sockets()),
        "sockets-in" => json!(actor.sockets_in(&args.text(0)?, args.read(1)?, args.read(2)?)?),
        "position" => json!(actor.history().position(&args.text(0)?)?),
        "history" => history(args)?,
        "meta" if args.is_given(0) => meta(&socket(args, 0)?.meta()?)?,
        "meta" => meta(&args.scene.ctx()?.meta())?,
        "join" if args.is_given(1) => json!(socket(args, 1)?.join(&args.text(0)?)?),
        "join" => json!(args.scene.ctx()?.join(&args.text(0)?)?),
        "leave" if args.is_given(1) => json!(socket(args, 1)?.leave(&args.text(0)?)?),
        "leave" => json!(args.scene.ctx()?.leave(&args.text(0)?)?),
        "set-fields" if args.is_given(1) => json!(socket(args, 1)?.set_fields(&args.value(0)?)?),
        "set-fields" => json!(args.scene.ctx()?.set_fields(&args.value(0)?)?),
        "close" if args.is_given(2) => json!(socket(args, 2)?.close(args.read(0)?, &args.text(1)?)?),
        "close" => json!(args.scene.ctx()?.close(args.read(0)?, &args.text(1)?)?),
        _ => return Ok(None),
    };
    Ok(Some(done))
}

/// The socket whose id this argument is.
fn socket<'a>(args: &Args<'a>, at: usize) -> Result<Socket<'a>> {
    Ok(args.scene.actor.socket(args.read(at)?))
}

fn history(args: &Args<'_>) -> Result<Value> {
    let after: Option<String> = args.read(1)?;
    let page = args.scene.actor.history().read(&args.text(0)?, after.as_deref(), args.read(2)?)?;
    let entries = page.entries.iter().map(|entry| {
        let data: Value = entry.json()?;
        Ok(json!({ "position": entry.position, "event": entry.event, "data": data, "at": entry.at }))
    });
    Ok(json!({ "recovered": page.recovered, "entries": entries.collect::<Result<Vec<_>>>()? }))
}

fn meta(meta: &Meta) -> Result<Value> {
    let fields: Value = meta.fields()?;
    Ok(json!({ "user": meta.user_id, "client": meta.client_id, "channels": meta.channels, "fields": fields }))
}
