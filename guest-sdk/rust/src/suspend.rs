//! Registration of the handlers that leave state for the next instance, and of those that take it.

use std::{borrow::Cow, cell::RefCell, rc::Rc};

use serde::{Deserialize, Serialize};

use crate::{
    Actor, Ctx, Handler, Outcome, Result, Room, Suspend, Suspended,
    hooks::hook,
    host::types::Refusal,
    message::Message,
    suspended::{Tagged, Take, give},
};

/// A schema's name is as long as any other name.
const SCHEMA_BYTES: usize = 128;

impl Room {
    /// Calls `save` before this instance goes, and gives what it returns to the next one: to the
    /// [`on_resume`](Room::on_resume) of the same schema. It runs when the room falls asleep and when the room is
    /// swapped to a new version; [`Suspend::reason`] says which. A crash leaves no time for it:
    /// [`on_restore`](Room::on_restore) runs then, without a state.
    ///
    /// `schema` says what the state is, with a number that you raise whenever its type changes: `board/2`. It stands in
    /// front, as an event's name does in [`on`](Room::on): the next version then lists what it takes, older states
    /// among it, each with its own type. 1 to 128 bytes.
    ///
    /// The state is written as JSON, up to 256 KiB with its schema (`suspend-bytes`). It lives in the server's memory,
    /// not on a disk, and is given once: what must not be lost is for [`Actor::storage`]. Apart from that this is a
    /// turn as any other: it may store and emit. Where it fails there is no state, and the instance goes all the same.
    ///
    /// A room has one state: the last closure given counts. `room.off_all("$suspend")` leaves none.
    ///
    /// ```
    /// use std::{cell::RefCell, rc::Rc};
    /// use parlor_guest::{prelude::*, testing::TestRoom};
    ///
    /// #[derive(Serialize, Deserialize, Default, Clone)]
    /// struct Board { moves: Vec<u32> }
    ///
    /// let room = TestRoom::new(|room| {
    ///     let board = Rc::new(RefCell::new(Board::default()));
    ///     let (saved, resumed) = (Rc::clone(&board), Rc::clone(&board));
    ///     room.on_suspend("board/1", move |_, _| Ok(saved.borrow().clone()));
    ///     room.on_resume("board/1", move |_, board: Board| *resumed.borrow_mut() = board);
    ///
    ///     room.on("move", move |ctx, to: u32| {
    ///         board.borrow_mut().moves.push(to);
    ///         ctx.emit("moved", json!({ "all": board.borrow().moves }))
    ///     });
    /// });
    /// let ada = room.connect("/ws");
    /// ada.send("move", json!(3));
    /// room.sleep();
    /// ada.send("move", json!(4));
    /// assert_eq!(ada.events()[1], json!({ "type": "moved", "all": [3, 4] }));
    /// ```
    pub fn on_suspend<S, F>(&self, schema: &str, mut save: F)
    where
        S: Serialize,
        F: FnMut(&Actor, Suspend) -> Result<S> + 'static,
    {
        if !self.is_schema(schema) {
            return;
        }
        let schema: Box<str> = schema.into();
        let handler = self.add(hook::SUSPEND, move |ctx| {
            let state = save(ctx.actor(), ctx.event().hook_data()?)?;
            Ok(Some(Message::plain(&Tagged { schema: Cow::Borrowed(&schema), state })?))
        });
        let previous = self.runtime.states.borrow_mut().suspend.replace(handler);
        self.replace(previous);
    }

