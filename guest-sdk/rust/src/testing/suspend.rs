//! Sleeping and swapping in a test room: an instance goes, and what it leaves for the next one.

use std::rc::Rc;

use serde_json::json;

use crate::{
    Failed, Room, Setup, Suspended,
    hooks::hook,
    host::types::{Event, Payload},
};

use super::{
    instance::plugin,
    room::TestRoom,
    world::{MakeInstance, World},
};

impl TestRoom {
    /// Lets the room fall asleep, as a server does with one that is quiet: `on_suspend` runs, and the instance goes
    /// with what closures held. Sockets, storage, timers and the alarm stay. Whatever the plugin asked for wakes the
    /// room: an event, a new socket or the end of one, a timer, the alarm. A bare ping does so only where `ping` has a
    /// handler. Then a new instance is made, and given the state in `on_resume`; where there is none, or where that
    /// fails, it is `on_restore` with the reason `wake`.
    ///
    /// A room that sleeps already sleeps on.
    ///
    /// ```
    /// # use parlor_guest::{prelude::*, testing::TestRoom};
    /// let room = TestRoom::new(|room| {
    ///     room.on_restore(|actor, restore| actor.log().info(restore.reason));
    ///     room.on_timer("egg", |actor, _: ()| actor.emit("egg.done", json!({})));
    ///     room.on_connect(|ctx| ctx.timers().set("egg", Duration::from_secs(300), ()));
    /// });
    /// let ada = room.connect("/ws");
    /// room.sleep();
    /// assert!(room.is_asleep());
    /// room.advance(Duration::from_secs(300));
    /// assert_eq!(ada.events(), [json!({ "type": "egg.done" })]);
    /// assert_eq!(room.log(), ["info: wake"]);
    /// ```
    pub fn sleep(&self) {
        if !self.is_asleep() {
            self.world.suspend("sleep");
        }
    }

    /// Whether the room sleeps: it has no instance.
    ///
    /// ```
    /// # use parlor_guest::testing::TestRoom;
    /// assert!(!TestRoom::new(|_| {}).is_asleep());
    /// ```
    pub fn is_asleep(&self) -> bool {
        self.world.state.borrow().asleep
    }

    /// The state that the last instance left and that no instance was given yet: between [`sleep`](TestRoom::sleep) and
    /// what wakes the room.
    ///
    /// ```
    /// # use parlor_guest::{prelude::*, testing::TestRoom};
    /// let room = TestRoom::new(|room| room.on_suspend("board/1", |_, _| Ok(json!({ "x": 3 }))));
    /// assert!(room.suspended().is_none());
    /// room.sleep();
    /// let state = room.suspended().expect("a state");
    /// assert_eq!((&*state.schema, state.state.get()), ("board/1", r#"{"x":3}"#));
    /// ```
    pub fn suspended(&self) -> Option<Suspended> {
        Suspended::of(Some(self.world.state.borrow().suspended.as_ref()?)).ok()
    }

    /// Puts another version of the plugin under the room, as a server does where the plugin's file is replaced: between
    /// two turns, with sockets, storage, timers and the alarm as they are. `on_suspend` of the old version runs, then
    /// `on_resume` of the new one; where there is no state, or no `on_resume`, it is `on_restore` with the reason
    /// `swap`. A room that sleeps wakes with this.
    ///
    /// Where `on_resume` fails the swap is undone: the old version is started anew and given its state back. The error
    /// is that failure, which [`failures`](TestRoom::failures) has as well. A version that refuses to start changes
    /// nothing at all: the error's event is `init` then.
    ///
    /// ```
    /// # use parlor_guest::{prelude::*, testing::TestRoom};
    /// fn version(number: u32) -> impl Fn(&mut Room) {
    ///     move |room| {
    ///         room.on("version", move |ctx, _: Value| ctx.emit("version", number));
    ///         room.on_suspend(&format!("v/{number}"), |_, _| Ok(()));
    ///         room.on_resume("v/1", |_, _: ()| {});
    ///     }
    /// }
    /// let room = TestRoom::new(version(1));
    /// let ada = room.connect("/ws");
    /// room.swap(version(2)).expect("takes the state of version 1");
    /// let refused = room.swap(version(3)).expect_err("does not take that of version 2");
    /// assert_eq!((&*refused.event, &*refused.code), ("$resume", "resume.schema"));
    /// ada.send("version", json!({}));
    /// assert_eq!(ada.events(), [json!({ "type": "version", "data": 2 })]);
    /// ```
    pub fn swap<S: Setup>(&self, setup: impl Fn(&mut Room) -> S + 'static) -> Result<(), Failed> {
        self.world.swap(plugin(setup))
    }
}

