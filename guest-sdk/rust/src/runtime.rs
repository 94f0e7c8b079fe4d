//! One instance of a plugin, and the three calls that the host makes into it.

use std::{
    cell::{Cell, OnceCell, RefCell},
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use crate::{
    Actor, Ctx, Error, Event, Meta, Request, Room, Setup, SocketId,
    host::{self, types},
    registry::{self, Registry, hook},
    suspend::States,
};

/// The state of one instance.
#[derive(Default)]
pub(crate) struct Runtime {
    pub(crate) registry: RefCell<Registry>,
    pub(crate) states: RefCell<States>,
    pub(crate) definition: Cell<Option<(&'static str, &'static str)>>,
    pub(crate) metas: Metas,
    /// The room's id, asked for once: an instance belongs to one room.
    pub(crate) room_id: OnceCell<String>,
    /// The first refusal of a call that returns no result. It fails the turn.
    noted: RefCell<Option<Error>>,
}

impl Runtime {
    /// Remembers a refusal, so that it fails the turn, or the start.
    pub(crate) fn note(&self, told: Result<(), types::Refusal>) {
        if let Err(refusal) = told {
            self.noted.borrow_mut().get_or_insert_with(|| refusal.into());
        }
    }

    /// Returns the value. If the host refused, returns an empty one and has the turn fail.
    pub(crate) fn or_note<T: Default>(&self, answer: Result<T, types::Refusal>) -> T {
        answer.unwrap_or_else(|refusal| {
            self.note(Err(refusal));
            T::default()
        })
    }
}

/// Caches the metas of the sockets that caused turns, across turns: asking the host for one costs as much as the rest
/// of a small handler.
///
/// It is never stale. A socket's meta changes only through this instance's own calls, each of which goes through
/// [`Metas::changed`]: from there to the end of the turn the socket's entry is read anew and then dropped, whether the
/// turn commits or not. What stays is therefore always a committed value. Socket ids are never given twice.
#[derive(Default)]
pub(crate) struct Metas {
    known: RefCell<BTreeMap<SocketId, Rc<Meta>>>,
    changed: RefCell<BTreeSet<SocketId>>,
}

/// How many metas an instance caches before it empties the cache. With 4 KiB of fields each this takes 2 MiB of the
/// instance's memory at the worst, and usually some 100 KiB.
const METAS_KEPT: usize = 512;

impl Metas {
    pub(crate) fn get(&self, socket: SocketId) -> Result<Rc<Meta>, types::Refusal> {
        if let Some(meta) = self.known.borrow().get(&socket) {
            return Ok(Rc::clone(meta));
        }
        let meta = Rc::new(Meta::from_contract(host::sockets::get_meta(socket)?));
        let mut known = self.known.borrow_mut();
        if known.len() >= METAS_KEPT {
            known.clear();
        }
        known.insert(socket, Rc::clone(&meta));
        Ok(meta)
    }

    /// Notes that this turn changed the socket's meta.
    pub(crate) fn changed(&self, socket: SocketId) {
        self.known.borrow_mut().remove(&socket);
        self.changed.borrow_mut().insert(socket);
    }

    fn end_turn(&self) {
        let mut changed = self.changed.borrow_mut();
        let mut known = self.known.borrow_mut();
        while let Some(socket) = changed.pop_first() {
            known.remove(&socket);
        }
    }
}

/// A plugin's function, as the generated exports call it.
#[doc(hidden)]
pub trait Plugin {
    /// Runs the room's function.
    fn setup(room: &mut Room) -> crate::Result;
}

/// Runs a room's function and tells the host what it registered.
pub(crate) fn init(
    runtime: &Rc<Runtime>,
    setup: impl FnOnce(&mut Room) -> crate::Result,
) -> Result<types::Definition, String> {
    let mut room = Room { runtime: Rc::clone(runtime) };
    setup(&mut room).map_err(|error| error.to_string())?;
    if let Some(error) = runtime.noted.take() {
        return Err(error.to_string());
    }
    let started = runtime.registry.borrow_mut().start();
    started.map_err(|(event, refusal)| format!("cannot register `{event}`: {}", Error::from(refusal)))?;
    let (name, path) = runtime.definition.get().unwrap_or(("room", "/ws"));
    Ok(types::Definition { name: name.to_owned(), path: path.to_owned() })
}

/// Asks the plugin who wants to connect.
pub(crate) fn authorize(runtime: &Runtime, request: types::Request) -> Result<Option<types::Meta>, types::Rejection> {
    match registry::authorize(&runtime.registry, &Request::from_contract(request)) {
        Ok(meta) => Ok(meta.map(Meta::into_contract)),
        Err(rejection) => Err(rejection.into_contract()),
    }
}

/// Runs a turn: handles one event.
pub(crate) fn handle(runtime: &Rc<Runtime>, event: types::Event) -> Result<Option<types::Payload>, types::Failure> {
    if event.socket.is_none() && !hook::is_socketless(&event.cause) {
        return Err(Error::new("no-socket", format!("the event {} came without a socket", event.name)).into_failure());
    }
    let ctx = Ctx::new(Actor::new(Room { runtime: Rc::clone(runtime) }, Event::new(event)));
    let handled = registry::dispatch(&runtime.registry, ctx.event().cause(), &ctx);
    if ctx.event().cause() == hook::DISCONNECT {
        runtime.metas.changed(ctx.id());
    }
    runtime.metas.end_turn();
    let noted = runtime.noted.take();
    match (handled, noted) {
        (Err(error), _) | (Ok(_), Some(error)) => Err(error.into_failure()),
        (Ok(answer), None) => Ok(answer),
    }
}

/// Runs a room's function, whatever its return type.
#[doc(hidden)]
pub fn setup<S: Setup>(outcome: S) -> crate::Result {
    outcome.into_result()
}
