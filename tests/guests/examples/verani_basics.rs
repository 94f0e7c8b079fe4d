//! Verani's basic handlers: messages and typing go to everybody in the default channel.

use parlor_guest::prelude::*;

#[derive(Deserialize)]
struct Message {
    text: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Typing {
    is_typing: bool,
}

#[parlor_guest::room(name = "basics", path = "/verani/basics")]
fn basics(room: &mut Room) {
    test_guests::believe(room);
    test_guests::sync(room);
    room.on("chat.message", |ctx, message: Message| {
        ctx.actor()
            .to("default")
            .emit("chat.message", json!({ "from": ctx.meta().user_id, "text": message.text, "timestamp": ctx.now() }))
    });
    room.on("user.typing", |ctx, typing: Typing| {
        ctx.actor()
            .to("default")
            .emit("user.typing", json!({ "userId": ctx.meta().user_id, "isTyping": typing.is_typing }))
    });
}
