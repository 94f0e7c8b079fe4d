//! The handlers of each event, and what the host must be asked for so that they run.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

use crate::{
    Ctx, Meta, Rejection, Request, Result,
    host::{events, types::Refusal},
    outcome::Handled,
};

/// The contract's name for all events of clients.
pub(crate) const ANY: &str = "*";
/// The hooks, in the contract's words.
pub(crate) mod hook {
    pub(crate) const CONNECT: &str = "$connect";
    pub(crate) const DISCONNECT: &str = "$disconnect";
    pub(crate) const MESSAGE: &str = "$message";
    pub(crate) const ERROR: &str = "$error";
    pub(crate) const RESTORE: &str = "$restore";
    pub(crate) const TIMER: &str = "$timer";
    pub(crate) const ALARM: &str = "$alarm";
    pub(crate) const SUSPEND: &str = "$suspend";
    pub(crate) const RESUME: &str = "$resume";

    /// Whether the host itself is the cause, so that there may be no socket.
    pub(crate) fn is_socketless(cause: &str) -> bool {
        [RESTORE, ERROR, TIMER, ALARM, SUSPEND, RESUME].contains(&cause)
    }
}

type Call = Rc<RefCell<dyn FnMut(&Ctx) -> Handled>>;
type Authorize = Box<dyn FnMut(&Request) -> Result<Option<Meta>, Rejection>>;

/// One registered handler, as [`Room::on`](crate::Room::on) returns it and [`Room::off`](crate::Room::off) takes it.
///
/// ```
/// use parlor_guest::{Handler, Value, testing::TestRoom};
///
/// TestRoom::new(|room| {
///     let handler: Handler = room.on("chat.message", |_, _: Value| {});
///     room.off(&handler);
/// });
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Handler {
    table: Table,
    name: Box<str>,
    number: u64,
}

/// What a handler's name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Table {
    Events,
    /// A timer. The host has one hook for all timers, so the SDK itself finds the handlers of the timer that rings.
    Timers,
}

impl Table {
    /// The event that the host must raise so that handlers of this name run.
    fn event(self, name: &str) -> &str {
        match self {
            Table::Events => name,
            Table::Timers => hook::TIMER,
        }
    }
}

struct Entry {
    number: u64,
    call: Call,
}

/// The handlers of one event or timer. A running event holds the list that it began with; `on` and `off` copy it then.
type List = Rc<Vec<Entry>>;

impl Clone for Entry {
    fn clone(&self) -> Self {
        Entry { number: self.number, call: Rc::clone(&self.call) }
    }
}

#[derive(Default)]
pub(crate) struct Registry {
    // Sorted maps: std's hash map would draw its seed from WASI, and with tens of names a tree is as fast.
    events: BTreeMap<Box<str>, List>,
    timers: BTreeMap<Box<str>, List>,
    /// Handles a timer without handlers. It is set with the first handler of a timer, so that a plugin without timers
    /// does not import the log for it.
    unhandled_timer: Option<fn(&Ctx)>,
    authorize: Option<Authorize>,
    registered: u64,
    /// Whether the host knows the handlers. From then on each change goes to the host.
    started: bool,
}

impl Registry {
    /// Adds a handler behind the others of its name. If the host refuses the name, adds nothing.
    pub(crate) fn add(&mut self, table: Table, name: &str, call: Call) -> (Handler, Result<(), Refusal>) {
        self.registered += 1;
        let number = self.registered;
        let handler = Handler { table, name: name.into(), number };
        let event = table.event(name);
        if self.started
            && !self.wants(event)
            && let Err(refusal) = events::on(event)
        {
            return (handler, Err(refusal));
        }
        let list = self.lists(table).entry(name.into()).or_default();
        Rc::make_mut(list).push(Entry { number, call });
        (handler, Ok(()))
    }

