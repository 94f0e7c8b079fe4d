//! Verani's wildcard: every event is logged, behind the handlers of its own.

use parlor_guest::prelude::*;

#[parlor_guest::room(name = "wildcard", path = "/verani/wildcard")]
fn wildcard(room: &mut Room) {
    test_guests::believe(room);
    room.on("*", |ctx, data: Value| {
        let (event, user) = (ctx.event().name(), &ctx.meta().user_id);
        ctx.log().info(format_args!("Event: {event} of {user} with {data}"));
        ctx.emit("logged", json!({ "event": event, "data": data }))
    });
    room.on("move", |ctx, _: Value| ctx.emit("moved", json!({})));
    room.on_message(|ctx, _: Value| ctx.emit("fallback", json!({})));
    room.on_disconnect(|ctx, _| ctx.log().info("one went"));
}
