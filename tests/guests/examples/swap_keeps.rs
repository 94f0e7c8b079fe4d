//! A version that keeps the history of what is said to everybody, for good. It answers to `say` alone.

use std::time::Duration;

use parlor_guest::{Keep, prelude::*};
use test_guests::swap;

#[parlor_guest::room(name = "swap", path = "/swap")]
fn swap_keeps(room: &mut Room) {
    swap::version(room, "keeps");
    room.keep_history("default", Keep::last(100).for_up_to(Duration::from_secs(3_600)).durable());
    room.off_all("say");
    room.on("say", |ctx, said: Value| ctx.emit("said", said));
}
