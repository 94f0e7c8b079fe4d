//! Registration of a room's handlers.

use std::{cell::RefCell, fmt, rc::Rc};

use serde::Deserialize;

use crate::{
    Actor, Alarm, Ctx, Disconnect, Error, Failed, Handler, Meta, Outcome, Rejection, Request, Restore, Result, Room,
    context::Runtime,
    hooks::{ANY, hook},
    outcome::Handled,
    payload::{self, BAD_DATA},
    registry::{Call, Table},
};

impl Room {
    pub(crate) fn of(runtime: &Rc<Runtime>) -> Self {
        Room { runtime: Rc::clone(runtime) }
    }

    /// Calls `handler` with every event of this name that a client sends. Its own handlers run in the order of
    /// registration, then those of [`on_any`](Room::on_any).
    ///
    /// The data is read into the closure's type with serde; say `Value` for any data, `Box<RawValue>` for text that
    /// is only passed on. Data that does not fit fails the turn as [`reject`](crate::reject) does, with the code
    /// `bad-data` and serde's words: it is the client's mistake, and the client is told. Where the client sent no
    /// data at all it reads as `null` if the type takes that (`Value`, `Option`, `()`), else as `{}` (structs, maps);
    /// [`Event::has_data`](crate::Event::has_data) tells.
    ///
    /// ```
    /// use parlor_guest::{prelude::*, testing::TestRoom};
    ///
    /// #[derive(Deserialize)]
    /// struct Move { x: i32 }
    ///
    /// let room = TestRoom::new(|room| {
    ///     room.on("move", |ctx, to: Move| ctx.emit("moved", json!({ "x": to.x })));
    /// });
    /// let ada = room.connect("/ws");
    /// ada.send("move", json!({ "x": 3 }));
    /// ada.send("move", json!({ "x": "far" }));
    /// let events = ada.events();
    /// assert_eq!(events[0], json!({ "type": "moved", "x": 3 }));
    /// assert_eq!(events[1]["code"], "bad-data");
    /// ```
    pub fn on<T, F, R>(&self, event: &str, mut handler: F) -> Handler
    where
        T: for<'de> Deserialize<'de>,
        F: FnMut(&Ctx, T) -> R + 'static,
        R: Outcome,
    {
        self.add(event, move |ctx| handler(ctx, payload::read(ctx.event().payload())?).into_handled())
    }

    /// Calls `handler` with every event that a client sends, after the event's own handlers, like `"*"` in Verani's
    /// API. Hooks and the bare keepalive `{"type":"ping"}` do not count.
    ///
    /// ```
    /// use parlor_guest::{prelude::*, testing::TestRoom};
    ///
    /// let room = TestRoom::new(|room| {
    ///     room.on_any(|ctx, data: Value| ctx.log().info(format_args!("{} {data}", ctx.event().name())));
    /// });
    /// room.connect("/ws").send("move", json!({ "x": 3 }));
    /// assert_eq!(room.log(), [r#"info: move {"x":3}"#]);
    /// ```
    pub fn on_any<T, F, R>(&self, handler: F) -> Handler
    where
        T: for<'de> Deserialize<'de>,
        F: FnMut(&Ctx, T) -> R + 'static,
        R: Outcome,
    {
        self.on(ANY, handler)
    }

    /// Calls `handler` with every event of clients that has no handler, neither of its own nor of
    /// [`on_any`](Room::on_any). The name is `ctx.event().name()`.
    ///
    /// ```
    /// use parlor_guest::{prelude::*, testing::TestRoom};
    ///
    /// let room = TestRoom::new(|room| {
    ///     room.on_message(|ctx, _: Value| {
    ///         ctx.emit("error", json!({ "message": format!("Unknown event: {}", ctx.event().name()) }))
    ///     });
    /// });
    /// let ada = room.connect("/ws");
    /// ada.send("dance", json!({}));
    /// assert_eq!(ada.events(), [json!({ "type": "error", "message": "Unknown event: dance" })]);
    /// ```
    pub fn on_message<T, F, R>(&self, handler: F) -> Handler
    where
        T: for<'de> Deserialize<'de>,
        F: FnMut(&Ctx, T) -> R + 'static,
        R: Outcome,
    {
        self.on(hook::MESSAGE, handler)
    }

