//! Whom an instance belongs to.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::limits::Limits;
use crate::model::names::{PluginKey, RoomId};
use crate::tenant::log::PluginLog;
use crate::tenant::{Account, Pace, RoomPace};

/// Where an instance belongs, and what applies to it.
#[derive(Debug, Clone)]
pub struct RoomContext {
    pub plugin: PluginKey,
    pub version: String,
    /// `None` for an instance outside of rooms: one that only checks `init` at load, or runs `authorize`.
    pub room: Option<RoomId>,
    pub limits: Arc<Limits>,
    /// The values that the plugin reads with `config.get`.
    pub config: Arc<BTreeMap<String, String>>,
    /// The account that its use is charged to.
    pub account: Arc<Account>,
    /// How long calls of the plugin take that belong to no room. All its instances share this.
    pub pace: Arc<Pace>,
    /// How long the room's turns take; `None` outside of rooms.
    pub room_pace: Option<Arc<RoomPace>>,
    /// What its plugin logs. All its instances share this.
    pub log: Arc<PluginLog>,
}
