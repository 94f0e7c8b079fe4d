//! The time of a test room, and what runs in it: timers, the alarm, a restart of the server.

use std::{rc::Rc, time::Duration};

use serde_json::{Value, json};

use crate::{hooks::hook, host::types::Payload};

use super::{members::Members, room::TestRoom, schedule::Due, world::World};

/// How many turns may follow each other at the same moment before the test is told that they do so for ever.
const TURNS_AT_ONCE: u32 = 1_000;

/// A timer that is set in a test room; see [`TestRoom::timers`].
///
/// ```
/// use parlor_guest::{json, testing::TestTimer};
///
/// let timer = TestTimer { name: "egg".into(), due: 5, data: json!({ "minutes": 5 }) };
/// assert_eq!(timer.data["minutes"], 5);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestTimer {
    /// Its name.
    pub name: String,
    /// When it runs, in milliseconds since the Unix epoch.
    pub due: u64,
    /// The data that its handlers get.
    pub data: Value,
}

impl TestRoom {
    /// Sets the clock, in milliseconds since the Unix epoch. It stands still in between. No timer runs with it, nor the
    /// alarm: that is for [`advance`](TestRoom::advance), which also runs what is overdue.
    ///
    /// ```
    /// # use parlor_guest::{prelude::*, testing::TestRoom};
    /// let room = TestRoom::new(|room| {
    ///     room.on_connect(|ctx| ctx.emit("now", ctx.now()));
    /// });
    /// room.set_time(5);
    /// assert_eq!(room.connect("/ws").events(), [json!({ "type": "now", "data": 5 })]);
    /// ```
    pub fn set_time(&self, millis: u64) {
        self.world.state.borrow_mut().time = millis as f64;
    }

