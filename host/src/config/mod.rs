//! The configuration. An option of the command line wins over its environment variable, that over the file, and the file
//! over the default.

mod file;
mod listen;
mod proxies;
mod tenants;
mod tokens;
pub mod toml_file;
mod traces;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, ensure};

use crate::folder::watch::WatchMode;
use crate::model::limits::{Layers, Limits, Scope, Source};
use crate::model::names::TenantName;
use crate::model::secret::Secret;
use crate::tenant::TenantSettings;
use crate::traces::TraceSettings;
use file::ConfigFile;

pub use listen::ListenAddress;
pub use proxies::{ForwardedBy, Proxies};
pub use tokens::TOKEN_VARIABLE;

/// The configuration file, unless the operator names another.
const DEFAULT_FILE: &str = "parlor.toml";

/// How often the server looks at the plugin folder where no events come.
const WATCH_POLL_MS: u64 = 1_000;
/// How long plugins serve on whose files are gone together with what held them, and the longest that may be: a day.
const MISSING_FOLDER_GRACE_MS: u64 = 60_000;
const MISSING_FOLDER_GRACE_MAX_MS: u64 = 24 * 60 * 60 * 1_000;
/// Who may connect to a Unix socket: the server's user and its group, such as a proxy's.
const LISTEN_MODE: u32 = 0o660;

/// Everything that is set, with defaults filled in.
#[derive(Debug, Clone)]
pub struct Config {
    pub listen: ListenAddress,
    /// The permissions of a Unix socket to listen on.
    pub listen_mode: u32,
    /// The folder of plugins.
    pub plugins: PathBuf,
    /// The folder of what the server keeps: what rooms store, versions of plugins, compiled code.
    pub data: PathBuf,
    /// The folder with a component of each language, whose engines are compiled for all tenants.
    pub engines: Option<PathBuf>,
    /// Threads for rooms and sockets.
    pub threads: usize,
    /// How the server notices changes of the plugin folder, and how often it looks where no events tell it.
    pub watch: WatchMode,
    pub watch_poll: Duration,
    /// How long plugins serve on whose files are gone together with the folder or the share that held them.
    pub missing_folder_grace: Duration,
    pub operator_token: Option<Secret>,
    /// The operator's own proxies, and what is believed of what they send.
    pub proxies: Proxies,
    /// Whether the API, and so the console, may write what rooms store.
    pub console_writes: bool,
    /// Whether the metrics tell of each handler by its name.
    pub handler_metrics: bool,
    /// Where spans for OpenTelemetry go; none where nowhere.
    pub traces: Option<TraceSettings>,
    /// The bounds of the whole server, and who set each.
    pub limits: Layers,
    pub tenants: BTreeMap<TenantName, TenantSettings>,
}

/// What the command line and the environment say.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    pub config: Option<PathBuf>,
    pub listen: Option<ListenAddress>,
    pub plugins: Option<PathBuf>,
    pub data: Option<PathBuf>,
    pub forwarded_by: Option<ForwardedBy>,
}

impl Config {
    /// Reads the files, and puts the overrides in place of what they say. Every error names its key.
    pub fn load(overrides: Overrides) -> anyhow::Result<Self> {
        let (file, path) = match overrides.config {
            Some(path) => (toml_file::read(&path)?, path),
            None if Path::new(DEFAULT_FILE).is_file() => {
                (toml_file::read(Path::new(DEFAULT_FILE))?, DEFAULT_FILE.into())
            }
            None => (ConfigFile::default(), DEFAULT_FILE.into()),
        };
        let operator_token = tokens::operator(&file)?;
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = file.threads.unwrap_or(cores);
        ensure!((1..=256).contains(&threads), "threads must be 1 to 256, not {threads}");
        let poll_ms = file.watch_poll_ms.unwrap_or(WATCH_POLL_MS);
        ensure!((10..=3_600_000).contains(&poll_ms), "watch-poll-ms must be 10 to 3600000, not {poll_ms}");
        let grace_ms = file.missing_folder_grace_ms.unwrap_or(MISSING_FOLDER_GRACE_MS);
        ensure!(
            grace_ms <= MISSING_FOLDER_GRACE_MAX_MS,
            "missing-folder-grace-ms must be 0 to {MISSING_FOLDER_GRACE_MAX_MS}, not {grace_ms}"
        );
        let mut limits = Layers::default();
        let source = Source(path.display().to_string());
        limits.lay(&file.limits, Scope::Host, &source).map_err(anyhow::Error::msg)?;
        let tenants = tenants::all(file.tenants, &source, file.tenant_files.as_deref(), &limits)?;
        tokens::check_distinct(operator_token.as_ref(), &tenants)?;
        Ok(Self {
            listen: overrides.listen.or(file.listen).unwrap_or_default(),
            listen_mode: file.listen_mode.as_deref().map_or(Ok(LISTEN_MODE), mode)?,
            plugins: overrides.plugins.or(file.plugins).unwrap_or_else(|| "plugins".into()),
            data: overrides.data.or(file.data).unwrap_or_else(|| "parlor-data".into()),
            engines: file.engines,
            threads,
            watch: file.watch,
            watch_poll: Duration::from_millis(poll_ms),
            missing_folder_grace: Duration::from_millis(grace_ms),
            operator_token,
            proxies: Proxies::new(&file.trusted_proxies, overrides.forwarded_by.or(file.forwarded_by))?,
            console_writes: file.console_writes,
            handler_metrics: file.handler_metrics,
            traces: file.traces.map(traces::settings).transpose()?,
            tenants,
            limits,
        })
    }

    /// The bounds of the whole server.
    pub fn limits(&self) -> &Limits {
        self.limits.limits()
    }
}

/// Permissions in octal digits.
fn mode(text: &str) -> anyhow::Result<u32> {
    let mode = u32::from_str_radix(text, 8).ok().filter(|mode| *mode <= 0o777);
    mode.with_context(|| format!("listen-mode must be permissions in octal digits, such as \"660\", not {text:?}"))
}
