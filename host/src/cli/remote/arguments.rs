//! The arguments of the commands that ask a running server.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;

use crate::model::names::{PluginKey, PluginName, TenantName};

/// Which server to ask, and as whom.
#[derive(Debug, Args)]
pub struct RemoteArgs {
    /// Ask this server, over http or https; with the path where a proxy serves it under one.
    #[arg(
        long,
        value_name = "URL",
        default_value = "http://127.0.0.1:7070",
        env = "PARLOR_SERVER",
        hide_env_values = true
    )]
    pub server: String,
    /// Show the token in this file: the operator's, or a tenant's for its own plugins [default: the token in
    /// PARLOR_OPERATOR_TOKEN].
    #[arg(long, value_name = "FILE", env = "PARLOR_TOKEN_FILE", hide_env_values = true)]
    pub token_file: Option<PathBuf>,
    /// Trust the certificates in this PEM file, in place of the public ones, when the server is reached over https.
    #[arg(long, value_name = "FILE", env = "PARLOR_CA_FILE", hide_env_values = true)]
    pub ca_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct PluginsArgs {
    /// Tell more of this one plugin: its versions and its history.
    #[arg(value_name = "TENANT/PLUGIN")]
    pub plugin: Option<String>,
    #[command(flatten)]
    pub remote: RemoteArgs,
    /// Show how long what each plugin does takes, since its first version was loaded.
    #[arg(long, conflicts_with = "json")]
    pub costs: bool,
    /// Print the JSON that the server answers.
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct RollbackArgs {
    /// The plugin to roll back.
    #[arg(value_name = "TENANT/PLUGIN")]
    pub plugin: String,
    /// The version to serve [default: the version that was served before the current one].
    pub version: Option<String>,
    #[command(flatten)]
    pub remote: RemoteArgs,
}

/// `TENANT/PLUGIN`.
pub fn plugin_key_of(text: &str) -> anyhow::Result<PluginKey> {
    let (tenant, plugin) = text.split_once('/').with_context(|| format!("{text:?} is not TENANT/PLUGIN"))?;
    Ok(PluginKey { tenant: TenantName::new(tenant)?, plugin: PluginName::new(plugin)? })
}
