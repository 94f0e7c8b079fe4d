//! Presence: who is online is the SDK's own `room.presence`; the room adds a status and a typing indicator.

use std::{cell::RefCell, collections::BTreeMap, collections::BTreeSet, rc::Rc};

use parlor_guest::prelude::*;

/// Who is typing: kept in memory, since it is not worth a disk. A crash forgets it.
type Writers = Rc<RefCell<BTreeSet<String>>>;

/// What users say of themselves; kept under `status/ID` while they are online.
#[derive(Serialize, Deserialize, Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum Status {
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
    room.presence("default");

    let writers = Writers::default();
    follow_typing(room, &writers);

    let known = Rc::clone(&writers);
    room.on_connect(move |ctx| {
        let entries = ctx.storage().list(PREFIX);
        let statuses = entries.map(|entry| {
            let entry = entry?;
            Ok((entry.key[PREFIX.len()..].to_owned(), entry.json()?))
        });
        let statuses: BTreeMap<String, Status> = statuses.collect::<Result<_>>()?;
        ctx.emit("presence.about", json!({ "statuses": statuses, "typing": &*known.borrow() }))
    });

    room.on("presence.status", |ctx, SetStatus { status }: SetStatus| {
        let user = ctx.meta().user_id.clone();
        ctx.storage().put(&key(&user), status)?;
        ctx.actor().emit("presence.status", json!({ "userId": user, "status": status }))
    });

    room.on_user_leave(move |ctx, user| {
        writers.borrow_mut().remove(&user.user_id);
        ctx.storage().delete(&key(&user.user_id)).map(drop)
    });

    // After a restart of the server nobody was told of those who left with it: what is kept of them goes.
    room.on_restore(|actor, _| {
        let online = actor.user_ids();
        for entry in actor.storage().list(PREFIX) {
            let key = entry?.key;
            if online.binary_search_by(|user| user.as_str().cmp(&key[PREFIX.len()..])).is_err() {
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

const PREFIX: &str = "status/";

fn key(user: &str) -> String {
    format!("{PREFIX}{user}")
}
