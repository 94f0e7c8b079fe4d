//! A client of a test room.

use std::{fmt, rc::Rc};

use serde_json::{Value, json};

use crate::{Failed, Meta, SocketId, base64, hooks::hook, host::types::Payload};

use super::{clients::ClientFrame, world::World};

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
        let payload = Some(Payload::Json(data.to_string()));
        self.deliver(ClientFrame { name: event.to_owned(), payload, arguments: 1, ..ClientFrame::default() });
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
        self.deliver(ClientFrame { name: event.to_owned(), ..ClientFrame::default() });
    }

    /// Sends a frame as it stands on the wire: `{"type": ..., "channel"?: ..., "data"?: ..., "id"?: ...}`,
    /// with `base64` in the place of `data` where that is bytes. A frame `ack` with an `id` answers the ask of that number.
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
        let ack = match frame.remove("id") {
            None | Some(Value::Null) => None,
            Some(id) => Some(id.as_u64().unwrap_or_else(|| panic!("a frame's `id` is a number, not {id}"))),
        };
        let payload = match (frame.remove("data"), frame.remove("base64")) {
            (None | Some(Value::Null), Some(Value::String(text))) => {
                Some(Payload::Binary(base64::decode(&text).unwrap_or_else(|| panic!("this is no base64: {text}"))))
            }
            (data, _) => data.map(|data| Payload::Json(data.to_string())),
        };
        match ack {
            Some(ask) if event == "ack" => drop(self.world.answer_ask(self.id, ask, payload)),
            _ => {
                let arguments = payload.is_some().into();
                self.deliver(ClientFrame { name: event, channel, payload, arguments, ack });
            }
        }
    }

    /// Sends an event whose data is bytes.
    ///
    /// # Panics
    /// As [`send`](TestSocket::send).
    ///
    /// ```
    /// # use parlor_guest::{Bytes, prelude::*, testing::TestRoom};
    /// let room = TestRoom::new(|room| {
    ///     room.on("echo", |ctx, bytes: Bytes| ctx.emit("echo", bytes));
    /// });
    /// let ada = room.connect("/ws");
    /// ada.send_bytes("echo", &[0, 255]);
    /// assert_eq!(ada.events(), [json!({ "type": "echo", "base64": "AP8=" })]);
    /// ```
    pub fn send_bytes(&self, event: &str, bytes: &[u8]) {
        let payload = Some(Payload::Binary(bytes.to_vec()));
        self.deliver(ClientFrame { name: event.to_owned(), payload, arguments: 1, ..ClientFrame::default() });
    }

    /// Sends an event with several arguments, as a client of Socket.IO does.
    ///
    /// # Panics
    /// As [`send`](TestSocket::send).
    ///
    /// ```
    /// # use parlor_guest::{prelude::*, testing::TestRoom};
    /// let room = TestRoom::new(|room| {
    ///     room.on("add", |ctx, (a, b): (i32, i32)| ctx.emit("sum", [a + b, ctx.event().arguments() as i32]));
    /// });
    /// let ada = room.connect("/ws");
    /// ada.send_args("add", &[json!(1), json!(2)]);
    /// assert_eq!(ada.events(), [json!({ "type": "sum", "data": [3, 2] })]);
    /// ```
    pub fn send_args(&self, event: &str, arguments: &[Value]) {
        let payload = match arguments {
            [] => None,
            [one] => Some(one.to_string()),
            several => Some(Value::from(several).to_string()),
        };
        let (payload, arguments) = (payload.map(Payload::Json), arguments.len() as u32);
        self.deliver(ClientFrame { name: event.to_owned(), payload, arguments, ..ClientFrame::default() });
    }

    /// Sends an event and waits for its acknowledgement, as `await room.request(event, data)` does: the answer, `None` where
    /// the handlers gave none. Where the event had no effect it is an error, with the code `no-handler` where nobody handles
    /// it; the message is empty where the client learns the code alone. `None` as well where the room ignores the event.
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
    /// assert_eq!(ada.request("double", json!(4)), Ok(Some(json!(8))));
    /// assert_eq!(ada.request("double", json!("four")).unwrap_err().code, "bad-data");
    /// assert_eq!(ada.request("triple", json!(4)).unwrap_err().code, "no-handler");
    /// ```
    pub fn request(&self, event: &str, data: Value) -> Result<Option<Value>, Failed> {
        /// No test sends a frame with this number itself.
        const NUMBER: u64 = u64::MAX;
        let payload = Some(Payload::Json(data.to_string()));
        let ack = Some(NUMBER);
        self.deliver(ClientFrame { name: event.to_owned(), payload, arguments: 1, ack, ..ClientFrame::default() });
        let is_answer = |frame: &Value| frame["type"] == "ack" && frame["id"] == NUMBER;
        let mut state = self.world.state.borrow_mut();
        let frames = state.inboxes.get_mut(&self.id).map(|inbox| &mut inbox.frames);
        let place = frames.as_ref().and_then(|frames| frames.iter().position(is_answer));
        let Some((frames, place)) = frames.zip(place) else { return Ok(None) };
        let mut frame = frames.remove(place);
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        match &frame["error"] {
            Value::Null if frame["base64"].is_string() => Ok(Some(json!({ "base64": frame["base64"] }))),
            Value::Null => Ok(frame.get_mut("data").map(Value::take)),
            error => {
                let (code, message) = (text(&error["code"]), text(&error["message"]));
                Err(Failed { event: event.to_owned(), code, message })
            }
        }
    }

    /// Answers the first of the asks that this client has not answered; `on_ack` has run when this returns.
    ///
    /// # Panics
    /// Where it is asked nothing.
    ///
    /// ```
    /// # use parlor_guest::{prelude::*, testing::TestRoom};
    /// let room = TestRoom::new(|room| {
    ///     room.on_connect(|ctx| ctx.ask("color", json!({}), Duration::from_secs(10)));
    ///     room.on_ack("color", |ctx, color: Ack<String>| ctx.emit("color", color.answered()));
    /// });
    /// let ada = room.connect("/ws");
    /// ada.answer(json!("red"));
    /// assert_eq!(ada.events()[1], json!({ "type": "color", "data": "red" }));
    /// ```
    pub fn answer(&self, data: Value) {
        self.answer_with(Payload::Json(data.to_string()));
    }

    /// Answers as [`answer`](TestSocket::answer) does, with bytes.
    ///
    /// # Panics
    /// As [`answer`](TestSocket::answer).
    ///
    /// ```
    /// # use parlor_guest::{Bytes, prelude::*, testing::TestRoom};
    /// let room = TestRoom::new(|room| {
    ///     room.on_connect(|ctx| ctx.ask("key", json!({}), Duration::from_secs(10)));
    ///     room.on_ack("key", |ctx, key: Ack<Bytes>| ctx.emit("length", key.answered().map(|key| key.len())));
    /// });
    /// let ada = room.connect("/ws");
    /// ada.answer_bytes(&[0, 255]);
    /// assert_eq!(ada.events()[1], json!({ "type": "length", "data": 2 }));
    /// ```
    pub fn answer_bytes(&self, bytes: &[u8]) {
        self.answer_with(Payload::Binary(bytes.to_vec()));
    }

    fn answer_with(&self, answer: Payload) {
        let number = self.world.state.borrow().asks.of(self.id).next();
        let is_asked = number.is_some_and(|number| self.world.answer_ask(self.id, number, Some(answer)));
        assert!(is_asked, "socket {} is asked nothing", self.id);
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

    /// Breaks the line of a client that may come back: the socket stays, and `on_lost` has run when this returns.
    pub fn lose_line(&self) {
        self.world.line_changed(self.id, hook::LOST);
    }

    /// Has the client come back over another line, with nothing missing; `on_back` has run when this returns.
    pub fn come_back(&self) {
        self.world.line_changed(self.id, hook::BACK);
    }

    fn deliver(&self, frame: ClientFrame) {
        check(&frame.name);
        self.world.client_event(self.id, frame);
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
