//! The handlers of each event, and what the host must be asked for so that they run.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

use crate::{
    Event, Meta, Rejection, Request, Result,
    hooks::{ANY, hook},
    host::{events, types::Refusal},
    outcome::Handled,
};

/// A handler. `C` is the context that it gets, which holds this table in turn and so is not known here.
pub(crate) type Call<C> = Rc<RefCell<dyn FnMut(&C) -> Handled>>;
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
    /// An ask, of which the same holds.
    Acks,
}

/// The tables whose names share one hook.
const NAMED: [Table; 2] = [Table::Timers, Table::Acks];

impl Table {
    /// The event that the host must raise so that handlers of this name run.
    fn event(self, name: &str) -> &str {
        match self {
            Table::Events => name,
            Table::Timers => hook::TIMER,
            Table::Acks => hook::ACK,
        }
    }

    /// The table of a hook, if its names share one.
    fn of_hook(event: &str) -> Option<Table> {
        NAMED.into_iter().find(|table| table.event("") == event)
    }
}

struct Entry<C> {
    number: u64,
    call: Call<C>,
}

/// The handlers of one event or timer. A running event holds the list that it began with; `on` and `off` copy it then.
type List<C> = Rc<Vec<Entry<C>>>;

impl<C> Clone for Entry<C> {
    fn clone(&self) -> Self {
        Entry { number: self.number, call: Rc::clone(&self.call) }
    }
}

// Sorted maps: std's hash map would draw its seed from WASI, and with tens of names a tree is as fast.
type Lists<C> = BTreeMap<Box<str>, List<C>>;

pub(crate) struct Registry<C> {
    events: Lists<C>,
    timers: Lists<C>,
    acks: Lists<C>,
    /// Handles a timer or an answer without handlers. It is set with the first handler of one, so that a plugin without
    /// timers and asks does not import the log for it.
    unhandled: Option<fn(&C)>,
    authorize: Option<Authorize>,
    registered: u64,
    /// Whether the host knows the handlers. From then on each change goes to the host.
    started: bool,
}

impl<C> Default for Registry<C> {
    fn default() -> Self {
        Registry {
            events: BTreeMap::new(),
            timers: BTreeMap::new(),
            acks: BTreeMap::new(),
            unhandled: None,
            authorize: None,
            registered: 0,
            started: false,
        }
    }
}

impl<C> Registry<C> {
    /// Adds a handler behind the others of its name. If the host refuses the name, adds nothing.
    pub(crate) fn add(&mut self, table: Table, name: &str, call: Call<C>) -> (Handler, Result<(), Refusal>) {
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

    /// Removes all handlers of an event. For the hook of timers, removes those of all timers, and likewise for asks.
    pub(crate) fn remove_all(&mut self, event: &str) -> (bool, Result<(), Refusal>) {
        let wanted = self.wants(event);
        self.events.remove(event);
        if let Some(table) = Table::of_hook(event) {
            self.lists(table).clear();
        }
        (wanted, if wanted { self.unless_wanted(event) } else { Ok(()) })
    }

    pub(crate) fn set_unhandled(&mut self, call: fn(&C)) {
        self.unhandled = Some(call);
    }

    pub(crate) fn set_authorize(&mut self, authorize: Authorize) {
        self.authorize = Some(authorize);
    }

    /// Asks the host for all events that have handlers, each once.
    pub(crate) fn start(&mut self) -> Result<(), (String, Refusal)> {
        self.started = true;
        let hooks = NAMED.into_iter().map(|table| table.event(""));
        let hooks = hooks.filter(|hook| self.wants(hook) && !self.events.contains_key(*hook));
        let mut names = self.events.keys().map(|name| &**name).chain(hooks);
        names.try_for_each(|event| events::on(event).map_err(|refusal| (event.to_owned(), refusal)))
    }

    fn lists(&mut self, table: Table) -> &mut Lists<C> {
        match table {
            Table::Events => &mut self.events,
            Table::Timers => &mut self.timers,
            Table::Acks => &mut self.acks,
        }
    }

    /// The handlers of names that share a hook.
    fn named(&self, hook: &str) -> Option<&Lists<C>> {
        match Table::of_hook(hook)? {
            Table::Events => None,
            Table::Timers => Some(&self.timers),
            Table::Acks => Some(&self.acks),
        }
    }

    /// Whether any handler needs this event of the host.
    fn wants(&self, event: &str) -> bool {
        self.events.contains_key(event) || self.named(event).is_some_and(|lists| !lists.is_empty())
    }

    /// Tells the host that an event is not needed any more, if no handler needs it.
    fn unless_wanted(&self, event: &str) -> Result<(), Refusal> {
        if self.started && !self.wants(event) { events::off(event) } else { Ok(()) }
    }
}

/// Runs the handlers that an event is for: its own in the order of registration, then those for all events. Its
/// cause is the contract's: the event's name, the fallback's, or that of all timers or asks. The first error ends it; the first
/// answer is the answer.
pub(crate) fn dispatch<C>(registry: &RefCell<Registry<C>>, event: &Event, ctx: &C) -> Handled {
    let cause = event.cause();
    let (own, behind) = {
        let registry = registry.borrow();
        let of = |name: &str| registry.events.get(name).cloned();
        match registry.named(cause) {
            Some(lists) => (lists.get(event.name()).cloned(), of(cause)),
            // `*` is for events of clients. Hooks and the bare keepalive are none, and of a client's event `*` they are
            // its own.
            None if cause.starts_with('$') || cause == ANY || event.is_keepalive() => (of(cause), None),
            None => (of(cause), of(ANY)),
        }
    };
    if Table::of_hook(cause).is_some()
        && own.is_none()
        && behind.is_none()
        && let Some(unhandled) = registry.borrow().unhandled
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
pub(crate) fn authorize<C>(registry: &RefCell<Registry<C>>, request: &Request) -> Result<Option<Meta>, Rejection> {
    match registry.borrow_mut().authorize.as_mut() {
        Some(authorize) => authorize(request),
        None => Ok(None),
    }
}
