//! How a version comes into service, whoever brings it: the start, the folder, an upload or a rollback. It is loaded and
//! rehearsed as a whole before anything is replaced by it; where anything is wrong, nothing else happens.

pub mod follow;
mod history;
mod place;
pub mod verdicts;
mod versions;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::config::Config;
use crate::files::write_whole;
use crate::fleet::{Fleet, PathTaken};
use crate::folder::watch::WatchMode;
use crate::guest::instance::OpenError;
use crate::model::names::PluginKey;
use crate::plugin::loader::Loader;
use crate::plugin::version::Plugin;
use crate::tenant::Tenants;
use crate::tenant::locks::{TenantLock, TenantLocks};
pub use history::{History, HistoryKind, HistoryRecord};
pub use versions::Versions;

/// Tenants whose plugins change at once: components are in memory meanwhile.
const AT_ONCE: usize = 4;
/// How many times the time of one compilation a version may take until it serves: it waits for those of others.
const WAIT_COMPILATIONS: u32 = 5;

/// What all changes of plugins share.
pub struct Deploys {
    pub fleet: Arc<Fleet>,
    pub loader: Arc<Loader>,
    pub tenants: Arc<Tenants>,
    /// The plugin folder, and how changes in it are noticed.
    folder: PathBuf,
    watch: WatchMode,
    watch_poll: Duration,
    /// A tenant's plugins change one after the other: they share paths and places, and what one sees holds to its end.
    changing: TenantLocks,
    at_once: Arc<Semaphore>,
    pub history: History,
    pub versions: Versions,
}

impl Deploys {
    pub fn new(config: &Config, fleet: Arc<Fleet>, loader: Arc<Loader>, tenants: Arc<Tenants>) -> Self {
        Self {
            fleet,
            loader,
            tenants,
            folder: config.plugins.clone(),
            watch: config.watch,
            watch_poll: config.watch_poll,
            changing: TenantLocks::default(),
            at_once: Arc::new(Semaphore::new(AT_ONCE)),
            history: History::default(),
            versions: Versions::new(&config.data),
        }
    }
}

/// Who brings a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeployedBy {
    Start,
    Folder,
    Upload,
    Rollback,
    /// `parlor dev` built it.
    Build,
}

impl DeployedBy {
    /// Whether the version's file is to be written: it does not come from there.
    fn writes(self) -> bool {
        matches!(self, Self::Upload | Self::Rollback | Self::Build)
    }

    /// Whether somebody asked for the version, who may know that what made it fail is mended.
    fn is_on_purpose(self) -> bool {
        matches!(self, Self::Upload | Self::Rollback | Self::Build)
    }

    fn why(self) -> &'static str {
        match self {
            Self::Start => "found at start",
            Self::Folder => "its file changed",
            Self::Upload => "uploaded",
            Self::Rollback => "rolled back",
            Self::Build => "built",
        }
    }
}

/// A version that serves.
pub struct Deployed {
    pub plugin: Arc<Plugin>,
    /// What served before; the same, where it was this version already.
    pub older: Option<Arc<Plugin>>,
}

impl Deployed {
    /// Whether nothing had to be done.
    pub fn unchanged(&self) -> bool {
        self.older.as_ref().is_some_and(|older| older.version == self.plugin.version)
    }
}

/// Why a version does not serve.
#[derive(Debug)]
pub struct NotDeployed {
    pub kind: RefusalKind,
    pub why: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusalKind {
    /// Whatever is wrong with the component itself.
    Bad,
    /// Another plugin serves its path.
    Taken,
    /// `plugins-per-tenant`.
    TooMany,
    /// There was no time, or no memory, to load it.
    Busy,
    /// There is no such version.
    NoVersion,
    /// A project lies in its place.
    Project,
    /// The folder cannot be written.
    NotWritten,
}

impl NotDeployed {
    fn new(kind: RefusalKind, why: impl Into<String>) -> Self {
        Self { kind, why: why.into() }
    }

