//! Uploads: the server loads and rehearses a component as a whole before it replaces anything.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::header::CONTENT_LENGTH;
use axum::http::{HeaderMap, StatusCode};
use axum::{Extension, Json as JsonBody};
use bytes::BytesMut;
use futures_util::StreamExt as _;

use super::deployed::{DeployedBody, not_deployed};
use super::error::ApiError;
use super::paths::{PluginPath, plugin_key};
use super::payment::{settle, wait_until_paid};
use super::state::Api;
use crate::deploy::{Change, DeployedBy};
use crate::model::names::{PluginKey, TenantName};
use crate::plugin::loader::Loader;
use crate::server::auth::Caller;

/// How long a body may take to arrive.
const BODY_WAIT: Duration = Duration::from_secs(60);
/// A tenant's upload under way. Dropping it lets the tenant's next upload begin.
struct Upload {
    api: Arc<Api>,
    tenant: TenantName,
    /// Bytes of the component that arrived so far.
    held: usize,
}

impl Upload {
    fn begin(api: &Arc<Api>, tenant: &TenantName) -> Result<Self, ApiError> {
        if !api.uploads.lock().insert(tenant.clone()) {
            return Err(ApiError::new(StatusCode::TOO_MANY_REQUESTS, "uploads of a tenant run one at a time"));
        }
        Ok(Self { api: Arc::clone(api), tenant: tenant.clone(), held: 0 })
    }

    /// Counts bytes that arrived among those that all uploads hold: one that is slow holds next to nothing.
    fn hold(&mut self, bytes: usize) -> Result<(), ApiError> {
        let all = &self.api.upload_bytes;
        // A component that is larger than all may be is let in alone.
        if !all.take(bytes) {
            if all.used() > self.held {
                return Err(ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "too much is being uploaded now"));
            }
            all.add(bytes);
        }
        self.held += bytes;
        Ok(())
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        self.api.upload_bytes.give(self.held);
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
    let mut upload = Upload::begin(&api, &key.tenant)?;
    let terms = api.tenants.terms(&key.tenant, &key.plugin);
    let (max, is_new) = (terms.limits.plugins_per_tenant, api.fleet.get(&key).is_none());
    if is_new && api.fleet.count(&key.tenant) >= max {
        return Err(ApiError::new(StatusCode::TOO_MANY_REQUESTS, format!("plugins-per-tenant: at most {max}")));
    }
    // Before anything is read, so that who waits holds no memory.
    wait_until_paid(&api, &caller, &key.tenant).await?;
    let bytes = read_body(&mut upload, &headers, body, terms.limits.component_bytes).await?;
    if bytes.is_empty() {
        return Err(ApiError::new(StatusCode::BAD_REQUEST, "the component is empty"));
    }
    // On a thread of low priority, because this one accepts connections. If the client hangs up, the deployment goes on
    // to its end, and until then the tenant's next upload is refused.
    let workers = api.fleet.workers();
    let finished = workers.slow_runtime(workers.least_busy()).spawn(finish(upload, caller, key, bytes)).await;
    finished
        .unwrap_or_else(|why| Err(ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, format!("loading failed: {why}"))))
}

/// Deploys the component, which has arrived as a whole.
async fn finish(
    upload: Upload,
    caller: Caller,
    key: PluginKey,
    bytes: Bytes,
) -> Result<(StatusCode, JsonBody<DeployedBody>), ApiError> {
    let api = &upload.api;
    let version = api.tenants.account(&key.tenant).deploying(|| Loader::version_of(&bytes));
    let deploy = async { Change::begin_soon(&api.deploys, &key).await?.deploy(bytes, DeployedBy::Upload).await };
    let deployed = deploy.await;
    settle(api, &caller, &key.tenant);
    match deployed {
        Ok(deployed) => {
            let status = if deployed.older.is_some() { StatusCode::OK } else { StatusCode::CREATED };
            Ok((status, DeployedBody::of(&api.fleet, &deployed)))
        }
        Err(why) => Err(not_deployed(api, &key, Some(&version), why)),
    }
}

/// Reads the component, within its bound and within its time.
async fn read_body(upload: &mut Upload, headers: &HeaderMap, body: Body, max: u64) -> Result<Bytes, ApiError> {
    let too_large = || ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, format!("is larger than component-bytes: {max}"));
    let told = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if told.is_some_and(|length| length > max) {
        return Err(too_large());
    }
    let max = usize::try_from(max).unwrap_or(usize::MAX);
    let mut parts = body.into_data_stream();
    let whole = async {
        let mut bytes = BytesMut::new();
        while let Some(part) = parts.next().await {
            let part = part.map_err(|why| ApiError::bad_request(format!("the component broke off: {why}")))?;
            if part.len() > max.saturating_sub(bytes.len()) {
                return Err(too_large());
            }
            upload.hold(part.len())?;
            bytes.extend_from_slice(&part);
        }
        Ok(bytes.freeze())
    };
    tokio::time::timeout(BODY_WAIT, whole).await.unwrap_or_else(|_| {
        let words = format!("the component did not arrive within {} s", BODY_WAIT.as_secs());
        Err(ApiError::new(StatusCode::REQUEST_TIMEOUT, words))
    })
}
