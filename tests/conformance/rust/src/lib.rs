//! The reference plugin of the Rust SDK: `tests/conformance/README.md` says what it does, this is how.

mod memory;
mod ops;
mod scene;

use std::rc::Rc;

use parlor_guest::{Disconnect, Keep, User, prelude::*};

use memory::Memory;
use scene::{Data, Scene};

/// The timers and the asks that the plugin knows.
const NAMES: [&str; 3] = ["a", "b", "c"];

/// The first version.
pub fn first(room: &mut Room) {
    define(room, &Rc::new(Memory::new(1)));
}

/// The second version: it takes states of the first one and its own, and no others.
pub fn second(room: &mut Room) {
    define(room, &Rc::new(Memory::new(2)));
}

fn define(room: &Room, memory: &Rc<Memory>) {
    room.authorize(authorize);
    handlers(room, memory);
    hooks(room, memory);
    memory::handlers(room, memory);
    configured(room);
}

/// What the configuration asks for.
fn configured(room: &Room) {
    let keeps = parlor_guest::config("keep").unwrap_or_default();
    for keep in keeps.split(',').filter(|keep| !keep.is_empty()) {
        let words: Vec<&str> = keep.split(' ').collect();
        let number = |at: usize| words[at].parse().expect("a number");
        let keep = Keep::last(number(1)).for_up_to(Duration::from_millis(number(2).into()));
        room.keep_history(words[0], if words.len() > 3 { keep.durable() } else { keep });
    }
    if let Some(channel) = parlor_guest::config("presence") {
        room.presence(&channel);
    }
    if parlor_guest::config("lines").is_some() {
        let said = |ctx: &Ctx| json!({ "client": ctx.meta().client_id });
        room.on_lost(move |ctx| ctx.actor().emit("lost", said(ctx)));
        room.on_back(move |ctx| ctx.actor().emit("back", said(ctx)));
    }
    if parlor_guest::config("users").is_some() {
        let said = |ctx: &Ctx, user: User| json!({ "userId": user.user_id, "client": ctx.meta().client_id });
        room.on_user_join(move |ctx, user| ctx.actor().emit("user-join", said(ctx, user)));
        room.on_user_leave(move |ctx, user| ctx.actor().emit("user-leave", said(ctx, user)));
    }
}

fn handlers(room: &Room, memory: &Rc<Memory>) {
    let known = Rc::clone(memory);
    room.on("do", move |ctx, ops: Value| {
        let did = Scene::of(ctx, &known).run(&ops)?;
        ctx.emit("did", did)
    });
    room.on("sync", |ctx, data: Value| ctx.emit("synced", data));
    room.on("question", |_, data: Data| answer(&Value::from(data)));
    room.on("hang", |_, _: Value| -> Result {
        loop {
            std::hint::spin_loop();
        }
    });
    room.on_message(|ctx, _: Value| ctx.emit("fallback", scene::frame(ctx)?));
}

fn hooks(room: &Room, memory: &Rc<Memory>) {
    let known = Rc::clone(memory);
    room.on_connect(move |ctx| own_operations(&Scene::of(ctx, &known), "connect"));
    let known = Rc::clone(memory);
    room.on_disconnect(move |ctx, Disconnect { code, reason, .. }| {
        own_operations(&Scene::of(ctx, &known).with_hook(json!({ "code": code, "reason": reason })), "disconnect")
    });
    let known = Rc::clone(memory);
    room.on_alarm(move |actor, alarm| {
        let hook = json!({ "due": alarm.due, "attempt": alarm.attempt });
        let ops: Option<Value> = actor.storage().get("on-alarm")?;
        Scene::of_room(actor, &known).with_hook(hook).run(&ops.unwrap_or(json!([]))).map(drop)
    });
    for name in NAMES {
        let known = Rc::clone(memory);
        room.on_timer(name, move |actor, ops: Value| Scene::of_room(actor, &known).run(&ops).map(drop));
        room.on_ack(name, move |ctx, ack: Ack<Data>| {
            let (outcome, data) = match ack {
                Ack::Answered(data) => ("answered", Value::from(data)),
                Ack::Timeout => ("timeout", Value::Null),
                Ack::Gone => ("gone", Value::Null),
            };
            ctx.actor().emit("answered", json!({ "name": name, "outcome": outcome, "data": data }))
        });
    }
}

/// Runs what stands in a field of the socket's own.
fn own_operations(scene: &Scene<'_>, field: &str) -> Result {
    let fields: Value = scene.ctx()?.meta().fields()?;
    match fields.get(field) {
        Some(ops) => scene.run(ops).map(drop),
        None => Ok(()),
    }
}

fn authorize(request: &Request) -> Result<Option<Meta>, Rejection> {
    let query = |name: &str| request.query(name).unwrap_or_default();
    let user = match query("how").as_str() {
        "" => query("user"),
        "none" => return Ok(None),
        "reject" => return Err(Rejection::new(query("status").parse()?, query("words"))),
        "fail" => return Err(Error::msg(query("words")).into()),
        "header" => request.header("X-User").unwrap_or_default().to_owned(),
        "config" => parlor_guest::config("user").unwrap_or_default(),
        "room" => request.room.clone(),
        other => return Err(Rejection::new(400, format!("how={other}: the README names what there is"))),
    };
    let mut meta = Meta::new(user);
    if let Some(client) = request.query("client") {
        meta = meta.with_client_id(client);
    }
    if let Some(channels) = request.query("in") {
        meta = meta.in_channels(channels.split(','));
    }
    if let Some(fields) = request.query("fields") {
        meta = meta.with_fields(&serde_json::from_str::<Value>(&fields)?)?;
    }
    Ok(Some(meta))
}
