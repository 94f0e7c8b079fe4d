//! Verani's mix of handlers and `onMessage`: handlers first, the fallback for what they leave.

use parlor_guest::prelude::*;

#[parlor_guest::room(name = "fallback", path = "/verani/fallback")]
fn fallback(room: &mut Room) {
    room.on_message(|ctx, _: Value| {
        let event = ctx.event().name();
        ctx.log().info(format_args!("Unhandled event: {event}"));
        ctx.emit("error", json!({ "message": format!("Unknown event: {event}") }))
    });
    room.on("chat.message", |ctx, data: Value| ctx.actor().to("default").emit("chat.message", data));
    room.on("ping", |ctx, _: Value| ctx.emit("pong", json!({ "timestamp": ctx.now() })));
}
