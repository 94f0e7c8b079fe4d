//! The tapes of a plugin: which there are, one as a file, and its end.

use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Json as JsonBody};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

use super::error::ApiError;
use super::paths::{PluginPath, plugin_key, visible};
use super::state::Api;
use crate::guest::tape::file::{self as tape_file, TapeFile};
use crate::guest::tape::show;
use crate::model::names::{PluginKey, RoomId};
use crate::plugin::tapes::{EXTENSION, files_in};
use crate::server::auth::Caller;

/// The longest name: a room's id, and what says which turn it is.
const NAME_BYTES_MAX: usize = 192;
/// Turns of a page of a tape as JSON, at most and where the request does not say.
const TURNS_MAX: usize = 200;
/// A page ends behind the turn with which it passes these bytes.
const PAGE_BYTES: usize = 256 << 10;

#[derive(Serialize)]
pub struct TapeList {
    tapes: Vec<TapeEntry>,
}

#[derive(Serialize)]
struct TapeEntry {
    name: String,
    bytes: u64,
    /// When it was written, in milliseconds since the Unix epoch.
    time: f64,
}

#[derive(Deserialize)]
pub struct TapePath {
    tenant: String,
    plugin: String,
    tape: String,
}

#[derive(Serialize)]
pub struct DeletedTape {
    deleted: bool,
}

/// The newest first.
pub async fn list(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    path: Result<Path<PluginPath>, PathRejection>,
) -> Result<JsonBody<TapeList>, ApiError> {
    let key = plugin_key(&caller, path)?;
    let (folder, prefix) = folder(&api, &key)?;
    let mut tapes = aside(move || entries(&folder, &prefix)).await?;
    tapes.sort_by(|a, b| b.time.total_cmp(&a.time).then_with(|| a.name.cmp(&b.name)));
    Ok(JsonBody(TapeList { tapes }))
}

/// How a tape is answered with.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TapeQuery {
    /// None for the file itself.
    #[serde(rename = "as")]
    form: Option<TapeForm>,
    /// The number of the turn behind which the page begins.
    after: Option<u64>,
    limit: Option<usize>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum TapeForm {
    Json,
}

/// Some turns of a tape, as `parlor replay --dump` prints them.
#[derive(Serialize)]
pub struct TapeTurns {
    /// Where the life begins; null on pages behind the first.
    base: Option<Value>,
    turns: Vec<Box<RawValue>>,
    /// Whether others come behind these: `?after=` the number of the last of them.
    more: bool,
}

/// A tape: as `parlor replay` reads it, or as JSON in pages.
pub async fn one(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    path: Result<Path<TapePath>, PathRejection>,
    query: Result<Query<TapeQuery>, QueryRejection>,
) -> Result<Response, ApiError> {
    let (name, file) = file(&api, &caller, path)?;
    let Query(TapeQuery { form, after, limit }) = query?;
    let limit = limit.unwrap_or(TURNS_MAX);
    if form.is_none() && after.is_some() || !(1..=TURNS_MAX).contains(&limit) {
        return Err(ApiError::bad_request(format!("`limit` must be 1 to {TURNS_MAX}, and `after` is for `as=json`")));
    }
    let read = aside(move || std::fs::read(file)).await?;
    let bytes = read.map_err(|_| no_tape(&name))?;
    match form {
        None => Ok(([(CONTENT_TYPE, "application/octet-stream")], bytes).into_response()),
        Some(TapeForm::Json) => {
            let unreadable = |why| ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, format!("the tape {name} {why}"));
            let tape = tape_file::read(&bytes).map_err(unreadable)?;
            Ok(JsonBody(page(&tape, after, limit)?).into_response())
        }
    }
}

fn page(tape: &TapeFile, after: Option<u64>, limit: usize) -> Result<TapeTurns, ApiError> {
    let mut rest = tape.turns.iter().filter(|turn| after.is_none_or(|after| turn.number > after)).peekable();
    let (mut turns, mut bytes) = (Vec::new(), 0);
    while bytes < PAGE_BYTES
        && turns.len() < limit
        && let Some(turn) = rest.next()
    {
        let json = to_raw_value(&show::turn(turn));
        let json = json.map_err(|why| ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, why.to_string()))?;
        bytes += json.get().len();
        turns.push(json);
    }
    Ok(TapeTurns { base: after.is_none().then(|| show::base(tape)), turns, more: rest.peek().is_some() })
}

pub async fn delete(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    path: Result<Path<TapePath>, PathRejection>,
) -> Result<JsonBody<DeletedTape>, ApiError> {
    let (name, file) = file(&api, &caller, path)?;
    let removed = aside(move || std::fs::remove_file(file)).await?;
    removed.map_err(|_| no_tape(&name))?;
    Ok(JsonBody(DeletedTape { deleted: true }))
}

fn entries(folder: &FilePath, prefix: &str) -> Vec<TapeEntry> {
    let files = files_in(folder, EXTENSION).into_iter();
    let entry = |(written, path): (SystemTime, PathBuf)| {
        let name = path.file_name()?.to_str().filter(|name| name.starts_with(prefix))?.to_owned();
        let time = written.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64() * 1_000.0;
        Some(TapeEntry { name, bytes: path.metadata().ok()?.len(), time })
    };
    files.filter_map(entry).collect()
}

/// Where a plugin's tapes are, and what the name of each begins with.
fn folder(api: &Api, key: &PluginKey) -> Result<(PathBuf, String), ApiError> {
    let place = api.tenants.tape_folder(&key.tenant, &key.plugin);
    place.ok_or_else(|| ApiError::new(StatusCode::NOT_FOUND, "this server keeps no tapes"))
}

/// The name and the file of a tape that a path names.
fn file(
    api: &Api,
    caller: &Caller,
    path: Result<Path<TapePath>, PathRejection>,
) -> Result<(String, PathBuf), ApiError> {
    let Path(TapePath { tenant, plugin, tape }) = path?;
    let key = visible(caller, &tenant, &plugin)?;
    let (folder, prefix) = folder(api, &key)?;
    // The letters of a room's id: none of them leads out of the folder.
    let is_name = tape.len() <= NAME_BYTES_MAX
        && tape.as_bytes().chunks(64).all(|part| str::from_utf8(part).is_ok_and(|part| RoomId::new(part).is_ok()));
    let is_tape = tape.strip_suffix(EXTENSION).is_some_and(|stem| stem.len() > 1 && stem.ends_with('.'));
    if !is_name || !is_tape || !tape.starts_with(&prefix) {
        return Err(no_tape(&tape));
    }
    let file = folder.join(&tape);
    Ok((tape, file))
}

fn no_tape(name: &str) -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, format!("there is no tape {name:?}"))
}

/// Does what waits for a disk.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, ApiError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|why| ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, why.to_string()))
}
