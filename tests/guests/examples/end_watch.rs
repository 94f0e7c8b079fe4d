//! Tells the room and the log how each of its sockets ended, and what could be seen of it then.

use parlor_guest::config;
use parlor_guest::prelude::*;

#[derive(Deserialize)]
struct Goodbye {
    code: u16,
    reason: String,
}

#[derive(Deserialize)]
struct Flood {
    frames: usize,
    bytes: usize,
}

#[derive(Deserialize)]
struct Work {
    ms: u64,
}

#[parlor_guest::room(name = "watch", path = "/watch")]
fn watch(room: &mut Room) {
    test_guests::sync(room);
    room.authorize(|request: &Request| -> Result<Meta, Rejection> {
        let user = request.query("user").unwrap_or_else(|| "somebody".to_owned());
        Meta::new(user)
            .in_channels(["default", "watchers"])
            .with_fields(&json!({ "seat": 7 }))
            .map_err(|_| Rejection::new(500, ""))
    });
    room.on_connect(|ctx| {
        let meta = ctx.meta();
        match &*meta.user_id {
            "unwelcome" => return Err(Error::new("watch.unwelcome", "not you")),
            "slow" => work(20),
            "brief" => ctx.close(4001, "that was all")?,
            _ => {}
        }
        ctx.emit("welcome", json!({ "user": meta.user_id, "sockets": ctx.session_count() }))?;
        Ok(())
    });
    room.on_disconnect(|ctx, end| {
        let meta = ctx.meta();
        if config("spin").as_deref() == Some(&*meta.user_id) {
            work(60_000);
        }
        let ends: Option<u32> = ctx.storage().get(&meta.user_id)?;
        let ends = ends.unwrap_or(0) + 1;
        ctx.storage().put(&meta.user_id, ends)?;
        let to_itself = ctx.emit("late", json!({}))?;
        let seen = json!({
            "user": meta.user_id, "code": end.code, "reason": end.reason, "ends": ends,
            "channels": meta.channels, "fields": meta.fields::<Value>()?,
            "sockets": ctx.session_count(), "users": ctx.user_ids(), "to_itself": to_itself,
            "to_channel": ctx.actor().to("watchers").emit("seen", json!({}))?,
        });
        parlor_guest::log().info(format!("gone {} {} {:?}", meta.user_id, end.code, end.reason));
        ctx.actor().emit("gone", seen)?;
        Ok(())
    });
    room.on("say", |ctx, text: String| {
        parlor_guest::log().info(format!("{} says {text}", ctx.meta().user_id));
        ctx.actor().emit("said", json!({ "text": text }))
    });
    room.on("close", |ctx, goodbye: Goodbye| {
        ctx.emit("goodbye", json!({}))?;
        ctx.close(goodbye.code, &goodbye.reason)
    });
    room.on("work", |ctx, wish: Work| {
        work(wish.ms);
        ctx.emit("worked", json!({ "ms": wish.ms }))
    });
    room.on("flood", |ctx, flood: Flood| {
        let text = "x".repeat(flood.bytes);
        (0..flood.frames).try_for_each(|_| ctx.emit("flood", json!({ "text": text })).map(|_| ()))
    });
    room.on("flood-user", |ctx, user: String| {
        let text = "x".repeat(32 << 10);
        (0..12).try_for_each(|_| ctx.actor().to_user(&user).emit("flood", json!({ "text": text })).map(|_| ()))
    });
}

/// Executes for about so long, or until it is cut off.
fn work(ms: u64) {
    let start = std::time::Instant::now();
    while start.elapsed().as_millis() < u128::from(ms) {
        std::hint::black_box(0);
    }
}
