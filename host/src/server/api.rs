//! The operator's API under `/_parlor/api/`: what is served, who is in a room, and emits from the backend.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::extract::rejection::{JsonRejection, PathRejection};
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use axum::{Json as JsonBody, Router as HttpRouter};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use tokio::sync::oneshot;

use super::Server;
use super::auth::require_operator;
use crate::model::json::Json;
use crate::model::names::{PluginKey, PluginName, RoomId, RoomKey, TenantName, is_short_name};
use crate::plugin::loader::Plugin;
use crate::room::handle::{HostTarget, NotTaken, Request, RoomHandle};

/// Rooms that an overview lists for one plugin.
const ROOMS_LISTED_MAX: usize = 1_000;
/// What a request to emit may hold beside its data.
const EMIT_ENVELOPE_BYTES: usize = 4 << 10;

/// A refusal of the API: a status and `{"error": words}`.
type Refused = (StatusCode, JsonBody<ErrorBody>);

#[derive(Serialize)]
pub struct ErrorBody {
    error: String,
}

fn refused(status: StatusCode, words: impl Into<String>) -> Refused {
    (status, JsonBody(ErrorBody { error: words.into() }))
}

pub fn routes(server: Arc<Server>) -> HttpRouter<Arc<Server>> {
    let body_max = server.config.limits().emit_bytes + EMIT_ENVELOPE_BYTES;
    HttpRouter::new()
        .route("/api/plugins", get(plugins))
        .route("/api/rooms/{tenant}/{plugin}/{room}", get(room_view))
        .route("/api/rooms/{tenant}/{plugin}/{room}/emit", post(emit))
        .layer(DefaultBodyLimit::max(body_max))
        .layer(from_fn_with_state(server, require_operator))
}

#[derive(Serialize)]
struct PluginList {
    plugins: Vec<PluginEntry>,
}

#[derive(Serialize)]
struct PluginEntry {
    tenant: String,
    plugin: String,
    name: String,
    /// As clients use it, with the tenant's prefix.
    path: String,
    version: String,
    events: Vec<String>,
    pages: Option<String>,
    sockets: usize,
    /// Frames that were dropped because they are none, in the rooms that are open.
    bad_frames: u64,
    failures: u64,
    rooms: Vec<RoomEntry>,
    rooms_open: usize,
}

#[derive(Serialize)]
struct RoomEntry {
    room: String,
    sockets: usize,
    users: usize,
}

async fn plugins(State(server): State<Arc<Server>>) -> JsonBody<PluginList> {
    let plugins = server.registry.all().iter().map(|plugin| plugin_entry(&server, plugin)).collect();
    JsonBody(PluginList { plugins })
}

fn plugin_entry(server: &Server, plugin: &Plugin) -> PluginEntry {
    let PluginKey { tenant, plugin: name } = &plugin.key;
    let mut open = server.router.rooms_of(&plugin.key);
    open.sort_by(|a, b| a.key.room.cmp(&b.key.room));
    let sum = |figure: fn(&RoomHandle) -> u64| open.iter().map(figure).sum::<u64>();
    let prefix = if tenant.is_default() { String::new() } else { format!("/t/{tenant}") };
    let has_pages = tenant.is_default() && server.dev_pages.as_ref().is_some_and(|folders| folders.contains_key(name));
    PluginEntry {
        tenant: tenant.to_string(),
        plugin: name.to_string(),
        name: plugin.name.clone(),
        path: format!("{prefix}{}", plugin.path),
        version: plugin.version.clone(),
        events: plugin.events.clone(),
        pages: has_pages.then(|| format!("/_parlor/pages/{name}/")),
        sockets: sum(|room| room.stats.sockets.load(Ordering::Relaxed) as u64) as usize,
        bad_frames: sum(|room| room.stats.bad_frames.load(Ordering::Relaxed)),
        failures: plugin.supervisor.count(),
        rooms_open: open.len(),
        rooms: open
            .iter()
            .take(ROOMS_LISTED_MAX)
            .map(|room| RoomEntry {
                room: room.key.room.to_string(),
                sockets: room.stats.sockets.load(Ordering::Relaxed),
                users: room.stats.users.load(Ordering::Relaxed),
            })
            .collect(),
    }
}

