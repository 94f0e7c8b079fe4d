//! What a test room is made with.

use std::collections::BTreeMap;

use crate::{Room, Setup};

use super::{
    instance::plugin,
    room::TestRoom,
    world::{State, World},
};

/// The clock of a new test room: 14 November 2023, 22:13:20 UTC. It stands still until it is set.
const START_MILLIS: u64 = 1_700_000_000_000;

/// Makes a [`TestRoom`] with a configuration, a room id, a time; made by [`TestRoom::builder`].
///
/// ```
/// use parlor_guest::{prelude::*, testing::TestRoom};
///
/// let room = TestRoom::builder().room_id("lobby").config("motd", "be kind").time(1_000).build(|room| {
///     room.on_connect(|ctx| {
///         ctx.emit("hello", json!({ "room": ctx.room_id(), "at": ctx.now(), "motd": ctx.config("motd") }))
///     });
/// });
/// let hello = json!({ "type": "hello", "room": "lobby", "at": 1_000, "motd": "be kind" });
/// assert_eq!(room.connect("/ws").events(), [hello]);
/// ```
#[derive(Debug, Clone)]
#[must_use = "finish it with `.build(setup)`"]
pub struct Builder {
    room_id: String,
    config: BTreeMap<String, String>,
    time: u64,
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
        Builder { room_id: "default".to_owned(), config: BTreeMap::new(), time: START_MILLIS }
    }
}

impl Builder {
    /// A key of the plugin's configuration.
    ///
    /// ```
    /// # use parlor_guest::testing::TestRoom;
    /// let room = TestRoom::builder().config("motd", "be kind").build(|_| {});
    /// ```
    pub fn config(mut self, key: &str, value: impl Into<String>) -> Self {
        self.config.insert(key.to_owned(), value.into());
        self
    }

    /// The room's id; `default` unless said otherwise.
    ///
    /// ```
    /// # use parlor_guest::testing::TestRoom;
    /// let room = TestRoom::builder().room_id("lobby").build(|_| {});
    /// ```
    pub fn room_id(mut self, id: &str) -> Self {
        self.room_id = id.to_owned();
        self
    }

    /// The time, in milliseconds since the Unix epoch.
    ///
    /// ```
    /// # use parlor_guest::testing::TestRoom;
    /// let room = TestRoom::builder().time(1_000).build(|_| {});
    /// ```
    pub fn time(mut self, millis: u64) -> Self {
        self.time = millis;
        self
    }

    /// Starts the plugin.
    ///
    /// # Panics
    /// Where it refuses to start, with its words.
    ///
    /// ```
    /// # use parlor_guest::testing::TestRoom;
    /// let room = TestRoom::builder().build(|_| {});
    /// ```
    pub fn build<S: Setup>(self, setup: impl Fn(&mut Room) -> S + 'static) -> TestRoom {
        self.try_build(setup).unwrap_or_else(|why| panic!("the plugin refuses to start: {why}"))
    }

    /// Starts the plugin, or says why it refuses to start.
    ///
    /// ```
    /// # use parlor_guest::{prelude::*, testing::TestRoom};
    /// let refused = TestRoom::builder().try_build(|_| -> Result { Err(Error::msg("set `tokens`")) });
    /// assert_eq!(refused.unwrap_err(), "set `tokens`");
    /// ```
    pub fn try_build<S: Setup>(self, setup: impl Fn(&mut Room) -> S + 'static) -> Result<TestRoom, String> {
        let Builder { room_id, config, time } = self;
        let state = State { room_id, config, time: time as f64, ..State::default() };
        Ok(TestRoom { world: World::start(plugin(setup), state)? })
    }
}
