//! Uploads: a component is loaded and rehearsed as a whole before anything is replaced by it.

use std::collections::HashSet;
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
use crate::deploy::{self, By, Change, Deployed, Kind, What};
use crate::model::names::{PluginKey, TenantName};
use crate::plugin::loader::Loader;
use crate::server::Server;
use crate::server::auth::Caller;

/// How long a body may take to arrive.
const BODY_WAIT: Duration = Duration::from_secs(60);
/// Uploads of all tenants at once: their bodies are in memory.
const UPLOADS_AT_ONCE: usize = 4;

/// The uploads that are under way: one for each tenant.
#[derive(Debug, Default)]
pub struct Uploads {
    tenants: Mutex<HashSet<TenantName>>,
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
    /// Rooms that did not move yet, or went back.
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
    let (max, is_new) = (terms.limits.plugins_per_tenant, server.fleet.get(&key).is_none());
    if is_new && server.fleet.count(&key.tenant) >= max {
        return Err(refused(StatusCode::TOO_MANY_REQUESTS, format!("plugins-per-tenant: at most {max}")));
    }
    let bytes = read_body(&headers, body, terms.limits.component_bytes).await?;
    if bytes.is_empty() {
        return Err(refused(StatusCode::BAD_REQUEST, "the component is empty"));
    }
    // On a thread for what takes long: this one accepts connections. A client that hangs up leaves nothing half done,
    // and its place is taken until all is.
    let workers = server.fleet.workers();
    let finished = workers.slow_runtime(workers.least_busy()).spawn(finish(upload, key, bytes)).await;
    finished.unwrap_or_else(|why| Err(refused(StatusCode::INTERNAL_SERVER_ERROR, format!("loading failed: {why}"))))
}

/// What follows when the component is there as a whole.
async fn finish(upload: Upload, key: PluginKey, bytes: Bytes) -> Result<(StatusCode, JsonBody<Uploaded>), Refused> {
    let server = &upload.server;
    let version = Loader::version_of(&bytes);
    match Change::begin(&server.deploys, &key).await.deploy(bytes, By::Upload).await {
        Ok(deployed) => {
            let status = if deployed.older.is_some() { StatusCode::OK } else { StatusCode::CREATED };
            Ok((status, answer(server, &deployed)))
        }
        Err(why) => Err(not_deployed(server, &key, Some(&version), why)),
    }
}

/// A version that does not serve: noted, and answered.
pub fn not_deployed(server: &Server, key: &PluginKey, version: Option<&str>, why: deploy::Refused) -> Refused {
    let deploy::Refused { kind, why } = why;
    server.deploys.history.record(key, What::Refused, version, why.clone());
    let status = match kind {
        Kind::Bad => StatusCode::UNPROCESSABLE_ENTITY,
        Kind::Taken | Kind::Project => StatusCode::CONFLICT,
        Kind::TooMany => StatusCode::TOO_MANY_REQUESTS,
        Kind::Busy => StatusCode::SERVICE_UNAVAILABLE,
        Kind::NoVersion => StatusCode::NOT_FOUND,
        Kind::NotWritten => StatusCode::INTERNAL_SERVER_ERROR,
    };
    refused(status, why)
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

pub fn answer(server: &Server, deployed: &Deployed) -> JsonBody<Uploaded> {
    let plugin = &deployed.plugin;
    JsonBody(Uploaded {
        tenant: plugin.key.tenant.to_string(),
        plugin: plugin.key.plugin.to_string(),
        version: plugin.version.clone(),
        path: address_of(plugin),
        events: plugin.events.clone(),
        unchanged: deployed.unchanged(),
        rooms_on_older_versions: on_older_versions(server, plugin),
    })
}
