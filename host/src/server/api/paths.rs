//! What the paths and queries of the API name. The API answers for what the caller may not see as if it did not exist.

use std::sync::Arc;

use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use serde::Deserialize;

use super::error::ApiError;
use crate::fleet::Fleet;
use crate::model::names::{PluginKey, PluginName, RoomId, RoomKey, TenantName};
use crate::plugin::version::Plugin;
use crate::server::auth::Caller;

/// The most entries of a page of a list.
pub const PAGE_ENTRIES_MAX: usize = 1_000;

/// The page of a list that a request asks for: after which entry it begins, and how many entries it has at most.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PageQuery {
    pub after: Option<String>,
    limit: Option<usize>,
}

impl PageQuery {
    pub fn limit(&self) -> Result<usize, ApiError> {
        match self.limit {
            None => Ok(PAGE_ENTRIES_MAX),
            Some(limit) if (1..=PAGE_ENTRIES_MAX).contains(&limit) => Ok(limit),
            Some(limit) => Err(ApiError::bad_request(format!("`limit` must be 1 to {PAGE_ENTRIES_MAX}, not {limit}"))),
        }
    }
}

#[derive(Debug, Deserialize)]
pub struct PluginPath {
    tenant: String,
    plugin: String,
}

#[derive(Debug, Deserialize)]
pub struct RoomPath {
    pub tenant: String,
    pub plugin: String,
    pub room: String,
}

/// The plugin that a path names, served or not.
pub fn plugin_key(caller: &Caller, path: Result<Path<PluginPath>, PathRejection>) -> Result<PluginKey, ApiError> {
    let Path(PluginPath { tenant, plugin }) = path?;
    visible(caller, &tenant, &plugin)
}

/// The plugin that a path names and that is served.
pub fn served_plugin(
    fleet: &Fleet,
    caller: &Caller,
    path: Result<Path<PluginPath>, PathRejection>,
) -> Result<Arc<Plugin>, ApiError> {
    let key = plugin_key(caller, path)?;
    fleet.get(&key).ok_or_else(|| ApiError::no_plugin(&key))
}

/// The room that a path names, open or not, and its plugin.
pub fn room_key(
    fleet: &Fleet,
    caller: &Caller,
    path: Result<Path<RoomPath>, PathRejection>,
) -> Result<(RoomKey, Arc<Plugin>), ApiError> {
    let Path(RoomPath { tenant, plugin, room }) = path?;
    let key = visible(caller, &tenant, &plugin)?;
    let room = RoomId::new(&room)?;
    let plugin = fleet.get(&key).ok_or_else(|| ApiError::no_plugin(&key))?;
    Ok((RoomKey { plugin: key, room }, plugin))
}

/// The key of a plugin, if the caller may see its tenant.
pub fn visible(caller: &Caller, tenant: &str, plugin: &str) -> Result<PluginKey, ApiError> {
    let key = PluginKey { tenant: TenantName::new(tenant)?, plugin: PluginName::new(plugin)? };
    if caller.may_see(&key.tenant) { Ok(key) } else { Err(ApiError::no_plugin(&key)) }
}

/// A plugin's path as clients use it.
pub fn client_path(plugin: &Plugin) -> String {
    let tenant = &plugin.key.tenant;
    let prefix = if tenant.is_default() { String::new() } else { format!("/t/{tenant}") };
    format!("{prefix}{}", plugin.path)
}
