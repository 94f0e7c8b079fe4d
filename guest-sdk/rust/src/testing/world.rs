//! The server's part of a test room: members, storage, the table of events, and one turn at a time.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    mem,
    rc::Rc,
};

use serde_json::{Value, json};

use crate::{
    Failed, SocketId,
    hooks::{ANY, hook},
    host::types::{Definition, Event, Failure, Meta, Payload, Refusal, Rejection, Request},
};

use super::{
    bounds,
    members::Members,
    schedule::Schedule,
    storage::Storage,
    turn::{self, Turn},
};

/// The three calls that the host makes into an instance of a plugin.
pub(crate) trait Instance {
    /// Returns no definition where the plugin gives none: then it serves every path.
    fn init(&self) -> Result<Option<Definition>, String>;
    fn authorize(&self, request: Request) -> Result<Option<Meta>, Rejection>;
    fn handle(&self, event: Event) -> Result<Option<Payload>, Failure>;
}

/// Makes a new instance of a plugin, whose `init` has not run.
pub(crate) type MakeInstance = dyn Fn() -> Rc<dyn Instance>;

/// The frames that one socket got.
#[derive(Default)]
pub(crate) struct Inbox {
    pub(crate) frames: Vec<Value>,
    pub(crate) closed: Option<(u16, String)>,
}

/// What the host's functions read and write.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) room_id: String,
    pub(crate) config: BTreeMap<String, String>,
    pub(crate) time: f64,
    /// What the instance asked for, up to now and at its start.
    pub(crate) events: BTreeSet<String>,
    pub(crate) events_at_start: BTreeSet<String>,
    /// Whether there is no instance: the next event makes one.
    pub(crate) asleep: bool,
    /// What the last instance left for the next.
    pub(crate) suspended: Option<Payload>,
    pub(crate) members: Members,
    pub(crate) storage: Storage,
    pub(crate) schedule: Schedule,
    pub(crate) turn: Option<Turn>,
    pub(crate) inboxes: BTreeMap<SocketId, Inbox>,
    pub(crate) log: Vec<String>,
    pub(crate) failures: Vec<Failed>,
    pub(crate) sockets_made: SocketId,
}

pub(crate) struct World {
    pub(super) plugin: RefCell<Rc<MakeInstance>>,
    pub(super) instance: RefCell<Option<Rc<dyn Instance>>>,
    pub(crate) definition: RefCell<Option<Definition>>,
    pub(crate) state: RefCell<State>,
}

thread_local! {
    /// The test room whose plugin is running on this thread.
    static CURRENT: RefCell<Option<Rc<World>>> = const { RefCell::new(None) };
}

/// Runs with the state of the test room that is running, if one is.
pub(crate) fn current<T>(f: impl FnOnce(&mut State) -> T) -> Option<T> {
    let world = CURRENT.with_borrow(Clone::clone)?;
    Some(f(&mut world.state.borrow_mut()))
}

/// Runs within the current turn, and counts the call.
pub(crate) fn turn<T>(f: impl FnOnce(&mut Turn) -> Result<T, Refusal>) -> Result<T, Refusal> {
    current(|state| {
        let turn = state.turn.as_mut().ok_or(Refusal::NoTurn)?;
        turn.count_call()?;
        f(turn)
    })
    .unwrap_or(Err(Refusal::NoTurn))
}

/// Makes a world the current one, until dropped: also where a handler panics.
struct Running(Option<Rc<World>>);

impl Running {
    fn new(world: &Rc<World>) -> Self {
        Running(CURRENT.replace(Some(Rc::clone(world))))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        CURRENT.set(self.0.take());
    }
}

impl World {
    /// Starts a plugin. The error is `init`'s: it refuses the plugin.
    pub(crate) fn start(plugin: Rc<MakeInstance>, state: State) -> Result<Rc<Self>, String> {
        let world = Rc::new(World {
            plugin: RefCell::new(plugin),
            instance: RefCell::default(),
            definition: RefCell::default(),
            state: RefCell::new(state),
        });
        world.instantiate()?;
        Ok(world)
    }

    /// A fresh instance, with memory and a table of events of its own.
    pub(super) fn instantiate(self: &Rc<Self>) -> Result<Rc<dyn Instance>, String> {
        let plugin = Rc::clone(&self.plugin.borrow());
        let instance = plugin();
        self.state.borrow_mut().events.clear();
        let running = Running::new(self);
        let definition = instance.init()?;
        drop(running);
        self.definition.replace(definition);
        self.instance.replace(Some(Rc::clone(&instance)));
        let mut state = self.state.borrow_mut();
        state.events_at_start = state.events.clone();
        state.asleep = false;
        Ok(instance)
    }

