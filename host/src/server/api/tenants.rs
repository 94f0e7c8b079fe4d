//! Tenants: their quotas, where each was set, and how much of each they use.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json as JsonBody};
use serde::Serialize;

use super::error::ApiError;
use super::state::Api;
use crate::model::limits::{Limit, Scope};
use crate::model::names::TenantName;
use crate::server::auth::Caller;
use crate::server::usage::UsageBody;

#[derive(Serialize)]
pub struct TenantList {
    tenants: Vec<TenantSummary>,
}

#[derive(Serialize)]
pub struct TenantSummary {
    tenant: String,
    plugins: Vec<String>,
    usage: UsageBody,
}

#[derive(Serialize)]
pub struct TenantBody {
    #[serde(flatten)]
    summary: TenantSummary,
    hosts: Vec<String>,
    origins: Vec<String>,
    quotas: Vec<QuotaBody>,
}

#[derive(Serialize)]
struct QuotaBody {
    limit: &'static str,
    value: u64,
    scope: &'static str,
    source: String,
}

pub async fn list(State(api): State<Arc<Api>>, Extension(caller): Extension<Caller>) -> JsonBody<TenantList> {
    let known = known(&api).into_iter().filter(|(tenant, _)| caller.may_see(tenant));
    JsonBody(TenantList { tenants: known.map(|(tenant, plugins)| TenantSummary::of(&api, &tenant, plugins)).collect() })
}

pub async fn one(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    path: Result<Path<String>, PathRejection>,
) -> Result<JsonBody<TenantBody>, ApiError> {
    let Path(tenant) = path?;
    let tenant = TenantName::new(&tenant)?;
    let plugins = known(&api).remove(&tenant).filter(|_| caller.may_see(&tenant));
    let nobody = || ApiError::new(StatusCode::NOT_FOUND, format!("there is no tenant {tenant}"));
    let summary = TenantSummary::of(&api, &tenant, plugins.ok_or_else(nobody)?);
    let (settings, layers) = (api.tenants.settings(&tenant), api.tenants.layers(&tenant, None));
    let quota = |limit: Limit| {
        let Limit { key, scope, value, .. } = limit;
        QuotaBody { limit: key, value, scope: scope.as_str(), source: layers.source(key).to_owned() }
    };
    let quotas = layers.limits().all().into_iter().filter(|limit| limit.scope != Scope::Host);
    Ok(JsonBody(TenantBody {
        hosts: settings.hosts.iter().map(|host| host.as_str().to_owned()).collect(),
        origins: settings.origins.iter().map(|origin| origin.as_str().to_owned()).collect(),
        quotas: quotas.map(quota).collect(),
        summary,
    }))
}

/// The tenants that the configuration names or that have a plugin, and the plugins that each serves.
fn known(api: &Api) -> BTreeMap<TenantName, Vec<String>> {
    let mut tenants: BTreeMap<_, Vec<String>> =
        api.tenants.named().keys().map(|tenant| (tenant.clone(), Vec::new())).collect();
    for plugin in api.fleet.serving() {
        tenants.entry(plugin.key.tenant.clone()).or_default().push(plugin.key.plugin.to_string());
    }
    tenants
}

impl TenantSummary {
    fn of(api: &Api, tenant: &TenantName, plugins: Vec<String>) -> Self {
        Self { tenant: tenant.to_string(), plugins, usage: UsageBody::of(&api.tenants.account(tenant)) }
    }
}
