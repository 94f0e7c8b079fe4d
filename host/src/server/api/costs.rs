//! What the handlers of a plugin cost.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::{Extension, Json as JsonBody};
use serde::Serialize;

use super::error::ApiError;
use super::paths::{PluginPath, served_plugin};
use super::state::Api;
use crate::server::auth::Caller;
use crate::tenant::costs::HandlerFigures;

#[derive(Serialize)]
pub struct CostsBody {
    /// Since a version of the plugin was first loaded; the one that used most CPU time comes first.
    handlers: Vec<HandlerBody>,
}

#[derive(Serialize)]
struct HandlerBody {
    /// The event that it registered for.
    event: String,
    turns: u64,
    failures: u64,
    cpu_seconds: f64,
    /// Bounds below which half and 99 per cent of its turns are, in seconds.
    cpu_p50: Option<f64>,
    cpu_p99: Option<f64>,
    emits: u64,
    emit_bytes: u64,
    deliveries: u64,
    reads: u64,
    writes: u64,
    /// How long what it said waited for its writes.
    wait_seconds: f64,
}

impl From<HandlerFigures> for HandlerBody {
    fn from(handler: HandlerFigures) -> Self {
        let HandlerFigures { name, cpu, failures, emits, bytes, deliveries, reads, writes, wait } = handler;
        Self {
            event: name,
            turns: cpu.count(),
            failures,
            cpu_seconds: cpu.sum.as_secs_f64(),
            cpu_p50: cpu.quantile(0.5),
            cpu_p99: cpu.quantile(0.99),
            emits,
            emit_bytes: bytes,
            deliveries,
            reads,
            writes,
            wait_seconds: wait.as_secs_f64(),
        }
    }
}

pub async fn of_handlers(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    path: Result<Path<PluginPath>, PathRejection>,
) -> Result<JsonBody<CostsBody>, ApiError> {
    let plugin = served_plugin(&api.fleet, &caller, path)?;
    Ok(JsonBody(CostsBody { handlers: plugin.totals.costs.read().into_iter().map(HandlerBody::from).collect() }))
}
