//! Why the fleet refuses a version or an entry into a room.

use std::time::Duration;

use crate::model::names::PluginKey;

/// Two plugins of one tenant claim one path.
#[derive(Debug)]
pub struct PathTaken {
    pub path: String,
    pub by: PluginKey,
}

/// Why nobody can enter a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoRoom {
    /// No version of its plugin serves any more.
    NotServed,
    /// The tenant has as many open rooms as it may: `rooms-per-tenant`.
    TooMany,
    /// The room crashed, and stays closed for this long.
    Crashed(Duration),
    /// The current version is in quarantine, for at least this long.
    Quarantined(Duration),
    /// The client made the version's code fault too often, and is refused for this long.
    Refused(Duration),
    /// The server is shutting down.
    Draining,
}