    /// Calls `handler` for each new socket, before its first event. An error refuses the socket: it is closed with
    /// 1011, and `on_disconnect` does not run for it.
    ///
    /// ```
    /// use parlor_guest::{prelude::*, testing::TestRoom};
    ///
    /// let room = TestRoom::new(|room| {
    ///     room.on_connect(|ctx| ctx.emit("welcome", json!({ "userId": ctx.meta().user_id })));
    /// });
    /// let ada = room.connect_as(Meta::new("ada"));
    /// assert_eq!(ada.events(), [json!({ "type": "welcome", "userId": "ada" })]);
    /// ```
    pub fn on_connect<F, R>(&self, mut handler: F) -> Handler
    where
        F: FnMut(&Ctx) -> R + 'static,
        R: Outcome,
    {
        self.add(hook::CONNECT, move |ctx| handler(ctx).into_handled())
    }

    /// Calls `handler` once for each socket that ends, however it ended. The socket is out of all counts and
    /// channels by then; its meta can still be read, and emits to it reach 0 sockets.
    ///
    /// ```
    /// use parlor_guest::{prelude::*, testing::TestRoom};
    ///
    /// let room = TestRoom::new(|room| {
    ///     room.on_disconnect(|ctx, _| ctx.actor().emit("left", json!({ "userId": ctx.meta().user_id })));
    /// });
    /// let (ada, bob) = (room.connect_as(Meta::new("ada")), room.connect_as(Meta::new("bob")));
    /// ada.disconnect(1000, "bye");
    /// assert_eq!(bob.events(), [json!({ "type": "left", "userId": "ada" })]);
    /// ```
    pub fn on_disconnect<F, R>(&self, mut handler: F) -> Handler
    where
        F: FnMut(&Ctx, Disconnect) -> R + 'static,
        R: Outcome,
    {
        self.add(hook::DISCONNECT, move |ctx| handler(ctx, ctx.event().hook_data()?).into_handled())
    }

    /// Calls `handler` when a socket's line broke and its client may come back. The socket stays a member, and what is emitted
    /// to it waits for it. Where the client is not back in time (`resume-ms`), [`Room::on_disconnect`] follows.
    ///
    /// ```
    /// use parlor_guest::{prelude::*, testing::TestRoom};
    ///
    /// let room = TestRoom::new(|room| {
    ///     room.on_lost(|ctx| ctx.actor().emit("away", json!({ "userId": ctx.meta().user_id })));
    ///     room.on_back(|ctx| ctx.actor().emit("back", json!({ "userId": ctx.meta().user_id })));
    /// });
    /// let (ada, bob) = (room.connect_as(Meta::new("ada")), room.connect_as(Meta::new("bob")));
    /// ada.lose_line();
    /// ada.come_back();
    /// assert_eq!(bob.events(), ["away", "back"].map(|event| json!({ "type": event, "userId": "ada" })));
    /// ```
    pub fn on_lost<F, R>(&self, mut handler: F) -> Handler
    where
        F: FnMut(&Ctx) -> R + 'static,
        R: Outcome,
    {
        self.add(hook::LOST, move |ctx| handler(ctx).into_handled())
    }

    /// Calls `handler` when the client of a socket whose line broke is back, and nothing is missing. A client that is back
    /// before the room looked was never away: then neither this nor [`Room::on_lost`] runs.
    pub fn on_back<F, R>(&self, mut handler: F) -> Handler
    where
        F: FnMut(&Ctx) -> R + 'static,
        R: Outcome,
    {
        self.add(hook::BACK, move |ctx| handler(ctx).into_handled())
    }

    /// Calls `handler` when a turn failed with an error that is not for its sender, or was ended by the host; in a
    /// turn of its own, after the failed one was undone. It does not run for a failure of its own.
    ///
    /// The closure is given the [`Actor`], not a `ctx`: the socket that caused the event may be gone, or never have
    /// been ([`Actor::cause`] tells which it was).
    ///
    /// ```
    /// use parlor_guest::{prelude::*, testing::TestRoom};
    ///
    /// let room = TestRoom::new(|room| {
    ///     room.on("sum", |ctx, text: String| {
    ///         let number: i32 = text.parse()?;
    ///         ctx.emit("sum", number + 1)
    ///     });
    ///     room.on_error(|actor, failed| actor.log().warn(format_args!("{}: {}", failed.event, failed.message)));
    /// });
    /// room.connect("/ws").send("sum", json!("ten"));
    /// assert_eq!(room.log(), ["warn: sum: invalid digit found in string"]);
    /// ```
    pub fn on_error<F, R>(&self, mut handler: F) -> Handler
    where
        F: FnMut(&Actor, Failed) -> R + 'static,
        R: Outcome,
    {
        self.add(hook::ERROR, move |ctx| handler(ctx.actor(), ctx.event().hook_data()?).into_handled())
    }

