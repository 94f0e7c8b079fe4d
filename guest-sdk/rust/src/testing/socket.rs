//! A client of a test room.

use std::{fmt, rc::Rc};

use serde_json::Value;

use crate::{Failed, Meta, SocketId, host::types::Payload};

use super::world::World;

/// A client of a [`TestRoom`](super::TestRoom): sends events, and holds what it got. A clone is the same client.
///
/// ```
/// use parlor_guest::{prelude::*, testing::TestRoom};
///
/// let room = TestRoom::new(|room| {
///     room.on("echo", |ctx, data: Value| ctx.emit("echo", data));
/// });
/// let ada = room.connect("/ws");
/// ada.send("echo", json!({ "text": "ho" }));
/// let echo = json!({ "type": "echo", "text": "ho" });
/// assert_eq!(ada.received(), [json!({ "type": "event", "channel": "default", "data": echo })]);
/// ```
#[derive(Clone)]
pub struct TestSocket {
    pub(super) world: Rc<World>,
    pub(super) id: SocketId,
}

impl TestSocket {
    /// The socket's id in its room: what [`Ctx::id`](crate::Ctx::id) says in its handlers.
    ///
    /// ```
    /// # use parlor_guest::testing::TestRoom;
    /// let room = TestRoom::new(|_| {});
    /// assert_ne!(room.connect("/ws").id(), room.connect("/ws").id());
    /// ```
    pub fn id(&self) -> SocketId {
        self.id
    }

    /// What the room knows of it.
    ///
    /// # Panics
    /// Once the socket has left.
    ///
    /// ```
    /// # use parlor_guest::testing::TestRoom;
    /// let room = TestRoom::new(|_| {});
    /// assert_eq!(room.connect("/ws").meta().channels, ["default"]);
    /// ```
    pub fn meta(&self) -> Meta {
        match self.world.state.borrow().members.meta(self.id) {
            Ok(meta) => Meta::from_contract(meta.clone()),
            Err(_) => panic!("socket {} has left the room", self.id),
        }
    }

    /// Sends an event with data, like `client.emit(event, data)`. The room has handled it when this returns. The room
    /// ignores what a closed socket sends.
    ///
    /// # Panics
    /// Where no client could send it: an empty name, one over 128 bytes, or one that begins with `$`.
    ///
    /// ```
    /// # use parlor_guest::{prelude::*, testing::TestRoom};
    /// let room = TestRoom::new(|room| {
    ///     room.on("echo", |ctx, data: Value| ctx.emit("echo", data));
    /// });
    /// let ada = room.connect("/ws");
    /// ada.send("echo", json!(7));
    /// assert_eq!(ada.events(), [json!({ "type": "echo", "data": 7 })]);
    /// ```
    pub fn send(&self, event: &str, data: Value) {
        self.deliver(event, None, Some(data));
    }

    /// Sends an event without any data, as `client.emit(event)` does.
    ///
    /// # Panics
    /// As [`send`](TestSocket::send).
    ///
    /// ```
    /// # use parlor_guest::{prelude::*, testing::TestRoom};
    /// let room = TestRoom::new(|room| {
    ///     room.on("echo", |ctx, data: Value| ctx.emit("echo", data));
    /// });
    /// let ada = room.connect("/ws");
    /// ada.send_empty("echo");
    /// assert_eq!(ada.events(), [json!({ "type": "echo", "data": null })]);
    /// ```
    pub fn send_empty(&self, event: &str) {
        self.deliver(event, None, None);
    }

    /// Sends a frame as it stands on the wire: `{"type": ..., "channel"?: ..., "data"?: ...}`.
    ///
    /// # Panics
    /// Where it is no such frame, and as [`send`](TestSocket::send).
    ///
    /// ```
    /// # use parlor_guest::{prelude::*, testing::TestRoom};
    /// let room = TestRoom::new(|_| {});
    /// let ada = room.connect("/ws");
    /// ada.send_frame(json!({ "type": "ping" }));
    /// assert_eq!(ada.received(), [json!({ "type": "pong" })]);
    /// ```
    pub fn send_frame(&self, frame: Value) {
        let Value::Object(mut frame) = frame else { panic!("a frame is an object, not {frame}") };
        let Some(Value::String(event)) = frame.remove("type") else { panic!("a frame has a string `type`") };
        let channel = match frame.remove("channel") {
            None | Some(Value::Null) => None,
            Some(Value::String(channel)) => Some(channel),
            Some(other) => panic!("a frame's `channel` is a string, not {other}"),
        };
        self.deliver(&event, channel, frame.remove("data"));
    }

