//! An accepted fact, on its way to one turn.

use super::json::Json;

/// A socket of a room; counted up, never used again while the room lives.
pub type SocketId = u32;

/// The body of an event or of an emit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payload {
    Json(Json),
    Binary(Vec<u8>),
}

/// The events that the host makes. Clients cannot send a name that begins with `$`.
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

    /// Every hook that a plugin of this host can ask for.
    pub const ALL: [&str; 9] = [CONNECT, DISCONNECT, MESSAGE, ERROR, RESTORE, TIMER, ALARM, SUSPEND, RESUME];
    /// The registration for every event of clients.
    pub const ANY: &str = "*";
}

/// What a client sent: decoded, checked, not yet in the room's order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientEvent {
    pub name: String,
    pub channel: Option<String>,
    pub payload: Option<Payload>,
}

impl Payload {
    /// What it takes.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Json(json) => json.text().len(),
            Self::Binary(bytes) => bytes.len(),
        }
    }
}

impl ClientEvent {
    /// What it takes while it waits.
    pub fn bytes(&self) -> usize {
        let payload = self.payload.as_ref().map_or(0, Payload::bytes);
        self.name.len() + self.channel.as_ref().map_or(0, String::len) + payload
    }
}

/// One event with all that a turn is told.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// The registration that asked for it.
    pub cause: String,
    pub name: String,
    pub channel: Option<String>,
    pub payload: Option<Payload>,
    pub socket: Option<SocketId>,
    pub answer_wanted: bool,
    /// Milliseconds since the Unix epoch.
    pub accepted_at: f64,
}

impl Event {
    /// A hook whose payload may be bytes.
    pub fn hook_with(name: &'static str, payload: Payload, accepted_at: f64) -> Self {
        Self { payload: Some(payload), ..Self::hook(name, None, None, accepted_at) }
    }

    /// An event that the host makes of itself.
    pub fn hook(name: &'static str, payload: Option<Json>, socket: Option<SocketId>, accepted_at: f64) -> Self {
        Self {
            cause: name.to_owned(),
            name: name.to_owned(),
            channel: None,
            payload: payload.map(Payload::Json),
            socket,
            answer_wanted: false,
            accepted_at,
        }
    }
}

/// Why a turn's handler says that it failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    pub code: String,
    pub message: String,
    /// Whether the sender of the event is told.
    pub for_sender: bool,
}
