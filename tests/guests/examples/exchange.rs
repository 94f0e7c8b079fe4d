//! Answers clients that wait for an acknowledgement, asks clients, and takes and sends bytes.

use parlor_guest::{Args, Bytes, prelude::*};

#[derive(Deserialize)]
struct Ask {
    name: String,
    ms: u64,
    /// The socket to ask; without it the own one.
    #[serde(default)]
    socket: Option<SocketId>,
}

/// Something with bytes in it.
#[derive(Serialize, Deserialize)]
struct Picture {
    name: String,
    pixels: Bytes,
}

#[parlor_guest::room(name = "exchange", path = "/exchange")]
fn exchange(room: &mut Room) {
    test_guests::believe(room);
    test_guests::sync(room);
    acknowledgements(room);
    asks(room);
    bytes(room);
    room.on_error(|actor, failed| actor.emit("failed", json!({ "event": failed.event, "code": failed.code })));
}

fn acknowledgements(room: &Room) {
    room.on("double", |ctx, number: i64| {
        ctx.emit("doubling", json!({ "wanted": ctx.event().wants_answer() }))?;
        answer(&(2 * number))
    });
    room.on("put", |ctx, value: Value| {
        ctx.storage().put("value", &value)?;
        ctx.actor().emit("stored", &value)?;
        answer(&json!({ "stored": value }))
    });
    room.on("silent", |ctx, _: Value| ctx.emit("heard", json!({})));
    room.on("refuse", |_, _: Value| reject("refused", "not today"));
    room.on("fail", |_, _: Value| Error::new("failed.inside", "a secret of the plugin"));
    room.on("trap", |_, _: Value| -> Result { panic!("on purpose") });
    room.on("large", |_, bytes: usize| answer(&"x".repeat(bytes)));
    room.on("leave", |ctx, _: Value| {
        ctx.emit("leaving", json!({}))?;
        ctx.close(4000, "as you asked")?;
        answer(&"bye")
    });
}

fn asks(room: &Room) {
    room.on("ask", |ctx, wanted: Ask| match ask(ctx, &wanted) {
        Ok(()) => ctx.emit("asked", json!({ "name": wanted.name })),
        Err(refused) => ctx.emit("not-asked", json!({ "code": refused.code(), "message": refused.message() })),
    });
    room.on("ask-and-fail", |ctx, wanted: Ask| {
        ask(ctx, &wanted)?;
        Err::<(), _>(Error::new("failed.inside", "on purpose"))
    });
    room.on("who", |ctx, _: Value| ctx.emit("you", json!({ "socket": ctx.id() })));
    room.on_ack("bytes", |ctx, key: Ack<Bytes>| ctx.emit("key", json!({ "bytes": key.answered().map(|key| key.0) })));
    room.on_ack("fail", |_, _: Ack<Value>| Error::new("failed.inside", "on purpose"));
    // The hook itself: answers of every name.
    room.on("$ack", |ctx, end: Value| {
        let seen = json!({ "name": ctx.event().name(), "end": end, "socket": ctx.id() });
        ctx.actor().emit("acked", seen)
    });
}

fn ask(ctx: &Ctx, Ask { name, ms, socket }: &Ask) -> Result {
    let socket = ctx.socket(socket.unwrap_or(ctx.id()));
    socket.ask_as(name, "question", json!({ "about": name }), Duration::from_millis(*ms))
}

fn bytes(room: &Room) {
    room.on("raw", |ctx, bytes: Bytes| {
        ctx.emit("raw", &bytes)?;
        answer(&bytes)
    });
    room.on("picture", |ctx, picture: Picture| {
        ctx.storage().put("picture", &picture)?;
        ctx.actor().emit("picture", &picture)?;
        answer(&picture)
    });
    room.on("stored-picture", |ctx, _: Value| {
        let picture: Option<Picture> = ctx.storage().get("picture")?;
        ctx.emit("picture", picture)
    });
    room.on("relay", |ctx, data: Value| ctx.emit("relayed", data));
    room.on("several", |ctx, (a, b): (i64, i64)| ctx.emit("several", Args((a, b, ctx.event().arguments()))));
}
