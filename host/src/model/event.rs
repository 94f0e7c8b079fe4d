//! Events: what happened in a room, as its plugin is told of it.

use super::json::Json;

/// A socket's number within its room. A room that lives never gives a number to a second socket.
pub type SocketId = u32;

/// The number by which a client tells the acknowledgement of one of its events from others: it chose it.
pub type AckId = u64;

/// The largest number that JavaScript can name exactly, and so the largest [`AckId`] of a client.
pub const ACK_ID_MAX: AckId = 9_007_199_254_740_991;

/// The number of an ask within its room. A room that lives never gives a number to a second ask.
pub type AskId = u64;

/// The data of an event or of an emit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payload {
    Json(Json),
    Binary(Vec<u8>),
}

/// The names of the events that the host itself raises. Clients cannot send a name that begins with `$`.
pub mod hook {
    pub const CONNECT: &str = "$connect";
    pub const DISCONNECT: &str = "$disconnect";
    pub const MESSAGE: &str = "$message";
    pub const ERROR: &str = "$error";
    pub const RESTORE: &str = "$restore";
    pub const TIMER: &str = "$timer";
    pub const ALARM: &str = "$alarm";
    pub const SUSPEND: &str = "$suspend";
    pub const RESUME: &str = "$resume";

    /// Every hook that a plugin can register for.
    pub const ALL: [&str; 9] = [CONNECT, DISCONNECT, MESSAGE, ERROR, RESTORE, TIMER, ALARM, SUSPEND, RESUME];
    /// A plugin that registers for this gets every event that clients send.
    pub const ANY: &str = "*";
}

/// A client's event: decoded and checked, before it has its place in the room's order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientEvent {
    pub name: String,
    pub channel: Option<String>,
    pub payload: Option<Payload>,
}

impl Payload {
    /// The bytes that the payload holds in memory.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Json(json) => json.text().len(),
            Self::Binary(bytes) => bytes.len(),
        }
    }
}

impl ClientEvent {
    /// The bytes that the event holds in memory while it waits in the mailbox.
    pub fn bytes(&self) -> usize {
        let payload = self.payload.as_ref().map_or(0, Payload::bytes);
        self.name.len() + self.channel.as_ref().map_or(0, String::len) + payload
    }
}

/// One event, with all that its turn learns of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// The name that the plugin registered for: the event's own, or `*`.
    pub cause: String,
    pub name: String,
    pub channel: Option<String>,
    pub payload: Option<Payload>,
    pub socket: Option<SocketId>,
    /// The socket whose doing the event is: its own or, where a timer is due, the one whose event set the timer. Plugins
    /// do not see it.
    pub caused_by: Option<SocketId>,
    pub answer_wanted: bool,
    /// Milliseconds since the Unix epoch.
    pub accepted_at: f64,
}

impl Event {
    /// An event of the host itself whose payload may be bytes.
    pub fn hook_with(name: &'static str, payload: Payload, accepted_at: f64) -> Self {
        Self { payload: Some(payload), ..Self::hook(name, None, None, accepted_at) }
    }

    /// An event of the host itself.
    pub fn hook(name: &'static str, payload: Option<Json>, socket: Option<SocketId>, accepted_at: f64) -> Self {
        Self {
            cause: name.to_owned(),
            name: name.to_owned(),
            channel: None,
            payload: payload.map(Payload::Json),
            socket,
            caused_by: socket,
            answer_wanted: false,
            accepted_at,
        }
    }
}

/// The failure that a turn's handler returned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    pub code: String,
    pub message: String,
    /// Whether the sender of the event gets the code and the message.
    pub for_sender: bool,
}

/// The cause of a client's event: its own name where a handler or `*` asked for it, the fallback where neither did.
pub fn cause_of(name: &str, has: impl Fn(&str) -> bool) -> Option<&str> {
    if has(name) || has(hook::ANY) {
        Some(name)
    } else if has(hook::MESSAGE) {
        Some(hook::MESSAGE)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fallback_is_for_what_nobody_asked_for() {
        let with = |names: &'static [&'static str]| move |name: &str| names.contains(&name);
        assert_eq!(cause_of("a", with(&["a", "$message"])), Some("a"));
        assert_eq!(cause_of("b", with(&["a", "*", "$message"])), Some("b"));
        assert_eq!(cause_of("b", with(&["a", "$message"])), Some("$message"));
        assert_eq!(cause_of("b", with(&["a"])), None);
    }
}
