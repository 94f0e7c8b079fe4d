use parlor_guest::prelude::*;

#[parlor_guest::room(name = "echo", path = "/ws")]
fn echo(room: &mut Room) {
    room.on("echo", |_, data: String| data);
}

fn main() {}
