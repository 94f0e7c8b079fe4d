//! Verani's rate limit: a wildcard that counts each user's events in the room's storage.

use parlor_guest::prelude::*;

/// Verani's example says 100; a test need not send so many.
const EVENTS_MAX: u32 = 3;

#[parlor_guest::room(name = "rate", path = "/verani/rate")]
fn rate(room: &mut Room) {
    test_guests::believe(room);
    room.on("*", |ctx, _: Value| {
        let key = format!("rate:{}", ctx.meta().user_id);
        let count = ctx.storage().get::<u32>(&key)?.unwrap_or(0);
        if count >= EVENTS_MAX {
            return ctx.emit("error", json!({ "message": "Rate limit exceeded" }));
        }
        ctx.storage().put(&key, count + 1)?;
        ctx.emit("counted", count + 1)
    });
}
