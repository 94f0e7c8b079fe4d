//! Presence: a user is online from the first device to the last, with a status and a typing indicator.

use std::{cell::RefCell, collections::BTreeSet, rc::Rc};

use parlor_guest::prelude::*;

/// Who is typing: kept in memory, since it is not worth a disk. A crash forgets it.
type Writers = Rc<RefCell<BTreeSet<String>>>;

/// What the room keeps of a user while at least one device is connected, under `user/ID`.
#[derive(Serialize, Deserialize, Default)]
struct Presence {
    status: Status,
    devices: u32,
}

#[derive(Serialize, Deserialize, Default, Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum Status {
    #[default]
    Online,
    Away,
    Busy,
}

#[derive(Deserialize)]
struct SetStatus {
    status: Status,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Typing {
    is_typing: bool,
}

#[parlor_guest::room(name = "presence", path = "/ws/presence")]
pub fn presence(room: &mut Room) {
    room.authorize(|request| match request.query("userId") {
        Some(id) if (1..=128).contains(&id.len()) => Ok(Meta::new(id)),
        _ => Err(Rejection::unauthorized("add ?userId= to the address: 1 to 128 bytes")),
    });

    let writers = Writers::default();
    follow_typing(room, &writers);

    let known = Rc::clone(&writers);
    room.on_connect(move |ctx| {
        let devices = tell_devices(ctx, true)?;
        let user = ctx.meta().user_id.clone();
        let Presence { status, .. } = ctx.storage().get(&key(&user))?.unwrap_or_default();
        ctx.storage().put(&key(&user), Presence { status, devices })?;
        let event = if devices == 1 { "presence.online" } else { "presence.devices" };
        ctx.to("default").emit(event, json!({ "userId": user, "status": status, "devices": devices }))?;
        list(ctx, &known.borrow())
    });

    let known = Rc::clone(&writers);
    room.on_disconnect(move |ctx, _| {
        let devices = tell_devices(ctx, false)?;
        let user = ctx.meta().user_id.clone();
        if devices == 0 {
            known.borrow_mut().remove(&user);
            ctx.storage().delete(&key(&user))?;
            return ctx.actor().emit("presence.offline", json!({ "userId": user, "lastSeen": ctx.now() }));
        }
        let Presence { status, .. } = ctx.storage().get(&key(&user))?.unwrap_or_default();
        ctx.storage().put(&key(&user), Presence { status, devices })?;
        ctx.actor().emit("presence.devices", json!({ "userId": user, "status": status, "devices": devices }))
    });

    room.on("presence.list", move |ctx, _: Value| list(ctx, &writers.borrow()));

    room.on("presence.status", |ctx, set: SetStatus| {
        let user = ctx.meta().user_id.clone();
        let mut presence: Presence = ctx.storage().get(&key(&user))?.unwrap_or_default();
        presence.status = set.status;
        ctx.storage().put(&key(&user), &presence)?;
        ctx.actor().emit("presence.status", json!({ "userId": user, "status": presence.status }))
    });

    // After a crash nobody was told of those who left meanwhile: what is kept of them goes.
    room.on_restore(|actor, _| {
        let online = actor.user_ids();
        for entry in actor.storage().list("user/") {
            let key = entry?.key;
            if online.binary_search_by(|user| user.as_str().cmp(&key["user/".len()..])).is_err() {
                actor.storage().delete(&key)?;
            }
        }
        Ok(())
    });
}

/// Tells who types, and remembers it for those who come later: also while the room sleeps, and in the next version.
fn follow_typing(room: &Room, writers: &Writers) {
    let known = Rc::clone(writers);
    room.on("presence.typing", move |ctx, typing: Typing| {
        let user = &ctx.meta().user_id;
        if typing.is_typing {
            known.borrow_mut().insert(user.clone());
        } else {
            known.borrow_mut().remove(user);
        }
        ctx.to("default").emit("presence.typing", json!({ "userId": user, "isTyping": typing.is_typing }))
    });

    let (known, resumed) = (Rc::clone(writers), Rc::clone(writers));
    room.on_suspend("writers/1", move |_, _| Ok(known.borrow().clone()));
    room.on_resume("writers/1", move |_, users: BTreeSet<String>| *resumed.borrow_mut() = users);
}

/// Tells a user's devices that one came or went. The count of the emit is the number of devices that there are now.
fn tell_devices(ctx: &Ctx, connected: bool) -> Result<u32> {
    let meta = ctx.meta();
    let data = json!({ "clientId": meta.client_id, "connected": connected });
    ctx.actor().to_user(&meta.user_id).emit("presence.device", data)
}

/// Answers the socket with everybody who is online.
fn list(ctx: &Ctx, writers: &BTreeSet<String>) -> Result<u32> {
    let mut users = Vec::new();
    for entry in ctx.storage().list("user/") {
        let entry = entry?;
        let Presence { status, devices } = entry.json()?;
        let user = &entry.key["user/".len()..];
        let is_typing = writers.contains(user);
        users.push(json!({ "userId": user, "status": status, "devices": devices, "isTyping": is_typing }));
    }
    ctx.emit("presence.list", json!({ "users": users }))
}

fn key(user: &str) -> String {
    format!("user/{user}")
}