impl World {
    /// Drops the instance, and keeps the state that `$suspend` returned. The turn has reported a failure already.
    fn suspend(self: &Rc<Self>, reason: &str) {
        let state = self.give_hook(hook::SUSPEND, Some(json!({ "reason": reason })), None);
        self.instance.replace(None);
        let mut room = self.state.borrow_mut();
        room.suspended = state.unwrap_or_default();
        room.asleep = true;
        // Registrations made in handlers end with the instance: only those made at its start wake the room.
        room.events = room.events_at_start.clone();
    }

    /// Makes an instance for the event that comes, where there is none.
    pub(super) fn wake(self: &Rc<Self>) {
        if !self.state.borrow().asleep {
            return;
        }
        if let Err(why) = self.instantiate() {
            panic!("the plugin refuses to start: {why}");
        }
        let state = self.state.borrow_mut().suspended.take();
        if self.begin(state, "wake").is_err() {
            self.tell_restore("wake");
        }
    }

    /// Runs `$restore` in a new instance that got no state or did not take it. The turn reports a failure itself.
    fn tell_restore(self: &Rc<Self>, reason: &str) {
        let _ = self.give_hook(hook::RESTORE, Some(json!({ "reason": reason })), None);
    }

    /// The first turn of a new instance.
    fn begin(self: &Rc<Self>, state: Option<Payload>, reason: &str) -> Result<(), Failed> {
        let is_wanted = self.state.borrow().events.contains(hook::RESUME);
        let Some(state) = state.filter(|_| is_wanted) else {
            self.tell_restore(reason);
            return Ok(());
        };
        let accepted_at = self.state.borrow().time;
        let event = Event {
            cause: hook::RESUME.to_owned(),
            name: hook::RESUME.to_owned(),
            channel: None,
            payload: Some(state),
            socket: None,
            answer_wanted: false,
            accepted_at,
        };
        self.turn(event).map(drop).map_err(|(failure, _)| {
            let failed = Failed { event: hook::RESUME.to_owned(), code: failure.code, message: failure.message };
            self.state.borrow_mut().failures.push(failed.clone());
            failed
        })
    }

    fn swap(self: &Rc<Self>, new: Rc<MakeInstance>) -> Result<(), Failed> {
        // Start the version once aside, like the server: one that does not start never reaches a room.
        let old = self.plugin.replace(Rc::clone(&new));
        let rehearsed = self.aside(|| self.instantiate());
        self.plugin.replace(Rc::clone(&old));
        rehearsed.map_err(refuses)?;
        if !self.state.borrow().asleep {
            self.suspend("swap");
        }
        let state = self.state.borrow_mut().suspended.take();
        self.plugin.replace(new);
        let begun = self.instantiate().map_err(refuses).and_then(|_| self.begin(state.clone(), "swap"));
        let Err(failed) = begun else { return Ok(()) };
        self.plugin.replace(old);
        if let Err(why) = self.instantiate() {
            panic!("the old version refuses to start: {why}");
        }
        // Whatever the result, there is no version left to go back to.
        if self.begin(state, "swap").is_err() {
            self.tell_restore("swap");
        }
        Err(failed)
    }
}

/// Describes a version that does not start, as the server's list of failures would.
fn refuses(why: String) -> Failed {
    Failed { event: "init".to_owned(), code: "no-instance".to_owned(), message: why }
}
