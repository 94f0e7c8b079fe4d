//! Uploads: a component is loaded and rehearsed as a whole before anything is replaced by it.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::header::CONTENT_LENGTH;
use axum::http::{HeaderMap, StatusCode};
use axum::{Extension, Json as JsonBody};
use parking_lot::Mutex;
use serde::Serialize;

use super::plugins::{PluginPath, address_of, named, on_older_versions};
use super::{Refused, refused};
use crate::model::names::{PluginKey, TenantName};
use crate::plugin::folder::{is_project, write_whole};
use crate::plugin::loader::{Loader, Plugin};
use crate::plugin::registry::PathTaken;
use crate::server::Server;
use crate::server::auth::Caller;
use crate::tenant::Terms;

/// How long a body may take to arrive.
const BODY_WAIT: Duration = Duration::from_secs(60);
/// Uploads of all tenants at once: their bodies are in memory.
const UPLOADS_AT_ONCE: usize = 4;

/// The uploads that are under way: one for each tenant.
#[derive(Debug, Default)]
pub struct Uploads {
    tenants: Mutex<HashSet<TenantName>>,
    /// Held while a version takes the place of another: its file and its entry change together.
    replacing: tokio::sync::Mutex<()>,
}

/// A tenant's upload, until it is dropped.
struct Upload {
    server: Arc<Server>,
    tenant: TenantName,
}

impl Upload {
    fn begin(server: &Arc<Server>, tenant: &TenantName) -> Result<Self, Refused> {
        let busy = |words: &str| refused(StatusCode::TOO_MANY_REQUESTS, words);
        let mut tenants = server.uploads.tenants.lock();
        if tenants.contains(tenant) {
            return Err(busy("uploads of a tenant run one at a time"));
        }
        if tenants.len() >= UPLOADS_AT_ONCE {
            return Err(busy("too many uploads are under way"));
        }
        tenants.insert(tenant.clone());
        Ok(Self { server: Arc::clone(server), tenant: tenant.clone() })
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        self.server.uploads.tenants.lock().remove(&self.tenant);
    }
}

#[derive(Serialize)]
pub struct Uploaded {
    tenant: String,
    plugin: String,
    version: String,
    path: String,
    events: Vec<String>,
    /// Whether this very version was served already.
    unchanged: bool,
    /// Rooms that were open before stay on their version until they end.
    rooms_on_older_versions: usize,
}

pub async fn upload(
    State(server): State<Arc<Server>>,
    Extension(caller): Extension<Caller>,
    path: Result<Path<PluginPath>, PathRejection>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, JsonBody<Uploaded>), Refused> {
    let key = named(&caller, path)?;
    let upload = Upload::begin(&server, &key.tenant)?;
    let terms = server.tenants.terms(&key.tenant, &key.plugin);
    let (max, is_new) = (terms.limits.plugins_per_tenant, server.registry.get(&key).is_none());
    if is_new && server.registry.count(&key.tenant) >= max {
        return Err(refused(StatusCode::TOO_MANY_REQUESTS, format!("plugins-per-tenant: at most {max}")));
    }
    let bytes = read_body(&headers, body, terms.limits.component_bytes).await?;
    if bytes.is_empty() {
        return Err(refused(StatusCode::BAD_REQUEST, "the component is empty"));
    }
    // On a thread for what takes long: this one accepts connections. A client that hangs up leaves nothing half done,
    // and its place is taken until all is.
    let workers = server.router.workers();
    let finished = workers.slow_runtime(workers.least_busy()).spawn(finish(upload, key, bytes, terms)).await;
    finished.unwrap_or_else(|why| Err(refused(StatusCode::INTERNAL_SERVER_ERROR, format!("loading failed: {why}"))))
}

/// What follows when the component is there as a whole.
async fn finish(
    upload: Upload,
    key: PluginKey,
    bytes: Bytes,
    terms: Terms,
) -> Result<(StatusCode, JsonBody<Uploaded>), Refused> {
    let server = &upload.server;
    let older = server.registry.get(&key);
    if let Some(same) = older.as_ref().filter(|older| older.version == Loader::version_of(&bytes)) {
        return Ok((StatusCode::OK, answer(server, same, true)));
    }
    let plugin = take_on(server, key, bytes, terms).await?;
    let (tenant, name) = (plugin.key.tenant.as_str(), plugin.key.plugin.as_str());
    tracing::info!(tenant, plugin = name, version = plugin.version, path = %plugin.path, "uploaded");
    let status = if older.is_some() { StatusCode::OK } else { StatusCode::CREATED };
    Ok((status, answer(server, &plugin, false)))
}

