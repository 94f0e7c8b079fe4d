//! Rooms: which are open, who is in them, and emits from a backend.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{DefaultBodyLimit, FromRequest as _, Path, Query, Request, State};
use axum::http::StatusCode;
use axum::{Extension, Json as JsonBody};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use tokio::sync::oneshot;

use super::error::ApiError;
use super::paths::{PageQuery, PluginPath, RoomPath, room_key, served_plugin};
use super::state::Api;
use crate::fleet::Fleet;
use crate::model::effect::Whom;
use crate::model::event::SocketId;
use crate::model::json::Json;
use crate::model::meta::Meta;
use crate::model::names::{NAME_BYTES_MAX, PluginKey, RoomKey, is_short_name};
use crate::room::handle::{ListedSocket, RequestNotTaken, RoomHandle, RoomRequest};
use crate::server::auth::Caller;
use crate::tenant::log_gate::AUDIT_TARGET;

/// How long a room may take to answer.
const ANSWER_WAIT: Duration = Duration::from_secs(5);
/// The most names that `users` and `clients` of an emit may have, each.
const EMIT_NAMES_MAX: usize = 1_000;
/// The most bytes of an emit request beside its data: as many names of the greatest length, each with its quotes and comma.
const EMIT_ENVELOPE_BYTES: usize = (4 << 10) + 2 * EMIT_NAMES_MAX * (NAME_BYTES_MAX + 4);

#[derive(Serialize)]
pub struct RoomList {
    rooms: Vec<OpenRoomBody>,
    /// Whether others come behind these: `?after=` the last of them.
    more: bool,
}

#[derive(Serialize)]
pub struct OpenRoomBody {
    room: String,
    version: String,
    sockets: usize,
    users: usize,
    /// Whether it has an instance. Others sleep, and wake at their next event.
    awake: bool,
    /// Whether its turns took so long of late that they run at low priority.
    heavy: bool,
}

/// The open rooms of a plugin.
pub async fn list(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    path: Result<Path<PluginPath>, PathRejection>,
    page: Result<Query<PageQuery>, QueryRejection>,
) -> Result<JsonBody<RoomList>, ApiError> {
    let plugin = served_plugin(&api.fleet, &caller, path)?;
    let Query(page) = page?;
    let limit = page.limit()?;
    let (rooms, more) = open_rooms(&api.fleet, &plugin.key, page.after.as_deref(), limit);
    Ok(JsonBody(RoomList { rooms, more }))
}

/// Some of a plugin's open rooms, in ascending order, and whether there are more.
pub fn open_rooms(fleet: &Fleet, key: &PluginKey, after: Option<&str>, limit: usize) -> (Vec<OpenRoomBody>, bool) {
    let mut open = fleet.rooms(key, after, limit + 1);
    let more = open.len() > limit;
    open.truncate(limit);
    let entry = |room: &RoomHandle| OpenRoomBody {
        room: room.key.room.to_string(),
        version: room.plugin().version.clone(),
        sockets: room.stats.sockets.load(Ordering::Relaxed),
        users: room.stats.users.load(Ordering::Relaxed),
        awake: room.stats.awake.load(Ordering::Relaxed),
        heavy: room.pace.is_room_heavy(),
    };
    (open.iter().map(entry).collect(), more)
}

#[derive(Serialize, Default)]
pub struct RoomBody {
    sockets: usize,
    users: Vec<String>,
}

pub async fn view(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    path: Result<Path<RoomPath>, PathRejection>,
) -> Result<JsonBody<RoomBody>, ApiError> {
    let (key, _) = room_key(&api.fleet, &caller, path)?;
    let asked = ask(&api.fleet, &key, |view| RoomRequest::View { view }).await?;
    let view = asked.map(|view| RoomBody { sockets: view.sockets, users: view.users });
    // A room that is not open has nobody in it.
    Ok(JsonBody(view.unwrap_or_default()))
}

#[derive(Serialize)]
pub struct SocketList {
    sockets: Vec<SocketBody>,
    /// Whether others come behind these: `?after=` the last of them.
    more: bool,
}

#[derive(Serialize)]
struct SocketBody {
    socket: SocketId,
    user: String,
    client: String,
    channels: Vec<String>,
    /// The plugin's own fields.
    fields: Box<RawValue>,
    /// Whether its line broke, and its client may come back.
    detached: bool,
}

/// The sockets of a room, by number.
pub async fn sockets(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    path: Result<Path<RoomPath>, PathRejection>,
    page: Result<Query<PageQuery>, QueryRejection>,
) -> Result<JsonBody<SocketList>, ApiError> {
    let (key, _) = room_key(&api.fleet, &caller, path)?;
    let Query(page) = page?;
    let limit = page.limit()?;
    let after = page.after.as_deref().unwrap_or("0").parse::<SocketId>();
    let after = after.map_err(|_| ApiError::bad_request("`after` must be a socket's number"))?;
    let asked = ask(&api.fleet, &key, |sockets| RoomRequest::Sockets { after, limit: limit + 1, sockets }).await?;
    let entry = |ListedSocket { id, meta, detached }: ListedSocket| {
        let Meta { user_id, client_id, channels, fields } = meta;
        // The host checked that it is an object.
        let fields = RawValue::from_string(fields).unwrap_or_default();
        SocketBody { socket: id, user: user_id, client: client_id, channels, fields, detached }
    };
    let mut sockets: Vec<SocketBody> = asked.unwrap_or_default().into_iter().map(entry).collect();
    let more = sockets.len() > limit;
    sockets.truncate(limit);
    Ok(JsonBody(SocketList { sockets, more }))
}