    /// Lets so much time pass. All timers that run down meanwhile run, and the alarm where it is due, each at its own
    /// time and in the order of these, with what they set themselves. Asks time out likewise. At the same moment timers run in the order in
    /// which they were set, then the alarm.
    ///
    /// An alarm whose turn fails is tried again after 1 s, 2 s, 4 s and so on, up to 5 minutes. `Duration::ZERO` runs
    /// what is due now.
    ///
    /// # Panics
    /// Where 1,000 turns follow each other without time passing.
    ///
    /// ```
    /// # use parlor_guest::{prelude::*, testing::TestRoom};
    /// let room = TestRoom::builder().time(1_000).build(|room| {
    ///     room.on_connect(|ctx| ctx.timers().set("tick", Duration::from_secs(1), ()));
    ///     room.on_timer("tick", |actor, _: ()| {
    ///         actor.timers().set("tick", Duration::from_secs(1), ())?;
    ///         actor.emit("tick", actor.now())
    ///     });
    /// });
    /// let ada = room.connect("/ws");
    /// room.advance(Duration::from_millis(2_500));
    /// let ticks: Vec<Value> = ada.events().into_iter().map(|tick| tick["data"].clone()).collect();
    /// assert_eq!(ticks, [2_000, 3_000]);
    /// ```
    pub fn advance(&self, time: Duration) {
        let now = || self.world.state.borrow().time as u64;
        let end = now().saturating_add(u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
        let (mut last, mut turns) = (now(), 0);
        while let Some(at) = self.world.run_due(end) {
            turns = if at == last { turns + 1 } else { 0 };
            last = at;
            assert!(turns < TURNS_AT_ONCE, "at {at} timers or the alarm set themselves for the same moment, for ever");
        }
        self.set_time(end);
    }

    /// Restarts the server, as after a crash of it: sockets are lost without `on_disconnect` (1006), timers are gone,
    /// and so is what closures held. Storage and the alarm stay, the alarm with its attempts counted anew. Where there
    /// is any of these, `on_restore` runs with the reason `restart`.
    ///
    /// # Panics
    /// Where the plugin refuses to start again.
    ///
    /// ```
    /// # use parlor_guest::{prelude::*, testing::TestRoom};
    /// let room = TestRoom::new(|room| {
    ///     room.on("begin", |ctx, _: Value| {
    ///         ctx.timers().set("soon", Duration::from_secs(1), ())?;
    ///         ctx.alarm().set_in(Duration::from_secs(2))
    ///     });
    /// });
    /// let ada = room.connect("/ws");
    /// ada.send("begin", json!({}));
    /// room.restart();
    /// assert!(room.timers().is_empty() && room.alarm().is_some());
    /// assert_eq!(ada.closed(), Some((1006, String::new())));
    /// ```
    pub fn restart(&self) {
        if let Err(why) = self.world.restart() {
            panic!("the plugin refuses to start: {why}");
        }
    }

    /// When the alarm is due, as last committed, in milliseconds since the Unix epoch. One whose turn failed is still
    /// set, for the time when it was to run.
    ///
    /// ```
    /// # use parlor_guest::{prelude::*, testing::TestRoom};
    /// let room = TestRoom::builder().time(1_000).build(|room| {
    ///     room.on_connect(|ctx| ctx.alarm().set_in(Duration::from_secs(1)));
    /// });
    /// room.connect("/ws");
    /// assert_eq!(room.alarm(), Some(2_000));
    /// ```
    pub fn alarm(&self) -> Option<u64> {
        self.world.state.borrow().schedule.alarm()
    }

    /// The timers that are set, as last committed, in the order in which they will run.
    ///
    /// ```
    /// # use parlor_guest::{prelude::*, testing::{TestRoom, TestTimer}};
    /// let room = TestRoom::builder().time(1_000).build(|room| {
    ///     room.on_connect(|ctx| ctx.timers().set("egg", Duration::from_secs(1), json!({ "minutes": 5 })));
    /// });
    /// room.connect("/ws");
    /// assert_eq!(room.timers(), [TestTimer { name: "egg".into(), due: 2_000, data: json!({ "minutes": 5 }) }]);
    /// ```
    pub fn timers(&self) -> Vec<TestTimer> {
        let state = self.world.state.borrow();
        let data = |data: &Option<Payload>| match data {
            Some(Payload::Json(text)) => serde_json::from_str(text).unwrap_or_default(),
            _ => Value::Null,
        };
        let timers = state.schedule.timers().into_iter();
        timers.map(|(name, timer)| TestTimer { name: name.clone(), due: timer.due, data: data(&timer.data) }).collect()
    }
}

impl World {
    /// Begins another process of the server, which has no sockets and no timers.
    fn restart(self: &Rc<Self>) -> Result<(), String> {
        let keeps_something = {
            let mut state = self.state.borrow_mut();
            state.members = Members::default();
            for inbox in state.inboxes.values_mut() {
                inbox.closed.get_or_insert((1006, String::new()));
            }
            state.schedule.restart();
            state.asks.clear();
            state.histories.restart();
            state.known_users.clear();
            state.suspended = None;
            state.storage.keys().next().is_some() || state.schedule.alarm().is_some() || state.histories.are_stored()
        };
        // A room that stores nothing begins as a new one: the server does not know that it existed.
        if keeps_something { self.restore("restart") } else { self.instantiate().map(drop) }
    }

    /// Runs one timer, the alarm or the end of an ask, where one is due by `until`, with the clock at its time; says which
    /// that was.
    fn run_due(self: &Rc<Self>, until: u64) -> Option<u64> {
        let (at, due) = {
            let mut state = self.state.borrow_mut();
            let now = state.time as u64;
            let ask_at = state.asks.next_due().filter(|at| *at <= until);
            let scheduled = state.schedule.take_due(now, ask_at.unwrap_or(until));
            let Some((at, due)) = scheduled else {
                let at = ask_at?.max(now);
                state.time = at as f64;
                let (socket, name) = state.asks.take_due()?;
                drop(state);
                self.end_ask(socket, name, "timeout", None, Vec::new());
                return Some(at);
            };
            state.time = at as f64;
            if matches!(due, Due::Alarm { .. }) && !state.events.contains(hook::ALARM) {
                // Without a handler there is no turn to try again.
                state.schedule.forget_alarm();
            }
            (at, due)
        };
        // The turn has reported a failure already.
        let _ = match due {
            Due::Timer { name, data } => self.give_own(hook::TIMER, name, data, None),
            Due::Alarm { due, attempt } => {
                self.give_hook(hook::ALARM, Some(json!({ "due": due, "attempt": attempt })), None)
            }
        };
        Some(at)
    }
}
