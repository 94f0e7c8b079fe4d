//! Who is in a channel, told to everyone in it.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    mem,
    rc::Rc,
};

use serde::Serialize;

use crate::{
    Ctx, Error, Event, Failed, Handler, Outcome, Result, Room, SocketId, User,
    hooks::hook,
    host::{outbox, sockets, types::Refusal},
    message::Message,
    metas::{Following, Metas},
};

/// How many sockets one call of the host answers at most.
const SOCKETS_PER_CALL: u32 = 1_000;
/// How much of a list of users a newcomer is told, so that it always fits into an emit.
const STATE_BYTES: usize = 128 << 10;

impl Room {
    /// Calls `handler` for the first socket of a user in the room, after its `on_connect`.
    ///
    /// ```
    /// use parlor_guest::{prelude::*, testing::TestRoom};
    ///
    /// let room = TestRoom::new(|room| {
    ///     room.on_user_join(|ctx, user| ctx.actor().emit("came", json!({ "userId": user.user_id })));
    /// });
    /// let ada = room.connect_as(Meta::new("ada"));
    /// room.connect_as(Meta::new("ada"));
    /// assert_eq!(ada.events(), [json!({ "type": "came", "userId": "ada" })]);
    /// ```
    pub fn on_user_join<F, R>(&self, mut handler: F) -> Handler
    where
        F: FnMut(&Ctx, User) -> R + 'static,
        R: Outcome,
    {
        self.add(hook::USER_JOIN, move |ctx| handler(ctx, ctx.event().hook_data()?).into_handled())
    }

    /// Calls `handler` for the last socket of a user in the room, after its `on_disconnect`. The socket has left; its meta can
    /// still be read. After a restart of the server nobody is in the room, and it does not run for those who were: that is
    /// what [`on_restore`](Room::on_restore) is for.
    ///
    /// ```
    /// use parlor_guest::{prelude::*, testing::TestRoom};
    ///
    /// let room = TestRoom::new(|room| {
    ///     room.on_user_leave(|ctx, user| ctx.actor().emit("left", json!({ "userId": user.user_id })));
    /// });
    /// let (ada, bob) = (room.connect_as(Meta::new("ada")), room.connect_as(Meta::new("bob")));
    /// bob.disconnect(1000, "");
    /// assert_eq!(ada.events(), [json!({ "type": "left", "userId": "bob" })]);
    /// ```
    pub fn on_user_leave<F, R>(&self, mut handler: F) -> Handler
    where
        F: FnMut(&Ctx, User) -> R + 'static,
        R: Outcome,
    {
        self.add(hook::USER_LEAVE, move |ctx| handler(ctx, ctx.event().hook_data()?).into_handled())
    }

    /// Tells everyone in a channel who is in it, once a turn is over that changed that. A newcomer gets `presence.state`,
    /// `{channel, users: [{userId, clients}]}`, with itself among the users, which come in ascending order; of more users than
    /// fit into 128 KiB, `more` says how many are left out. The others get `presence.join` `{channel, userId}` for the first
    /// socket of a user in the channel, and `presence.leave` for the last. A socket whose line broke stays until it cannot
    /// resume any more. None of this is in the channel's history.
    ///
    /// ```
    /// use parlor_guest::{prelude::*, testing::TestRoom};
    ///
    /// let room = TestRoom::new(|room| room.presence("default"));
    /// let ada = room.connect_as(Meta::new("ada"));
    /// let bob = room.connect_as(Meta::new("bob"));
    /// let here = |id: &str| json!({ "userId": id, "clients": 1 });
    /// let state = json!({ "type": "presence.state", "channel": "default", "users": [here("ada"), here("bob")] });
    /// assert_eq!(bob.events(), [state]);
    /// bob.disconnect(1000, "");
    /// assert_eq!(ada.events()[1..], [
    ///     json!({ "type": "presence.join", "channel": "default", "userId": "bob" }),
    ///     json!({ "type": "presence.leave", "channel": "default", "userId": "bob" }),
    /// ]);
    /// ```
    pub fn presence(&self, channel: &str) {
        let metas = &self.runtime.metas;
        let presences = metas.follower().unwrap_or_else(|| {
            let presences: Rc<dyn Following> = Rc::new(Presences::default());
            metas.set_follower(Rc::clone(&presences));
            // The host raises only what somebody handles.
            self.add(hook::CONNECT, |_| Ok(None));
            self.add(hook::DISCONNECT, |_| Ok(None));
            // Where a `$disconnect` trapped, the instance that comes next hears of the socket by this alone.
            self.add(hook::ERROR, |_| Ok(None));
            presences
        });
        presences.follow(channel);
    }
}

/// A socket that the others of its channel know of.
#[derive(Clone)]
struct Present {
    socket: SocketId,
    user: Rc<str>,
}

/// A channel, and who is in it, as its sockets were told.
#[derive(Default)]
struct Followed {
    channel: String,
    /// In ascending order. None until it is first needed: a new instance asks who is there, and all of them know it.
    known: Option<Vec<Present>>,
    /// Whether it must be compared with the host.
    stale: bool,
    /// What is known when this turn has committed.
    next: Option<Vec<Present>>,
}

#[derive(Default)]
struct Presences {
    channels: RefCell<Vec<Followed>>,
    /// The socket that came or left with this turn.
    turn: RefCell<Moving>,
}

#[derive(Default)]
struct Moving {
    came: Option<SocketId>,
    left: Option<SocketId>,
}

impl Following for Presences {
    fn follow(&self, channel: &str) {
        let mut channels = self.channels.borrow_mut();
        if !channels.iter().any(|one| one.channel == channel) {
            channels.push(Followed { channel: channel.to_owned(), ..Followed::default() });
        }
    }

