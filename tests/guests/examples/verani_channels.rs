//! Verani's emits to a channel: of the socket (`ctx.emit.to`) and of the actor, with their counts.

use parlor_guest::prelude::*;

#[derive(Deserialize)]
struct ToChannel {
    channel: Option<String>,
    text: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ToRoom {
    room_id: String,
    text: String,
}

#[derive(Deserialize)]
struct Announcement {
    message: String,
}

#[parlor_guest::room(name = "channels", path = "/verani/channels")]
fn channels(room: &mut Room) {
    test_guests::believe(room);
    test_guests::sync(room);
    room.on("channel.message", |ctx, message: ToChannel| {
        let channel = message.channel.as_deref().unwrap_or("default");
        let data = json!({ "from": ctx.meta().user_id, "text": message.text });
        let sent = ctx.to(channel).emit("message", data)?;
        ctx.emit("sent", sent)
    });
    room.on("room.message", |ctx, message: ToRoom| {
        let ToRoom { room_id, text } = message;
        let data = json!({ "from": ctx.meta().user_id, "text": text, "roomId": room_id });
        let sent = ctx.actor().to(&room_id).emit("message", data)?;
        ctx.emit("sent", sent)
    });
    room.on("announcement", |ctx, announcement: Announcement| {
        let data = json!({ "message": announcement.message, "timestamp": ctx.now() });
        let sent = ctx.actor().emit("announcement", data)?;
        ctx.log().info(format_args!("sent to {sent} connections"));
        ctx.emit("sent", sent)
    });
}