#[derive(Deserialize)]
struct RoomPath {
    tenant: String,
    plugin: String,
    room: String,
}

/// The room that a path names, open or not.
fn room_key(server: &Server, path: Result<Path<RoomPath>, PathRejection>) -> Result<RoomKey, Refused> {
    let Path(path) = path.map_err(|why| refused(StatusCode::BAD_REQUEST, why.body_text()))?;
    let bad = |why: crate::model::names::BadName| refused(StatusCode::BAD_REQUEST, why.to_string());
    let plugin = PluginKey {
        tenant: TenantName::new(&path.tenant).map_err(bad)?,
        plugin: PluginName::new(&path.plugin).map_err(bad)?,
    };
    let room = RoomId::new(&path.room).map_err(bad)?;
    match server.registry.get(&plugin) {
        Some(_) => Ok(RoomKey { plugin, room }),
        None => Err(refused(StatusCode::NOT_FOUND, format!("there is no plugin {plugin}"))),
    }
}

#[derive(Serialize, Default)]
struct RoomBody {
    sockets: usize,
    users: Vec<String>,
}

async fn room_view(
    State(server): State<Arc<Server>>,
    path: Result<Path<RoomPath>, PathRejection>,
) -> Result<JsonBody<RoomBody>, Refused> {
    let key = room_key(&server, path)?;
    let asked = ask(&server, &key, |view| Request::View { view }).await?;
    let view = asked.map(|view| RoomBody { sockets: view.sockets, users: view.users });
    // A room that is not open has nobody in it.
    Ok(JsonBody(view.unwrap_or_default()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EmitBody {
    channel: Option<String>,
    user: Option<String>,
    event: String,
    /// None where it is absent; `null` is data.
    #[serde(default, deserialize_with = "present")]
    data: Option<Box<RawValue>>,
}

fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Box<RawValue>>, D::Error> {
    Box::deserialize(deserializer).map(Some)
}

#[derive(Serialize)]
struct Sent {
    sent: u32,
}

async fn emit(
    State(server): State<Arc<Server>>,
    path: Result<Path<RoomPath>, PathRejection>,
    body: Result<JsonBody<EmitBody>, JsonRejection>,
) -> Result<JsonBody<Sent>, Refused> {
    let key = room_key(&server, path)?;
    let JsonBody(body) = body.map_err(|why| refused(why.status(), why.body_text()))?;
    let bad = |words: String| refused(StatusCode::BAD_REQUEST, words);
    let to = match (body.channel, body.user) {
        (Some(channel), None) => HostTarget::Channel(channel),
        (None, Some(user)) => HostTarget::User(user),
        _ => return Err(bad("give either `channel` or `user`".to_owned())),
    };
    let event = body.event;
    if !is_short_name(&event) || event.starts_with('$') {
        return Err(bad("`event` must be 1 to 128 bytes and not begin with $".to_owned()));
    }
    let text = body.data.map_or_else(|| "{}".to_owned(), |data| data.get().to_owned());
    let max = server.config.limits().emit_bytes;
    if text.len() > max {
        return Err(refused(StatusCode::PAYLOAD_TOO_LARGE, format!("`data` is {} bytes; at most {max}", text.len())));
    }
    let data = Json::parse(text).map_err(|why| bad(format!("`data`: {why}")))?;
    let sent = ask(&server, &key, |sent| Request::Emit { to, event, data, sent }).await?;
    Ok(JsonBody(Sent { sent: sent.unwrap_or(0) }))
}

/// Asks a room; none where it is not open.
async fn ask<T>(
    server: &Server,
    key: &RoomKey,
    request: impl FnOnce(oneshot::Sender<T>) -> Request,
) -> Result<Option<T>, Refused> {
    let Some(room) = server.router.find(key) else {
        return Ok(None);
    };
    let (sender, answer) = oneshot::channel();
    match room.mailbox.request(request(sender)) {
        // A room that ends before it answers has nobody in it any more.
        Ok(()) => Ok(answer.await.ok()),
        Err(NotTaken::Closed) => Ok(None),
        Err(NotTaken::Full) => Err(refused(StatusCode::SERVICE_UNAVAILABLE, "too many requests wait for this room")),
    }
}
