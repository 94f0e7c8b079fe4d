//! The API under `/_parlor/api/`, for the operator and for tenants: what is served, what it uses and how it fails, who is
//! in a room, emits from a backend, and uploads of components.

mod plugins;
mod rooms;
mod tenants;
mod upload;
mod versions;

use std::sync::Arc;

use axum::extract::DefaultBodyLimit;
use axum::extract::rejection::PathRejection;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post, put};
use axum::{Json as JsonBody, Router as HttpRouter};
use serde::{Deserialize, Serialize};

use super::Server;
use super::auth::{Caller, require_caller};
use crate::model::names::{BadName, PluginKey, PluginName, TenantName};

pub use upload::Uploads;

/// What a request to emit may hold beside its data.
const EMIT_ENVELOPE_BYTES: usize = 4 << 10;
/// The most entries of a page of a list.
const PAGE_ENTRIES_MAX: usize = 1_000;

/// A refusal of the API: a status and `{"error": words}`.
type Refused = (StatusCode, JsonBody<ErrorBody>);

#[derive(Debug, Serialize)]
pub struct ErrorBody {
    error: String,
}

fn refused(status: StatusCode, words: impl Into<String>) -> Refused {
    (status, JsonBody(ErrorBody { error: words.into() }))
}

fn bad_name(why: &BadName) -> Refused {
    refused(StatusCode::BAD_REQUEST, why.to_string())
}

fn bad_path(why: &PathRejection) -> Refused {
    refused(StatusCode::BAD_REQUEST, why.body_text())
}

/// A page of a list: what comes behind a name, and how many of it at the most.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Page {
    after: Option<String>,
    limit: Option<usize>,
}

impl Page {
    fn limit(&self) -> Result<usize, Refused> {
        match self.limit {
            None => Ok(PAGE_ENTRIES_MAX),
            Some(limit) if (1..=PAGE_ENTRIES_MAX).contains(&limit) => Ok(limit),
            Some(limit) => {
                let words = format!("`limit` must be 1 to {PAGE_ENTRIES_MAX}, not {limit}");
                Err(refused(StatusCode::BAD_REQUEST, words))
            }
        }
    }
}

/// The plugin of these names, served or not. What the caller may not see is not there.
fn plugin_key(caller: &Caller, tenant: &str, plugin: &str) -> Result<PluginKey, Refused> {
    let tenant = TenantName::new(tenant).map_err(|why| bad_name(&why))?;
    let plugin = PluginName::new(plugin).map_err(|why| bad_name(&why))?;
    let key = PluginKey { tenant, plugin };
    if caller.may_see(&key.tenant) { Ok(key) } else { Err(no_plugin(&key)) }
}

fn no_plugin(key: &PluginKey) -> Refused {
    refused(StatusCode::NOT_FOUND, format!("there is no plugin {key}"))
}

pub fn routes(server: Arc<Server>) -> HttpRouter<Arc<Server>> {
    let body_max = server.config.limits().emit_bytes + EMIT_ENVELOPE_BYTES;
    HttpRouter::new()
        .route("/api/tenants", get(tenants::list))
        .route("/api/tenants/{tenant}", get(tenants::one))
        .route("/api/plugins", get(plugins::list))
        .route("/api/plugins/{tenant}/{plugin}", get(plugins::one))
        .route("/api/plugins/{tenant}/{plugin}/lift", post(plugins::lift))
        .route("/api/plugins/{tenant}/{plugin}/rollback", post(versions::roll_back))
        .route("/api/rooms/{tenant}/{plugin}", get(rooms::list))
        .route("/api/rooms/{tenant}/{plugin}/{room}", get(rooms::view))
        .route("/api/rooms/{tenant}/{plugin}/{room}/sockets", get(rooms::sockets))
        .route("/api/rooms/{tenant}/{plugin}/{room}/emit", post(rooms::emit))
        .layer(DefaultBodyLimit::max(body_max))
        // Its body has a bound of its own, the tenant's.
        .route("/api/plugins/{tenant}/{plugin}", put(upload::upload))
        .layer(from_fn_with_state(server, require_caller))
}