    /// Calls `handler` when a room that was there before has a new instance, and with it new memory: the place to
    /// rebuild what closures hold, from storage and [`Actor::user_ids`]. Where the last instance left a state,
    /// [`on_resume`](Room::on_resume) runs instead, if there is one. [`Restore`] lists the reasons.
    ///
    /// ```
    /// use parlor_guest::{prelude::*, testing::TestRoom};
    ///
    /// let room = TestRoom::new(|room| {
    ///     room.on_restore(|actor, restore| actor.emit("restored", json!({ "reason": restore.reason })));
    /// });
    /// let ada = room.connect("/ws");
    /// room.restore("crash");
    /// assert_eq!(ada.events(), [json!({ "type": "restored", "reason": "crash" })]);
    /// ```
    pub fn on_restore<F, R>(&self, mut handler: F) -> Handler
    where
        F: FnMut(&Actor, Restore) -> R + 'static,
        R: Outcome,
    {
        self.add(hook::RESTORE, move |ctx| handler(ctx.actor(), ctx.event().hook_data()?).into_handled())
    }

    /// Calls `handler` when the timer of this name rings, which [`Actor::timers`] set. Its handlers run in the order of
    /// registration.
    ///
    /// The closure is given the [`Actor`], not a `ctx`: no socket is the cause. Its data is what the timer was set
    /// with, read as [`on`](Room::on) reads; data that does not fit fails the turn with `bad-data`. The timer is gone
    /// whether the turn commits or fails. One that has no handler leaves a warning in the log, and its turn does
    /// nothing.
    ///
    /// ```
    /// use parlor_guest::{prelude::*, testing::TestRoom};
    ///
    /// let room = TestRoom::new(|room| {
    ///     room.on("egg", |ctx, minutes: u64| ctx.timers().set("egg", Duration::from_secs(60 * minutes), minutes));
    ///     room.on_timer("egg", |actor, minutes: u64| actor.emit("egg.done", json!({ "minutes": minutes })));
    /// });
    /// let ada = room.connect("/ws");
    /// ada.send("egg", json!(5));
    /// room.advance(Duration::from_secs(300));
    /// assert_eq!(ada.events(), [json!({ "type": "egg.done", "minutes": 5 })]);
    /// ```
    pub fn on_timer<T, F, R>(&self, name: &str, mut handler: F) -> Handler
    where
        T: for<'de> Deserialize<'de>,
        F: FnMut(&Actor, T) -> R + 'static,
        R: Outcome,
    {
        self.warn_of_unhandled();
        self.add_to(Table::Timers, name, move |ctx| {
            // No client sent this, so none can be told.
            let data = payload::read(ctx.event().payload()).map_err(|why| Error::new(BAD_DATA, why.message()))?;
            handler(ctx.actor(), data).into_handled()
        })
    }

    /// Calls `handler` when the room's alarm is due, which [`Actor::alarm`] set. Nobody needs to be in the room.
    ///
    /// The alarm is cleared when this turn commits, unless the turn sets it again. If the turn fails, the alarm rings
    /// again after 1 s, then after twice as long each time, up to 5 minutes. The alarm rings at least once, and after a
    /// crash perhaps twice: write a handler that may run twice without harm.
    ///
    /// ```
    /// use parlor_guest::{prelude::*, testing::TestRoom};
    ///
    /// let room = TestRoom::new(|room| {
    ///     room.on("open", |ctx, _: Value| ctx.alarm().set_in(Duration::from_secs(3_600)));
    ///     room.on_alarm(|actor, alarm| {
    ///         actor.storage().put("closed", alarm.due)?;
    ///         actor.emit("closed", json!({}))
    ///     });
    /// });
    /// let ada = room.connect("/ws");
    /// ada.send("open", json!({}));
    /// room.restart();
    /// room.advance(Duration::from_secs(3_600));
    /// assert!(room.stored::<u64>("closed").is_some());
    /// ```
    pub fn on_alarm<F, R>(&self, mut handler: F) -> Handler
    where
        F: FnMut(&Actor, Alarm) -> R + 'static,
        R: Outcome,
    {
        self.add(hook::ALARM, move |ctx| handler(ctx.actor(), ctx.event().hook_data()?).into_handled())
    }

