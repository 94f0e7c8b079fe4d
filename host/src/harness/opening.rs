//! With what a room begins.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

use crate::model::names::RoomId;

/// The first moment of 2026, in milliseconds since the Unix epoch.
const START_MS: u64 = 1_767_225_600_000;
/// The room's id where nobody names one.
const ROOM: &str = "room";
/// The latest moment at which a room may begin: the end of the year 9999, which all languages can write.
const LATEST_MS: u64 = 253_402_300_799_999;

/// What `open` says.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OpenStep {
    #[serde(deserialize_with = "room")]
    pub(super) room: RoomId,
    pub(super) config: BTreeMap<String, String>,
    #[serde(deserialize_with = "moment")]
    pub(super) now: u64,
    /// In the place of the program's own.
    pub(super) seed: Option<u64>,
}

impl Default for OpenStep {
    fn default() -> Self {
        let room = RoomId::new(ROOM).unwrap_or_else(|_| RoomId::default_room());
        Self { room, config: BTreeMap::new(), now: START_MS, seed: None }
    }
}

fn room<'de, D: Deserializer<'de>>(from: D) -> Result<RoomId, D::Error> {
    let text = String::deserialize(from)?;
    let words = format!("a room's id is 1 to 128 of A-Z, a-z, 0-9, ., _, ~ and -, not {text:?}");
    RoomId::new(&text).map_err(|_| serde::de::Error::custom(words))
}

fn moment<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
    let ms = u64::deserialize(from)?;
    if ms > LATEST_MS {
        return Err(serde::de::Error::custom(format!("now is at most {LATEST_MS}, not {ms}")));
    }
    Ok(ms)
}
