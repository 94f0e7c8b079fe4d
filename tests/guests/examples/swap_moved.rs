//! A version that is served at another path.

use parlor_guest::prelude::*;
use test_guests::swap;

#[parlor_guest::room(name = "swap", path = "/moved")]
fn swap_moved(room: &mut Room) {
    swap::version(room, "moved");
}
