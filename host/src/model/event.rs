//! Events: what happened in a room, as its plugin is told of it.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use super::body::{EventData, Payload};
use super::json::Json;

/// A socket's number within its room. A room that lives never gives a number to a second socket.
pub type SocketId = u32;

/// What is known of each socket. A room looks some up for each message, and chose the numbers itself: nobody can have them collide.
pub type BySocket<T> = HashMap<SocketId, T, BuildHasherDefault<SocketHasher>>;

/// Spreads numbers that follow each other.
#[derive(Debug, Default)]
pub struct SocketHasher(u64);

impl Hasher for SocketHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u32((*byte).into()));
    }

    fn write_u32(&mut self, number: u32) {
        // The golden ratio: its product differs in the upper bits, by which the table tells entries apart, and in the lower ones.
        self.0 = (self.0 ^ u64::from(number)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

/// The number by which a client tells the acknowledgement of one of its events from others: it chose it.
pub type AckId = u64;

/// The largest number that JavaScript can name exactly, and so the largest [`AckId`] of a client.
pub const ACK_ID_MAX: AckId = 9_007_199_254_740_991;

/// The number of an ask within its room. A room that lives never gives a number to a second ask.
pub type AskId = u64;

/// The names of the events that the host itself raises. Clients cannot send a name that begins with `$`.
pub mod hook {
    pub const CONNECT: &str = "$connect";
    pub const DISCONNECT: &str = "$disconnect";
    /// A socket's line broke, and its client may come back.
    pub const LOST: &str = "$lost";
    /// It came back.
    pub const BACK: &str = "$back";
    pub const MESSAGE: &str = "$message";
    pub const ERROR: &str = "$error";
    pub const RESTORE: &str = "$restore";
    pub const TIMER: &str = "$timer";
    pub const ACK: &str = "$ack";
    pub const ALARM: &str = "$alarm";
    pub const SUSPEND: &str = "$suspend";
    pub const RESUME: &str = "$resume";
    pub const USER_JOIN: &str = "$user-join";
    pub const USER_LEAVE: &str = "$user-leave";
    /// The plugin looks whether its own invariants hold. Only the harness asks for it.
    pub const CHECK: &str = "$check";

    /// Every hook that a plugin can register for.
    pub const ALL: [&str; 15] = [
        CONNECT, DISCONNECT, LOST, BACK, USER_JOIN, USER_LEAVE, MESSAGE, ERROR, RESTORE, TIMER, ACK, ALARM, SUSPEND,
        RESUME, CHECK,
    ];
    /// A plugin that registers for this gets every event that clients send.
    pub const ANY: &str = "*";
}

/// What a client sends into its room: decoded and checked, before it has its place in the room's order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientMessage {
    Event(ClientEvent),
    Answer(ClientAnswer),
}

/// A client's event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClientEvent {
    pub name: String,
    pub channel: Option<String>,
    pub data: EventData,
    /// The client waits for an acknowledgement, which carries this number.
    pub ack: Option<AckId>,
}

/// A client's answer to an ask. Its data nests at most one level less than an event's, because the plugin gets it in an
/// object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientAnswer {
    pub ask: AskId,
    pub data: EventData,
}

impl ClientMessage {
    /// The bytes that the message holds in memory while it waits in the mailbox.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Event(ClientEvent { name, channel, data, .. }) => {
                name.len() + channel.as_ref().map_or(0, String::len) + data.bytes()
            }
            Self::Answer(answer) => answer.data.bytes(),
        }
    }
}

/// One event, with all that its turn learns of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// The name that the plugin registered for: the event's own, or `*`.
    pub cause: String,
    pub name: String,
    pub channel: Option<String>,
    pub data: EventData,
    pub socket: Option<SocketId>,
    /// The socket whose doing the event is: its own or, where a timer is due or nobody answered an ask, the one whose event
    /// set the timer or asked. Plugins do not see it.
    pub caused_by: Option<SocketId>,
    /// The sender waits for an acknowledgement, which carries this number.
    pub ack: Option<AckId>,
    /// Milliseconds since the Unix epoch.
    pub accepted_at: f64,
}

impl Event {
    /// An event of the host itself whose payload may be bytes.
    pub fn hook_with(name: &'static str, payload: Payload, accepted_at: f64) -> Self {
        Self { data: EventData::of(Some(payload)), ..Self::hook(name, None, None, accepted_at) }
    }

    /// An event of the host itself.
    pub fn hook(name: &'static str, payload: Option<Json>, socket: Option<SocketId>, accepted_at: f64) -> Self {
        Self {
            cause: name.to_owned(),
            name: name.to_owned(),
            channel: None,
            data: EventData::of(payload.map(Payload::Json)),
            socket,
            caused_by: socket,
            ack: None,
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
