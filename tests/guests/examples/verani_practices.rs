//! Verani's best practices: named functions as handlers, each event its own; the emit API in both forms; typed meta
//! and data.

use parlor_guest::prelude::*;

#[derive(Deserialize)]
struct ChatMeta {
    username: String,
}

#[derive(Deserialize)]
struct Text {
    text: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ToUser {
    user_id: String,
}

#[parlor_guest::room(name = "practices", path = "/verani/practices")]
fn practices(room: &mut Room) {
    room.authorize(|request| {
        let username = request.query("username").unwrap_or_default();
        Ok::<_, Rejection>(test_guests::meta_of(request).with_fields(&json!({ "username": username }))?)
    });
    test_guests::sync(room);
    room.on("user.join", handle_user_join);
    room.on("user.leave", handle_user_leave);
    room.on("message.send", handle_message_send);
    room.on("notify", |ctx, to: ToUser| {
        ctx.to(&to.user_id).emit("notification", json!({ "by": "ctx.emit.to" }))?;
        ctx.actor().to_user(&to.user_id).emit("notification", json!({ "by": "actor.sendToUser" }))
    });
    room.on("update", |ctx, data: Value| {
        ctx.actor().to("default").emit("update", &data)?;
        ctx.actor().emit("update", &data)
    });
}

fn handle_user_join(ctx: &Ctx, channel: String) -> Result<u32> {
    ctx.join(&channel)?;
    ctx.actor().to(&channel).emit("joined", json!({ "channel": channel }))
}

fn handle_user_leave(ctx: &Ctx, channel: String) -> Result<u32> {
    ctx.leave(&channel)?;
    ctx.emit("left", json!({ "channel": channel }))
}

fn handle_message_send(ctx: &Ctx, data: Text) -> Result<u32> {
    let ChatMeta { username } = ctx.meta().fields()?;
    ctx.actor().to("default").emit("chat.message", json!({ "from": username, "text": data.text }))
}
