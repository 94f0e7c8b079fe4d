//! Wants every event, and has no handler for `ping`.

use parlor_guest::prelude::*;

#[parlor_guest::room(name = "wild", path = "/wild")]
fn wild(room: &mut Room) {
    test_guests::sync(room);
    room.on_any(|ctx, _: Value| match ctx.event().name() {
        "sync" => Ok(0),
        name => ctx.emit("any", json!({ "name": name })),
    });
    room.on_message(|ctx, _: Value| ctx.emit("fallback", json!({})));
}
