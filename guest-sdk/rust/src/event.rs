//! The event of the current turn.

use serde::de::DeserializeOwned;

use crate::{
    Error, Result, SocketId,
    anywhere::millis,
    host::{inbox, types},
    payload,
};

/// The event that the current turn handles.
///
/// ```
/// use parlor_guest::{prelude::*, testing::TestRoom};
///
/// let room = TestRoom::new(|room| {
///     room.on_any(|ctx, _: Value| {
///         let event = ctx.event();
///         ctx.emit("seen", json!({ "name": event.name(), "channel": event.channel(), "data": event.has_data() }))
///     });
/// });
/// let ada = room.connect("/ws");
/// ada.send_frame(json!({ "type": "move", "channel": "game" }));
/// assert_eq!(ada.events(), [json!({ "type": "seen", "name": "move", "channel": "game", "data": false })]);
/// ```
#[derive(Debug)]
pub struct Event(types::Event);

impl Event {
    pub(crate) fn new(event: types::Event) -> Self {
        Event(event)
    }

    pub(crate) fn cause(&self) -> &str {
        &self.0.cause
    }

    /// Whether this is a bare ping: the client's keepalive, which the host has answered already.
    pub(crate) fn is_keepalive(&self) -> bool {
        self.0.name == "ping" && self.0.payload.is_none() && self.0.channel.is_none()
    }

    pub(crate) fn payload(&self) -> Option<&types::Payload> {
        self.0.payload.as_ref()
    }

    /// Reads the data that the host sends with a hook. If it does not fit, the host is at fault.
    pub(crate) fn hook_data<T: DeserializeOwned>(&self) -> Result<T> {
        payload::read(self.payload()).map_err(|error| Error::new("bad-hook", error.message()))
    }

    pub(crate) fn socket(&self) -> Option<SocketId> {
        self.0.socket
    }

    /// The name of the event: `chat.message`, or a hook such as `$connect`. Verani's API calls it `ctx.frame.type`.
    ///
    /// ```
    /// # use parlor_guest::prelude::*;
    /// fn log_it(ctx: &Ctx, _: Value) {
    ///     ctx.log().info(ctx.event().name());
    /// }
    /// ```
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The channel that the client named in its frame, if it named one.
    ///
    /// ```
    /// # use parlor_guest::prelude::*;
    /// fn relay(ctx: &Ctx, data: Value) -> Result<u32> {
    ///     let channel = ctx.event().channel().unwrap_or("default");
    ///     ctx.to(channel).emit("message", data)
    /// }
    /// ```
    pub fn channel(&self) -> Option<&str> {
        self.0.channel.as_deref()
    }

    /// Whether the client sent data with the event. `null` is data.
    ///
    /// ```
    /// # use parlor_guest::prelude::*;
    /// fn ping(ctx: &Ctx, _: Value) -> Result<u32> {
    ///     ctx.emit("pong", json!({ "empty": !ctx.event().has_data() }))
    /// }
    /// ```
    pub fn has_data(&self) -> bool {
        self.0.payload.is_some()
    }

    /// The data as the client sent it, as JSON text. `None` if there is no data, or if it is bytes.
    ///
    /// ```
    /// # use parlor_guest::prelude::*;
    /// fn measure(ctx: &Ctx, _: Value) -> Result<u32> {
    ///     ctx.emit("size", ctx.event().text().map_or(0, str::len))
    /// }
    /// ```
    pub fn text(&self) -> Option<&str> {
        match self.payload() {
            Some(types::Payload::Json(text)) => Some(text),
            _ => None,
        }
    }

    /// How many arguments the client gave: more than 1 only where its protocol has several, as Socket.IO's has. They are
    /// one array then, which [`Room::on`](crate::Room::on) reads into a tuple.
    ///
    /// ```
    /// # use parlor_guest::prelude::*;
    /// fn count(ctx: &Ctx, _: Value) -> Result<u32> {
    ///     ctx.emit("count", ctx.event().arguments())
    /// }
    /// ```
    pub fn arguments(&self) -> u32 {
        inbox::arguments()
    }

    /// Whether the client waits for an acknowledgement, which [`answer`](crate::answer) gives.
    ///
    /// ```
    /// # use parlor_guest::prelude::*;
    /// fn join(ctx: &Ctx, _: Value) -> Result<Answer> {
    ///     if !ctx.event().wants_answer() { ctx.emit("joined", json!({}))?; }
    ///     answer(&"joined")
    /// }
    /// ```
    pub fn wants_answer(&self) -> bool {
        self.0.answer_wanted
    }

    /// When the room accepted the event, in milliseconds since the Unix epoch.
    ///
    /// ```
    /// # use parlor_guest::prelude::*;
    /// fn ping(ctx: &Ctx, _: Value) -> Result<u32> {
    ///     ctx.emit("pong", json!({ "timestamp": ctx.event().accepted_at() }))
    /// }
    /// ```
    pub fn accepted_at(&self) -> u64 {
        millis(self.0.accepted_at)
    }
}