    /// Removes one handler. If it was the event's last, the host no longer raises the event.
    pub(crate) fn remove(&mut self, handler: &Handler) -> (bool, Result<(), Refusal>) {
        let Handler { table, name, number } = handler;
        let Some(list) = self.lists(*table).get_mut(name) else {
            return (false, Ok(()));
        };
        let Some(at) = list.iter().position(|entry| entry.number == *number) else {
            return (false, Ok(()));
        };
        if list.len() > 1 {
            Rc::make_mut(list).remove(at);
            return (true, Ok(()));
        }
        self.lists(*table).remove(name);
        (true, self.unless_wanted(table.event(name)))
    }

    /// Removes all handlers of an event. For the hook of timers, removes those of all timers.
    pub(crate) fn remove_all(&mut self, event: &str) -> (bool, Result<(), Refusal>) {
        let wanted = self.wants(event);
        self.events.remove(event);
        if event == hook::TIMER {
            self.timers.clear();
        }
        (wanted, if wanted { self.unless_wanted(event) } else { Ok(()) })
    }

    pub(crate) fn set_unhandled_timer(&mut self, call: fn(&Ctx)) {
        self.unhandled_timer = Some(call);
    }

    pub(crate) fn set_authorize(&mut self, authorize: Authorize) {
        self.authorize = Some(authorize);
    }

    /// Asks the host for all events that have handlers, each once.
    pub(crate) fn start(&mut self) -> Result<(), (String, Refusal)> {
        self.started = true;
        let timers = (!self.timers.is_empty() && !self.events.contains_key(hook::TIMER)).then_some(hook::TIMER);
        let mut names = self.events.keys().map(|name| &**name).chain(timers);
        names.try_for_each(|event| events::on(event).map_err(|refusal| (event.to_owned(), refusal)))
    }

    fn lists(&mut self, table: Table) -> &mut BTreeMap<Box<str>, List> {
        match table {
            Table::Events => &mut self.events,
            Table::Timers => &mut self.timers,
        }
    }

    /// Whether any handler needs this event of the host.
    fn wants(&self, event: &str) -> bool {
        self.events.contains_key(event) || (event == hook::TIMER && !self.timers.is_empty())
    }

    /// Tells the host that an event is not needed any more, if no handler needs it.
    fn unless_wanted(&self, event: &str) -> Result<(), Refusal> {
        if self.started && !self.wants(event) { events::off(event) } else { Ok(()) }
    }
}

/// Runs the handlers that an event is for: its own in the order of registration, then those for all events. `cause` is
/// the contract's: the event's name, the fallback's, or that of all timers. The first error ends it; the first answer
/// is the answer.
pub(crate) fn dispatch(registry: &RefCell<Registry>, cause: &str, ctx: &Ctx) -> Handled {
    let (own, behind) = {
        let registry = registry.borrow();
        let event = |name: &str| registry.events.get(name).cloned();
        match cause {
            hook::TIMER => (registry.timers.get(ctx.event().name()).cloned(), event(hook::TIMER)),
            // `*` is for events of clients. Hooks and the bare keepalive are none.
            _ if cause.starts_with('$') || ctx.event().is_keepalive() => (event(cause), None),
            _ => (event(cause), event(ANY)),
        }
    };
    if cause == hook::TIMER
        && own.is_none()
        && behind.is_none()
        && let Some(unhandled) = registry.borrow().unhandled_timer
    {
        unhandled(ctx);
    }
    let mut answer = None;
    for entry in own.iter().chain(&behind).flat_map(|list| list.iter()) {
        let answered = (entry.call.borrow_mut())(ctx)?;
        answer = answer.or(answered);
    }
    Ok(answer)
}

/// Asks the plugin's `authorize` who wants to connect. Without one the host decides.
pub(crate) fn authorize(registry: &RefCell<Registry>, request: &Request) -> Result<Option<Meta>, Rejection> {
    match registry.borrow_mut().authorize.as_mut() {
        Some(authorize) => authorize(request),
        None => Ok(None),
    }
}
