//! Verani's handler context: the room's sessions, the socket's meta, the frame's type, and an answer by emit.

use parlor_guest::prelude::*;

#[parlor_guest::room(name = "context", path = "/verani/context")]
fn context(room: &mut Room) {
    test_guests::believe(room);
    test_guests::sync(room);
    room.on("custom.event", |ctx, data: Value| {
        let sessions = ctx.actor().session_count();
        ctx.log().info(format_args!("{} of {sessions} sent an event", ctx.meta().user_id));
        ctx.emit(
            "response",
            json!({ "received": true, "frameType": ctx.event().name(), "sessions": sessions, "data": data }),
        )
    });
}
