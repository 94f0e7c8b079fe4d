//! `parlor plugins` and `parlor rollback`: what a server that runs somewhere is asked by its API.

mod client;
mod plugins;
mod rollback;

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;

use crate::model::names::{PluginKey, PluginName, TenantName};
use client::Client;
pub use plugins::plugins;
pub use rollback::rollback;

/// Which server is meant, and who asks.
#[derive(Debug, Args)]
pub struct RemoteArgs {
    /// The server; plain http only.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:7070")]
    server: String,
    /// A file with the operator's token, or a tenant's for what is its own [default: PARLOR_OPERATOR_TOKEN].
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct PluginsArgs {
    /// The one plugin to tell more of: its versions and its history.
    #[arg(value_name = "TENANT/PLUGIN")]
    plugin: Option<String>,
    #[command(flatten)]
    remote: RemoteArgs,
    /// As JSON, for programs.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub struct RollbackArgs {
    /// The plugin.
    #[arg(value_name = "TENANT/PLUGIN")]
    plugin: String,
    /// The version [default: the one that was served before the current one].
    version: Option<String>,
    #[command(flatten)]
    remote: RemoteArgs,
}

/// `TENANT/PLUGIN`.
fn key(text: &str) -> anyhow::Result<PluginKey> {
    let (tenant, plugin) = text.split_once('/').with_context(|| format!("{text:?} is not TENANT/PLUGIN"))?;
    Ok(PluginKey { tenant: TenantName::new(tenant)?, plugin: PluginName::new(plugin)? })
}