    /// Calls `handler` in a new instance with the state that the last one left under this schema in
    /// [`on_suspend`](Room::on_suspend), before any other event: when the room wakes, and in a new version after a
    /// swap. Where there is no state, or no `on_resume` at all, [`on_restore`](Room::on_restore) runs in its place.
    ///
    /// Give one for each schema that you still take; of one schema the last closure given counts. A state that no
    /// handler takes goes to [`on_resume_any`](Room::on_resume_any). Without that the turn fails, with the code
    /// `resume.schema` where no handler has its schema and `resume.shape` where it does not fit the closure's type.
    ///
    /// A swap in which this turn fails is undone: the version before serves on, with its state. Where it fails when the
    /// room wakes, the state is lost and `on_restore` runs in the same instance, with the reason `wake`. In both cases
    /// the failure is in the server's log, and `on_error` does not run for it.
    ///
    /// ```
    /// use std::{cell::RefCell, rc::Rc};
    /// use parlor_guest::{prelude::*, testing::TestRoom};
    ///
    /// #[derive(Serialize, Deserialize, Default, Clone)]
    /// struct Score { points: u32, of: u32 }
    ///
    /// fn quiz(room: &mut Room) {
    ///     let score = Rc::new(RefCell::new(Score::default()));
    ///     let (saved, resumed, older) = (Rc::clone(&score), Rc::clone(&score), Rc::clone(&score));
    ///     room.on_suspend("score/2", move |_, _| Ok(saved.borrow().clone()));
    ///     room.on_resume("score/2", move |_, score: Score| *resumed.borrow_mut() = score);
    ///     // The version before knew no more than the points.
    ///     room.on_resume("score/1", move |_, points: u32| *older.borrow_mut() = Score { points, of: 10 });
    ///
    ///     room.on("score", move |ctx, _: Value| ctx.emit("score", &*score.borrow()));
    /// }
    ///
    /// let room = TestRoom::new(|room| room.on_suspend("score/1", |_, _| Ok(7)));
    /// let ada = room.connect("/ws");
    /// room.swap(quiz).expect("takes the older score");
    /// ada.send("score", json!({}));
    /// assert_eq!(ada.events(), [json!({ "type": "score", "points": 7, "of": 10 })]);
    /// ```
    pub fn on_resume<T, F, R>(&self, schema: &str, mut handler: F)
    where
        T: for<'de> Deserialize<'de>,
        F: FnMut(&Actor, T) -> R + 'static,
        R: Outcome,
    {
        if !self.is_schema(schema) {
            return;
        }
        let take: Take<Ctx> = Rc::new(RefCell::new(move |ctx: &Ctx, found: &Suspended| {
            let state = found.read()?;
            Ok(handler(ctx.actor(), state).into_handled())
        }));
        self.runtime.states.borrow_mut().by_schema.insert(schema.into(), take);
        self.hook_resume();
    }

    /// Calls `handler` with a state that no [`on_resume`](Room::on_resume) takes: of a schema that has none, of another
    /// shape than its closure's type, or not written by [`on_suspend`](Room::on_suspend) at all. It may read it in a
    /// way of its own, or begin anew; an error undoes the swap. The last closure given counts.
    ///
    /// ```
    /// use parlor_guest::{Suspended, prelude::*, testing::TestRoom};
    ///
    /// let room = TestRoom::new(|room| room.on_suspend("board/7", |_, _| Ok(json!({ "x": 3 }))));
    /// room.swap(|room| {
    ///     room.on_resume_any(|actor, found: Suspended| {
    ///         actor.log().warn(format_args!("begins anew: {} {}", found.schema, found.state));
    ///     });
    /// }).expect("takes whatever there is");
    /// assert_eq!(room.log(), [r#"warn: begins anew: board/7 {"x":3}"#]);
    /// ```
    pub fn on_resume_any<F, R>(&self, mut handler: F)
    where
        F: FnMut(&Actor, Suspended) -> R + 'static,
        R: Outcome,
    {
        let take: Take<Ctx> = Rc::new(RefCell::new(move |ctx: &Ctx, found: &Suspended| {
            Ok(handler(ctx.actor(), found.clone()).into_handled())
        }));
        self.runtime.states.borrow_mut().any = Some(take);
        self.hook_resume();
    }

    /// One handler of the hook stands for those of all schemas.
    fn hook_resume(&self) {
        let runtime = Rc::downgrade(&self.runtime);
        let handler = self.add(hook::RESUME, move |ctx| match runtime.upgrade() {
            Some(runtime) => give(&runtime.states, ctx.event(), ctx),
            None => Ok(None),
        });
        let previous = self.runtime.states.borrow_mut().resume.replace(handler);
        self.replace(previous);
    }

    /// Takes back the handler that another one stands for now; it may be gone already.
    fn replace(&self, previous: Option<Handler>) {
        if let Some(handler) = previous {
            self.off(&handler);
        }
    }

    fn is_schema(&self, schema: &str) -> bool {
        let fits = (1..=SCHEMA_BYTES).contains(&schema.len());
        if !fits {
            let why = format!("a schema must be 1 to {SCHEMA_BYTES} bytes, not {}", schema.len());
            self.runtime.note(Err(Refusal::Invalid(why)));
        }
        fits
    }
}
