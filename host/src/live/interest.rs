//! Who listens to what.

use bytes::Bytes;
use serde_json::Value;

use crate::model::names::{PluginName, RoomId, TenantName};

/// What lines are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Topic {
    Figures,
    Log,
    Failures,
    Deploys,
}

impl Topic {
    pub const ALL: [Self; 4] = [Self::Figures, Self::Log, Self::Failures, Self::Deploys];

    /// As the API calls it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Figures => "figures",
            Self::Log => "log",
            Self::Failures => "failures",
            Self::Deploys => "deploys",
        }
    }
}

/// Whom or what a line is about; the host itself where it names no tenant.
#[derive(Debug, Clone, Copy, Default)]
pub struct About<'a> {
    pub tenant: Option<&'a str>,
    pub plugin: Option<&'a str>,
    pub room: Option<&'a str>,
}

/// What a reader wants to hear of. Nothing of another tenant comes to one that names a tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interest {
    pub topics: Vec<Topic>,
    pub tenant: Option<TenantName>,
    pub plugin: Option<PluginName>,
    pub room: Option<RoomId>,
}

impl Interest {
    /// Whether a line is for the reader: each part that the reader names is the line's own.
    pub(super) fn covers(&self, topic: Topic, about: About<'_>) -> bool {
        fn is<'a>(wanted: Option<&'a str>, own: Option<&'a str>) -> bool {
            wanted.is_none() || wanted == own
        }
        let Self { topics, tenant, plugin, room } = self;
        topics.contains(&topic)
            && is(tenant.as_ref().map(TenantName::as_str), about.tenant)
            && is(plugin.as_ref().map(PluginName::as_str), about.plugin)
            // What concerns a plugin as a whole concerns each of its rooms.
            && (about.room.is_none() || is(room.as_ref().map(RoomId::as_str), about.room))
    }
}

/// Whom a stream is for, as its places are counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LiveListener {
    Operator,
    Tenant(TenantName),
}

/// One event of a stream of server-sent events.
pub fn event(name: &str, data: &Value) -> Bytes {
    Bytes::from(format!("event: {name}\ndata: {data}\n\n"))
}
