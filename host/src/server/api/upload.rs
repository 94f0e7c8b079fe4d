//! Uploads: the server loads and rehearses a component as a whole before it replaces anything.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::header::CONTENT_LENGTH;
use axum::http::{HeaderMap, StatusCode};
use axum::{Extension, Json as JsonBody};

use super::deployed::{DeployedBody, not_deployed};
use super::error::ApiError;
use super::paths::{PluginPath, plugin_key};
use super::state::Api;
use crate::deploy::{Change, DeployedBy};
use crate::model::names::{PluginKey, TenantName};
use crate::plugin::loader::Loader;
use crate::server::auth::Caller;

/// How long a body may take to arrive.
const BODY_WAIT: Duration = Duration::from_secs(60);
/// Uploads at once, over all tenants: each holds its body in memory.
const UPLOADS_AT_ONCE: usize = 4;

/// A tenant's upload under way. Dropping it lets the tenant's next upload begin.
struct Upload {
    api: Arc<Api>,
    tenant: TenantName,
}

impl Upload {
    fn begin(api: &Arc<Api>, tenant: &TenantName) -> Result<Self, ApiError> {
        let busy = |words: &str| ApiError::new(StatusCode::TOO_MANY_REQUESTS, words);
        let mut tenants = api.uploads.lock();
        if tenants.contains(tenant) {
            return Err(busy("uploads of a tenant run one at a time"));
        }
        if tenants.len() >= UPLOADS_AT_ONCE {
            return Err(busy("too many uploads are under way"));
        }
        tenants.insert(tenant.clone());
        Ok(Self { api: Arc::clone(api), tenant: tenant.clone() })
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        self.api.uploads.lock().remove(&self.tenant);
    }
}

pub async fn upload(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    path: Result<Path<PluginPath>, PathRejection>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, JsonBody<DeployedBody>), ApiError> {
    let key = plugin_key(&caller, path)?;
    let upload = Upload::begin(&api, &key.tenant)?;
    let terms = api.tenants.terms(&key.tenant, &key.plugin);
    let (max, is_new) = (terms.limits.plugins_per_tenant, api.fleet.get(&key).is_none());
    if is_new && api.fleet.count(&key.tenant) >= max {
        return Err(ApiError::new(StatusCode::TOO_MANY_REQUESTS, format!("plugins-per-tenant: at most {max}")));
    }
    let bytes = read_body(&headers, body, terms.limits.component_bytes).await?;
    if bytes.is_empty() {
        return Err(ApiError::new(StatusCode::BAD_REQUEST, "the component is empty"));
    }
    // On a thread of low priority, because this one accepts connections. If the client hangs up, the deployment goes on
    // to its end, and until then the tenant's next upload is refused.
    let workers = api.fleet.workers();
    let finished = workers.slow_runtime(workers.least_busy()).spawn(finish(upload, key, bytes)).await;
    finished
        .unwrap_or_else(|why| Err(ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, format!("loading failed: {why}"))))
}

/// Deploys the component, which has arrived as a whole.
async fn finish(
    upload: Upload,
    key: PluginKey,
    bytes: Bytes,
) -> Result<(StatusCode, JsonBody<DeployedBody>), ApiError> {
    let api = &upload.api;
    let version = Loader::version_of(&bytes);
    match Change::begin(&api.deploys, &key).await.deploy(bytes, DeployedBy::Upload).await {
        Ok(deployed) => {
            let status = if deployed.older.is_some() { StatusCode::OK } else { StatusCode::CREATED };
            Ok((status, DeployedBody::of(&api.fleet, &deployed)))
        }
        Err(why) => Err(not_deployed(api, &key, Some(&version), why)),
    }
}

/// Reads the component, within its bound and within its time.
async fn read_body(headers: &HeaderMap, body: Body, max: u64) -> Result<Bytes, ApiError> {
    let too_large = || ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, format!("is larger than component-bytes: {max}"));
    let told = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if told.is_some_and(|length| length > max) {
        return Err(too_large());
    }
    let max = usize::try_from(max).unwrap_or(usize::MAX);
    match tokio::time::timeout(BODY_WAIT, to_bytes(body, max)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        // The body is too large, or the connection broke off and nobody reads the answer.
        Ok(Err(_)) => Err(too_large()),
        Err(_) => {
            let words = format!("the component did not arrive within {} s", BODY_WAIT.as_secs());
            Err(ApiError::new(StatusCode::REQUEST_TIMEOUT, words))
        }
    }
}
