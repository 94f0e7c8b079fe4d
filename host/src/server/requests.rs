//! How many requests may come: from each tenant by its token, from everybody else by address. The operator is not counted.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{CONNECTION, RETRY_AFTER, UPGRADE};
use axum::http::{HeaderValue, Response, StatusCode};
use axum::middleware::Next;
use axum::response::IntoResponse as _;
use parking_lot::Mutex;

use super::api::ApiError;
use super::auth::{Access, Caller};
use super::door::Door;
use super::forwarded::RemoteClient;
use super::refusal::{plain, retry_after_seconds};
use crate::clock::Instant;
use crate::model::names::TenantName;
use crate::model::rate::Rate;
use crate::tenant::Tenants;

/// The paths that are the host's own. On all others a token is for the plugin.
const OF_HOST: &str = "/_parlor/";

/// How long a refused client waits for its 429. Each may have so many connections, so that one which comes back at once, with
/// all of them, gets no more than some hundreds of answers a second.
const REFUSAL_PAUSE: Duration = Duration::from_millis(500);

/// Counts requests, and finds whose they are.
#[derive(Debug)]
pub struct RequestRates {
    access: Arc<Access>,
    door: Arc<Door>,
    tenants: Arc<Tenants>,
    /// Of the tenants whose tokens were shown: the configuration bounds how many there are.
    by_tenant: Mutex<HashMap<TenantName, Rate>>,
    start: Instant,
}

impl RequestRates {
    pub fn new(access: &Arc<Access>, door: &Arc<Door>, tenants: &Arc<Tenants>) -> Self {
        Self {
            access: Arc::clone(access),
            door: Arc::clone(door),
            tenants: Arc::clone(tenants),
            by_tenant: Mutex::default(),
            start: Instant::now(),
        }
    }

    /// Counts a request of a tenant; false where there were too many.
    fn allows(&self, tenant: &TenantName) -> bool {
        let limits = self.tenants.settings(tenant).limits.limits();
        let mut rates = self.by_tenant.lock();
        let rate = rates
            .entry(tenant.clone())
            .or_insert_with(|| Rate::new(limits.api_requests_per_second, limits.api_requests_burst));
        rate.allows(1, self.start.elapsed())
    }
}

/// A layer of all routes: counts the request, unless it is an upgrade, and notes its caller where it shows a token of ours. What comes too fast is
/// answered with 429, and the connection ends: whatever else waits in it is not read.
pub async fn count(
    State(rates): State<Arc<RequestRates>>,
    Extension(client): Extension<RemoteClient>,
    mut request: Request,
    next: Next,
) -> Response<Body> {
    let is_ours = request.uri().path().starts_with(OF_HOST);
    let caller = is_ours.then(|| rates.access.caller(&client, &request)).flatten();
    let is_upgrade = !is_ours && request.headers().contains_key(UPGRADE);
    let refused = match &caller {
        Some(Caller::Operator) => None,
        // Upgrades have a rate of their own.
        None if is_upgrade => None,
        Some(Caller::Tenant(tenant)) => (!rates.allows(tenant)).then(|| {
            let words = "too many requests with this token: api-requests-per-second";
            ApiError::new(StatusCode::TOO_MANY_REQUESTS, words).into_response()
        }),
        None => (!rates.door.may_request(client.address)).then(|| {
            let words = "too many requests of this address: requests-per-address-per-second";
            let mut response = plain(StatusCode::TOO_MANY_REQUESTS, words);
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(retry_after_seconds(None)));
            response
        }),
    };
    if let Some(mut response) = refused {
        // A proxy's connections are for all of its clients: one client holds none of them.
        if client.has_place {
            tokio::time::sleep(REFUSAL_PAUSE).await;
        }
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        return response;
    }
    if let Some(caller) = caller {
        request.extensions_mut().insert(caller);
    }
    next.run(request).await
}
