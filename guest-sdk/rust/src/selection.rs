//! Emits to some sockets of a channel, and into other rooms.

use serde::Serialize;

use crate::{Result, host::outbox, message::Message};

fn owned<T: Into<String>>(names: impl IntoIterator<Item = T>) -> Vec<String> {
    names.into_iter().map(Into::into).collect()
}

/// Some sockets of a channel; made by [`Actor::to_some`](crate::Actor::to_some). What goes to them is in no history.
///
/// ```
/// use parlor_guest::{prelude::*, testing::TestRoom};
///
/// let room = TestRoom::new(|room| {
///     room.on("deal", |ctx, players: Vec<String>| {
///         ctx.actor().to_some("default").users(players).emit("cards", json!({ "round": 1 }))
///     });
/// });
/// let (ada, bob) = (room.connect_as(Meta::new("ada")), room.connect_as(Meta::new("bob")));
/// ada.send("deal", json!(["bob"]));
/// assert!(ada.events().is_empty());
/// assert_eq!(bob.events(), [json!({ "type": "cards", "round": 1 })]);
/// ```
#[derive(Debug, Clone)]
#[must_use = "nothing is sent before `.emit(event, data)`"]
pub struct Selection<'a> {
    channel: &'a str,
    users: Option<Vec<String>>,
    clients: Option<Vec<String>>,
    excluded: Vec<String>,
}

impl<'a> Selection<'a> {
    pub(crate) fn new(channel: &'a str) -> Self {
        Selection { channel, users: None, clients: None, excluded: Vec::new() }
    }

    /// Only those of these users.
    ///
    /// ```
    /// # use parlor_guest::prelude::*;
    /// fn deal(ctx: &Ctx, players: Vec<String>) -> Result<u32> {
    ///     ctx.actor().to_some("table").users(players).emit("cards", json!({}))
    /// }
    /// ```
    pub fn users<T: Into<String>>(self, users: impl IntoIterator<Item = T>) -> Self {
        Selection { users: Some(owned(users)), ..self }
    }

    /// Only those with these client ids.
    ///
    /// ```
    /// # use parlor_guest::prelude::*;
    /// fn deal(ctx: &Ctx, hands: Vec<String>) -> Result<u32> {
    ///     ctx.actor().to_some("table").clients(hands).emit("cards", json!({}))
    /// }
    /// ```
    pub fn clients<T: Into<String>>(self, clients: impl IntoIterator<Item = T>) -> Self {
        Selection { clients: Some(owned(clients)), ..self }
    }

    /// Without those that have these client ids.
    ///
    /// ```
    /// # use parlor_guest::prelude::*;
    /// fn others(ctx: &Ctx) -> Result<u32> {
    ///     ctx.actor().to_some("table").except([&ctx.meta().client_id]).emit("typing", json!({}))
    /// }
    /// ```
    pub fn except<T: Into<String>>(self, clients: impl IntoIterator<Item = T>) -> Self {
        Selection { excluded: owned(clients), ..self }
    }

    /// Sends when the turn commits. Returns to how many sockets. See [`Ctx::emit`](crate::Ctx::emit) for limits and errors.
    ///
    /// ```
    /// # use parlor_guest::prelude::*;
    /// fn all(ctx: &Ctx) -> Result<u32> {
    ///     ctx.actor().to_some("table").emit("typing", json!({}))
    /// }
    /// ```
    pub fn emit(&self, event: &str, data: impl Serialize) -> Result<u32> {
        let Selection { channel, users, clients, excluded } = self;
        Message::of(&data)?
            .say(|data| outbox::to_channel_some(channel, users.as_deref(), clients.as_deref(), excluded, event, data))
    }
}

/// Sockets in another room; made by [`Actor::to_room`](crate::Actor::to_room).
///
/// ```
/// # use parlor_guest::prelude::*;
/// fn tell_lobby(ctx: &Ctx) -> Result {
///     ctx.actor().to_room("lobby").channel("news").emit("opened", json!({ "room": ctx.actor().room_id() }))
/// }
/// ```
#[derive(Debug, Clone)]
#[must_use = "nothing is sent before `.emit(event, data)`"]
pub struct Elsewhere<'a> {
    room: &'a str,
    channel: Option<&'a str>,
    users: Option<Vec<String>>,
    clients: Option<Vec<String>>,
}

impl<'a> Elsewhere<'a> {
    pub(crate) fn new(room: &'a str) -> Self {
        Elsewhere { room, channel: None, users: None, clients: None }
    }

    /// Those in this channel.
    ///
    /// ```
    /// # use parlor_guest::prelude::*;
    /// fn tell(ctx: &Ctx) -> Result {
    ///     ctx.actor().to_room("lobby").channel("news").emit("opened", json!({}))
    /// }
    /// ```
    pub fn channel(self, channel: &'a str) -> Self {
        Elsewhere { channel: Some(channel), ..self }
    }

    /// Those of these users.
    ///
    /// ```
    /// # use parlor_guest::prelude::*;
    /// fn call(ctx: &Ctx, user: String) -> Result {
    ///     ctx.actor().to_room("inbox/lobby").users([user]).emit("call", json!({}))
    /// }
    /// ```
    pub fn users<T: Into<String>>(self, users: impl IntoIterator<Item = T>) -> Self {
        Elsewhere { users: Some(owned(users)), ..self }
    }

    /// Those with these client ids.
    ///
    /// ```
    /// # use parlor_guest::prelude::*;
    /// fn call(ctx: &Ctx, tab: String) -> Result {
    ///     ctx.actor().to_room("lobby").clients([tab]).emit("call", json!({}))
    /// }
    /// ```
    pub fn clients<T: Into<String>>(self, clients: impl IntoIterator<Item = T>) -> Self {
        Elsewhere { clients: Some(owned(clients)), ..self }
    }

    /// Sends behind the emits of this turn, when it commits. Nobody hears it where the room is not open. Fails with `invalid`
    /// where neither channel, users nor clients are named, and for data with bytes.
    ///
    /// ```
    /// # use parlor_guest::prelude::*;
    /// fn tell(ctx: &Ctx) -> Result {
    ///     ctx.actor().to_room("lobby").channel("default").emit("opened", json!({}))
    /// }
    /// ```
    pub fn emit(&self, event: &str, data: impl Serialize) -> Result {
        let Elsewhere { room, channel, users, clients } = self;
        Message::of(&data)?
            .say(|data| outbox::to_room(room, *channel, users.as_deref(), clients.as_deref(), event, data))
    }
}