#[derive(Deserialize)]
pub struct SocketPath {
    tenant: String,
    plugin: String,
    room: String,
    socket: SocketId,
}

#[derive(Serialize)]
pub struct KickedBody {
    kicked: bool,
}

/// Closes a socket of a room.
pub async fn kick(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    path: Result<Path<SocketPath>, PathRejection>,
) -> Result<JsonBody<KickedBody>, ApiError> {
    let Path(SocketPath { tenant, plugin, room, socket }) = path?;
    let (key, _) = room_key(&api.fleet, &caller, Ok(Path(RoomPath { tenant, plugin, room })))?;
    let kicked = ask(&api.fleet, &key, |kicked| RoomRequest::Kick { socket, kicked }).await?.unwrap_or(false);
    if kicked {
        let PluginKey { tenant, plugin: name } = &key.plugin;
        let (tenant, name, room) = (tenant.as_str(), name.as_str(), key.room.as_str());
        tracing::info!(target: AUDIT_TARGET, tenant, plugin = name, room, socket, "{caller} kicked a socket");
    }
    Ok(JsonBody(KickedBody { kicked }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmitBody {
    channel: Option<String>,
    user: Option<String>,
    users: Option<Vec<String>>,
    clients: Option<Vec<String>>,
    event: String,
    /// None where the key is absent; `null` is data.
    #[serde(default, deserialize_with = "present")]
    data: Option<Box<RawValue>>,
}

fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Box<RawValue>>, D::Error> {
    Box::deserialize(deserializer).map(Some)
}

/// Whom an emit is for: all of the conditions that are given, and at least one.
fn whom(
    channel: Option<String>,
    user: Option<String>,
    users: Option<Vec<String>>,
    clients: Option<Vec<String>>,
) -> Result<Whom, &'static str> {
    let users = match (user, users) {
        (Some(_), Some(_)) => return Err("give either `user` or `users`"),
        (Some(user), None) => Some(vec![user]),
        (None, users) => users,
    };
    if [&users, &clients].into_iter().flatten().any(|names| names.len() > EMIT_NAMES_MAX) {
        return Err("`users` and `clients` are up to 1,000 names each");
    }
    let whom = Whom { channel, users, clients };
    if whom.is_everybody() { Err("give at least one of `channel`, `user`, `users` and `clients`") } else { Ok(whom) }
}

#[derive(Serialize)]
pub struct SentBody {
    sent: u32,
}

/// Emits an event into a room, to a channel or to a user. The plugin's `emit-bytes` bounds the data.
pub async fn emit(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    path: Result<Path<RoomPath>, PathRejection>,
    mut request: Request,
) -> Result<JsonBody<SentBody>, ApiError> {
    let (key, plugin) = room_key(&api.fleet, &caller, path)?;
    let max = plugin.limits().emit_bytes;
    DefaultBodyLimit::max(max.saturating_add(EMIT_ENVELOPE_BYTES)).apply(&mut request);
    let JsonBody(body) = JsonBody::<EmitBody>::from_request(request, &()).await?;
    let bad = |words: String| ApiError::bad_request(words);
    let to = whom(body.channel, body.user, body.users, body.clients).map_err(|words| bad(words.to_owned()))?;
    let event = body.event;
    if !is_short_name(&event) || event.starts_with('$') {
        return Err(bad("`event` must be 1 to 128 bytes and not begin with $".to_owned()));
    }
    let text = body.data.map_or_else(|| "{}".to_owned(), |data| data.get().to_owned());
    if text.len() > max {
        return Err(ApiError::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("`data` is {} bytes; at most {max}", text.len()),
        ));
    }
    let data = Json::parse(text).map_err(|why| bad(format!("`data`: {why}")))?;
    let sent = ask(&api.fleet, &key, |sent| RoomRequest::Emit { to, event, data, sent }).await?;
    Ok(JsonBody(SentBody { sent: sent.unwrap_or(0) }))
}

/// Asks a room and waits for its answer; none where the room is not open.
pub async fn ask<T>(
    fleet: &Fleet,
    key: &RoomKey,
    request: impl FnOnce(oneshot::Sender<T>) -> RoomRequest,
) -> Result<Option<T>, ApiError> {
    let Some(room) = fleet.find(key) else {
        return Ok(None);
    };
    let (sender, answer) = oneshot::channel();
    match room.mailbox.request(request(sender)) {
        Ok(()) => match tokio::time::timeout(ANSWER_WAIT, answer).await {
            // A room that ends before it answers has nobody in it any more.
            Ok(answer) => Ok(answer.ok()),
            Err(_) => {
                let words = format!("the room did not answer within {} s", ANSWER_WAIT.as_secs());
                Err(ApiError::new(StatusCode::SERVICE_UNAVAILABLE, words))
            }
        },
        Err(RequestNotTaken::Closed) => Ok(None),
        Err(RequestNotTaken::Full) => {
            Err(ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "too many requests wait for this room"))
        }
    }
}