    /// Runs with the room's own instance put aside, for instances that serve one call.
    pub(super) fn aside<T>(self: &Rc<Self>, run: impl FnOnce() -> T) -> T {
        let (instance, definition) = (self.instance.take(), self.definition.take());
        let (events, at_start, asleep) = {
            let state = self.state.borrow();
            (state.events.clone(), state.events_at_start.clone(), state.asleep)
        };
        let outcome = run();
        self.instance.replace(instance);
        self.definition.replace(definition);
        let mut state = self.state.borrow_mut();
        (state.events, state.events_at_start, state.asleep) = (events, at_start, asleep);
        outcome
    }

    /// Asks the plugin who wants to connect, in an instance that serves this one call.
    pub(crate) fn authorize(self: &Rc<Self>, request: Request) -> Result<Option<Meta>, Rejection> {
        let refused = |status, message| Rejection { status, message };
        let path = request.uri.split(['?', '#']).next().unwrap_or_default().splitn(4, '/').nth(3).unwrap_or_default();
        let served = self.definition.borrow().as_ref().map(|definition| definition.path.clone());
        if let Some(served) = served.filter(|served| served.get(1..) != Some(path)) {
            return Err(refused(404, format!("no plugin serves /{path}: this one serves {served}")));
        }
        self.aside(|| {
            let instance = self.instantiate().map_err(|why| refused(500, why))?;
            let _running = Running::new(self);
            instance.authorize(request)
        })
    }

    /// Makes a socket a member. It stays one if its `$connect` commits.
    pub(crate) fn connect(self: &Rc<Self>, meta: Meta) -> SocketId {
        let id = {
            let mut state = self.state.borrow_mut();
            state.sockets_made += 1;
            let id = state.sockets_made;
            state.members.insert(id, meta);
            state.inboxes.insert(id, Inbox::default());
            id
        };
        if self.give_hook(hook::CONNECT, None, Some(id)).is_err() {
            let mut state = self.state.borrow_mut();
            state.members.forget(id);
            if let Some(inbox) = state.inboxes.get_mut(&id) {
                inbox.closed = Some((1011, "the plugin failed in $connect".to_owned()));
            }
        }
        id
    }

    /// Ends a socket: takes it out of all counts and channels, and runs `$disconnect`.
    pub(crate) fn disconnect(self: &Rc<Self>, id: SocketId, code: u16, reason: &str) {
        {
            let mut state = self.state.borrow_mut();
            let Some(inbox) = state.inboxes.get_mut(&id).filter(|inbox| inbox.closed.is_none()) else {
                return;
            };
            inbox.closed = Some((code, reason.to_owned()));
            state.members.depart(id);
        }
        // `turn` has reported a failure already, and the socket is gone either way.
        let _ = self.give_hook(hook::DISCONNECT, Some(json!({ "code": code, "reason": reason })), Some(id));
        self.state.borrow_mut().members.forget(id);
    }

    /// A new instance of the same room.
    pub(crate) fn restore(self: &Rc<Self>, reason: &str) -> Result<(), String> {
        self.instantiate()?;
        self.state.borrow_mut().suspended = None;
        // Its failure was told where it happened.
        let _ = self.give_hook(hook::RESTORE, Some(json!({ "reason": reason })), None);
        Ok(())
    }

    /// Handles what a client sent, if the plugin has a handler for it.
    pub(crate) fn client_event(
        self: &Rc<Self>,
        socket: SocketId,
        name: &str,
        channel: Option<String>,
        mut data: Option<Value>,
        answer_wanted: bool,
    ) -> Result<Option<Payload>, Failed> {
        // Serialisers write a channel that is not set as `null` or as an empty string, and the data of a bare ping as
        // `null`.
        let channel = channel.filter(|channel| !channel.is_empty());
        let (cause, accepted_at) = {
            let mut state = self.state.borrow_mut();
            if !state.members.is_present(socket) {
                return Ok(None);
            }
            let bare_ping = name == "ping" && channel.is_none() && data.as_ref().is_none_or(Value::is_null);
            if bare_ping {
                data = None;
            }
            if bare_ping && let Some(inbox) = state.inboxes.get_mut(&socket) {
                inbox.frames.push(json!({ "type": "pong" }));
            }
            // A bare keepalive is an event only where it was registered by name.
            if bare_ping && !state.events.contains(name) {
                return Ok(None);
            }
            (cause_of(name, &state.events), state.time)
        };
        let Some(cause) = cause else { return Ok(None) };
        self.give(Event {
            cause,
            name: name.to_owned(),
            channel,
            payload: data.map(|value| Payload::Json(value.to_string())),
            socket: Some(socket),
            answer_wanted,
            accepted_at,
        })
    }

    pub(super) fn give_hook(
        self: &Rc<Self>,
        name: &'static str,
        data: Option<Value>,
        socket: Option<SocketId>,
    ) -> Result<Option<Payload>, Failed> {
        self.give_own(name, name.to_owned(), data.map(|value| Payload::Json(value.to_string())), socket)
    }

