//! Joins, leaves, closes and changes meta at a client's word, and tells counts at each step.

use parlor_guest::prelude::*;

#[derive(Deserialize)]
struct Close {
    code: u16,
    reason: String,
}

#[parlor_guest::room(name = "members", path = "/members")]
fn members(room: &mut Room) {
    test_guests::believe(room);
    test_guests::sync(room);
    room.on_disconnect(|ctx, gone: parlor_guest::Disconnect| {
        let meta = ctx.meta();
        let own = ctx.emit("nobody hears this", json!({}))?;
        let in_channel =
            ctx.actor().to(&meta.channels[0]).emit("gone", json!({ "userId": meta.user_id, "code": gone.code }))?;
        let line = json!({
            "who": meta.user_id, "code": gone.code, "reason": gone.reason, "channels": meta.channels,
            "fields": meta.fields::<Value>()?, "sessions": ctx.session_count(), "own": own, "others": in_channel,
        });
        ctx.log().info(format_args!("gone {line}"));
        Ok(())
    });
    // Each step's count is that of the moment of the call, with the turn's own changes.
    room.on("join.count", |ctx, channel: String| {
        let before = ctx.actor().to(&channel).emit("before", json!({}))?;
        ctx.join(&channel)?;
        let joined = ctx.actor().to(&channel).emit("joined", json!({}))?;
        let others = ctx.to(&channel).emit("others", json!({}))?;
        ctx.leave(&channel)?;
        let left = ctx.actor().to(&channel).emit("left", json!({}))?;
        ctx.emit("counts", json!([before, joined, others, left]))
    });
    room.on("join", |ctx, channel: String| ctx.join(&channel));
    room.on("leave", |ctx, channel: String| ctx.leave(&channel));
    room.on("channels", |ctx, _: Value| ctx.emit("channels", &ctx.meta().channels));
    room.on("to", |ctx, channel: String| {
        let sent = ctx.actor().to(&channel).emit("heard", json!({ "channel": channel }))?;
        ctx.emit("sent", sent)
    });
    room.on("set", |ctx, fields: Value| ctx.set_fields(&fields));
    room.on("get", |ctx, _: Value| ctx.emit("fields", ctx.meta().fields::<Value>()?));
    room.on("close", |ctx, close: Close| {
        ctx.emit("before the close", json!({}))?;
        let (sessions_before, to_self_before) = (ctx.session_count(), ctx.emit("still here", json!({}))?);
        ctx.close(close.code, &close.reason)?;
        let to_self = ctx.emit("not any more", json!({}))?;
        let sessions = ctx.session_count();
        ctx.actor().emit("closed one", json!([sessions_before, to_self_before, sessions, to_self]))
    });
    room.on("close.refused", |ctx, close: Close| {
        let refused = ctx.close(close.code, &close.reason).err();
        ctx.emit("refused", refused.map(|error| error.code().to_owned()))
    });
    room.on("fail.after", |ctx, channel: String| {
        ctx.join(&channel)?;
        ctx.set_fields(&json!({ "from": "a failed turn" }))?;
        ctx.actor().emit("from a failed turn", json!({}))?;
        ctx.close(3000, "from a failed turn")?;
        Err::<(), _>(Error::msg("on purpose"))
    });
    room.on("to.clients", |ctx, clients: Vec<String>| {
        let sent = ctx.actor().to_clients(clients).emit("picked", json!({}))?;
        ctx.emit("sent", sent)
    });
    room.on("to.except", |ctx, clients: Vec<String>| {
        let sent = ctx.actor().to("default").except(clients).emit("not excepted", json!({}))?;
        ctx.emit("sent", sent)
    });
}