    /// Where files lie is the operator's business, not a tenant's.
    fn not_written(why: &anyhow::Error) -> Self {
        tracing::error!("a component is not kept: {why:#}");
        Self::new(RefusalKind::NotWritten, "the plugin folder cannot be written")
    }
}

/// The right to change the plugins of a tenant, of which one is meant.
pub struct Change<'a> {
    deploys: &'a Deploys,
    key: &'a PluginKey,
    _turn: TenantLock,
    _place: Option<OwnedSemaphorePermit>,
}

impl<'a> Change<'a> {
    pub async fn begin(deploys: &'a Deploys, key: &'a PluginKey) -> Self {
        let turn = deploys.changing.lock(&key.tenant).await;
        // The semaphore lives as long as the server.
        let place = Arc::clone(&deploys.at_once).acquire_owned().await.ok();
        Self { deploys, key, _turn: turn, _place: place }
    }

    /// Lets these bytes serve.
    pub async fn deploy(&self, bytes: Bytes, by: DeployedBy) -> Result<Deployed, NotDeployed> {
        let older = self.deploys.fleet.get(self.key);
        let version = Loader::version_of(&bytes);
        if let Some(same) = older.as_ref().filter(|older| older.version == version) {
            if by == DeployedBy::Rollback {
                // Whatever lies in the folder instead of it.
                self.write(bytes).await?;
            }
            if by.is_on_purpose() {
                self.deploys.fleet.try_again(same).await;
            }
            return Ok(Deployed { plugin: Arc::clone(same), older });
        }
        let plugin = self.load(&bytes, older.is_none()).await?;
        if by.writes() {
            self.write(bytes.clone()).await?;
        }
        self.keep(version, bytes).await;
        let plugin = self.deploys.fleet.put(plugin).map_err(|PathTaken { by, path }| self.taken(&path, &by))?;
        self.deploys.fleet.swap(&plugin).await;
        self.tell(&plugin, older.as_deref(), by);
        Ok(Deployed { plugin, older })
    }

    /// The version that was served before the current one, or this one, serves again.
    pub async fn roll_back(&self, version: Option<&str>) -> Result<Deployed, NotDeployed> {
        let (key, versions) = (self.key.clone(), self.deploys.versions.clone());
        let current = self.deploys.fleet.get(self.key).map(|plugin| plugin.version.clone());
        let wanted = version.map(str::to_owned);
        let read = blocking(move || {
            let kept = versions.all(&key);
            let found = kept.into_iter().map(|kept| kept.version).find(|kept| match &wanted {
                Some(wanted) => kept == wanted,
                None => current.as_ref() != Some(kept),
            });
            found.map(|version| versions.read(&key, &version)).transpose()
        });
        match (read.await, version) {
            (Ok(Some(bytes)), _) => self.deploy(bytes.into(), DeployedBy::Rollback).await,
            (Ok(None), Some(version)) => {
                let words = format!("no version {version:?} of {} is kept", self.key);
                Err(NotDeployed::new(RefusalKind::NoVersion, words))
            }
            (Ok(None), None) => {
                let words = format!("no version of {} is kept that was served before this one", self.key);
                Err(NotDeployed::new(RefusalKind::NoVersion, words))
            }
            (Err(why), _) => {
                tracing::error!("a rollback of {} fails: {why:#}", self.key);
                Err(NotDeployed::new(RefusalKind::Bad, "the version that is kept is damaged, or cannot be read"))
            }
        }
    }

    /// Takes the plugin out of service, unless its file is back.
    pub async fn retire(&self, file: &Path) {
        let (deploys, key) = (self.deploys, self.key);
        let looked = file.to_owned();
        if blocking(move || Ok(looked.exists())).await.unwrap_or(true) {
            return;
        }
        // It may never have been served.
        let Some(plugin) = deploys.fleet.retire(key) else { return };
        deploys.history.record(key, HistoryKind::Retired, Some(&plugin.version), "its file is gone");
        let (tenant, name, version) = (key.tenant.as_str(), key.plugin.as_str(), plugin.version.as_str());
        tracing::info!(tenant, plugin = name, version, "retired: {} is gone; its rooms' storage stays", file.display());
    }

