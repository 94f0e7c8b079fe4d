//! A version that neither leaves a state nor takes one.

use parlor_guest::prelude::*;
use test_guests::swap;

#[parlor_guest::room(name = "swap", path = "/swap")]
fn swap_plain(room: &mut Room) {
    swap::serve(room, "plain");
}
