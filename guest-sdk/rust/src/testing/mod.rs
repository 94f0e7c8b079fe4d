//! Test a room with `cargo test`: no wasm, no server.
//!
//! A [`TestRoom`] means what the server means: an event is a turn that commits or leaves no trace, emits are counted at
//! the call and arrive at the commit, `authorize` runs before `on_connect` in an instance of its own, a failed
//! `on_connect` undoes the membership, an error runs `on_error` in a turn of its own. Timers and the alarm run in
//! virtual time: [`TestRoom::advance`] lets it pass, in no time. [`TestRoom::sleep`] and [`TestRoom::swap`] take the
//! instance away as the server does. The server's bounds on emits, host calls, names, timers, storage and suspended
//! states hold at their defaults. What it does not have are bounds on CPU time and memory, and a panic is the test's.

mod bounds;
mod builder;
pub(crate) mod imports;
mod members;
mod schedule;
mod socket;
mod storage;
mod suspend;
mod time;
mod turn;
mod world;

use std::{fmt, rc::Rc};

use serde::de::DeserializeOwned;

use self::{bounds::checked, world::World};
pub use self::{builder::Builder, socket::TestSocket, time::TestTimer};
use crate::{Failed, Meta, Rejection, Request, Room, Setup};

/// A room to test a plugin with.
///
/// It and its [`TestSocket`]s take `&self` everywhere, so that a test can hold as many of them as it likes.
///
/// ```
/// use parlor_guest::{prelude::*, testing::TestRoom};
///
/// #[parlor_guest::room(name = "chat", path = "/ws")]
/// fn chat(room: &mut Room) {
///     room.on("chat.message", |ctx, message: Value| ctx.actor().emit("chat.message", message));
/// }
///
/// # fn main() {
/// let room = TestRoom::new(chat);
/// let ada = room.connect_as(Meta::new("ada"));
/// let bob = room.connect("/ws");
/// ada.send("chat.message", json!({ "text": "hi" }));
/// assert_eq!(bob.events(), [json!({ "type": "chat.message", "text": "hi" })]);
/// assert_eq!(room.session_count(), 2);
/// # }
/// ```
pub struct TestRoom {
    world: Rc<World>,
}

impl TestRoom {
    /// A room `default` of this plugin, without configuration.
    ///
    /// # Panics
    /// Where the plugin refuses to start, with its words.
    ///
    /// ```
    /// # use parlor_guest::{prelude::*, testing::TestRoom};
    /// let room = TestRoom::new(|room| {
    ///     room.on("ping", |ctx, _: Value| ctx.emit("pong", json!({})));
    /// });
    /// ```
    pub fn new<S: Setup>(setup: impl Fn(&mut Room) -> S + 'static) -> Self {
        TestRoom::builder().build(setup)
    }

    /// Makes a room with a configuration, a room id or a time of your choice.
    ///
    /// ```
    /// # use parlor_guest::testing::TestRoom;
    /// let room = TestRoom::builder().config("motd", "be kind").build(|_| {});
    /// ```
    pub fn builder() -> Builder {
        Builder::new()
    }

    /// Connects as a browser does: `authorize`, then `on_connect`. Takes an address (`/ws?token=...`) or a [`request`].
    ///
    /// # Panics
    /// Where the connection is refused.
    ///
    /// ```
    /// # use parlor_guest::{prelude::*, testing::TestRoom};
    /// let room = TestRoom::new(|_| {});
    /// let stranger = room.connect("/ws");
    /// assert_eq!(room.user_ids(), [stranger.meta().user_id]);
    /// ```
    pub fn connect(&self, request: impl Into<Request>) -> TestSocket {
        match self.try_connect(request) {
            Ok(socket) => socket,
            Err(Rejection { status, message }) => panic!("the connection was refused: {status} {message}"),
        }
    }

