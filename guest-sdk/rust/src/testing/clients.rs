//! Clients of a test room: they come, send events and go.

use std::{collections::BTreeSet, rc::Rc};

use serde_json::json;

use crate::{
    SocketId,
    hooks::{ANY, hook},
    host::types::{Event, Meta, Payload},
};

use super::{
    histories::without_doubles,
    world::{Arrival, Inbox, World, nack},
};

/// An event as a client sends it.
#[derive(Debug, Default)]
pub(crate) struct ClientFrame {
    pub(crate) name: String,
    pub(crate) channel: Option<String>,
    pub(crate) payload: Option<Payload>,
    pub(crate) arguments: u32,
    /// The client waits for an acknowledgement with this number.
    pub(crate) ack: Option<u64>,
}

impl World {
    /// Makes a socket a member. It stays one if its `$connect` commits.
    /// `since` are the channels of which the client wants to hear what it missed.
    pub(crate) fn connect(self: &Rc<Self>, meta: Meta, since: &[(String, Option<String>)]) -> SocketId {
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
            return id;
        }
        self.tell_missed(id, since);
        self.user_came(id);
        id
    }

    /// A newcomer hears what it missed before all else.
    fn tell_missed(&self, id: SocketId, since: &[(String, Option<String>)]) {
        let mut state = self.state.borrow_mut();
        let answer = |(channel, after): &(String, Option<String>)| {
            let is_in = state.members.in_channel(channel).contains(&id);
            let nothing = || json!({ "type": "history", "channel": channel, "recovered": false, "frames": [] });
            if is_in { state.histories.answer(channel, after.as_deref(), state.time) } else { nothing() }
        };
        let answers: Vec<_> = since.iter().map(answer).collect();
        let Some(inbox) = state.inboxes.get_mut(&id) else { return };
        without_doubles(&mut inbox.frames, &since.iter().map(|(channel, _)| channel.as_str()).collect::<Vec<_>>());
        inbox.frames.splice(0..0, answers);
    }

    /// Runs `$user-join` where this is the first socket of its user.
    fn user_came(self: &Rc<Self>, id: SocketId) {
        let user = {
            let mut state = self.state.borrow_mut();
            let wants = [hook::USER_JOIN, hook::USER_LEAVE].iter().any(|hook| state.events.contains(*hook));
            let Ok(meta) = state.members.meta(id) else { return };
            let user = meta.user_id.clone();
            if !wants || !state.members.is_present(id) || !state.known_users.insert(user.clone()) {
                return;
            }
            user
        };
        let _ = self.give_hook(hook::USER_JOIN, Some(json!({ "userId": user })), Some(id));
    }

    /// Runs `$user-leave` where this was the last socket of its user.
    fn user_left(self: &Rc<Self>, id: SocketId) {
        let user = {
            let mut state = self.state.borrow_mut();
            let Ok(meta) = state.members.meta(id) else { return };
            let user = meta.user_id.clone();
            if !state.members.of_user(&user).is_empty() || !state.known_users.remove(&user) {
                return;
            }
            user
        };
        let _ = self.give_hook(hook::USER_LEAVE, Some(json!({ "userId": user })), Some(id));
    }

    /// Ends a socket: takes it out of all counts and channels, and runs `$ack` for what it was asked and
    /// `$disconnect`.
    pub(crate) fn disconnect(self: &Rc<Self>, id: SocketId, code: u16, reason: &str) {
        {
            let mut state = self.state.borrow_mut();
            let Some(inbox) = state.inboxes.get_mut(&id).filter(|inbox| inbox.closed.is_none()) else {
                return;
            };
            inbox.closed = Some((code, reason.to_owned()));
            state.members.depart(id);
        }
        self.end_asks_of(id);
        // `turn` has reported a failure already, and the socket is gone either way.
        let _ = self.give_hook(hook::DISCONNECT, Some(json!({ "code": code, "reason": reason })), Some(id));
        self.user_left(id);
        self.state.borrow_mut().members.forget(id);
    }

    /// Runs `$lost` or `$back` for a socket that is here.
    pub(crate) fn line_changed(self: &Rc<Self>, id: SocketId, news: &'static str) {
        if self.state.borrow().members.is_present(id) {
            // `turn` has reported a failure already.
            let _ = self.give_hook(news, None, Some(id));
        }
    }

    /// Handles what a client sent, if the plugin has a handler for it.
    pub(crate) fn client_event(self: &Rc<Self>, socket: SocketId, frame: ClientFrame) {
        let ClientFrame { name, channel, mut payload, arguments, ack } = frame;
        // Serialisers write a channel that is not set as `null` or as an empty string, and the data of a bare ping as
        // `null`.
        let channel = channel.filter(|channel| !channel.is_empty());
        let (cause, accepted_at) = {
            let mut state = self.state.borrow_mut();
            if !state.members.is_present(socket) {
                return;
            }
            let is_null = |payload: &Payload| matches!(payload, Payload::Json(text) if text == "null");
            let bare_ping =
                name == "ping" && channel.is_none() && ack.is_none() && payload.as_ref().is_none_or(is_null);
            if bare_ping {
                payload = None;
            }
            if bare_ping && let Some(inbox) = state.inboxes.get_mut(&socket) {
                inbox.frames.push(json!({ "type": "pong" }));
            }
            // A bare keepalive is an event only where it was registered by name.
            if bare_ping && !state.events.contains(&name) {
                return;
            }
            (cause_of(&name, &state.events), state.time)
        };
        let Some(cause) = cause else {
            if let Some(ack) = ack {
                self.state.borrow_mut().push(Some(socket), nack(ack, "no-handler", None));
            }
            return;
        };
        let answer_wanted = ack.is_some();
        let event = Event { cause, name, channel, payload, socket: Some(socket), answer_wanted, accepted_at };
        // The server reports a failure to the sender, or to the log and `TestRoom::failures`.
        let _ = self.give(Arrival { ack, arguments, ..event.into() });
    }
}

/// The cause of a client's event: its own name where a handler or `*` asked for it, the fallback where neither did.
fn cause_of(name: &str, events: &BTreeSet<String>) -> Option<String> {
    let asked = events.contains(name) || events.contains(ANY);
    let cause = if asked { name } else { hook::MESSAGE };
    (asked || events.contains(hook::MESSAGE)).then(|| cause.to_owned())
}
