//! Plugins: what is served, in which state, and how it fails.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json as JsonBody};
use serde::{Deserialize, Serialize};

use super::rooms::{RoomEntry, entries};
use super::versions::{HistoryEntry, RefusedBody, VersionEntry, versions_of};
use super::{PAGE_ENTRIES_MAX, Refused, bad_path, no_plugin, plugin_key, refused};
use crate::deploy::What;
use crate::fleet::Quarantine;
use crate::model::names::{PluginKey, RoomId};
use crate::plugin::failures::FailureRecord;
use crate::plugin::version::Plugin;
use crate::server::Server;
use crate::server::auth::Caller;
use crate::server::dev::Build;

#[derive(Serialize)]
pub struct PluginList {
    plugins: Vec<PluginEntry>,
    /// Plugins that are served no more, or were never: their files are gone, or were refused.
    not_served: Vec<NotServedEntry>,
    /// How the last builds of `parlor dev` went.
    #[serde(skip_serializing_if = "Option::is_none")]
    builds: Option<Vec<Build>>,
}

#[derive(Serialize)]
struct NotServedEntry {
    tenant: String,
    plugin: String,
    /// `refused`, or `retired`.
    state: &'static str,
    last_refused: Option<RefusedBody>,
}

#[derive(Serialize)]
pub struct PluginEntry {
    tenant: String,
    plugin: String,
    name: String,
    /// As clients use it, with the tenant's prefix.
    path: String,
    version: String,
    /// `serving`, or `quarantined`.
    state: &'static str,
    quarantine: Option<QuarantineBody>,
    events: Vec<String>,
    pages: Option<String>,
    sockets: usize,
    /// Frames that were dropped because they are none, in the rooms that are open.
    bad_frames: u64,
    failures: u64,
    failures_by_kind: BTreeMap<&'static str, u64>,
    rooms: Vec<RoomEntry>,
    rooms_open: usize,
    rooms_by_version: BTreeMap<String, usize>,
    /// The last version that was not taken in place of one that is served.
    last_refused: Option<RefusedBody>,
}

#[derive(Serialize)]
struct QuarantineBody {
    since: f64,
    why: String,
}

#[derive(Serialize)]
pub struct PluginBody {
    #[serde(flatten)]
    entry: PluginEntry,
    /// The newest first.
    last_failures: Vec<FailureBody>,
    #[serde(flatten)]
    past: Past,
}

/// A plugin that is not served.
#[derive(Serialize)]
pub struct NotServedBody {
    #[serde(flatten)]
    entry: NotServedEntry,
    #[serde(flatten)]
    past: Past,
}

/// What became of a plugin's versions; the newest first.
#[derive(Serialize)]
struct Past {
    versions: Vec<VersionEntry>,
    history: Vec<HistoryEntry>,
}

#[derive(Serialize)]
#[serde(untagged)]
pub enum OneBody {
    Served(Box<PluginBody>),
    NotServed(NotServedBody),
}

#[derive(Serialize)]
struct FailureBody {
    time: f64,
    room: Option<String>,
    event: String,
    code: String,
    message: String,
}

impl From<FailureRecord> for FailureBody {
    fn from(failure: FailureRecord) -> Self {
        let FailureRecord { at, room, event, code, message } = failure;
        Self { time: at, room: room.as_ref().map(RoomId::to_string), event, code, message }
    }
}

#[derive(Deserialize)]
pub struct PluginPath {
    pub tenant: String,
    pub plugin: String,
}

pub async fn list(State(server): State<Arc<Server>>, Extension(caller): Extension<Caller>) -> JsonBody<PluginList> {
    let mut all = server.fleet.serving();
    all.retain(|plugin| caller.may_see(&plugin.key.tenant));
    let mut known = server.deploys.history.plugins();
    known.retain(|key| caller.may_see(&key.tenant) && server.fleet.get(key).is_none());
    let builds = server.dev.as_ref().filter(|_| caller == Caller::Operator).map(|dev| dev.builds());
    JsonBody(PluginList {
        plugins: all.iter().map(|plugin| entry(&server, plugin)).collect(),
        not_served: known.iter().map(|key| not_served(&server, key)).collect(),
        builds,
    })
}

