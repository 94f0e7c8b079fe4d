//! Sends the data of `echo` back as it came, tells what it saw of any other event, and emits what `emit` says.

use parlor_guest::prelude::*;

#[derive(Deserialize)]
struct Emit {
    event: String,
    data: Box<RawValue>,
    #[serde(default)]
    channel: Option<String>,
}

#[parlor_guest::room(name = "echo", path = "/echo")]
fn echo(room: &mut Room) {
    test_guests::believe(room);
    test_guests::sync(room);
    room.on("echo", |ctx, data: Box<RawValue>| ctx.emit("echo", data));
    room.on("emit", |ctx, emit: Emit| {
        let sent = match emit.channel {
            Some(channel) => ctx.actor().to(&channel).emit(&emit.event, emit.data),
            None => ctx.emit(&emit.event, emit.data),
        };
        sent.or_else(|error| ctx.emit("refused", json!({ "code": error.code(), "message": error.message() })))
    });
    room.on_message(|ctx, _: Box<RawValue>| {
        let event = ctx.event();
        ctx.emit(
            "seen",
            json!({ "name": event.name(), "channel": event.channel(), "hasData": event.has_data(), "text": event.text() }),
        )
    });
}
