//! What an open room stores, for people to look at: only what is durable. The room's task hands out the way to its storage,
//! and the reading is done here. Where the operator allows it, they write as well, and that the room's task does in its order.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{DefaultBodyLimit, FromRequest as _, Path, Query, Request, State};
use axum::http::StatusCode;
use axum::{Extension, Json as JsonBody};
use data_encoding::BASE64;
use serde::{Deserialize, Serialize};

use super::error::ApiError;
use super::paths::{RoomPath, room_key};
use super::rooms::ask;
use super::state::Api;
use crate::model::names::{PluginKey, RESERVED_KEYS, RESERVED_KEYS_END, RoomKey};
use crate::model::refusal::Refusal;
use crate::model::text::printable;
use crate::room::handle::RoomRequest;
use crate::server::auth::Caller;
use crate::storage::{PageBounds, StorageError, StoredEntry};
use crate::tenant::log_gate::AUDIT_TARGET;

/// Entries of a page, at most and where the request does not say.
const ENTRIES_MAX: usize = 200;
const ENTRIES: usize = 50;
/// A page ends behind the entry with which it passes these bytes of keys and values.
const PAGE_BYTES: usize = 256 << 10;
/// How much of each value a page shows. A request for one key shows all of it.
const SHOWN_BYTES: usize = 4 << 10;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StorageQuery {
    prefix: Option<String>,
    after: Option<String>,
    limit: Option<usize>,
    /// One key, whose value comes whole.
    key: Option<String>,
}

#[derive(Serialize, Default)]
pub struct StorageBody {
    /// Whether the room is open. What others store is not shown.
    open: bool,
    /// Whether keys can be put and deleted.
    writable: bool,
    /// All that the room stores, its alarm included.
    bytes: usize,
    /// When its alarm is due, in milliseconds since the Unix epoch.
    alarm: Option<u64>,
    entries: Vec<EntryBody>,
    /// Whether others come behind these: `?after=` the last of them.
    more: bool,
}

#[derive(Serialize)]
struct EntryBody {
    key: String,
    bytes: usize,
    /// The value, where it is text.
    text: Option<String>,
    /// The value in base 64, where it is not.
    base64: Option<String>,
    /// Whether it is only the beginning of the value.
    cut: bool,
}

impl EntryBody {
    fn of((key, mut value): StoredEntry, shown: usize) -> Self {
        let bytes = value.len();
        value.truncate(shown);
        let cut = value.len() < bytes;
        // A cut may fall within a letter.
        let text_bytes = match std::str::from_utf8(&value) {
            Ok(text) => Some(text.len()),
            Err(why) if cut && why.error_len().is_none() => Some(why.valid_up_to()),
            Err(_) => None,
        };
        let text = text_bytes.and_then(|end| String::from_utf8(value[..end].to_vec()).ok());
        let base64 = text.is_none().then(|| BASE64.encode(&value));
        Self { key, bytes, text, base64, cut }
    }
}

pub async fn page(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    path: Result<Path<RoomPath>, PathRejection>,
    query: Result<Query<StorageQuery>, QueryRejection>,
) -> Result<JsonBody<StorageBody>, ApiError> {
    let (key, _) = room_key(&api.fleet, &caller, path)?;
    let Query(StorageQuery { prefix, after, limit, key: one }) = query?;
    let limit = limit.unwrap_or(ENTRIES);
    if !(1..=ENTRIES_MAX).contains(&limit) {
        return Err(ApiError::bad_request(format!("`limit` must be 1 to {ENTRIES_MAX}, not {limit}")));
    }
    let Some(view) = ask(&api.fleet, &key, |view| RoomRequest::Storage { view }).await? else {
        return Ok(JsonBody(StorageBody { writable: api.console_writes, ..StorageBody::default() }));
    };
    let stored = view.durable();
    let failed = |why: StorageError| {
        // The message names files, which are the operator's.
        tracing::error!("{why}");
        ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "the room's storage cannot be read now")
    };
    let (entries, more, shown) = match &one {
        // The host's own keys are no page's either.
        Some(key) if key.starts_with(RESERVED_KEYS) => (Vec::new(), false, usize::MAX),
        Some(key) => {
            let value = stored.get(&[key], usize::MAX).await.map_err(failed)?.pop().flatten();
            (value.map(|value| (key.clone(), value)).into_iter().collect(), false, usize::MAX)
        }
        None => {
            let bounds = PageBounds { entries: limit, bytes: PAGE_BYTES };
            let prefix = prefix.as_deref().unwrap_or("");
            let mut page = stored.scan(prefix, after.as_deref(), bounds).await.map_err(failed)?;
            if let Some(rest) = page.leave_out_reserved(prefix, bounds) {
                page.append(stored.scan(prefix, Some(RESERVED_KEYS_END), rest).await.map_err(failed)?);
            }
            (page.entries, !page.is_last, SHOWN_BYTES)
        }
    };
    let kept = stored.kept();
    let entries: Vec<StoredEntry> = entries;
    Ok(JsonBody(StorageBody {
        open: true,
        writable: api.console_writes,
        bytes: kept.bytes,
        alarm: kept.alarm,
        entries: entries.into_iter().map(|entry| EntryBody::of(entry, shown)).collect(),
        more,
    }))
}

