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
    hooks::hook,
    host::types::{Definition, Event, Failure, Meta, Payload, Refusal, Rejection, Request},
};

use super::{
    asks::Asks,
    bounds,
    frame::frame,
    histories::Histories,
    members::Members,
    schedule::Schedule,
    storage::Storage,
    turn::{self, Elsewhere, Turn},
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

/// An event on its way to the plugin, with what comes beside it.
pub(crate) struct Arrival {
    pub(crate) event: Event,
    pub(crate) arguments: u32,
    pub(crate) attachments: Vec<Vec<u8>>,
    /// The number of the acknowledgement that the sender waits for.
    pub(crate) ack: Option<u64>,
}

impl From<Event> for Arrival {
    fn from(event: Event) -> Self {
        Arrival { arguments: event.payload.is_some().into(), attachments: Vec::new(), ack: None, event }
    }
}

/// Why a turn failed, with the bound that it passed, if it did.
pub(super) type Fall = (Failure, Option<&'static str>);

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
    pub(crate) asks: Asks,
    pub(crate) histories: Histories,
    /// What was said in other rooms.
    pub(crate) elsewhere: Vec<Elsewhere>,
    /// The users that the plugin was told of, until they leave.
    pub(crate) known_users: BTreeSet<String>,
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
        {
            let mut state = self.state.borrow_mut();
            state.events.clear();
            state.histories.begin_init();
        }
        let running = Running::new(self);
        let definition = instance.init()?;
        drop(running);
        self.definition.replace(definition);
        self.instance.replace(Some(Rc::clone(&instance)));
        let mut state = self.state.borrow_mut();
        state.events_at_start = state.events.clone();
        state.asleep = false;
        state.histories.end_init();
        state.know_users();
        Ok(instance)
    }

    /// Runs with the room's own instance put aside, for instances that serve one call.
    pub(super) fn aside<T>(self: &Rc<Self>, run: impl FnOnce() -> T) -> T {
        let (instance, definition) = (self.instance.take(), self.definition.take());
        let (events, at_start, asleep, histories, known) = {
            let state = self.state.borrow();
            let (histories, known) = (state.histories.clone(), state.known_users.clone());
            (state.events.clone(), state.events_at_start.clone(), state.asleep, histories, known)
        };
        let outcome = run();
        self.instance.replace(instance);
        self.definition.replace(definition);
        let mut state = self.state.borrow_mut();
        (state.events, state.events_at_start, state.asleep) = (events, at_start, asleep);
        (state.histories, state.known_users) = (histories, known);
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

    /// A new instance of the same room.
    pub(crate) fn restore(self: &Rc<Self>, reason: &str) -> Result<(), String> {
        self.instantiate()?;
        self.state.borrow_mut().suspended = None;
        // Its failure was told where it happened.
        let _ = self.give_hook(hook::RESTORE, Some(json!({ "reason": reason })), None);
        Ok(())
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
    pub(super) fn give(self: &Rc<Self>, arrival: impl Into<Arrival>) -> Result<Option<Payload>, Failed> {
        let arrival = arrival.into();
        self.wake();
        let Event { cause, name, socket, .. } = &arrival.event;
        let (name, socket, ack) = (name.clone(), *socket, arrival.ack);
        let is_clients = cause == hook::MESSAGE || !cause.starts_with('$');
        let (failure, bound) = match self.turn(arrival) {
            Ok(answer) => return Ok(answer),
            Err(failed) => failed,
        };
        let failed = Failed { event: name, code: failure.code, message: failure.message };
        // The sender of an event hears that what it sent is too large to be passed on.
        let bound = bound.filter(|bound| is_clients && bound.starts_with("emit-bytes"));
        let words = bound.map(|bound| format!("{} was not handled: its turn passed the bound {bound}", failed.event));
        match (&words, ack) {
            _ if failure.for_sender => self.tell_sender(socket, ack, &failed.code, &failed.message),
            (Some(words), _) => self.tell_sender(socket, ack, "limit-exceeded", words),
            (None, Some(ack)) => self.state.borrow_mut().push(socket, nack(ack, &failed.code, None)),
            (None, None) => {}
        }
        if failure.for_sender {
            return Err(failed);
        }
        self.state.borrow_mut().failures.push(failed.clone());
        if failed.event != hook::ERROR {
            let data = json!({ "event": failed.event, "code": failed.code, "message": failed.message });
            // No `$error` for a failed `$error`.
            let _ = self.give_hook(hook::ERROR, Some(data), socket);
        }
        Err(failed)
    }

    fn tell_sender(&self, socket: Option<SocketId>, ack: Option<u64>, code: &str, message: &str) {
        let mut state = self.state.borrow_mut();
        let frame = match ack {
            Some(ack) => nack(ack, code, Some(message)),
            None => {
                let channel = state.members.first_channel(socket);
                frame(&channel, "error", json!({ "code": code, "message": message }))
            }
        };
        state.push(socket, frame);
    }

    /// Runs one turn, which commits or leaves no trace.
    pub(super) fn turn(self: &Rc<Self>, arrival: impl Into<Arrival>) -> Result<Option<Payload>, Fall> {
        let Arrival { event, arguments, attachments, ack } = arrival.into();
        let (is_suspend, socket) = (event.cause == hook::SUSPEND, event.socket);
        {
            let mut state = self.state.borrow_mut();
            assert!(state.turn.is_none(), "a handler cannot send events to its own test room");
            let mut schedule = state.schedule.clone();
            if event.cause == hook::ALARM {
                // The turn clears the alarm that rings in it, unless it sets the alarm again.
                schedule.forget_alarm();
            }
            let (asks, histories) = (state.asks.clone(), state.histories.clone());
            let copies = (state.members.clone(), state.storage.of_turn(), schedule, asks, histories);
            state.turn = Some(Turn::new(copies, (arguments, attachments), socket, event.accepted_at));
        }
        let instance = self.instance.borrow().clone();
        let running = Running::new(self);
        let outcome = instance.map_or(Ok(None), |instance| instance.handle(event));
        drop(running);
        let (answer, closes) = {
            let mut state = self.state.borrow_mut();
            let Some(mut turn) = state.turn.take() else { return outcome.map_err(|failure| (failure, None)) };
            if is_suspend && matches!(&outcome, Ok(Some(left)) if bounds::bytes(left) > bounds::SUSPEND_BYTES) {
                turn.poison.get_or_insert("suspend-bytes");
            }
            let acknowledgement = match (ack, &outcome) {
                (Some(ack), Ok(answer)) => Some(acknowledgement(&mut turn, ack, answer.as_ref())),
                _ => None,
            };
            if let Some(bound) = turn.poison {
                let message = format!("the turn passed the bound {bound}");
                return Err((Failure { code: bound.to_owned(), message, for_sender: false }, Some(bound)));
            }
            let answer = outcome.map_err(|failure| (failure, None))?;
            let frame = acknowledgement.transpose().map_err(|failure| (failure, None))?;
            let closes = state.commit(turn);
            if let Some(frame) = frame {
                state.push(socket, frame);
            }
            (answer, closes)
        };
        for close in closes {
            self.disconnect(close.socket, close.code, &close.reason);
        }
        Ok(answer)
    }
}

/// The acknowledgement of an event, with what its handler answered.
fn acknowledgement(turn: &mut Turn, ack: u64, answer: Option<&Payload>) -> Result<Value, Failure> {
    let mut frame = json!({ "type": "ack", "id": ack });
    let Some(answer) = answer else { return Ok(frame) };
    let (data, _) = turn.enclosed(answer).map_err(|refusal| Failure {
        code: "bad-answer".to_owned(),
        message: format!("the handler's answer: {refusal}"),
        for_sender: false,
    })?;
    match answer {
        Payload::Json(_) => frame["data"] = data,
        Payload::Binary(_) => frame["base64"] = data["base64"].clone(),
    }
    Ok(frame)
}

/// The acknowledgement of an event that had no effect.
pub(super) fn nack(ack: u64, code: &str, message: Option<&str>) -> Value {
    let mut error = json!({ "code": code });
    if let Some(message) = message {
        error["message"] = json!(message);
    }
    json!({ "type": "ack", "id": ack, "error": error })
}

impl State {
    fn commit(&mut self, turn: Turn) -> Vec<turn::Close> {
        let Turn { members, storage, schedule, asks, histories, emits, elsewhere, closes, .. } = turn;
        self.histories = histories;
        self.storage = storage;
        self.schedule = schedule;
        self.members = members;
        self.asks = asks;
        for emit in emits {
            for id in emit.to {
                if let Some(inbox) = self.inboxes.get_mut(&id) {
                    inbox.frames.push(emit.frame.clone());
                }
            }
        }
        for emit in elsewhere {
            self.say_elsewhere(emit);
        }
        closes
    }

    /// Sends a frame to a socket that is still there.
    pub(super) fn push(&mut self, socket: Option<SocketId>, frame: Value) {
        let inbox = socket.and_then(|id| self.inboxes.get_mut(&id)).filter(|inbox| inbox.closed.is_none());
        if let Some(inbox) = inbox {
            inbox.frames.push(frame);
        }
    }

    pub(crate) fn take_frames(&mut self, socket: SocketId) -> Vec<Value> {
        self.inboxes.get_mut(&socket).map(|inbox| mem::take(&mut inbox.frames)).unwrap_or_default()
    }
}
