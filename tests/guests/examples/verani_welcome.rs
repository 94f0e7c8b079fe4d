//! Verani's welcome on connect, and its ping that is answered by an emit.

use parlor_guest::prelude::*;

#[parlor_guest::room(name = "welcome", path = "/verani/welcome")]
fn welcome(room: &mut Room) {
    test_guests::believe(room);
    test_guests::sync(room);
    room.on_connect(|ctx| ctx.emit("welcome", json!({ "message": "Connected!", "userId": ctx.meta().user_id })));
    room.on("ping", |ctx, _: Value| ctx.emit("pong", json!({ "timestamp": ctx.now() })));
}