    /// Raises an event of the host itself, if the plugin has registered for its cause.
    pub(super) fn give_own(
        self: &Rc<Self>,
        cause: &'static str,
        name: String,
        payload: Option<Payload>,
        socket: Option<SocketId>,
    ) -> Result<Option<Payload>, Failed> {
        let accepted_at = {
            let state = self.state.borrow();
            if !state.events.contains(cause) {
                return Ok(None);
            }
            state.time
        };
        let cause = cause.to_owned();
        self.give(Event { cause, name, channel: None, payload, socket, answer_wanted: false, accepted_at })
    }

    /// Runs the turn of an event and, if that fails, the turn of `$error`.
    fn give(self: &Rc<Self>, event: Event) -> Result<Option<Payload>, Failed> {
        self.wake();
        let (name, socket) = (event.name.clone(), event.socket);
        let is_clients = event.cause == hook::MESSAGE || !event.cause.starts_with('$');
        let (failure, bound) = match self.turn(event) {
            Ok(answer) => return Ok(answer),
            Err(failed) => failed,
        };
        let failed = Failed { event: name, code: failure.code, message: failure.message };
        if failure.for_sender {
            self.tell_sender(socket, &failed.code, &failed.message);
            return Err(failed);
        }
        // The sender of an event hears that what it sent is too large to be passed on.
        if let Some(bound) = bound.filter(|bound| is_clients && bound.starts_with("emit-bytes")) {
            let words = format!("{} was not handled: its turn passed the bound {bound}", failed.event);
            self.tell_sender(socket, "limit-exceeded", &words);
        }
        self.state.borrow_mut().failures.push(failed.clone());
        if failed.event != hook::ERROR {
            let data = json!({ "event": failed.event, "code": failed.code, "message": failed.message });
            // No `$error` for a failed `$error`.
            let _ = self.give_hook(hook::ERROR, Some(data), socket);
        }
        Err(failed)
    }

    fn tell_sender(&self, socket: Option<SocketId>, code: &str, message: &str) {
        let mut state = self.state.borrow_mut();
        let channel = state.members.first_channel(socket);
        let data = json!({ "code": code, "message": message });
        let inbox = socket.and_then(|id| state.inboxes.get_mut(&id)).filter(|inbox| inbox.closed.is_none());
        if let Some(inbox) = inbox {
            inbox.frames.push(turn::frame(&channel, "error", data));
        }
    }

    /// Runs one turn, which commits or leaves no trace. A failure comes with the bound that the turn passed, if it did.
    pub(super) fn turn(self: &Rc<Self>, event: Event) -> Result<Option<Payload>, (Failure, Option<&'static str>)> {
        let is_suspend = event.cause == hook::SUSPEND;
        {
            let mut state = self.state.borrow_mut();
            assert!(state.turn.is_none(), "a handler cannot send events to its own test room");
            let mut schedule = state.schedule.clone();
            if event.cause == hook::ALARM {
                // The turn clears the alarm that rings in it, unless it sets the alarm again.
                schedule.forget_alarm();
            }
            let (members, storage) = (state.members.clone(), state.storage.of_turn());
            state.turn = Some(Turn::new(members, storage, schedule, event.socket, event.accepted_at));
        }
        let instance = self.instance.borrow().clone();
        let running = Running::new(self);
        let outcome = instance.map_or(Ok(None), |instance| instance.handle(event));
        drop(running);
        let closes = {
            let mut state = self.state.borrow_mut();
            let Some(turn) = state.turn.take() else { return outcome.map_err(|failure| (failure, None)) };
            let too_much =
                is_suspend && outcome.as_ref().is_ok_and(|state| bounds::bytes(state) > bounds::SUSPEND_BYTES);
            if let Some(bound) = turn.poison.or(too_much.then_some("suspend-bytes")) {
                let message = format!("the turn passed the bound {bound}");
                return Err((Failure { code: bound.to_owned(), message, for_sender: false }, Some(bound)));
            }
            outcome.as_ref().map_err(|failure| (failure.clone(), None))?;
            state.commit(turn)
        };
        for close in closes {
            self.disconnect(close.socket, close.code, &close.reason);
        }
        outcome.map_err(|failure| (failure, None))
    }
}

impl State {
    fn commit(&mut self, turn: Turn) -> Vec<turn::Close> {
        let Turn { members, storage, schedule, emits, closes, .. } = turn;
        self.storage = storage;
        self.schedule = schedule;
        self.members = members;
        for emit in emits {
            for id in emit.to {
                if let Some(inbox) = self.inboxes.get_mut(&id) {
                    inbox.frames.push(emit.frame.clone());
                }
            }
        }
        closes
    }

    pub(crate) fn take_frames(&mut self, socket: SocketId) -> Vec<Value> {
        self.inboxes.get_mut(&socket).map(|inbox| mem::take(&mut inbox.frames)).unwrap_or_default()
    }
}

/// The cause of a client's event: its own name where a handler or `*` asked for it, the fallback where neither did.
fn cause_of(name: &str, events: &BTreeSet<String>) -> Option<String> {
    let asked = events.contains(name) || events.contains(ANY);
    let cause = if asked { name } else { hook::MESSAGE };
    (asked || events.contains(hook::MESSAGE)).then(|| cause.to_owned())
}