    /// Connects like [`connect`](TestRoom::connect), and returns a refusal as an error. It is 404 if the path is not
    /// the plugin's.
    ///
    /// ```
    /// # use parlor_guest::{prelude::*, testing::TestRoom};
    /// let room = TestRoom::new(|room| {
    ///     room.authorize(|_| -> Result<Meta, Rejection> { Err(Rejection::forbidden("closed")) });
    /// });
    /// assert_eq!(room.try_connect("/ws").unwrap_err(), Rejection::forbidden("closed"));
    /// ```
    pub fn try_connect(&self, request: impl Into<Request>) -> Result<TestSocket, Rejection> {
        Ok(self.admit(self.world.authorize(request.into())?))
    }

    /// Connects as somebody, past `authorize`.
    ///
    /// # Panics
    /// Where the server would not take the meta: an id or a channel that is empty or over 128 bytes, over 64 channels.
    ///
    /// ```
    /// # use parlor_guest::{prelude::*, testing::TestRoom};
    /// let room = TestRoom::new(|_| {});
    /// room.connect_as(Meta::new("ada").in_channels(["news"]));
    /// assert_eq!(room.user_ids(), ["ada"]);
    /// ```
    pub fn connect_as(&self, meta: Meta) -> TestSocket {
        match checked(meta) {
            Ok(meta) => self.admit(meta),
            Err(refusal) => panic!("the server would not take this meta: {refusal}"),
        }
    }

    fn admit(&self, meta: Meta) -> TestSocket {
        TestSocket { id: self.world.connect(meta), world: Rc::clone(&self.world) }
    }

    /// Gives the room a new instance, as after a crash: what closures held is gone, sockets and storage stay, and
    /// `on_restore` runs with this reason (`crash`, `wake`, `swap`, `restart`).
    ///
    /// # Panics
    /// Where the plugin refuses to start again.
    ///
    /// ```
    /// # use parlor_guest::{prelude::*, testing::TestRoom};
    /// let room = TestRoom::new(|room| {
    ///     let mut count = 0;
    ///     room.on("count", move |ctx, _: Value| {
    ///         count += 1;
    ///         ctx.emit("count", count)
    ///     });
    /// });
    /// let ada = room.connect("/ws");
    /// ada.send("count", json!({}));
    /// room.restore("crash");
    /// ada.send("count", json!({}));
    /// assert_eq!(ada.events()[1], json!({ "type": "count", "data": 1 }));
    /// ```
    pub fn restore(&self, reason: &str) {
        if let Err(why) = self.world.restore(reason) {
            panic!("the plugin refuses to start: {why}");
        }
    }

    /// The JSON value of a key in the room's storage, as last committed.
    ///
    /// # Panics
    /// Where the value is not JSON of this type.
    ///
    /// ```
    /// # use parlor_guest::{prelude::*, testing::TestRoom};
    /// let room = TestRoom::new(|room| {
    ///     room.on("put", |ctx, value: Value| ctx.storage().put("key", value));
    /// });
    /// room.connect("/ws").send("put", json!([1, 2]));
    /// assert_eq!(room.stored::<Vec<u32>>("key"), Some(vec![1, 2]));
    /// ```
    pub fn stored<T: DeserializeOwned>(&self, key: &str) -> Option<T> {
        match serde_json::from_slice(&self.stored_bytes(key)?) {
            Ok(value) => Some(value),
            Err(why) => panic!("the value of `{key}` does not fit: {why}"),
        }
    }

    /// The bytes of a key of the room's storage, as last committed.
    ///
    /// ```
    /// # use parlor_guest::{prelude::*, testing::TestRoom};
    /// let room = TestRoom::new(|room| {
    ///     room.on("seed", |ctx, _: Value| ctx.storage().put_bytes("seed", &[0xff]));
    /// });
    /// room.connect("/ws").send("seed", json!({}));
    /// assert_eq!(room.stored_bytes("seed"), Some(vec![0xff]));
    /// ```
    pub fn stored_bytes(&self, key: &str) -> Option<Vec<u8>> {
        self.world.state.borrow().storage.committed(key).map(<[u8]>::to_vec)
    }

