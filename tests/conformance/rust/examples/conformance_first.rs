//! The first version of the reference plugin.

use parlor_guest::prelude::*;

#[parlor_guest::room(name = "conformance", path = "/conformance")]
fn plugin(room: &mut Room) {
    conformance_rust::first(room);
}