    async fn load(&self, bytes: &[u8], is_new: bool) -> Result<Plugin, NotDeployed> {
        let Self { deploys, key, .. } = self;
        let terms = deploys.tenants.terms(&key.tenant, &key.plugin);
        let max = terms.limits.plugins_per_tenant;
        if is_new && deploys.fleet.count(&key.tenant) >= max {
            return Err(NotDeployed::new(RefusalKind::TooMany, format!("plugins-per-tenant: at most {max}")));
        }
        // Compiling has its own bounds; waiting for others' and for the tenant's CPU time has this one.
        let wait = Duration::from_millis(terms.limits.compile_wall_ms) * WAIT_COMPILATIONS;
        let loading = deploys.loader.load_bytes((*key).clone(), bytes, terms);
        let plugin = match tokio::time::timeout(wait, loading).await {
            Ok(Ok(plugin)) => plugin,
            Ok(Err(why)) => {
                let busy = matches!(why.downcast_ref(), Some(OpenError::NoPlace(_) | OpenError::TenantFull));
                return Err(NotDeployed::new(
                    if busy { RefusalKind::Busy } else { RefusalKind::Bad },
                    format!("{why:#}"),
                ));
            }
            Err(_) => return Err(NotDeployed::new(RefusalKind::Busy, "there was no time to load it")),
        };
        match deploys.fleet.at(&key.tenant, plugin.path.as_str()) {
            Some(other) if other.key != **key => Err(self.taken(plugin.path.as_str(), &other.key)),
            _ => Ok(plugin),
        }
    }

    fn taken(&self, path: &str, by: &PluginKey) -> NotDeployed {
        let words = format!("{} wants the path {path}, which {by} of the same tenant serves already", self.key);
        NotDeployed::new(RefusalKind::Taken, words)
    }

    /// Puts the component into its place in the folder, so that a restart serves the same.
    async fn write(&self, bytes: Bytes) -> Result<(), NotDeployed> {
        let (folder, key) = (self.deploys.folder.clone(), self.key.clone());
        let written = blocking(move || {
            let Some(file) = place::of(&folder, &key)? else { return Ok(false) };
            if !std::fs::read(&file).is_ok_and(|old| old == bytes) {
                write_whole(&file, &bytes)?;
            }
            Ok(true)
        });
        match written.await {
            Ok(true) => Ok(()),
            Ok(false) => Err(NotDeployed::new(RefusalKind::Project, "the tenant's folder holds a project")),
            Err(why) => Err(NotDeployed::not_written(&why)),
        }
    }

    /// Keeps the version to roll back to. It serves where that fails, too.
    async fn keep(&self, version: String, bytes: Bytes) {
        let (key, versions) = (self.key.clone(), self.deploys.versions.clone());
        let max = self.deploys.tenants.layers(&key.tenant, None).limits().versions_kept;
        if let Err(why) = blocking(move || versions.keep(&key, &version, &bytes, max)).await {
            tracing::error!("a version of {} is not kept to roll back to: {why:#}", self.key);
        }
    }

    fn tell(&self, plugin: &Plugin, older: Option<&Plugin>, by: DeployedBy) {
        let older = older.map(|older| older.version.as_str());
        let what = if by == DeployedBy::Rollback { HistoryKind::RolledBack } else { HistoryKind::Deployed };
        let why = older.map_or_else(|| by.why().to_owned(), |older| format!("{}, in place of {older}", by.why()));
        self.deploys.history.record(self.key, what, Some(&plugin.version), why);
        let word = match (by, older) {
            (DeployedBy::Folder, Some(_)) => "reloaded",
            (DeployedBy::Start | DeployedBy::Folder, _) => "loaded",
            (DeployedBy::Upload, _) => "uploaded",
            (DeployedBy::Rollback, _) => "rolled back",
            (DeployedBy::Build, _) => "built",
        };
        let (tenant, name) = (self.key.tenant.as_str(), self.key.plugin.as_str());
        let (version, path, events) = (plugin.version.as_str(), &plugin.path, plugin.events.join(" "));
        tracing::info!(tenant, plugin = name, name = plugin.name, %path, version, older, events, "{word}");
    }
}

/// Does what waits for a disk where that holds up nobody.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> anyhow::Result<T> + Send + 'static) -> anyhow::Result<T> {
    tokio::task::spawn_blocking(work).await.context("a fault of the host's own")?
}