/// The one key that is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyQuery {
    key: String,
}

#[derive(Serialize)]
pub struct WrittenBody {
    /// Whether the key had a value before.
    existed: bool,
}

/// Puts a key; the body is its value. The plugin's `storage-value-bytes` bounds it.
pub async fn put(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    path: Result<Path<RoomPath>, PathRejection>,
    query: Result<Query<KeyQuery>, QueryRejection>,
    mut request: Request,
) -> Result<JsonBody<WrittenBody>, ApiError> {
    let (room, plugin) = room_key(&api.fleet, &caller, path)?;
    let Query(KeyQuery { key }) = query?;
    require_writes(&api)?;
    DefaultBodyLimit::max(plugin.limits().storage_value_bytes).apply(&mut request);
    let value = Bytes::from_request(request, &()).await;
    let value = value.map_err(|why| ApiError::new(why.status(), why.body_text()))?;
    write(&api, &caller, &room, key, Some(value.into())).await
}

pub async fn delete(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    path: Result<Path<RoomPath>, PathRejection>,
    query: Result<Query<KeyQuery>, QueryRejection>,
) -> Result<JsonBody<WrittenBody>, ApiError> {
    let (room, _) = room_key(&api.fleet, &caller, path)?;
    let Query(KeyQuery { key }) = query?;
    require_writes(&api)?;
    write(&api, &caller, &room, key, None).await
}

fn require_writes(api: &Api) -> Result<(), ApiError> {
    let words = "what rooms store can only be read: console-writes is off";
    if api.console_writes { Ok(()) } else { Err(ApiError::new(StatusCode::FORBIDDEN, words)) }
}

async fn write(
    api: &Api,
    caller: &Caller,
    room: &RoomKey,
    key: String,
    value: Option<Vec<u8>>,
) -> Result<JsonBody<WrittenBody>, ApiError> {
    let shown = printable(&key);
    let bytes = value.as_ref().map(Vec::len);
    let asked = ask(&api.fleet, room, |written| RoomRequest::Write { key, value, written }).await?;
    let closed =
        || ApiError::new(StatusCode::CONFLICT, "the room is not open, and only an open room's storage is written");
    let existed = asked.ok_or_else(closed)?.map_err(|why| match why {
        Refusal::Other(words) => ApiError::new(StatusCode::SERVICE_UNAVAILABLE, words),
        why => ApiError::bad_request(why.to_string()),
    })?;
    let PluginKey { tenant, plugin } = &room.plugin;
    let (tenant, plugin, room) = (tenant.as_str(), plugin.as_str(), room.room.as_str());
    match bytes {
        Some(bytes) => {
            tracing::info!(target: AUDIT_TARGET, tenant, plugin, room, bytes, "{caller} put the key {shown:?}")
        }
        None => {
            tracing::info!(target: AUDIT_TARGET, tenant, plugin, room, existed, "{caller} deleted the key {shown:?}")
        }
    }
    Ok(JsonBody(WrittenBody { existed }))
}
