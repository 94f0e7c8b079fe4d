//! Rooms: which are open, who is in them, and emits from a backend.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::{Extension, Json as JsonBody};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use tokio::sync::oneshot;

use super::plugins::{PluginPath, served};
use super::{Page, Refused, bad_name, bad_path, no_plugin, plugin_key, refused};
use crate::model::event::SocketId;
use crate::model::json::Json;
use crate::model::meta::Meta;
use crate::model::names::{PluginKey, RoomId, RoomKey, is_short_name};
use crate::room::handle::{HostTarget, RequestNotTaken, RoomHandle, RoomRequest};
use crate::server::Server;
use crate::server::auth::Caller;

/// How long a room may take to answer.
const ANSWER_WAIT: Duration = Duration::from_secs(5);

#[derive(Serialize)]
pub struct RoomList {
    rooms: Vec<RoomEntry>,
    /// Whether others come behind these: `?after=` the last of them.
    more: bool,
}

#[derive(Serialize)]
pub struct RoomEntry {
    room: String,
    version: String,
    sockets: usize,
    users: usize,
    /// It has an instance; others sleep, and wake at their next event.
    awake: bool,
}

/// The open rooms of a plugin.
pub async fn list(
    State(server): State<Arc<Server>>,
    Extension(caller): Extension<Caller>,
    path: Result<Path<PluginPath>, PathRejection>,
    page: Result<Query<Page>, QueryRejection>,
) -> Result<JsonBody<RoomList>, Refused> {
    let plugin = served(&server, &caller, path)?;
    let Query(page) = page.map_err(|why| refused(StatusCode::BAD_REQUEST, why.body_text()))?;
    let limit = page.limit()?;
    let (rooms, more) = entries(&server, &plugin.key, page.after.as_deref(), limit);
    Ok(JsonBody(RoomList { rooms, more }))
}

/// Some of a plugin's open rooms, in ascending order, and whether there are more.
pub fn entries(server: &Server, key: &PluginKey, after: Option<&str>, limit: usize) -> (Vec<RoomEntry>, bool) {
    let mut open = server.fleet.rooms(key, after, limit + 1);
    let more = open.len() > limit;
    open.truncate(limit);
    let entry = |room: &RoomHandle| RoomEntry {
        room: room.key.room.to_string(),
        version: room.plugin().version.clone(),
        sockets: room.stats.sockets.load(Ordering::Relaxed),
        users: room.stats.users.load(Ordering::Relaxed),
        awake: room.stats.awake.load(Ordering::Relaxed),
    };
    (open.iter().map(entry).collect(), more)
}

#[derive(Deserialize)]
pub struct RoomPath {
    tenant: String,
    plugin: String,
    room: String,
}

/// The room that a path names, open or not.
fn room_key(server: &Server, caller: &Caller, path: Result<Path<RoomPath>, PathRejection>) -> Result<RoomKey, Refused> {
    let Path(path) = path.map_err(|why| bad_path(&why))?;
    let plugin = plugin_key(caller, &path.tenant, &path.plugin)?;
    let room = RoomId::new(&path.room).map_err(|why| bad_name(&why))?;
    match server.fleet.get(&plugin) {
        Some(_) => Ok(RoomKey { plugin, room }),
        None => Err(no_plugin(&plugin)),
    }
}

#[derive(Serialize, Default)]
pub struct RoomBody {
    sockets: usize,
    users: Vec<String>,
}

pub async fn view(
    State(server): State<Arc<Server>>,
    Extension(caller): Extension<Caller>,
    path: Result<Path<RoomPath>, PathRejection>,
) -> Result<JsonBody<RoomBody>, Refused> {
    let key = room_key(&server, &caller, path)?;
    let asked = ask(&server, &key, |view| RoomRequest::View { view }).await?;
    let view = asked.map(|view| RoomBody { sockets: view.sockets, users: view.users });
    // A room that is not open has nobody in it.
    Ok(JsonBody(view.unwrap_or_default()))
}

#[derive(Serialize)]
pub struct SocketList {
    sockets: Vec<SocketEntry>,
    /// Whether others come behind these: `?after=` the last of them.
    more: bool,
}

#[derive(Serialize)]
struct SocketEntry {
    socket: SocketId,
    user: String,
    client: String,
    channels: Vec<String>,
}

/// The sockets of a room, by number.
pub async fn sockets(
    State(server): State<Arc<Server>>,
    Extension(caller): Extension<Caller>,
    path: Result<Path<RoomPath>, PathRejection>,
    page: Result<Query<Page>, QueryRejection>,
) -> Result<JsonBody<SocketList>, Refused> {
    let key = room_key(&server, &caller, path)?;
    let Query(page) = page.map_err(|why| refused(StatusCode::BAD_REQUEST, why.body_text()))?;
    let limit = page.limit()?;
    let after = page.after.as_deref().unwrap_or("0").parse::<SocketId>();
    let after = after.map_err(|_| refused(StatusCode::BAD_REQUEST, "`after` must be a socket's number"))?;
    let asked = ask(&server, &key, |sockets| RoomRequest::Sockets { after, limit: limit + 1, sockets }).await?;
    let entry = |(socket, meta): (SocketId, Meta)| {
        let Meta { user_id, client_id, channels, .. } = meta;
        SocketEntry { socket, user: user_id, client: client_id, channels }
    };
    let mut sockets: Vec<SocketEntry> = asked.unwrap_or_default().into_iter().map(entry).collect();
    let more = sockets.len() > limit;
    sockets.truncate(limit);
    Ok(JsonBody(SocketList { sockets, more }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmitBody {
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
pub struct Sent {
    sent: u32,
}

pub async fn emit(
    State(server): State<Arc<Server>>,
    Extension(caller): Extension<Caller>,
    path: Result<Path<RoomPath>, PathRejection>,
    body: Result<JsonBody<EmitBody>, JsonRejection>,
) -> Result<JsonBody<Sent>, Refused> {
    let key = room_key(&server, &caller, path)?;
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
    let sent = ask(&server, &key, |sent| RoomRequest::Emit { to, event, data, sent }).await?;
    Ok(JsonBody(Sent { sent: sent.unwrap_or(0) }))
}

/// Asks a room; none where it is not open.
async fn ask<T>(
    server: &Server,
    key: &RoomKey,
    request: impl FnOnce(oneshot::Sender<T>) -> RoomRequest,
) -> Result<Option<T>, Refused> {
    let Some(room) = server.fleet.find(key) else {
        return Ok(None);
    };
    let (sender, answer) = oneshot::channel();
    match room.mailbox.request(request(sender)) {
        Ok(()) => match tokio::time::timeout(ANSWER_WAIT, answer).await {
            // A room that ends before it answers has nobody in it any more.
            Ok(answer) => Ok(answer.ok()),
            Err(_) => {
                let words = format!("the room did not answer within {} s", ANSWER_WAIT.as_secs());
                Err(refused(StatusCode::SERVICE_UNAVAILABLE, words))
            }
        },
        Err(RequestNotTaken::Closed) => Ok(None),
        Err(RequestNotTaken::Full) => {
            Err(refused(StatusCode::SERVICE_UNAVAILABLE, "too many requests wait for this room"))
        }
    }
}
