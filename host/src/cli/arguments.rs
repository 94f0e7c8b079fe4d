//! The arguments of the commands, as their help describes them.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, ValueEnum};

use crate::config::{ForwardedBy, ListenAddress, Overrides};
use crate::folder::scan::is_project;
use crate::model::names::{PluginKey, PluginName, TenantName};

/// The languages that `parlor new` has templates for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PluginLanguage {
    Rust,
    #[value(name = "ts", alias = "typescript")]
    TypeScript,
    C,
    Go,
    Python,
}

/// Which configuration holds.
#[derive(Debug, Args)]
pub struct ConfigArgs {
    /// Read the configuration from this file [default: parlor.toml, if there is one].
    #[arg(long, value_name = "FILE", env = "PARLOR_CONFIG", hide_env_values = true)]
    pub config: Option<PathBuf>,
}

/// Where the server listens.
#[derive(Debug, Args)]
pub struct ListenArgs {
    /// Listen on this address, on all addresses of a host name, or on the Unix socket unix:PATH; port 0 picks a free port
    /// [default: 127.0.0.1:7070].
    #[arg(long, value_name = "HOST:PORT", env = "PARLOR_LISTEN", hide_env_values = true)]
    pub listen: Option<ListenAddress>,
}

#[derive(Debug, Args)]
pub struct ServeArgs {
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Serve the components of this folder: NAME.wasm for the tenant `default`, TENANT/NAME.wasm for another
    /// [default: plugins].
    #[arg(long, value_name = "DIR", env = "PARLOR_PLUGINS", hide_env_values = true)]
    pub plugins: Option<PathBuf>,
    /// Keep what rooms store, and compiled code, in this folder [default: parlor-data].
    #[arg(long, value_name = "DIR", env = "PARLOR_DATA", hide_env_values = true)]
    pub data: Option<PathBuf>,
    /// Believe trusted proxies by x-forwarded-for, forwarded, proxy-protocol or none [default: x-forwarded-for].
    #[arg(long, value_name = "SOURCE", env = "PARLOR_FORWARDED_BY", hide_env_values = true)]
    pub forwarded_by: Option<ForwardedBy>,
    #[command(flatten)]
    pub listen: ListenArgs,
}

#[derive(Debug, Args)]
pub struct NewArgs {
    /// The plugin's name: 1 to 63 of a-z, 0-9 and -.
    pub name: String,
    /// The language to write the plugin in.
    #[arg(long, value_enum)]
    pub lang: PluginLanguage,
    /// The folder to create for the project; it must not exist yet [default: NAME].
    pub dir: Option<PathBuf>,
}

/// What is built, and where to.
#[derive(Debug, Args)]
pub struct BuildArgs {
    /// A plugin project, a folder of projects, or one TypeScript file [default: the folder plugins if there is one, else
    /// the project in this folder].
    #[arg(value_name = "DIR|FILE.ts")]
    pub place: Option<PathBuf>,
    /// Write the components to this folder, as NAME.wasm.
    #[arg(long, value_name = "DIR", default_value = "target/plugins", env = "PARLOR_OUT", hide_env_values = true)]
    pub out: PathBuf,
}

#[derive(Debug, Args)]
pub struct BuildCommandArgs {
    #[command(flatten)]
    pub build: BuildArgs,
    /// Make what `parlor dev` serves, for tests: plugins in Python take seconds then, and rooms more memory.
    #[arg(long)]
    pub dev: bool,
}

#[derive(Debug, Args)]
pub struct DevArgs {
    #[command(flatten)]
    pub build: BuildArgs,
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Keep what rooms store, and compiled code, in this folder.
    #[arg(long, value_name = "DIR", default_value = "target/parlor-data", env = "PARLOR_DATA", hide_env_values = true)]
    pub data: PathBuf,
    #[command(flatten)]
    pub listen: ListenArgs,
}

/// A component, and what it is taken as.
#[derive(Debug, Args)]
pub struct ComponentArgs {
    /// The component, a .wasm file.
    pub file: PathBuf,
    /// Take it as this tenant's plugin: its limits, its allowed imports, its configuration.
    #[arg(long, value_name = "NAME", default_value = "default")]
    pub tenant: String,
    /// Take it as the plugin of this name [default: the file's name].
    #[arg(long, value_name = "NAME")]
    pub plugin: Option<String>,
    #[command(flatten)]
    pub config: ConfigArgs,
}

impl ComponentArgs {
    /// The plugin's name: the one that the user gives, or what `of_file` makes of the file's.
    pub fn key(&self, of_file: impl FnOnce(&str) -> String) -> anyhow::Result<PluginKey> {
        let stem = || of_file(&self.file.file_stem().unwrap_or_default().to_string_lossy());
        let name = self.plugin.clone().unwrap_or_else(stem);
        let plugin = PluginName::new(&name).with_context(|| format!("{name:?}, which --plugin can change"))?;
        Ok(PluginKey { tenant: TenantName::new(&self.tenant).context("--tenant")?, plugin })
    }
}

#[derive(Debug, Args)]
pub struct LimitsArgs {
    /// Print the limits of a tenant or of one of its plugins [default: the server's own].
    #[arg(value_name = "TENANT[/PLUGIN]")]
    pub whose: Option<String>,
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Explain what each limit bounds, and why it has this value.
    #[arg(long)]
    pub why: bool,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

impl BuildArgs {
    /// What to build: what the user named, or the default.
    pub fn place(&self) -> PathBuf {
        let plugins = Path::new("plugins");
        let default = if !plugins.is_dir() && is_project(Path::new(".")) { Path::new(".") } else { plugins };
        self.place.as_deref().unwrap_or(default).to_owned()
    }
}

impl From<ServeArgs> for Overrides {
    fn from(args: ServeArgs) -> Self {
        let ServeArgs { config, plugins, data, forwarded_by, listen } = args;
        Self { config: config.config, listen: listen.listen, plugins, data, forwarded_by }
    }
}

impl ConfigArgs {
    /// The configuration file alone: nothing else is given.
    pub fn overrides(&self) -> Overrides {
        Overrides { config: self.config.clone(), ..Overrides::default() }
    }
}

/// Reads KEY=VALUE.
pub fn pair(text: &str) -> Result<(String, String), String> {
    let pair = text.split_once('=').map(|(key, value)| (key.to_owned(), value.to_owned()));
    pair.filter(|(key, _)| !key.is_empty()).ok_or_else(|| "it has no key and \"=\" before the value".to_owned())
}