pub async fn one(
    State(server): State<Arc<Server>>,
    Extension(caller): Extension<Caller>,
    path: Result<Path<PluginPath>, PathRejection>,
) -> Result<JsonBody<OneBody>, Refused> {
    let key = named(&caller, path)?;
    let history: Vec<HistoryEntry> = server.deploys.history.of(&key).into_iter().map(HistoryEntry::from).collect();
    let versions = versions_of(&server, &key).await;
    let is_known = !history.is_empty() || !versions.is_empty();
    let past = Past { versions, history };
    match server.fleet.get(&key) {
        Some(plugin) => {
            let last_failures = plugin.failures.last().into_iter().map(FailureBody::from).collect();
            let body = PluginBody { entry: entry(&server, &plugin), last_failures, past };
            Ok(JsonBody(OneBody::Served(Box::new(body))))
        }
        None if is_known => Ok(JsonBody(OneBody::NotServed(NotServedBody { entry: not_served(&server, &key), past }))),
        None => Err(no_plugin(&key)),
    }
}

#[derive(Serialize)]
pub struct Lifted {
    lifted: bool,
}

/// Puts a version back into service.
pub async fn lift(
    State(server): State<Arc<Server>>,
    Extension(caller): Extension<Caller>,
    path: Result<Path<PluginPath>, PathRejection>,
) -> Result<JsonBody<Lifted>, Refused> {
    let plugin = served(&server, &caller, path)?;
    if caller != Caller::Operator {
        return Err(refused(StatusCode::FORBIDDEN, "only the operator lifts a quarantine; a new version ends it too"));
    }
    let lifted = server.fleet.lift(&plugin);
    if lifted {
        let PluginKey { tenant, plugin: name } = &plugin.key;
        let (tenant, name, version) = (tenant.as_str(), name.as_str(), plugin.version.as_str());
        tracing::info!(tenant, plugin = name, version, "the quarantine is lifted");
    }
    Ok(JsonBody(Lifted { lifted }))
}

/// The plugin that a path names and that is served.
pub fn served(
    server: &Server,
    caller: &Caller,
    path: Result<Path<PluginPath>, PathRejection>,
) -> Result<Arc<Plugin>, Refused> {
    let key = named(caller, path)?;
    server.fleet.get(&key).ok_or_else(|| no_plugin(&key))
}

/// The plugin that a path names, served or not.
pub fn named(caller: &Caller, path: Result<Path<PluginPath>, PathRejection>) -> Result<PluginKey, Refused> {
    let Path(PluginPath { tenant, plugin }) = path.map_err(|why| bad_path(&why))?;
    plugin_key(caller, &tenant, &plugin)
}

fn not_served(server: &Server, key: &PluginKey) -> NotServedEntry {
    let history = &server.deploys.history;
    let was_refused = history.of(key).first().is_some_and(|last| last.what == What::Refused);
    NotServedEntry {
        tenant: key.tenant.to_string(),
        plugin: key.plugin.to_string(),
        state: if was_refused { "refused" } else { "retired" },
        last_refused: history.last_refused(key).map(RefusedBody::from),
    }
}

fn entry(server: &Server, plugin: &Plugin) -> PluginEntry {
    let PluginKey { tenant, plugin: name } = &plugin.key;
    let open = server.fleet.sums(&plugin.key);
    let has_pages = tenant.is_default() && server.dev.as_ref().is_some_and(|dev| dev.pages_of(name).is_some());
    let quarantine = server.fleet.quarantine(plugin);
    let kinds = plugin.failures.counts().into_iter();
    PluginEntry {
        tenant: tenant.to_string(),
        plugin: name.to_string(),
        name: plugin.name.clone(),
        path: address_of(plugin),
        version: plugin.version.clone(),
        state: if quarantine.is_some() { "quarantined" } else { "serving" },
        quarantine: quarantine.map(|Quarantine { since, why }| QuarantineBody { since, why }),
        events: plugin.events.clone(),
        pages: has_pages.then(|| format!("/_parlor/pages/{name}/")),
        sockets: open.sockets,
        bad_frames: open.bad_frames,
        failures: plugin.failures.count(),
        failures_by_kind: kinds.filter(|(_, count)| *count > 0).map(|(kind, count)| (kind.as_str(), count)).collect(),
        rooms_open: open.rooms,
        rooms_by_version: server.fleet.rooms_by_version(&plugin.key),
        last_refused: server.deploys.history.last_refused(&plugin.key).map(RefusedBody::from),
        rooms: entries(server, &plugin.key, None, PAGE_ENTRIES_MAX).0,
    }
}

/// A plugin's path as clients use it.
pub fn address_of(plugin: &Plugin) -> String {
    let tenant = &plugin.key.tenant;
    let prefix = if tenant.is_default() { String::new() } else { format!("/t/{tenant}") };
    format!("{prefix}{}", plugin.path)
}

/// How many open rooms do not run the version that is served now.
pub fn on_older_versions(server: &Server, plugin: &Plugin) -> usize {
    let rooms = server.fleet.rooms_by_version(&plugin.key);
    rooms.into_iter().filter(|(version, _)| *version != plugin.version).map(|(_, rooms)| rooms).sum()
}
