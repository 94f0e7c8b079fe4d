//! What a turn asks the room to do. The room does it when the turn commits.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::body::Body;
use super::event::{AckId, AskId, SocketId};
use super::history::HistoryPosition;
use super::json::Json;
use super::names::{PluginName, RoomId};

/// The sockets that an emit goes to: those that its target named at the moment of the call.
#[derive(Debug, Clone)]
pub enum Audience {
    One(SocketId),
    /// The sockets of a channel, a user or a list of clients. The list is shared with the room, which copies it before
    /// it changes it.
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

    /// All sockets of a group but `without`, which must be one of them: `len` relies on it.
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

/// One message to clients.
#[derive(Debug, Clone)]
pub struct Emit {
    pub audience: Audience,
    /// The channel that the frame carries.
    pub channel: String,
    pub event: String,
    pub body: Body,
    /// The emit asks its one receiver, which answers with this number.
    pub ask: Option<AskId>,
    /// Where it stands in the history of its channel, if that is kept and the emit counts.
    pub at: Option<HistoryPosition>,
}

/// Whom in a room an emit is for: the sockets of a channel, of users, with client ids, as far as such are given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Whom {
    pub channel: Option<String>,
    pub users: Option<Vec<String>>,
    pub clients: Option<Vec<String>>,
}

impl Whom {
    pub fn is_everybody(&self) -> bool {
        self.channel.is_none() && self.users.is_none() && self.clients.is_none()
    }

    /// The channel, where nothing else says whom it is for.
    pub fn whole_channel(&self) -> Option<&String> {
        self.channel.as_ref().filter(|_| self.users.is_none() && self.clients.is_none())
    }

    /// The bytes that its names take.
    pub fn bytes(&self) -> usize {
        let ids = self.users.iter().chain(&self.clients).flatten();
        self.channel.iter().chain(ids).map(|name| size_of::<String>() + name.len()).sum()
    }
}

/// An emit into another room of the same tenant.
#[derive(Debug, Clone)]
pub struct EmitElsewhere {
    /// None for a room of the same plugin.
    pub plugin: Option<PluginName>,
    pub room: RoomId,
    pub to: Whom,
    pub event: String,
    pub data: Json,
}

impl EmitElsewhere {
    /// The bytes that it takes while it waits.
    pub fn bytes(&self) -> usize {
        self.to.bytes() + self.event.len() + self.data.text().len()
    }
}

/// The acknowledgement of a client's event whose turn committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acknowledgement {
    pub socket: SocketId,
    pub id: AckId,
    /// What the handler answered.
    pub body: Option<Body>,
}

/// A socket that the room closes once it has sent what was emitted to it before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Close {
    pub socket: SocketId,
    pub code: u16,
    pub reason: String,
}

/// Milliseconds since the Unix epoch.
pub type UnixMs = u64;

/// The writes of one turn. Storage makes all of them durable or none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Batch {
    /// The new value of each key; `None` deletes the key.
    pub writes: BTreeMap<String, Option<Vec<u8>>>,
    /// `Some` changes the room's alarm: to a new time, or to none.
    pub alarm: Option<Option<UnixMs>>,
}

impl Batch {
    /// Whether the batch changes nothing.
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty() && self.alarm.is_none()
    }

    /// The bytes of keys and values that the batch holds in memory while it waits.
    pub fn bytes(&self) -> usize {
        self.writes.iter().map(|(key, value)| key.len() + value.as_ref().map_or(0, Vec::len)).sum()
    }
}

/// All that a turn asked for.
#[derive(Debug, Default)]
pub struct Effects {
    pub batch: Batch,
    pub emits: Vec<Emit>,
    pub elsewhere: Vec<EmitElsewhere>,
    pub closes: Vec<Close>,
}
