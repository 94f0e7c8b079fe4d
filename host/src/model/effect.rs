//! What a turn asks for, held until it commits.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::event::SocketId;
use super::json::Json;

/// The sockets that an emit was addressed to when it was called.
#[derive(Debug, Clone)]
pub enum Audience {
    One(SocketId),
    /// A channel, a user or a list of clients as it was; shared with the room, which copies before it changes it.
    Many {
        sockets: Arc<Vec<SocketId>>,
        without: Option<SocketId>,
    },
}

impl Audience {
    pub fn nobody() -> Self {
        Self::Many { sockets: Arc::default(), without: None }
    }

    pub fn all(sockets: Arc<Vec<SocketId>>) -> Self {
        Self::Many { sockets, without: None }
    }

    /// All of a group but one socket, which must be in it for the count to be right.
    pub fn others(sockets: Arc<Vec<SocketId>>, without: SocketId) -> Self {
        Self::Many { sockets, without: Some(without) }
    }

    pub fn len(&self) -> usize {
        match self {
            Self::One(_) => 1,
            Self::Many { sockets, without } => sockets.len() - usize::from(without.is_some()),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn iter(&self) -> impl Iterator<Item = SocketId> + '_ {
        let (one, many, without) = match self {
            Self::One(id) => (Some(*id), &[][..], None),
            Self::Many { sockets, without } => (None, sockets.as_slice(), *without),
        };
        one.into_iter().chain(many.iter().copied().filter(move |id| Some(*id) != without))
    }
}

/// One message to be said.
#[derive(Debug, Clone)]
pub struct Emit {
    pub audience: Audience,
    /// The channel that the frame names.
    pub channel: String,
    pub event: String,
    pub data: Json,
}

/// A socket to be closed behind what was emitted to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Close {
    pub socket: SocketId,
    pub code: u16,
    pub reason: String,
}

/// Milliseconds since the Unix epoch.
pub type UnixMs = u64;

/// What one turn makes durable: as a whole or not at all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Batch {
    /// A value, or none for a key that goes.
    pub writes: BTreeMap<String, Option<Vec<u8>>>,
    /// When the room's alarm is due from now on (none: not at all), where that changes.
    pub alarm: Option<Option<UnixMs>>,
}

impl Batch {
    /// Whether it changes nothing.
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty() && self.alarm.is_none()
    }

    /// What it takes while it waits.
    pub fn bytes(&self) -> usize {
        self.writes.iter().map(|(key, value)| key.len() + value.as_ref().map_or(0, Vec::len)).sum()
    }
}

/// What a turn leaves for the room to do.
#[derive(Debug, Default)]
pub struct Effects {
    pub batch: Batch,
    pub emits: Vec<Emit>,
    pub closes: Vec<Close>,
}
