//! Leaves it to the host who connects, and tells each socket what the host made of it.

use parlor_guest::prelude::*;

#[parlor_guest::room(name = "plain", path = "/plain")]
fn plain(room: &mut Room) {
    test_guests::sync(room);
    room.on_connect(|ctx| {
        let meta = ctx.meta();
        ctx.emit(
            "hello",
            json!({ "userId": meta.user_id, "clientId": meta.client_id, "channels": meta.channels, "room": ctx.room_id() }),
        )
    });
    room.on("say", |ctx, data: Value| ctx.actor().emit("said", data));
    room.on("remember", |ctx, data: Value| ctx.storage().put("remembered", data));
    room.on("recall", |ctx, _: Value| {
        let remembered: Option<Value> = ctx.storage().get("remembered")?;
        ctx.emit("recalled", json!({ "value": remembered, "sessions": ctx.session_count(), "users": ctx.user_ids() }))
    });
}