    /// Sends an event and waits for its acknowledgement: none where nobody answered, the failure where its turn failed.
    ///
    /// # Panics
    /// As [`send`](TestSocket::send).
    ///
    /// ```
    /// # use parlor_guest::{prelude::*, testing::TestRoom};
    /// let room = TestRoom::new(|room| {
    ///     room.on("double", |_, number: i32| answer(&(number * 2)));
    /// });
    /// let ada = room.connect("/ws");
    /// assert_eq!(ada.ask("double", json!(4)), Ok(Some(json!(8))));
    /// assert_eq!(ada.ask("double", json!("four")).unwrap_err().code, "bad-data");
    /// ```
    pub fn ask(&self, event: &str, data: Value) -> Result<Option<Value>, Failed> {
        check(event);
        let answer = self.world.client_event(self.id, event, None, Some(data), true)?;
        Ok(answer.map(|payload| match payload {
            Payload::Json(text) => serde_json::from_str(&text).expect("serde_json wrote it"),
            Payload::Binary(bytes) => Value::from(bytes),
        }))
    }

    /// The frames that the client got since the last call, as they are on the wire.
    ///
    /// ```
    /// # use parlor_guest::{prelude::*, testing::TestRoom};
    /// let room = TestRoom::new(|room| {
    ///     room.on_connect(|ctx| ctx.emit("welcome", json!({})));
    /// });
    /// let ada = room.connect("/ws");
    /// assert_eq!(ada.received(), [json!({ "type": "event", "channel": "default", "data": { "type": "welcome" } })]);
    /// assert!(ada.received().is_empty());
    /// ```
    pub fn received(&self) -> Vec<Value> {
        self.world.state.borrow_mut().take_frames(self.id)
    }

    /// The events that it got since this was asked last, as a client's listeners see them: the frames' `data`, which
    /// holds the event's name as `type`.
    ///
    /// ```
    /// # use parlor_guest::{prelude::*, testing::TestRoom};
    /// let room = TestRoom::new(|room| {
    ///     room.on_connect(|ctx| ctx.emit("welcome", json!({ "number": 1 })));
    /// });
    /// assert_eq!(room.connect("/ws").events(), [json!({ "type": "welcome", "number": 1 })]);
    /// ```
    pub fn events(&self) -> Vec<Value> {
        let frames = self.received().into_iter().filter(|frame| frame["type"] == "event");
        frames.map(|mut frame| frame["data"].take()).collect()
    }

    /// The code and reason with which it was closed, if it was.
    ///
    /// ```
    /// # use parlor_guest::{prelude::*, testing::TestRoom};
    /// let room = TestRoom::new(|room| {
    ///     room.on_connect(|_| Error::msg("not today"));
    /// });
    /// assert_eq!(room.connect("/ws").closed().map(|(code, _)| code), Some(1011));
    /// ```
    pub fn closed(&self) -> Option<(u16, String)> {
        self.world.state.borrow().inboxes.get(&self.id).and_then(|inbox| inbox.closed.clone())
    }

    /// Ends the connection from the client's side; `on_disconnect` has run when this returns.
    ///
    /// ```
    /// # use parlor_guest::testing::TestRoom;
    /// let room = TestRoom::new(|_| {});
    /// let ada = room.connect("/ws");
    /// ada.disconnect(1006, "");
    /// assert_eq!(room.session_count(), 0);
    /// ```
    pub fn disconnect(&self, code: u16, reason: &str) {
        self.world.disconnect(self.id, code, reason);
    }

    fn deliver(&self, event: &str, channel: Option<String>, data: Option<Value>) {
        check(event);
        // The server reports a failure to the sender, or to the log and `TestRoom::failures`.
        let _ = self.world.client_event(self.id, event, channel, data, false);
    }
}

fn check(event: &str) {
    assert!(!event.starts_with('$'), "a client cannot send {event}: names that begin with `$` are the host's");
    assert!((1..=128).contains(&event.len()), "an event's name has 1 to 128 bytes, not {}", event.len());
}

impl fmt::Debug for TestSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TestSocket").field(&self.id).finish()
    }
}
