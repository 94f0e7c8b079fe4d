//! The room that a test holds: who connects to it, and what it looks like from outside.

use std::{fmt, rc::Rc};

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::{Error, Failed, Meta, Rejection, Request, hooks::hook, host::types};

use super::{bounds::checked, histories::since, socket::TestSocket, world::World};

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
    pub(super) world: Rc<World>,
}

impl TestRoom {
    /// Connects as a browser does: `authorize`, then `on_connect`. Takes an address (`/ws?token=...`) or a
    /// [`request`](super::request()).
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
        let refused = |no: types::Rejection| Rejection::new(no.status, no.message);
        let request = request.into();
        let since = since(request.queries("since"));
        let Request { uri, room, headers, remote } = request;
        let known = self.world.authorize(types::Request { uri, room, headers, remote }).map_err(refused)?;
        let meta = checked(known.unwrap_or_else(|| Meta::anonymous().into_contract()));
        Ok(self.admit(meta.map_err(|refusal| Rejection::new(500, Error::from(refusal).message()))?, &since))
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
        match checked(meta.into_contract()) {
            Ok(meta) => self.admit(meta, &[]),
            Err(refusal) => panic!("the server would not take this meta: {refusal}"),
        }
    }

    fn admit(&self, meta: types::Meta, since: &[(String, Option<String>)]) -> TestSocket {
        TestSocket { id: self.world.connect(meta, since), world: Rc::clone(&self.world) }
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

    /// Runs `on_check`, as `parlor simulate` does after each of its steps.
    ///
    /// # Panics
    /// Where it answers an error.
    ///
    /// ```should_panic
    /// # use parlor_guest::{prelude::*, testing::TestRoom};
    /// let room = TestRoom::new(|room| {
    ///     room.on("spend", |ctx, coins: i64| ctx.storage().put("purse", &-coins));
    ///     room.on_check(|actor| match actor.storage().get::<i64>("purse")? {
    ///         Some(purse) if purse < 0 => Err(Error::new("purse", "it has less than nothing")),
    ///         _ => Ok(()),
    ///     });
    /// });
    /// room.connect("/ws").send("spend", json!(5));
    /// room.check();
    /// ```
    pub fn check(&self) {
        if let Err(failed) = self.world.give_hook(hook::CHECK, None, None) {
            panic!("on_check failed with {}: {}", failed.code, failed.message);
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

    /// What turns said in other rooms, which are not open here: `{"room", "event", "data"}`, with the `channel`, the `users` and
    /// the `clients` that it was for as far as such were named.
    ///
    /// ```
    /// # use parlor_guest::{prelude::*, testing::TestRoom};
    /// let room = TestRoom::new(|room| {
    ///     room.on_connect(|ctx| ctx.actor().to_room("lobby").channel("news").emit("opened", json!({})));
    /// });
    /// room.connect("/ws");
    /// assert_eq!(room.elsewhere(), [json!({ "room": "lobby", "channel": "news", "event": "opened", "data": {} })]);
    /// ```
    pub fn elsewhere(&self) -> Vec<Value> {
        let state = self.world.state.borrow();
        let written = state.elsewhere.iter().map(|said| {
            let mut value = json!({ "room": said.room, "event": said.event, "data": said.data });
            let whom =
                [("channel", json!(said.channel)), ("users", json!(said.users)), ("clients", json!(said.clients))];
            whom.into_iter().filter(|(_, names)| !names.is_null()).for_each(|(name, names)| value[name] = names);
            value
        });
        written.collect()
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
