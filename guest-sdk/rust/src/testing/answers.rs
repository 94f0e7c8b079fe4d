//! How asks of a test room end: with an answer, without one in time, or with the socket.

use std::rc::Rc;

use serde_json::{Value, json};

use crate::{
    SocketId,
    hooks::hook,
    host::types::{Event, Payload},
};

use super::world::{Arrival, World};

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
