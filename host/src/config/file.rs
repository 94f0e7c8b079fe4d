//! The configuration files, as the operator writes them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

use super::listen::ListenAddress;
use super::proxies::ForwardedBy;
use crate::folder::watch::WatchMode;
use crate::model::durability::Durability;
use crate::model::limits::LimitsTable;
use crate::model::recording::Recording;

/// `parlor.toml`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct ConfigFile {
    pub listen: Option<ListenAddress>,
    /// Permissions of a Unix socket, in octal digits.
    pub listen_mode: Option<String>,
    pub plugins: Option<PathBuf>,
    pub data: Option<PathBuf>,
    /// A component of each language that tenants use.
    pub engines: Option<PathBuf>,
    pub threads: Option<usize>,
    /// How the server notices changes of the plugin folder.
    pub watch: WatchMode,
    pub watch_poll_ms: Option<u64>,
    pub missing_folder_grace_ms: Option<u64>,
    pub operator_token: Option<String>,
    pub operator_token_file: Option<PathBuf>,
    pub trusted_proxies: Vec<String>,
    /// By what trusted proxies tell of the client.
    pub forwarded_by: Option<ForwardedBy>,
    /// Whether the API, and so the console, may write what rooms store.
    pub console_writes: bool,
    /// Whether the metrics tell of each handler by its name.
    pub handler_metrics: bool,
    /// Where spans for OpenTelemetry go.
    pub traces: Option<TracesTable>,
    pub limits: LimitsTable,
    pub tenants: BTreeMap<String, TenantTable>,
    /// The folder of the tenants' files.
    pub tenant_files: Option<PathBuf>,
}

/// `[traces]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct TracesTable {
    pub otlp: String,
    pub ca_file: Option<PathBuf>,
    pub sample: Option<f64>,
}

/// A tenant's table, or a tenant's file.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct TenantTable {
    pub hosts: Vec<String>,
    pub origins: Vec<String>,
    pub token: Option<String>,
    pub token_file: Option<PathBuf>,
    /// The interfaces that the tenant's plugins may import; without it, all that this host offers.
    pub imports: Option<Vec<String>>,
    /// Whether files of TypeScript in the tenant's folder are built and served.
    pub scripts: bool,
    /// Whether clients of Socket.IO are served, at `/socket.io/`.
    pub socket_io: Option<bool>,
    /// The plugin that serves the namespace `/` where none has the path `/`.
    pub socket_io_default: Option<String>,
    pub limits: LimitsTable,
    pub plugins: BTreeMap<String, PluginTable>,
}

/// A plugin's table within its tenant's.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct PluginTable {
    pub config: BTreeMap<String, String>,
    pub client_channels: bool,
    pub durability: Durability,
    /// The WebSocket subprotocols that clients may ask for.
    pub subprotocols: Vec<String>,
    /// Whether its rooms record their turns.
    pub record: Recording,
    pub limits: LimitsTable,
}