/// Serves a component in place of what its plugin was: loaded and rehearsed as a whole, then put into the folder and into
/// service.
pub async fn take_on(server: &Server, key: PluginKey, bytes: Bytes, terms: Terms) -> Result<Arc<Plugin>, Refused> {
    // Compiling has its own bounds; waiting for others' and for the tenant's CPU time has this one.
    let wait = Duration::from_millis(terms.limits.compile_wall_ms) * (UPLOADS_AT_ONCE as u32 + 1);
    let loading = server.loader.load_bytes(key, bytes.to_vec(), terms);
    let plugin = match tokio::time::timeout(wait, loading).await {
        Ok(Ok(plugin)) => plugin,
        Ok(Err(why)) => return Err(refused(StatusCode::UNPROCESSABLE_ENTITY, format!("{why:#}"))),
        Err(_) => return Err(refused(StatusCode::SERVICE_UNAVAILABLE, "there was no time to load it")),
    };
    replace(server, plugin, &bytes).await
}

/// Reads the component, within its bound and within its time.
async fn read_body(headers: &HeaderMap, body: Body, max: u64) -> Result<Bytes, Refused> {
    let too_large = || refused(StatusCode::PAYLOAD_TOO_LARGE, format!("is larger than component-bytes: {max}"));
    let told = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if told.is_some_and(|length| length > max) {
        return Err(too_large());
    }
    let max = usize::try_from(max).unwrap_or(usize::MAX);
    match tokio::time::timeout(BODY_WAIT, to_bytes(body, max)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        // The bound, or a connection that broke off, to which nothing can be said.
        Ok(Err(_)) => Err(too_large()),
        Err(_) => {
            let words = format!("the component did not arrive within {} s", BODY_WAIT.as_secs());
            Err(refused(StatusCode::REQUEST_TIMEOUT, words))
        }
    }
}

/// Puts a version into its place, in the folder and in service, or in neither.
async fn replace(server: &Server, plugin: Plugin, bytes: &[u8]) -> Result<Arc<Plugin>, Refused> {
    let _replacing = server.uploads.replacing.lock().await;
    let (key, path) = (plugin.key.clone(), plugin.path.clone());
    let taken = |by: &PluginKey| {
        let words = format!("{key} wants the path {path}, which {by} of the same tenant serves already");
        refused(StatusCode::CONFLICT, words)
    };
    if let Some(other) = server.registry.at(&key.tenant, path.as_str()).filter(|other| other.key != key) {
        return Err(taken(&other.key));
    }
    let file = place_of(server, &key)?;
    write_whole(&file, bytes).map_err(not_written)?;
    server.registry.put(plugin).map_err(|PathTaken { by }| taken(&by))
}

/// The plugin's file, in a folder that is there.
fn place_of(server: &Server, key: &PluginKey) -> Result<PathBuf, Refused> {
    let mut folder = server.config.plugins.clone();
    if !key.tenant.is_default() {
        folder.push(key.tenant.as_str());
    }
    if is_project(&folder) {
        return Err(refused(StatusCode::CONFLICT, "the tenant's folder holds a project"));
    }
    std::fs::create_dir_all(&folder).map_err(|why| not_written(why.into()))?;
    Ok(folder.join(format!("{}.wasm", key.plugin)))
}

/// Where files lie is the operator's business, not a tenant's.
fn not_written(why: anyhow::Error) -> Refused {
    tracing::error!("an upload is not kept: {why:#}");
    refused(StatusCode::INTERNAL_SERVER_ERROR, "the plugin folder cannot be written")
}

fn answer(server: &Server, plugin: &Plugin, unchanged: bool) -> JsonBody<Uploaded> {
    JsonBody(Uploaded {
        tenant: plugin.key.tenant.to_string(),
        plugin: plugin.key.plugin.to_string(),
        version: plugin.version.clone(),
        path: address_of(plugin),
        events: plugin.events.clone(),
        unchanged,
        rooms_on_older_versions: on_older_versions(&server.router.rooms_of(&plugin.key), plugin),
    })
}
