//! What a test room asked its clients, and they have not answered.

use std::{collections::BTreeMap, rc::Rc};

use serde_json::{Value, json};

use crate::{
    SocketId,
    hooks::hook,
    host::types::{Event, Payload, Refusal},
};

use super::{
    bounds,
    world::{Arrival, World},
};

/// The longest time that a client may have, in milliseconds.
const TIMEOUT_MS_MAX: u32 = 3_600_000;

#[derive(Debug, Clone)]
struct Ask {
    name: String,
    due: u64,
}

/// The asks of a room, by socket and number. A turn works on a copy, which replaces the original when it commits.
#[derive(Debug, Clone, Default)]
pub(crate) struct Asks {
    asks: BTreeMap<(SocketId, u64), Ask>,
    last: u64,
}

impl Asks {
    /// Adds an ask; returns its number.
    pub(crate) fn add(&mut self, socket: SocketId, name: &str, now: u64, timeout_ms: u32) -> Result<u64, Refusal> {
        bounds::check_name("an ask's name", name)?;
        if !(1..=TIMEOUT_MS_MAX).contains(&timeout_ms) {
            return Err(bounds::invalid(format!("an ask must time out after 1 to {TIMEOUT_MS_MAX} ms")));
        }
        if self.asks.len() >= bounds::ASKS_PER_ROOM {
            return Err(bounds::exceeded("asks-per-room"));
        }
        if self.of(socket).count() >= bounds::ASKS_PER_SOCKET {
            return Err(bounds::exceeded("asks-per-socket"));
        }
        self.last += 1;
        self.asks.insert((socket, self.last), Ask { name: name.to_owned(), due: now + u64::from(timeout_ms) });
        Ok(self.last)
    }

    /// The numbers of what a socket was asked, in the order in which it was.
    pub(crate) fn of(&self, socket: SocketId) -> impl Iterator<Item = u64> {
        self.asks.range((socket, 0)..=(socket, u64::MAX)).map(|((_, number), _)| *number)
    }

    /// When the first ask times out.
    pub(crate) fn next_due(&self) -> Option<u64> {
        self.asks.values().map(|ask| ask.due).min()
    }

    fn take(&mut self, socket: SocketId, number: u64) -> Option<String> {
        self.asks.remove(&(socket, number)).map(|ask| ask.name)
    }

    /// Takes out the ask that timed out first.
    pub(crate) fn take_due(&mut self) -> Option<(SocketId, String)> {
        let key = *self.asks.iter().min_by_key(|(_, ask)| ask.due)?.0;
        Some((key.0, self.take(key.0, key.1)?))
    }

    /// A restart of the server forgets them all.
    pub(crate) fn clear(&mut self) {
        self.asks.clear();
    }
}

impl World {
    /// A client answers an ask; says whether it was asked that.
    pub(crate) fn answer_ask(self: &Rc<Self>, socket: SocketId, number: u64, answer: Option<Payload>) -> bool {
        let taken = {
            let mut state = self.state.borrow_mut();
            let is_heard = state.members.is_present(socket);
            is_heard.then(|| state.asks.take(socket, number)).flatten()
        };
        let Some(name) = taken else { return false };
        let (data, attachments) = match answer {
            Some(Payload::Json(text)) => (Some(serde_json::from_str(&text).unwrap_or_default()), Vec::new()),
            Some(Payload::Binary(bytes)) => (Some(json!({ "_placeholder": true, "num": 0 })), vec![bytes]),
            None => (None, Vec::new()),
        };
        self.end_ask(socket, name, "answered", data, attachments);
        true
    }

    /// Ends what a socket was asked that has left.
    pub(crate) fn end_asks_of(self: &Rc<Self>, socket: SocketId) {
        let next = || {
            let mut state = self.state.borrow_mut();
            let number = state.asks.of(socket).next()?;
            state.asks.take(socket, number)
        };
        while let Some(name) = next() {
            self.end_ask(socket, name, "gone", None, Vec::new());
        }
    }

    /// Runs `$ack` for an ask that is over.
    pub(crate) fn end_ask(
        self: &Rc<Self>,
        socket: SocketId,
        name: String,
        outcome: &str,
        data: Option<Value>,
        attachments: Vec<Vec<u8>>,
    ) {
        let accepted_at = {
            let state = self.state.borrow();
            if !state.events.contains(hook::ACK) {
                return;
            }
            state.time
        };
        let mut payload = json!({ "outcome": outcome });
        if let Some(data) = data {
            payload["data"] = data;
        }
        let event = Event {
            cause: hook::ACK.to_owned(),
            name,
            channel: None,
            payload: Some(Payload::Json(payload.to_string())),
            socket: Some(socket),
            answer_wanted: false,
            accepted_at,
        };
        // The turn has reported a failure already.
        let _ = self.give(Arrival { attachments, ..event.into() });
    }
}
