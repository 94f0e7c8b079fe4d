//! The API's answer to an upload or a rollback.

use axum::Json as JsonBody;
use axum::http::StatusCode;
use serde::Serialize;

use super::error::ApiError;
use super::paths::client_path;
use super::state::Api;
use crate::deploy::{Deployed, HistoryKind, NotDeployed, RefusalKind};
use crate::fleet::Fleet;
use crate::model::names::PluginKey;
use crate::plugin::version::Plugin;

#[derive(Serialize)]
pub struct DeployedBody {
    tenant: String,
    plugin: String,
    version: String,
    path: String,
    events: Vec<String>,
    /// Whether this version served already.
    unchanged: bool,
    /// Rooms that have not moved yet, or that went back.
    rooms_on_older_versions: usize,
    /// What whoever deployed it should know.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'static str>,
}

impl DeployedBody {
    pub fn of(fleet: &Fleet, deployed: &Deployed) -> JsonBody<Self> {
        let plugin = &deployed.plugin;
        JsonBody(Self {
            tenant: plugin.key.tenant.to_string(),
            plugin: plugin.key.plugin.to_string(),
            version: plugin.version.clone(),
            path: client_path(plugin),
            events: plugin.events.clone(),
            unchanged: deployed.unchanged(),
            rooms_on_older_versions: on_older_versions(fleet, plugin),
            note: deployed.note,
        })
    }
}

/// How many open rooms do not run the version that is served now.
fn on_older_versions(fleet: &Fleet, plugin: &Plugin) -> usize {
    let rooms = fleet.rooms_by_version(&plugin.key);
    rooms.into_iter().filter(|(version, _)| *version != plugin.version).map(|(_, rooms)| rooms).sum()
}

/// Notes in the history that a version was refused, and answers why.
pub fn not_deployed(api: &Api, key: &PluginKey, version: Option<&str>, why: NotDeployed) -> ApiError {
    let NotDeployed { kind, why } = why;
    api.deploys.history.record(key, HistoryKind::Refused, version, why.clone());
    let status = match kind {
        RefusalKind::Bad => StatusCode::UNPROCESSABLE_ENTITY,
        RefusalKind::Taken | RefusalKind::Project => StatusCode::CONFLICT,
        RefusalKind::TooMany => StatusCode::TOO_MANY_REQUESTS,
        RefusalKind::Busy => StatusCode::SERVICE_UNAVAILABLE,
        RefusalKind::NoVersion => StatusCode::NOT_FOUND,
        RefusalKind::NotWritten => StatusCode::INTERNAL_SERVER_ERROR,
    };
    ApiError::new(status, why)
}
