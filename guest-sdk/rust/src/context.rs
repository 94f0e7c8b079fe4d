//! The room, the actor and the context that handlers get, and the state of the instance behind them.
//!
//! A room keeps handlers, a handler gets a context, and a context has the room: so these types stand together. The
//! methods of each have a file of their own.

use std::{
    cell::{Cell, OnceCell, RefCell},
    rc::Rc,
};

use crate::{Error, Event, host::types::Refusal, metas::Metas, registry::Registry, suspended::States};

/// The state of one instance.
#[derive(Default)]
pub(crate) struct Runtime {
    pub(crate) registry: RefCell<Registry<Ctx>>,
    pub(crate) states: RefCell<States<Ctx>>,
    pub(crate) definition: Cell<Option<(&'static str, &'static str)>>,
    pub(crate) metas: Metas,
    /// The room's id, asked for once: an instance belongs to one room.
    pub(crate) room_id: OnceCell<String>,
    /// The first refusal of a call that returns no result. It fails the turn.
    noted: RefCell<Option<Error>>,
}

impl Runtime {
    /// Remembers a refusal, so that it fails the turn, or the start.
    pub(crate) fn note(&self, told: Result<(), Refusal>) {
        if let Err(refusal) = told {
            self.note_refusal(refusal);
        }
    }

    #[cold]
    fn note_refusal(&self, refusal: Refusal) {
        self.noted.borrow_mut().get_or_insert_with(|| refusal.into());
    }

    /// Returns the value. If the host refused, returns an empty one and has the turn fail.
    pub(crate) fn or_note<T: Default>(&self, answer: Result<T, Refusal>) -> T {
        answer.unwrap_or_else(|refusal| {
            self.note(Err(refusal));
            T::default()
        })
    }

    /// Takes the refusal that fails this turn, or the start, where there is one.
    pub(crate) fn take_noted(&self) -> Option<Error> {
        self.noted.take()
    }
}

/// A room: what its function registers handlers on. Inside handlers it is `ctx.room()`.
///
/// One value of it lives as long as the plugin's instance in a room. Registrations are no effects: they stay when a
/// turn is undone, and those made in a handler last until the instance goes (the room sleeps, crashes, or is swapped).
/// What a closure captures is memory of the instance in the same sense: a cache, neither durable nor rolled back. Use
/// [`Actor::storage`] for what must last.
///
/// Up to 256 events may have handlers; names are 1 to 128 bytes. A registration that the host refuses fails the
/// start of the plugin, or the turn that made it.
///
/// ```
/// use parlor_guest::{prelude::*, testing::TestRoom};
///
/// #[derive(Deserialize)]
/// struct ChatMessage { text: String }
///
/// #[parlor_guest::room(name = "chat", path = "/ws")]
/// fn chat(room: &mut Room) {
///     room.on("chat.message", |ctx, message: ChatMessage| {
///         ctx.actor().emit("chat.message", json!({ "from": ctx.meta().user_id, "text": message.text }))
///     });
/// }
///
/// # fn main() {
/// let room = TestRoom::new(chat);
/// let ada = room.connect_as(Meta::new("ada"));
/// ada.send("chat.message", json!({ "text": "hi" }));
/// assert_eq!(ada.events(), [json!({ "type": "chat.message", "from": "ada", "text": "hi" })]);
/// # }
/// ```
pub struct Room {
    pub(crate) runtime: Rc<Runtime>,
}

/// The room of the current turn: `ctx.actor()`, as Verani's API names it.
///
/// Methods that only read return plain values, not results. If the turn has used up its host calls (10,000), they
/// return an empty value, and the turn fails whatever the handler does.
///
/// ```
/// use parlor_guest::{prelude::*, testing::TestRoom};
///
/// let room = TestRoom::new(|room| {
///     room.on("who", |ctx, _: Value| {
///         let actor = ctx.actor();
///         ctx.emit("here", json!({ "sockets": actor.session_count(), "users": actor.user_ids() }))
///     });
/// });
/// let ada = room.connect_as(Meta::new("ada"));
/// room.connect_as(Meta::new("bob"));
/// ada.send("who", json!({}));
/// assert_eq!(ada.events(), [json!({ "type": "here", "sockets": 2, "users": ["ada", "bob"] })]);
/// ```
pub struct Actor {
    pub(crate) room: Room,
    pub(crate) event: Event,
}

/// The context that a handler gets: the socket that caused the event, and through [`actor`](Ctx::actor) the room around
/// it.
///
/// It has all methods of [`Actor`] as well, except that `emit` and `to` here are about the socket, and there about the
/// room.
///
/// ```
/// use parlor_guest::{prelude::*, testing::TestRoom};
///
/// let room = TestRoom::new(|room| {
///     room.on("hello", |ctx, _: Value| {
///         ctx.emit("hello", json!({ "to": "you" }))?;
///         ctx.to("default").emit("hello", json!({ "to": "the others" }))?;
///         ctx.actor().emit("hello", json!({ "to": "all" }))
///     });
/// });
/// let (ada, bob) = (room.connect("/ws"), room.connect("/ws"));
/// ada.send("hello", json!({}));
/// assert_eq!(ada.events().len(), 2);
/// assert_eq!(bob.events()[0]["to"], "the others");
/// ```
#[derive(Debug)]
pub struct Ctx {
    pub(crate) actor: Actor,
}
