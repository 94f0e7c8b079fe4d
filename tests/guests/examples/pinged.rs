//! Has a handler for `ping`, and says what came with it.

use parlor_guest::prelude::*;

#[parlor_guest::room(name = "pinged", path = "/pinged")]
fn pinged(room: &mut Room) {
    test_guests::sync(room);
    room.on("ping", |ctx, _: Value| ctx.emit("pinged", json!({ "hasData": ctx.event().has_data() })));
    room.on("*", |ctx, _: Value| match ctx.event().name() {
        "ping" => ctx.emit("any", json!({})),
        _ => Ok(0),
    });
}
