//! Chat: greets newcomers, says who comes and goes, relays messages, refuses empty ones.

use parlor_guest::prelude::*;

#[derive(Deserialize)]
struct ChatMessage {
    text: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Typing {
    is_typing: bool,
}

#[parlor_guest::room(name = "chat", path = "/ws")]
pub fn chat(room: &mut Room) {
    room.authorize(authorize);

    room.on_connect(|ctx| {
        let (user_id, users) = (&ctx.meta().user_id, ctx.user_ids());
        ctx.emit("welcome", json!({ "message": "Connected!", "userId": user_id, "users": users }))?;
        ctx.to("default").emit("user.join", json!({ "userId": user_id, "count": ctx.session_count(), "users": users }))
    });

    room.on_disconnect(|ctx, _| {
        let (user_id, users) = (&ctx.meta().user_id, ctx.user_ids());
        ctx.actor().emit("user.leave", json!({ "userId": user_id, "count": ctx.session_count(), "users": users }))
    });

    room.on("chat.message", |ctx, message: ChatMessage| {
        if message.text.trim().is_empty() {
            return Err(reject("chat.empty", "say something first"));
        }
        let from = &ctx.meta().user_id;
        ctx.actor().emit("chat.message", json!({ "from": from, "text": message.text, "timestamp": ctx.now() }))
    });

    room.on("user.typing", |ctx, typing: Typing| {
        let user_id = &ctx.meta().user_id;
        ctx.actor().emit("user.typing", json!({ "userId": user_id, "isTyping": typing.is_typing }))
    });

    room.on("ping", |ctx, _: Value| ctx.emit("pong", json!({ "timestamp": ctx.now() })));

    room.on_message(|ctx, _: Value| {
        ctx.emit("error", json!({ "message": format!("Unknown event: {}", ctx.event().name()) }))
    });
}

/// Whoever says a user id is believed; whoever does not gets one.
fn authorize(request: &Request) -> Result<Meta, Rejection> {
    match request.query("userId") {
        Some(id) if (1..=128).contains(&id.len()) => Ok(Meta::new(id)),
        Some(_) => Err(Rejection::new(400, "userId has 1 to 128 bytes")),
        None => Ok(Meta::anonymous()),
    }
}
