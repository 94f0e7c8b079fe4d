//! Version "two" of the plugin that the swap tests replace: it takes the state of version "one", and the other way round.

use parlor_guest::prelude::*;
use test_guests::swap;

#[parlor_guest::room(name = "swap", path = "/swap")]
fn swap_two(room: &mut Room) {
    swap::version(room, "two");
}
