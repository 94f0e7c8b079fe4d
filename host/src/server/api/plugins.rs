//! Plugins: what is served, in which state, and how it fails.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::{Extension, Json as JsonBody};
use serde::Serialize;

use super::error::ApiError;
use super::paths::{PAGE_ENTRIES_MAX, PluginPath, client_path, plugin_key, served_plugin};
use super::rooms::{OpenRoomBody, open_rooms};
use super::state::Api;
use super::versions::{HistoryBody, RefusedVersionBody, VersionBody, versions_of};
use crate::deploy::HistoryKind;
use crate::fleet::Quarantine;
use crate::model::names::{PluginKey, RoomId};
use crate::plugin::failures::FailureRecord;
use crate::plugin::version::Plugin;
use crate::server::auth::Caller;
use crate::server::dev::BuildReport;
use crate::tenant::latency::{Distribution, Timed};

#[derive(Serialize)]
pub struct PluginList {
    plugins: Vec<PluginEntry>,
    /// Plugins that are known but not served: they are still being loaded, their files are gone, or the server refused
    /// them.
    not_served: Vec<NotServedEntry>,
    /// How the last builds of `parlor dev` went.
    #[serde(skip_serializing_if = "Option::is_none")]
    builds: Option<Vec<BuildReport>>,
}

#[derive(Serialize)]
struct NotServedEntry {
    tenant: String,
    plugin: String,
    /// `loading`, `refused`, or `retired`.
    state: &'static str,
    last_refused: Option<RefusedVersionBody>,
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
    /// Frames that the open rooms dropped because they are malformed.
    bad_frames: u64,
    failures: u64,
    failures_by_kind: BTreeMap<&'static str, u64>,
    rooms: Vec<OpenRoomBody>,
    rooms_open: usize,
    /// Of them, those whose turns took so long of late that they run at low priority.
    rooms_heavy: usize,
    rooms_by_version: BTreeMap<String, usize>,
    /// How long what it does takes, since a version of it was first loaded.
    costs: BTreeMap<&'static str, CostBody>,
    /// The last version that the server refused.
    last_refused: Option<RefusedVersionBody>,
}

/// A distribution of times, in seconds.
#[derive(Serialize)]
struct CostBody {
    count: u64,
    sum: f64,
    /// Bounds below which half and 99 per cent of them are; none where there are none, or they are beyond 4.3 s.
    p50: Option<f64>,
    p99: Option<f64>,
}

impl From<Distribution> for CostBody {
    fn from(read: Distribution) -> Self {
        Self { count: read.count(), sum: read.sum.as_secs_f64(), p50: read.quantile(0.5), p99: read.quantile(0.99) }
    }
}

#[derive(Serialize)]
struct QuarantineBody {
    since: f64,
    why: String,
    /// When one room may try the version again.
    tries_at: f64,
}

#[derive(Serialize)]
pub struct PluginBody {
    #[serde(flatten)]
    entry: PluginEntry,
    /// The newest first.
    last_failures: Vec<FailureBody>,
    #[serde(flatten)]
    past: PluginPast,
}

/// A plugin that is not served.
#[derive(Serialize)]
pub struct NotServedBody {
    #[serde(flatten)]
    entry: NotServedEntry,
    #[serde(flatten)]
    past: PluginPast,
}

/// What became of a plugin's versions; the newest first.
#[derive(Serialize)]
struct PluginPast {
    versions: Vec<VersionBody>,
    history: Vec<HistoryBody>,
}