    /// Decides who may connect, and as whom, like `extractMeta` in Verani's API. The last closure given counts.
    ///
    /// It runs before the connection is accepted, in an instance that belongs to no room and is gone afterwards:
    /// time, randomness, configuration and the log answer, everything else refuses (`no-turn`). `Ok(None)` leaves
    /// it to the host, as does a plugin without this: a random user id and client id, channel `default`. An error
    /// other than a [`Rejection`] becomes a 401 without words.
    ///
    /// ```
    /// use parlor_guest::{prelude::*, testing::TestRoom};
    ///
    /// let room = TestRoom::new(|room| {
    ///     room.authorize(|req| {
    ///         let name = req.query("name").ok_or(Rejection::unauthorized("who are you?"))?;
    ///         Ok(Meta::new(name).in_channels(["lobby"]))
    ///     });
    /// });
    /// assert_eq!(room.connect("/ws?name=ada").meta().channels, ["lobby"]);
    /// assert_eq!(room.try_connect("/ws").unwrap_err(), Rejection::unauthorized("who are you?"));
    /// ```
    pub fn authorize<F, M>(&self, mut decide: F)
    where
        F: FnMut(&Request) -> Result<M, Rejection> + 'static,
        M: Into<Option<Meta>>,
    {
        let decide = Box::new(move |request: &Request| decide(request).map(Into::into));
        self.runtime.registry.borrow_mut().set_authorize(decide);
    }

    /// Removes one handler; says whether it was there. The event that is running keeps the handlers it began with.
    ///
    /// ```
    /// use parlor_guest::{prelude::*, testing::TestRoom};
    ///
    /// let room = TestRoom::new(|room| {
    ///     let first = room.on("roll", |ctx, _: Value| ctx.emit("rolled", 1));
    ///     room.on("roll", |ctx, _: Value| ctx.emit("rolled", 2));
    ///     assert!(room.off(&first));
    ///     assert!(!room.off(&first));
    /// });
    /// let ada = room.connect("/ws");
    /// ada.send("roll", json!({}));
    /// assert_eq!(ada.events(), [json!({ "type": "rolled", "data": 2 })]);
    /// ```
    pub fn off(&self, handler: &Handler) -> bool {
        let (removed, told) = self.runtime.registry.borrow_mut().remove(handler);
        self.runtime.note(told);
        removed
    }

    /// Removes all handlers of an event (`"*"` for those of [`on_any`](Room::on_any), `"$timer"` for those of all
    /// timers, `"$ack"` for those of all asks); says whether there were any.
    ///
    /// ```
    /// use parlor_guest::{prelude::*, testing::TestRoom};
    ///
    /// let room = TestRoom::new(|room| {
    ///     room.on("once", |ctx, _: Value| {
    ///         ctx.room().off_all("once");
    ///         ctx.emit("done", json!({}))
    ///     });
    /// });
    /// let ada = room.connect("/ws");
    /// ada.send("once", json!({}));
    /// ada.send("once", json!({}));
    /// assert_eq!(ada.events().len(), 1);
    /// ```
    pub fn off_all(&self, event: &str) -> bool {
        let (removed, told) = self.runtime.registry.borrow_mut().remove_all(event);
        self.runtime.note(told);
        removed
    }

    /// Has a timer or an answer to an ask that no handler is for leave a warning in the log.
    pub(crate) fn warn_of_unhandled(&self) {
        self.runtime.registry.borrow_mut().set_unhandled(|ctx| {
            let name = ctx.event().name();
            // Not a failure: what set it or asked may have been another version, and nothing is lost but this.
            match ctx.event().cause() {
                hook::TIMER => ctx.log().warn(format_args!("nobody handles the timer {name:?}: add `room.on_timer`")),
                _ => ctx.log().warn(format_args!("nobody handles the answer to {name:?}: add `room.on_ack`")),
            }
        });
    }

    pub(crate) fn add(&self, event: &str, call: impl FnMut(&Ctx) -> Handled + 'static) -> Handler {
        self.add_to(Table::Events, event, call)
    }

    pub(crate) fn add_to(&self, table: Table, name: &str, call: impl FnMut(&Ctx) -> Handled + 'static) -> Handler {
        self.register(table, name, Rc::new(RefCell::new(call)))
    }

    /// Stands apart so that it is compiled once, and not for each type of handler in the plugin.
    fn register(&self, table: Table, name: &str, call: Call<Ctx>) -> Handler {
        let (handler, told) = self.runtime.registry.borrow_mut().add(table, name, call);
        self.runtime.note(told);
        handler
    }

    /// The setup that `#[parlor_guest::room]` makes of a room's function.
    #[doc(hidden)]
    pub fn __define(&self, name: &'static str, path: &'static str) {
        self.runtime.definition.set(Some((name, path)));
    }
}

impl fmt::Debug for Room {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Room").finish_non_exhaustive()
    }
}
