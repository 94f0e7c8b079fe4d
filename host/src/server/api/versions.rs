//! The versions of a plugin: which are kept and which run, what became of others, and back to an older one.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json as JsonBody};
use serde::{Deserialize, Serialize};

use super::plugins::{PluginPath, named};
use super::upload::{Uploaded, answer, not_deployed};
use super::{Refused, refused};
use crate::deploy::{Change, Entry, Kind};
use crate::model::names::PluginKey;
use crate::plugin::loader::Loader;
use crate::server::Server;
use crate::server::auth::Caller;

#[derive(Serialize)]
pub struct VersionEntry {
    version: String,
    /// Milliseconds since the Unix epoch; none where the version is not kept any more.
    deployed_at: Option<f64>,
    current: bool,
    /// Rooms that run it.
    rooms: usize,
}

#[derive(Serialize)]
pub struct HistoryEntry {
    time: f64,
    what: &'static str,
    version: Option<String>,
    why: String,
}

/// A version that was not taken.
#[derive(Serialize)]
pub struct RefusedBody {
    time: f64,
    version: Option<String>,
    why: String,
}

impl From<Entry> for HistoryEntry {
    fn from(entry: Entry) -> Self {
        let Entry { time, what, version, why } = entry;
        Self { time, what: what.as_str(), version, why }
    }
}

impl From<Entry> for RefusedBody {
    fn from(entry: Entry) -> Self {
        let Entry { time, version, why, .. } = entry;
        Self { time, version, why }
    }
}

/// The versions that are kept or that rooms run, the one that was deployed last first.
pub async fn versions_of(server: &Server, key: &PluginKey) -> Vec<VersionEntry> {
    let (versions, looked) = (server.deploys.versions.clone(), key.clone());
    // What cannot be looked at is not there.
    let kept = tokio::task::spawn_blocking(move || versions.all(&looked)).await.unwrap_or_default();
    let current = server.fleet.get(key).map(|plugin| plugin.version.clone());
    let mut rooms = server.fleet.rooms_by_version(key);
    let mut entries: Vec<VersionEntry> = kept
        .into_iter()
        .map(|kept| VersionEntry {
            deployed_at: Some(kept.unix_ms()),
            current: current.as_ref() == Some(&kept.version),
            rooms: rooms.remove(&kept.version).unwrap_or_default(),
            version: kept.version,
        })
        .collect();
    // The current one is among them where it could not be kept, too.
    if let Some(current) = current.as_ref().filter(|current| !entries.iter().any(|entry| entry.version == **current)) {
        rooms.entry(current.clone()).or_default();
    }
    entries.extend(rooms.into_iter().map(|(version, rooms)| VersionEntry {
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

/// Lets an older version serve again: the one of the body, or the one that was served before the current one. The plugin
/// of a file that was deleted comes back with the version that it had.
pub async fn roll_back(
    State(server): State<Arc<Server>>,
    Extension(caller): Extension<Caller>,
    path: Result<Path<PluginPath>, PathRejection>,
    body: Bytes,
) -> Result<JsonBody<Uploaded>, Refused> {
    let key = named(&caller, path)?;
    // Without a body as without a version.
    let body = if body.is_empty() { Ok(RollbackBody::default()) } else { serde_json::from_slice(&body) };
    let RollbackBody { version } = body.map_err(|why| refused(StatusCode::BAD_REQUEST, why.to_string()))?;
    if version.as_ref().is_some_and(|version| !Loader::is_version(version)) {
        return Err(refused(StatusCode::BAD_REQUEST, "`version` must be 12 of 0-9 and a-f"));
    }
    let workers = server.fleet.workers();
    let runtime = workers.slow_runtime(workers.least_busy()).clone();
    let finished = runtime.spawn(finish(server, key, version)).await;
    finished.unwrap_or_else(|why| Err(refused(StatusCode::INTERNAL_SERVER_ERROR, format!("loading failed: {why}"))))
}

async fn finish(server: Arc<Server>, key: PluginKey, version: Option<String>) -> Result<JsonBody<Uploaded>, Refused> {
    match Change::begin(&server.deploys, &key).await.roll_back(version.as_deref()).await {
        Ok(deployed) => Ok(answer(&server, &deployed)),
        // Nothing happened to the plugin where there is no such version.
        Err(why) if why.kind == Kind::NoVersion => Err(refused(StatusCode::NOT_FOUND, why.why)),
        Err(why) => Err(not_deployed(&server, &key, version.as_deref(), why)),
    }
}
