//! Which handlers stand for which events, and the host's table kept in step with it.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

use crate::{
    Ctx, Meta, Rejection, Request, Result,
    host::{events, types::Refusal},
    outcome::Handled,
};

/// Every event of clients, in the contract's words.
pub(crate) const ANY: &str = "*";
/// The hooks, in the contract's words.
pub(crate) mod hook {
    pub(crate) const CONNECT: &str = "$connect";
    pub(crate) const DISCONNECT: &str = "$disconnect";
    pub(crate) const MESSAGE: &str = "$message";
    pub(crate) const ERROR: &str = "$error";
    pub(crate) const RESTORE: &str = "$restore";
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
    event: Box<str>,
    number: u64,
}

struct Entry {
    number: u64,
    call: Call,
}

/// The handlers of one event. A running event holds the list that it began with; `on` and `off` copy it then.
type List = Rc<Vec<Entry>>;

impl Clone for Entry {
    fn clone(&self) -> Self {
        Entry { number: self.number, call: Rc::clone(&self.call) }
    }
}

#[derive(Default)]
pub(crate) struct Registry {
    // A sorted map: std's hash map would draw its seed from WASI, and with tens of names a tree is as fast.
    lists: BTreeMap<Box<str>, List>,
    authorize: Option<Authorize>,
    registered: u64,
    /// Whether the host has been told of what stands here; from then on it is told of each change.
    started: bool,
}

impl Registry {
    /// Adds a handler behind those that the event has. Where the host refuses the name, nothing is added.
    pub(crate) fn add(&mut self, event: &str, call: Call) -> (Handler, Result<(), Refusal>) {
        self.registered += 1;
        let number = self.registered;
        let handler = Handler { event: event.into(), number };
        if let Some(list) = self.lists.get_mut(event) {
            Rc::make_mut(list).push(Entry { number, call });
            return (handler, Ok(()));
        }
        if self.started
            && let Err(refusal) = events::on(event)
        {
            return (handler, Err(refusal));
        }
        self.lists.insert(event.into(), Rc::new(vec![Entry { number, call }]));
        (handler, Ok(()))
    }

    /// Removes one handler; the host is told when it was the event's last.
    pub(crate) fn remove(&mut self, handler: &Handler) -> (bool, Result<(), Refusal>) {
        let Some(list) = self.lists.get_mut(&handler.event) else {
            return (false, Ok(()));
        };
        let Some(at) = list.iter().position(|entry| entry.number == handler.number) else {
            return (false, Ok(()));
        };
        if list.len() == 1 {
            return self.remove_all(&handler.event);
        }
        Rc::make_mut(list).remove(at);
        (true, Ok(()))
    }

    /// Removes all handlers of an event.
    pub(crate) fn remove_all(&mut self, event: &str) -> (bool, Result<(), Refusal>) {
        let removed = self.lists.remove(event).is_some();
        (removed, if removed && self.started { events::off(event) } else { Ok(()) })
    }

    pub(crate) fn set_authorize(&mut self, authorize: Authorize) {
        self.authorize = Some(authorize);
    }

    /// Tells the host of all that is registered, each name once.
    pub(crate) fn start(&mut self) -> Result<(), (String, Refusal)> {
        self.started = true;
        self.lists.keys().try_for_each(|event| events::on(event).map_err(|refusal| (event.to_string(), refusal)))
    }

    fn list(&self, event: &str) -> Option<List> {
        self.lists.get(event).cloned()
    }
}

/// Runs the handlers that an event is for: its own in the order of registration, then those for all events. `cause`
/// is the contract's: the event's name, or the fallback's. The first error ends it; the first answer is the answer.
pub(crate) fn dispatch(registry: &RefCell<Registry>, cause: &str, ctx: &Ctx) -> Handled {
    let (own, any) = {
        let registry = registry.borrow();
        // `*` is for what clients say, which neither a hook nor a bare keepalive is.
        let any = if cause.starts_with('$') || ctx.event().is_keepalive() { None } else { registry.list(ANY) };
        (registry.list(cause), any)
    };
    let mut answer = None;
    for entry in own.iter().chain(&any).flat_map(|list| list.iter()) {
        let answered = (entry.call.borrow_mut())(ctx)?;
        answer = answer.or(answered);
    }
    Ok(answer)
}

/// Asks the plugin who this is; without a closure for it the host decides.
pub(crate) fn authorize(registry: &RefCell<Registry>, request: &Request) -> Result<Option<Meta>, Rejection> {
    match registry.borrow_mut().authorize.as_mut() {
        Some(authorize) => authorize(request),
        None => Ok(None),
    }
}
