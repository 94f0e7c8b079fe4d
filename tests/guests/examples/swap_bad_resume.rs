//! A version that cannot take the state of the others: its `$resume` fails.

use parlor_guest::prelude::*;
use test_guests::swap;

#[parlor_guest::room(name = "swap", path = "/swap")]
fn swap_bad_resume(room: &mut Room) {
    let memory = swap::serve(room, "bad-resume");
    swap::suspend(room, &memory);
    room.on_resume("counter/1", |_, _: Value| Error::new("swap.refused", "on purpose"));
}
