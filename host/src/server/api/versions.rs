//! The versions of a plugin: which are kept, which run, what became of others, and the rollback to an older one.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json as JsonBody};
use serde::{Deserialize, Serialize};

use super::deployed::{DeployedBody, not_deployed};
use super::error::ApiError;
use super::paths::{PluginPath, plugin_key};
use super::payment::{settle, wait_until_paid};
use super::state::Api;
use crate::deploy::{Change, HistoryRecord, RefusalKind};
use crate::model::names::PluginKey;
use crate::plugin::loader::Loader;
use crate::server::auth::Caller;

#[derive(Serialize)]
pub struct VersionBody {
    version: String,
    /// Milliseconds since the Unix epoch; none where the version is no longer kept.
    deployed_at: Option<f64>,
    current: bool,
    /// Rooms that run it.
    rooms: usize,
}

#[derive(Serialize)]
pub struct HistoryBody {
    time: f64,
    what: &'static str,
    version: Option<String>,
    why: String,
}

/// A version that the server refused.
#[derive(Serialize)]
pub struct RefusedVersionBody {
    time: f64,
    version: Option<String>,
    why: String,
}

impl From<HistoryRecord> for HistoryBody {
    fn from(entry: HistoryRecord) -> Self {
        let HistoryRecord { time, what, version, why } = entry;
        Self { time, what: what.as_str(), version, why }
    }
}

impl From<HistoryRecord> for RefusedVersionBody {
    fn from(entry: HistoryRecord) -> Self {
        let HistoryRecord { time, version, why, .. } = entry;
        Self { time, version, why }
    }
}

/// The versions that are kept or that rooms run; the one that was deployed last comes first.
pub async fn versions_of(api: &Api, key: &PluginKey) -> Vec<VersionBody> {
    let (versions, looked) = (api.deploys.versions.clone(), key.clone());
    // A folder that cannot be read counts as empty.
    let kept = tokio::task::spawn_blocking(move || versions.all(&looked)).await.unwrap_or_default();
    let current = api.fleet.get(key).map(|plugin| plugin.version.clone());
    let mut rooms = api.fleet.rooms_by_version(key);
    let mut entries: Vec<VersionBody> = kept
        .into_iter()
        .map(|kept| VersionBody {
            deployed_at: Some(kept.unix_ms()),
            current: current.as_ref() == Some(&kept.version),
            rooms: rooms.remove(&kept.version).unwrap_or_default(),
            version: kept.version,
        })
        .collect();
    // The current version is listed even where it could not be kept.
    if let Some(current) = current.as_ref().filter(|current| !entries.iter().any(|entry| entry.version == **current)) {
        rooms.entry(current.clone()).or_default();
    }
    entries.extend(rooms.into_iter().map(|(version, rooms)| VersionBody {
        deployed_at: None,
        current: current.as_ref() == Some(&version),
        rooms,
        version,
    }));
    entries
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct RollbackBody {
    version: Option<String>,
}

/// Lets an older version serve again: the one that the body names, or the one that served before the current one. A
/// plugin whose file was deleted comes back with its last version.
pub async fn roll_back(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    path: Result<Path<PluginPath>, PathRejection>,
    body: Bytes,
) -> Result<JsonBody<DeployedBody>, ApiError> {
    let key = plugin_key(&caller, path)?;
    // A request without a body names no version.
    let body = if body.is_empty() { Ok(RollbackBody::default()) } else { serde_json::from_slice(&body) };
    let RollbackBody { version } = body.map_err(|why| ApiError::bad_request(why.to_string()))?;
    if version.as_ref().is_some_and(|version| !Loader::is_version(version)) {
        return Err(ApiError::bad_request("`version` must be 12 of 0-9 and a-f"));
    }
    wait_until_paid(&api, &caller, &key.tenant).await?;
    let workers = api.fleet.workers();
    let runtime = workers.slow_runtime(workers.least_busy()).clone();
    let finished = runtime.spawn(finish(api, caller, key, version)).await;
    finished
        .unwrap_or_else(|why| Err(ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, format!("loading failed: {why}"))))
}

async fn finish(
    api: Arc<Api>,
    caller: Caller,
    key: PluginKey,
    version: Option<String>,
) -> Result<JsonBody<DeployedBody>, ApiError> {
    let roll_back = async { Change::begin_soon(&api.deploys, &key).await?.roll_back(version.as_deref()).await };
    let deployed = roll_back.await;
    settle(&api, &caller, &key.tenant);
    match deployed {
        Ok(deployed) => Ok(DeployedBody::of(&api.fleet, &deployed)),
        // Not in the history: asking for a version that is not kept changes nothing.
        Err(why) if why.kind == RefusalKind::NoVersion => Err(ApiError::new(StatusCode::NOT_FOUND, why.why)),
        Err(why) => Err(not_deployed(&api, &key, version.as_deref(), why)),
    }
}
