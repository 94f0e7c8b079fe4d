//! Asking clients, and what they answer.

use std::time::Duration;

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;

use crate::{
    Ctx, Error, Handler, Outcome, Result, Room, Socket,
    host::{outbox, types::Payload},
    message::Message,
    payload,
    registry::Table,
    timers::whole_millis,
};

/// How an ask ended. The closure of [`Room::on_ack`] gets it.
///
/// ```
/// use parlor_guest::prelude::*;
///
/// fn duel(room: &mut Room) {
///     room.on_ack("ready", |ctx, ack: Ack<bool>| match ack {
///         Ack::Answered(ready) => ctx.actor().emit("ready", json!({ "user": ctx.meta().user_id, "ready": ready })),
///         Ack::Timeout | Ack::Gone => ctx.actor().emit("unready", json!({ "user": ctx.meta().user_id })),
///     });
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ack<T> {
    /// The client answered.
    Answered(T),
    /// It did not answer in time.
    Timeout,
    /// Its socket has left.
    Gone,
}

impl<T> Ack<T> {
    /// What the client answered, if it did.
    ///
    /// ```
    /// assert_eq!(parlor_guest::Ack::Answered(3).answered(), Some(3));
    /// ```
    pub fn answered(self) -> Option<T> {
        match self {
            Ack::Answered(answer) => Some(answer),
            Ack::Timeout | Ack::Gone => None,
        }
    }
}

/// What the host says of an ask that is over.
#[derive(Deserialize)]
struct AskEnd {
    outcome: String,
    data: Option<Box<RawValue>>,
}

impl<T: DeserializeOwned> Ack<T> {
    fn read(ctx: &Ctx) -> Result<Self> {
        let AskEnd { outcome, data } = ctx.event().hook_data()?;
        match outcome.as_str() {
            "answered" => {
                let data = data.map(|data| Payload::Json(String::from(Box::<str>::from(data))));
                Ok(Ack::Answered(payload::read(data.as_ref())?))
            }
            "timeout" => Ok(Ack::Timeout),
            "gone" => Ok(Ack::Gone),
            other => Err(Error::new("bad-hook", format!("an ask cannot end with {other:?}"))),
        }
    }
}

impl Room {
    /// Calls `handler` once for each ask of this name, which [`Ctx::ask`] or [`Socket::ask`] made: with the client's
    /// answer, or without one where it came not in time or its socket left. Its handlers run in the order of registration.
    ///
    /// `ctx` is about the socket that was asked, which may have left: its meta can still be read, and emits to it reach 0
    /// sockets. The answer is read as [`on`](Room::on) reads; one that does not fit fails the turn with `bad-data`, and the
    /// client is told. The ask is over whether the turn commits or fails.
    ///
    /// ```
    /// use parlor_guest::{prelude::*, testing::TestRoom};
    ///
    /// let room = TestRoom::new(|room| {
    ///     room.on_connect(|ctx| ctx.ask("color", json!({}), Duration::from_secs(10)));
    ///     room.on_ack("color", |ctx, color: Ack<String>| {
    ///         ctx.emit("yours", json!({ "color": color.answered().unwrap_or("grey".into()) }))
    ///     });
    /// });
    /// let (ada, bob) = (room.connect("/ws"), room.connect("/ws"));
    /// ada.answer(json!("red"));
    /// room.advance(Duration::from_secs(10));
    /// assert_eq!(ada.events()[1], json!({ "type": "yours", "color": "red" }));
    /// assert_eq!(bob.events()[1], json!({ "type": "yours", "color": "grey" }));
    /// ```
    pub fn on_ack<T, F, R>(&self, name: &str, mut handler: F) -> Handler
    where
        T: for<'de> Deserialize<'de>,
        F: FnMut(&Ctx, Ack<T>) -> R + 'static,
        R: Outcome,
    {
        self.warn_of_unhandled();
        self.add_to(Table::Acks, name, move |ctx| handler(ctx, Ack::read(ctx)?).into_handled())
    }
}

impl Socket<'_> {
    /// Asks this socket's client: sends it an event that it answers with an acknowledgement. [`Room::on_ack`] of the event's
    /// name gets the answer, in a turn of its own, and gets none once `timeout` has passed since the end of this turn.
    ///
    /// An ask is an effect of the turn, as an emit is, and counts as one. What a room waits for lives in the server's memory:
    /// it survives the plugin's instance, its crash and the swap to a new version, but not a restart of the server. Up to
    /// 1,024 asks a room and 64 a socket wait at a time; past that it fails with `limit-exceeded`. Fails with
    /// `no-such-socket` if the socket has left, and with `invalid` for a timeout of nothing or over an hour.
    ///
    /// ```
    /// # use parlor_guest::prelude::*;
    /// fn confirm(ctx: &Ctx, id: SocketId) -> Result {
    ///     ctx.socket(id).ask("confirm", json!({ "by": ctx.meta().user_id }), Duration::from_secs(30))
    /// }
    /// ```
    pub fn ask(&self, event: &str, data: impl Serialize, timeout: Duration) -> Result {
        self.ask_as(event, event, data, timeout)
    }

    /// Asks as [`ask`](Socket::ask) does; the handlers of another name get the answer: those of [`Room::on_ack`] for `name`.
    ///
    /// ```
    /// # use parlor_guest::prelude::*;
    /// fn next_move(ctx: &Ctx, id: SocketId) -> Result {
    ///     ctx.socket(id).ask_as("move-of-white", "move", json!({}), Duration::from_secs(60))
    /// }
    /// ```
    pub fn ask_as(&self, name: &str, event: &str, data: impl Serialize, timeout: Duration) -> Result {
        let timeout_ms = u32::try_from(whole_millis(timeout)).unwrap_or(u32::MAX);
        Message::of(&data)?.say(|data| outbox::ask(self.id(), event, data, name, timeout_ms))
    }
}

impl Ctx {
    /// Asks this socket's client; see [`Socket::ask`].
    ///
    /// ```
    /// # use parlor_guest::prelude::*;
    /// fn who_are_you(ctx: &Ctx) -> Result {
    ///     ctx.ask("name", json!({}), Duration::from_secs(10))
    /// }
    /// ```
    pub fn ask(&self, event: &str, data: impl Serialize, timeout: Duration) -> Result {
        self.actor().socket(self.id()).ask(event, data, timeout)
    }
}
