//! Sends what it gets to everybody, with a number of its own that tells the room's order.

use std::cell::Cell;

use parlor_guest::prelude::*;

#[parlor_guest::room(name = "relay", path = "/relay")]
fn relay(room: &mut Room) {
    test_guests::believe(room);
    test_guests::sync(room);
    let turns = Cell::new(0u32);
    room.on("say", move |ctx, data: Value| {
        turns.set(turns.get() + 1);
        let data = json!({ "from": ctx.meta().user_id, "n": data["n"], "turn": turns.get(), "room": ctx.room_id() });
        ctx.actor().emit("said", data)
    });
}
