//! Tenants: their quotas, who set them, and what is used of them.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json as JsonBody};
use serde::Serialize;

use super::{Refused, bad_name, bad_path, refused};
use crate::model::limits::{Limit, Scope};
use crate::model::names::TenantName;
use crate::server::Server;
use crate::server::auth::Caller;
use crate::tenant::Account;
use crate::tenant::account::Counter;

#[derive(Serialize)]
pub struct TenantList {
    tenants: Vec<TenantEntry>,
}

#[derive(Serialize)]
pub struct TenantEntry {
    tenant: String,
    plugins: Vec<String>,
    usage: Usage,
}

#[derive(Serialize)]
pub struct TenantBody {
    #[serde(flatten)]
    entry: TenantEntry,
    hosts: Vec<String>,
    origins: Vec<String>,
    quotas: Vec<Quota>,
}

#[derive(Serialize)]
struct Quota {
    limit: &'static str,
    value: u64,
    scope: &'static str,
    source: String,
}

/// What a tenant uses now, beside what it may.
#[derive(Serialize)]
struct Usage {
    sockets: Used,
    rooms: Used,
    awake_rooms: Used,
    memory_bytes: Used,
    storage_bytes: Used,
    outbound_bytes: Used,
    /// Since the server started.
    cpu_seconds: f64,
    /// How long its rooms have to wait for CPU time at the moment.
    cpu_owed_ms: u64,
}

#[derive(Serialize)]
struct Used {
    used: usize,
    max: usize,
}

impl From<&Arc<Counter>> for Used {
    fn from(counter: &Arc<Counter>) -> Self {
        Self { used: counter.used(), max: counter.max() }
    }
}

impl Usage {
    fn of(account: &Account) -> Self {
        Self {
            sockets: Used::from(&account.sockets),
            rooms: Used::from(&account.rooms),
            awake_rooms: Used::from(&account.awake),
            memory_bytes: Used::from(&account.memory),
            storage_bytes: Used::from(&account.storage),
            outbound_bytes: Used::from(&account.outbound),
            cpu_seconds: account.cpu.used().as_secs_f64(),
            cpu_owed_ms: account.cpu.owes_now().as_millis() as u64,
        }
    }
}

pub async fn list(State(server): State<Arc<Server>>, Extension(caller): Extension<Caller>) -> JsonBody<TenantList> {
    let mut tenants = known(&server);
    tenants.retain(|tenant| caller.may_see(tenant));
    JsonBody(TenantList { tenants: tenants.iter().map(|tenant| entry(&server, tenant)).collect() })
}

pub async fn one(
    State(server): State<Arc<Server>>,
    Extension(caller): Extension<Caller>,
    path: Result<Path<String>, PathRejection>,
) -> Result<JsonBody<TenantBody>, Refused> {
    let Path(tenant) = path.map_err(|why| bad_path(&why))?;
    let tenant = TenantName::new(&tenant).map_err(|why| bad_name(&why))?;
    if !caller.may_see(&tenant) || !known(&server).contains(&tenant) {
        return Err(refused(StatusCode::NOT_FOUND, format!("there is no tenant {tenant}")));
    }
    let (settings, layers) = (server.tenants.settings(&tenant), server.tenants.layers(&tenant, None));
    let quota = |limit: Limit| {
        let Limit { key, scope, value, .. } = limit;
        Quota { limit: key, value, scope: scope.as_str(), source: layers.source(key).to_owned() }
    };
    let quotas = layers.limits().all().into_iter().filter(|limit| limit.scope != Scope::Host);
    Ok(JsonBody(TenantBody {
        hosts: settings.hosts.clone(),
        origins: settings.origins.clone(),
        quotas: quotas.map(quota).collect(),
        entry: entry(&server, &tenant),
    }))
}

/// Those of which the configuration tells, and those that have a plugin.
fn known(server: &Server) -> BTreeSet<TenantName> {
    let with_plugins = server.fleet.serving().into_iter().map(|plugin| plugin.key.tenant.clone());
    server.tenants.named().keys().cloned().chain(with_plugins).collect()
}

fn entry(server: &Server, tenant: &TenantName) -> TenantEntry {
    let plugins = server.fleet.serving().into_iter().filter(|plugin| plugin.key.tenant == *tenant);
    TenantEntry {
        tenant: tenant.to_string(),
        plugins: plugins.map(|plugin| plugin.key.plugin.to_string()).collect(),
        usage: Usage::of(&server.tenants.account(tenant)),
    }
}
