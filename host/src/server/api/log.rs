//! The last lines that a plugin's code logged.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::{Extension, Json as JsonBody};
use serde::Serialize;

use super::error::ApiError;
use super::paths::{PluginPath, served_plugin};
use super::state::Api;
use crate::model::names::RoomId;
use crate::server::auth::Caller;
use crate::tenant::log::LogLine;

#[derive(Serialize)]
pub struct LogBody {
    /// The newest last.
    lines: Vec<LogLineBody>,
    /// Lines that the operator's log had to do without, those of the host about the plugin included.
    left_out: u64,
}

#[derive(Serialize)]
struct LogLineBody {
    time: f64,
    room: Option<String>,
    version: String,
    level: &'static str,
    line: String,
}

impl From<LogLine> for LogLineBody {
    fn from(line: LogLine) -> Self {
        let LogLine { at, version, room, level, text } = line;
        Self { time: at, room: room.as_ref().map(RoomId::to_string), version, level, line: text }
    }
}

pub async fn recent(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    path: Result<Path<PluginPath>, PathRejection>,
) -> Result<JsonBody<LogBody>, ApiError> {
    let plugin = served_plugin(&api.fleet, &caller, path)?;
    let log = &plugin.totals.log;
    let (left_out, _) = log.left_out();
    Ok(JsonBody(LogBody { lines: log.recent().into_iter().map(LogLineBody::from).collect(), left_out }))
}
