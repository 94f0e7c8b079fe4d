//! Who is in a channel, told to everyone in it.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{Actor, Ctx, Handler, Outcome, Result, Room, SocketId, User, hooks::hook};

/// How many sockets one call of the host answers at most.
const SOCKETS_PER_CALL: u32 = 1_000;

/// A user, and with how many sockets.
#[derive(Serialize)]
struct Here {
    #[serde(rename = "userId")]
    user_id: String,
    clients: u32,
}

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

    /// Tells everyone in a channel who is in it. A newcomer gets `presence.state`, `{channel, users: [{userId, clients}]}`,
    /// with itself among the users, which come in ascending order; the others get `presence.join` `{channel, userId}` for the first socket of a user in the
    /// channel, and `presence.leave` for the last. A socket whose line broke stays until it cannot resume any more.
    ///
    /// What counts is the channel at the end of a socket's `on_connect` handlers that were registered before, and at its end:
    /// a socket that joins or leaves the channel in an event is told of by nobody, but is in the next `presence.state`.
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
        let (came, left) = (channel.to_owned(), channel.to_owned());
        self.add(hook::CONNECT, move |ctx| {
            let meta = ctx.meta();
            if meta.channels.contains(&came) {
                if is_alone(ctx.actor(), &came, &meta.user_id, ctx.id())? {
                    let others = ctx.actor().to_some(&came).except([&meta.client_id]);
                    others.emit("presence.join", Change { channel: &came, user_id: &meta.user_id })?;
                }
                ctx.emit("presence.state", State { channel: &came, users: users(ctx.actor(), &came)? })?;
            }
            Ok(None)
        });
        self.add(hook::DISCONNECT, move |ctx| {
            let meta = ctx.meta();
            if meta.channels.contains(&left) && is_alone(ctx.actor(), &left, &meta.user_id, ctx.id())? {
                let change = Change { channel: &left, user_id: &meta.user_id };
                ctx.actor().to_some(&left).emit("presence.leave", change)?;
            }
            Ok(None)
        });
    }
}

#[derive(Serialize)]
struct Change<'a> {
    channel: &'a str,
    #[serde(rename = "userId")]
    user_id: &'a str,
}

#[derive(Serialize)]
struct State<'a> {
    channel: &'a str,
    users: Vec<Here>,
}

/// Whether no other socket of the user is in the channel.
fn is_alone(actor: &Actor, channel: &str, user: &str, socket: SocketId) -> Result<bool> {
    for other in actor.sockets_of(user) {
        if other != socket && actor.socket(other).meta()?.channels.iter().any(|name| name == channel) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn users(actor: &Actor, channel: &str) -> Result<Vec<Here>> {
    let (mut users, mut after) = (BTreeMap::<String, u32>::new(), None);
    loop {
        let page = actor.sockets_in(channel, after, SOCKETS_PER_CALL)?;
        for socket in &page {
            *users.entry(actor.socket(*socket).meta()?.user_id).or_default() += 1;
        }
        match page.last() {
            Some(last) if page.len() == SOCKETS_PER_CALL as usize => after = Some(*last),
            _ => return Ok(users.into_iter().map(|(user_id, clients)| Here { user_id, clients }).collect()),
        }
    }
}
