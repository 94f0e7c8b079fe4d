//! What a tape is made of. These types are the file's format: postcard writes them field by field, so a change of one is a new
//! version of the format.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::blob;
use crate::guest::bindings::exports::parlor::room::guest::Failure as WitFailure;
use crate::guest::bindings::parlor::room::types::{Event as WitEvent, Payload as WitPayload, Refusal as WitRefusal};
use crate::model::effect::UnixMs;
use crate::model::event::SocketId;
use crate::model::meta::Meta;
use crate::model::turn::Turn;

/// Where a life begins: what its guest could learn of the room before its first call.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TapeBase {
    /// The version of the program that recorded.
    pub program: String,
    /// The component's blake3 hash, in hex digits.
    pub component: String,
    pub tenant: String,
    pub plugin: String,
    pub version: String,
    pub room: String,
    /// Milliseconds since the Unix epoch.
    pub opened_at: f64,
    /// Why the instance was made: `open`, or the reason that `$restore` would be given.
    pub reason: String,
    /// How many turns the room had before.
    pub turns_before: u64,
    #[serde(with = "shared")]
    pub limits: Arc<Vec<(String, u64)>>,
    /// The plugin's configuration, without the values that look like secrets.
    #[serde(with = "shared")]
    pub config: Arc<Vec<(String, String)>>,
    pub members: Vec<TapedMember>,
    pub timers: Vec<TapedTimer>,
    pub alarm: Option<UnixMs>,
    /// The bytes of what the room stores.
    pub stored_bytes: u64,
    /// What the room stores; none where that is more than a tape takes along.
    #[serde(serialize_with = "blob::stored")]
    pub storage: Option<Vec<(String, Vec<u8>)>>,
}

/// What all tapes of a plugin's version have in common is on each of them, and in memory once.
mod shared {
    use std::sync::Arc;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<T: Serialize, S: Serializer>(value: &Arc<T>, serializer: S) -> Result<S::Ok, S::Error> {
        T::serialize(value, serializer)
    }

    pub fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<T>, D::Error> {
        T::deserialize(deserializer).map(Arc::new)
    }
}

/// One socket of the room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TapedMember {
    pub socket: SocketId,
    pub user: String,
    pub client: String,
    pub channels: Vec<String>,
    pub fields: String,
    /// False for a socket that leaves, whose meta can still be read.
    pub is_present: bool,
}

impl TapedMember {
    pub fn new(socket: SocketId, meta: &Meta, is_present: bool) -> Self {
        let Meta { user_id, client_id, channels, fields } = meta.clone();
        Self { socket, user: user_id, client: client_id, channels, fields, is_present }
    }
}

/// A timer that was set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TapedTimer {
    pub name: String,
    pub due_in_ms: u64,
    pub data: Option<String>,
}

/// What happened to the room between two turns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BetweenTurns {
    /// A socket became a member.
    Admitted(TapedMember),
    /// A socket left all groups and counts.
    Departed(SocketId),
    /// Nobody can read its meta any more.
    Forgotten(SocketId),
    /// A timer is due, and so gone.
    TimerTaken(String),
}

/// An event, and what came beside its payload.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TapedEvent {
    pub event: WitEvent,
    pub arguments: u32,
    pub attachments: Vec<Vec<u8>>,
}

impl TapedEvent {
    /// The event's name and its payload, where that is JSON.
    pub fn json(&self) -> Option<(&str, &str)> {
        match &self.event.payload {
            Some(WitPayload::Json(data)) => Some((&self.event.name, data)),
            _ => None,
        }
    }
}

/// One call of the guest to the host, with its arguments and its answer as postcard writes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TapedCall {
    pub name: String,
    pub args: Vec<u8>,
    pub answer: Vec<u8>,
}

/// How the host answered.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum TapedAnswer<T> {
    Value(T),
    Refused(WitRefusal),
    /// The host stopped the guest in this call.
    Stopped,
}

/// How a call of the guest ended.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TapedOutcome {
    /// `init` returned.
    Ready {
        name: String,
        path: String,
    },
    /// `init` returned an error.
    Unready(String),
    Answered(Option<WitPayload>),
    Failed(WitFailure),
    /// The instance was lost.
    Faulted {
        code: String,
        words: String,
    },
}

/// How much a turn asked for, whether it was done or not.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TapedEffects {
    pub emits: u32,
    pub deliveries: u64,
    pub elsewhere: u32,
    pub closes: u32,
    pub writes: u32,
    pub written_bytes: u64,
    /// A change of the alarm, to a time or to none.
    pub alarm: Option<Option<UnixMs>>,
}

impl TapedEffects {
    /// What a turn asked for.
    pub fn of(turn: &Turn) -> Self {
        let effects = turn.effects();
        Self {
            emits: effects.emits.len() as u32,
            deliveries: effects.emits.iter().map(|emit| emit.audience.len() as u64).sum(),
            elsewhere: effects.elsewhere.len() as u32,
            closes: effects.closes.len() as u32,
            writes: effects.batch.writes.len() as u32,
            written_bytes: effects.batch.bytes() as u64,
            alarm: effects.batch.alarm,
        }
    }
}

/// The end of a call: its outcome, and what WASI told the guest meanwhile.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TapedEnd {
    pub outcome: TapedOutcome,
    /// What the clocks showed, in the order of the reads.
    pub clocks: Vec<u64>,
    /// Random bytes, in the order of the reads.
    pub random: Vec<u8>,
    pub cpu_ns: u64,
    pub effects: TapedEffects,
}

/// What the room made of a turn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TapedVerdict {
    Committed,
    /// It left no trace, for this reason.
    RolledBack {
        code: String,
        message: String,
        for_sender: bool,
    },
    /// Writes that it rests on failed.
    Lost,
}

impl TapedVerdict {
    /// The room went back from this version.
    pub fn went_back(why: &str) -> Self {
        Self::RolledBack { code: "went-back".to_owned(), message: why.to_owned(), for_sender: false }
    }
}