    fn begin(&self, metas: &Metas, event: &Event) -> Result<(), Refusal> {
        let came = event.socket().filter(|_| event.cause() == hook::CONNECT);
        let left = event.socket().filter(|_| has_left(event));
        let moves = came.or(left).is_some();
        *self.turn.borrow_mut() = Moving { came, left };
        if moves { self.touch(metas, None) } else { Ok(()) }
    }

    fn touch(&self, metas: &Metas, channel: Option<&str>) -> Result<(), Refusal> {
        for one in self.channels.borrow_mut().iter_mut() {
            if channel.is_some_and(|channel| channel != one.channel) {
                continue;
            }
            one.stale = true;
            if one.known.is_none() {
                one.known = Some(before(metas, &one.channel, &self.turn.borrow())?);
            }
        }
        Ok(())
    }

    fn tell(&self, metas: &Metas) -> Result {
        for one in self.channels.borrow_mut().iter_mut().filter(|one| one.stale) {
            let known = one.known.as_deref().unwrap_or_default();
            let now = now(metas, &one.channel, known)?;
            tell_of(metas, &one.channel, known, &now)?;
            one.next = Some(now);
        }
        Ok(())
    }

    fn end(&self, failed: bool) {
        for one in self.channels.borrow_mut().iter_mut() {
            if let Some(next) = mem::take(&mut one.next).filter(|_| !failed) {
                (one.known, one.stale) = (Some(next), false);
            }
        }
    }
}

/// Whether the event's socket has left, and nobody was told yet.
fn has_left(event: &Event) -> bool {
    match event.cause() {
        hook::DISCONNECT => true,
        hook::ERROR => event.hook_data().is_ok_and(|failed: Failed| failed.event == hook::DISCONNECT),
        _ => false,
    }
}

/// Who was in the channel before this turn.
fn before(metas: &Metas, channel: &str, turn: &Moving) -> Result<Vec<Present>, Refusal> {
    let mut now = now(metas, channel, &[])?;
    now.retain(|one| Some(one.socket) != turn.came);
    // Where its `$disconnect` was lost to the disk, the host knows the socket no more.
    if let Some(socket) = turn.left
        && let Ok(meta) = metas.get(socket)
        && meta.channels.iter().any(|name| name == channel)
    {
        let place = now.partition_point(|one| one.socket < socket);
        now.insert(place, Present { socket, user: meta.user_id.as_str().into() });
    }
    Ok(now)
}

/// Who is in the channel: the host is asked who they are only of those that are not known.
fn now(metas: &Metas, channel: &str, known: &[Present]) -> Result<Vec<Present>, Refusal> {
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = sockets::of_channel(channel, after, SOCKETS_PER_CALL)?;
        for socket in &page {
            found.push(match known.binary_search_by_key(socket, |one| one.socket) {
                Ok(at) => known[at].clone(),
                Err(_) => Present { socket: *socket, user: metas.get(*socket)?.user_id.as_str().into() },
            });
        }
        after = page.last().copied();
        if page.len() < SOCKETS_PER_CALL as usize {
            return Ok(found);
        }
    }
}

fn tell_of(metas: &Metas, channel: &str, known: &[Present], now: &[Present]) -> Result {
    let without = |all: &[Present], others: &[Present]| -> Vec<Present> {
        let is_there = |one: &&Present| others.binary_search_by_key(&one.socket, |other| other.socket).is_ok();
        all.iter().filter(|one| !is_there(one)).cloned().collect()
    };
    let (came, left) = (without(now, known), without(known, now));
    tell_others(channel, "presence.leave", &left, now, &[])?;
    if came.is_empty() {
        return Ok(());
    }
    let clients = came.iter().map(|one| Ok(metas.get(one.socket)?.client_id.clone()));
    let clients = clients.collect::<Result<Vec<String>, Refusal>>()?;
    tell_others(channel, "presence.join", &came, known, &clients)?;
    let state = state(channel, now)?;
    for newcomer in came {
        Message::of(&state)?.say(|data| outbox::to_socket(newcomer.socket, "presence.state", data))?;
    }
    Ok(())
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Change<'a> {
    channel: &'a str,
    user_id: &'a str,
}

/// Tells of the users of these sockets, each once, that are not there by others. It is said to some of the channel, which is
/// nothing that its history keeps.
fn tell_others(channel: &str, event: &str, of: &[Present], there: &[Present], excluded: &[String]) -> Result {
    let mut told: BTreeSet<&str> = there.iter().map(|one| &*one.user).collect();
    for Present { user, .. } in of {
        if told.insert(user) {
            let change = Change { channel, user_id: user };
            Message::of(&change)?.say(|data| outbox::to_channel_some(channel, None, None, excluded, event, data))?;
        }
    }
    Ok(())
}

/// A user, and with how many sockets.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Here<'a> {
    user_id: &'a str,
    clients: u32,
}

#[derive(Serialize)]
struct State<'a> {
    channel: &'a str,
    users: Vec<Here<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    more: Option<usize>,
}

fn state<'a>(channel: &'a str, now: &'a [Present]) -> Result<State<'a>> {
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    for one in now {
        *counts.entry(&one.user).or_default() += 1;
    }
    let (all, mut users, mut bytes) = (counts.len(), Vec::new(), 0);
    for (user_id, clients) in counts {
        let here = Here { user_id, clients };
        bytes += serde_json::to_string(&here).map_err(|why| Error::new("json", why.to_string()))?.len();
        if bytes > STATE_BYTES {
            break;
        }
        users.push(here);
    }
    let more = Some(all - users.len()).filter(|more| *more > 0);
    Ok(State { channel, users, more })
}
