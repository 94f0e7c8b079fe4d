//! A client that came past its plugin's `authorize`.

use std::time::Duration;

use crate::model::meta::Meta;
use crate::model::visitor::Visitor;
use crate::traces::TraceParent;

/// A client that the plugin knows.
pub(super) struct Known {
    pub(super) meta: Meta,
    /// Whether the plugin named the user. Others have a name of their own at each visit.
    pub(super) is_named: bool,
    pub(super) visitor: Visitor,
    /// How long its first event has to wait.
    pub(super) pause: Duration,
    /// The channels of which it wants to hear what it missed.
    pub(super) since: Vec<(String, Option<String>)>,
    /// The span of its request, where somebody wants to know of it.
    pub(super) trace: Option<TraceParent>,
}

impl Known {
    /// A client that nobody asks the plugin about.
    pub(super) fn as_told(meta: Meta, address: std::net::IpAddr) -> Self {
        let visitor = Visitor::new(Some(address), Some(meta.user_id.clone()));
        Self { meta, is_named: true, visitor, pause: Duration::ZERO, since: Vec::new(), trace: None }
    }
}
