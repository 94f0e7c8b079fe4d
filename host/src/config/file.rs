//! The configuration files, as the operator writes them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::Deserialize;
use serde::de::DeserializeOwned;

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

/// Reads a configuration file. An error names the file, the line and the key.
pub fn read<T: DeserializeOwned>(path: &Path) -> anyhow::Result<T> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    toml::from_str(&text)
        .map_err(|why| anyhow::anyhow!("{}{}: {}", path.display(), place(&text, &why), without_value(why.message())))
}

/// What is wrong with a value, without the value itself, which may be a secret without its quotes.
fn without_value(message: &str) -> String {
    match message.split_once(", expected ") {
        Some((wrong, expected)) if wrong.starts_with("invalid ") => {
            let kind = wrong.split(['`', '"']).next().unwrap_or_default();
            format!("{}, expected {expected}", kind.trim_end())
        }
        _ => message.to_owned(),
    }
}

/// The line and the key at which a configuration is wrong.
fn place(text: &str, why: &toml::de::Error) -> String {
    let Some(before) = why.span().and_then(|span| text.get(..span.start)) else { return String::new() };
    let line = before.matches('\n').count();
    let key = text.lines().nth(line).and_then(|line| line.split('=').next()).unwrap_or_default();
    format!(", line {}, {}", line + 1, key.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_key_is_named() {
        for (text, key) in [
            ("lisen = \"127.0.0.1:1\"", "lisen"),
            ("[limits]\nturn-cpu = 1", "turn-cpu"),
            ("watch = \"never\"", "watch"),
        ] {
            let unknown = toml::from_str::<ConfigFile>(text).unwrap_err();
            assert!(unknown.to_string().contains(key), "{unknown}");
        }
    }
}
