//! Tells how long the text of `size` was.

use parlor_guest::prelude::*;

#[parlor_guest::room(name = "measure", path = "/measure")]
fn measure(room: &mut Room) {
    test_guests::sync(room);
    room.on("size", |ctx, text: String| ctx.emit("size", text.len()));
}
