use parlor_guest::{prelude::*, testing::TestRoom};

#[parlor_guest::room(name = "chat", path = "/ws")]
fn chat(room: &mut Room) -> u32 {
    room.on_connect(|_| {});
    1
}

fn main() {
    TestRoom::new(chat);
}