#[derive(Serialize)]
#[serde(untagged)]
pub enum AnyPluginBody {
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

pub async fn list(State(api): State<Arc<Api>>, Extension(caller): Extension<Caller>) -> JsonBody<PluginList> {
    let mut all = api.fleet.serving();
    all.retain(|plugin| caller.may_see(&plugin.key.tenant));
    let mut known = api.deploys.history.plugins();
    known.extend(api.deploys.loading.now().left);
    known.sort();
    known.dedup();
    known.retain(|key| caller.may_see(&key.tenant) && api.fleet.get(key).is_none());
    let builds = api.dev.as_ref().filter(|_| caller == Caller::Operator).map(|dev| dev.builds());
    JsonBody(PluginList {
        plugins: all.iter().map(|plugin| entry(&api, plugin)).collect(),
        not_served: known.iter().map(|key| not_served(&api, key)).collect(),
        builds,
    })
}

pub async fn one(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    path: Result<Path<PluginPath>, PathRejection>,
) -> Result<JsonBody<AnyPluginBody>, ApiError> {
    let key = plugin_key(&caller, path)?;
    let history: Vec<HistoryBody> = api.deploys.history.of(&key).into_iter().map(HistoryBody::from).collect();
    let versions = versions_of(&api, &key).await;
    let is_known = !history.is_empty() || !versions.is_empty() || api.deploys.loading.now().left.contains(&key);
    let past = PluginPast { versions, history };
    match api.fleet.get(&key) {
        Some(plugin) => {
            let last_failures = plugin.failures.last().into_iter().map(FailureBody::from).collect();
            let body = PluginBody { entry: entry(&api, &plugin), last_failures, past };
            Ok(JsonBody(AnyPluginBody::Served(Box::new(body))))
        }
        None if is_known => {
            Ok(JsonBody(AnyPluginBody::NotServed(NotServedBody { entry: not_served(&api, &key), past })))
        }
        None => Err(ApiError::no_plugin(&key)),
    }
}

#[derive(Serialize)]
pub struct LiftedBody {
    lifted: bool,
}

/// Puts a version back into service.
pub async fn lift(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    path: Result<Path<PluginPath>, PathRejection>,
) -> Result<JsonBody<LiftedBody>, ApiError> {
    let plugin = served_plugin(&api.fleet, &caller, path)?;
    let lifted = api.fleet.lift(&plugin);
    if lifted {
        let PluginKey { tenant, plugin: name } = &plugin.key;
        let (tenant, name, version) = (tenant.as_str(), name.as_str(), plugin.version.as_str());
        let who = if caller == Caller::Operator { "the operator" } else { "the tenant" };
        tracing::info!(tenant, plugin = name, version, "{who} lifted the quarantine");
    }
    Ok(JsonBody(LiftedBody { lifted }))
}

fn not_served(api: &Api, key: &PluginKey) -> NotServedEntry {
    let history = &api.deploys.history;
    let was_refused = history.of(key).first().is_some_and(|last| last.what == HistoryKind::Refused);
    let state = if api.deploys.loading.now().left.contains(key) {
        "loading"
    } else if was_refused {
        "refused"
    } else {
        "retired"
    };
    NotServedEntry {
        tenant: key.tenant.to_string(),
        plugin: key.plugin.to_string(),
        state,
        last_refused: history.last_refused(key).map(RefusedVersionBody::from),
    }
}

fn entry(api: &Api, plugin: &Plugin) -> PluginEntry {
    let PluginKey { tenant, plugin: name } = &plugin.key;
    let open = api.fleet.sums(&plugin.key);
    let has_pages = tenant.is_default() && api.dev.as_ref().is_some_and(|dev| dev.pages_of(name).is_some());
    let quarantine = api.fleet.quarantine(plugin);
    let kinds = plugin.failures.counts().into_iter();
    PluginEntry {
        tenant: tenant.to_string(),
        plugin: name.to_string(),
        name: plugin.name.clone(),
        path: client_path(plugin),
        version: plugin.version.clone(),
        state: if quarantine.is_some() { "quarantined" } else { "serving" },
        quarantine: quarantine.map(|Quarantine { since, why, tries_at }| QuarantineBody { since, why, tries_at }),
        events: plugin.events.clone(),
        pages: has_pages.then(|| format!("/_parlor/pages/{name}/")),
        sockets: open.sockets,
        bad_frames: open.bad_frames,
        failures: plugin.failures.count(),
        failures_by_kind: kinds.filter(|(_, count)| *count > 0).map(|(kind, count)| (kind.as_str(), count)).collect(),
        rooms_open: open.rooms,
        rooms_heavy: open.heavy,
        rooms_by_version: api.fleet.rooms_by_version(&plugin.key),
        costs: BTreeMap::from(Timed::ALL.map(|timed| {
            let read = plugin.totals.latencies.read(timed);
            (timed.as_str(), CostBody::from(read))
        })),
        last_refused: api.deploys.history.last_refused(&plugin.key).map(RefusedVersionBody::from),
        rooms: open_rooms(&api.fleet, &plugin.key, None, PAGE_ENTRIES_MAX).0,
    }
}
