//! A version that takes the state, and then traps whenever somebody says something.

use parlor_guest::prelude::*;
use test_guests::swap;

#[parlor_guest::room(name = "swap", path = "/swap")]
fn swap_trap(room: &mut Room) {
    swap::version(room, "trap");
    room.off_all("say");
    room.on("say", |_, _: Value| -> Result { panic!("on purpose") });
}
