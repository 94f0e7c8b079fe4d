use parlor_guest::prelude::*;

struct ChatMessage {
    text: String,
}

#[parlor_guest::room(name = "chat", path = "/ws")]
fn chat(room: &mut Room) {
    room.on("chat.message", |ctx, message: ChatMessage| ctx.emit("echo", message.text));
}

fn main() {}
