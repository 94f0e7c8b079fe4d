//! Version "one" of the plugin that the swap tests replace.

use parlor_guest::prelude::*;
use test_guests::swap;

#[parlor_guest::room(name = "swap", path = "/swap")]
fn swap_one(room: &mut Room) {
    swap::version(room, "one");
}