    /// The keys of the room's storage, as last committed, in ascending order.
    ///
    /// ```
    /// # use parlor_guest::testing::TestRoom;
    /// assert!(TestRoom::new(|_| {}).stored_keys().is_empty());
    /// ```
    pub fn stored_keys(&self) -> Vec<String> {
        self.world.state.borrow().storage.keys().cloned().collect()
    }

    /// The lines of the log so far: `info: the game begins`.
    ///
    /// ```
    /// # use parlor_guest::{prelude::*, testing::TestRoom};
    /// let room = TestRoom::new(|room| {
    ///     room.on_connect(|ctx| ctx.log().info("hello"));
    /// });
    /// room.connect("/ws");
    /// assert_eq!(room.log(), ["info: hello"]);
    /// ```
    pub fn log(&self) -> Vec<String> {
        self.world.state.borrow().log.clone()
    }

    /// The turns that failed so far, except those whose failure went to the sender.
    ///
    /// ```
    /// # use parlor_guest::{prelude::*, testing::TestRoom};
    /// let room = TestRoom::new(|room| {
    ///     room.on("fail", |_, _: Value| Error::msg("the cat ate it"));
    ///     room.on("refuse", |_, _: Value| reject("no", "never"));
    /// });
    /// let ada = room.connect("/ws");
    /// ada.send("fail", json!({}));
    /// ada.send("refuse", json!({}));
    /// assert_eq!(room.failures().len(), 1);
    /// assert_eq!(room.failures()[0].message, "the cat ate it");
    /// ```
    pub fn failures(&self) -> Vec<Failed> {
        self.world.state.borrow().failures.clone()
    }

    /// How many sockets are connected.
    ///
    /// ```
    /// # use parlor_guest::testing::TestRoom;
    /// assert_eq!(TestRoom::new(|_| {}).session_count(), 0);
    /// ```
    pub fn session_count(&self) -> u32 {
        self.world.state.borrow().members.count()
    }

    /// The ids of the users that are connected, each once, in ascending order.
    ///
    /// ```
    /// # use parlor_guest::{prelude::*, testing::TestRoom};
    /// let room = TestRoom::new(|_| {});
    /// room.connect_as(Meta::new("bob"));
    /// room.connect_as(Meta::new("ada"));
    /// assert_eq!(room.user_ids(), ["ada", "bob"]);
    /// ```
    pub fn user_ids(&self) -> Vec<String> {
        self.world.state.borrow().members.user_ids()
    }

    /// What the plugin asked the server for: event names, `*`, and hooks such as `$connect`; in ascending order.
    ///
    /// ```
    /// # use parlor_guest::{prelude::*, testing::TestRoom};
    /// let room = TestRoom::new(|room| {
    ///     room.on("chat.message", |_, _: Value| {});
    ///     room.on_connect(|_| {});
    /// });
    /// assert_eq!(room.registered(), ["$connect", "chat.message"]);
    /// ```
    pub fn registered(&self) -> Vec<String> {
        self.world.state.borrow().events.iter().cloned().collect()
    }
}

impl fmt::Debug for TestRoom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestRoom").field("users", &self.user_ids()).finish_non_exhaustive()
    }
}

/// The request that a client makes for an address such as `/ws?room=lobby`: without headers, from 127.0.0.1.
///
/// ```
/// use parlor_guest::{prelude::*, testing::{TestRoom, request}};
///
/// let room = TestRoom::new(|room| {
///     room.authorize(|req| Ok(Meta::new(req.header("x-user").unwrap_or("nobody"))));
/// });
/// let mut req = request("/ws");
/// req.headers.push(("x-user".into(), "ada".into()));
/// assert_eq!(room.connect(req).meta().user_id, "ada");
/// ```
pub fn request(address: &str) -> Request {
    let mut request = Request {
        uri: format!("ws://localhost{address}"),
        room: String::new(),
        headers: Vec::new(),
        remote: "127.0.0.1".to_owned(),
    };
    request.room = request.query("room").unwrap_or_else(|| "default".to_owned());
    request
}

impl From<&str> for Request {
    fn from(address: &str) -> Self {
        request(address)
    }
}
