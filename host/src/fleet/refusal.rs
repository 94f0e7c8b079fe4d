//! Why the fleet does not do what it is asked.

use std::time::Duration;

use crate::model::names::PluginKey;

/// Two plugins of one tenant claim one path.
#[derive(Debug)]
pub struct PathTaken {
    pub path: String,
    pub by: PluginKey,
}

/// Why a room cannot be entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoRoom {
    /// No version of its plugin serves any more.
    NotServed,
    /// The tenant has as many open rooms as it may: `rooms-per-tenant`.
    TooMany,
    /// The room crashed too often; it may be tried again after this.
    Crashed(Duration),
    /// The version that serves is out of service.
    Quarantined,
    /// The server is shutting down.
    Draining,
}
