//! What the code asks for: events, hooks, and channels whose history is kept.

use super::Code;
use crate::model::event::{cause_of, hook};
use crate::model::history::HistoryKeep;

impl Code {
    /// Whether the instance, where there is one, asks for a hook.
    pub(in crate::room) fn asks_for(&self, hook: &str) -> bool {
        self.instance.as_ref().is_some_and(|instance| instance.registrations().has(hook))
    }

    /// Whether the plugin asks for an event: in its instance, or, while there is none, in the `init` that ran at load.
    pub(in crate::room) fn wants(&self, event: &str) -> bool {
        match &self.instance {
            Some(instance) => instance.registrations().has(event),
            None => self.plugin.events.iter().any(|name| name == event),
        }
    }

    /// Whether the plugin wants to know of a user's first and last socket.
    pub(in crate::room) fn wants_users(&self) -> bool {
        self.wants(hook::USER_JOIN) || self.wants(hook::USER_LEAVE)
    }

    /// The registration that asks for a client's event; none where no handler wants it, so that no call is made for it.
    pub(in crate::room) fn cause_of<'a>(&self, name: &'a str) -> Option<&'a str> {
        cause_of(name, |event| self.wants(event))
    }

    /// The histories that a new instance asked for; once.
    pub(in crate::room) fn take_histories_wanted(&mut self) -> Option<Vec<HistoryKeep>> {
        self.histories_wanted.take()
    }
}
