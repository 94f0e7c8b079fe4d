//! How a version comes into service, whoever brings it: the start, the folder, an upload, a rollback or a build. The
//! host loads and rehearses it as a whole before it replaces anything; a version that fails in this changes nothing.

pub mod follow;
mod history;
mod loading;
mod place;
mod problems;
mod spans;
pub mod verdicts;
mod versions;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::config::Config;
use crate::fleet::{Fleet, PathTaken};
use crate::folder::scripts::Scripts;
use crate::folder::watch::WatchMode;
use crate::guest::instance::OpenError;
use crate::model::names::PluginKey;
use crate::plugin::compiler::Prevented;
use crate::plugin::loader::Loader;
use crate::plugin::version::Plugin;
use crate::tenant::locks::{TenantLock, TenantLocks};
use crate::tenant::{Account, Tenants};
pub use history::{History, HistoryKind, HistoryRecord};
pub use loading::Loading;
use problems::FolderProblems;
pub use versions::Versions;

/// Changes of different tenants that run at once: each holds a component in memory.
const AT_ONCE: usize = 4;
/// How long somebody who waits for a change waits for the tenant's other changes.
const TURN_WAIT: Duration = Duration::from_secs(60);
/// A load may take this many times as long as one compilation may, because it waits for the compilations of others.
const WAIT_COMPILATIONS: u32 = 20;

/// What all changes of plugins share.
pub struct Deploys {
    pub fleet: Arc<Fleet>,
    pub loader: Arc<Loader>,
    pub tenants: Arc<Tenants>,
    /// The plugin folder.
    folder: PathBuf,
    /// How the host notices changes in the folder.
    watch: WatchMode,
    watch_poll: Duration,
    missing_folder_grace: Duration,
    /// The plugins that are still to be loaded since the start.
    pub loading: Loading,
    /// How many plugins serve on although their files are gone together with what held them.
    pub missing: AtomicUsize,
    /// A tenant's plugins change one after the other, because they share paths and places: what a change finds there
    /// stays true until it ends.
    changing: TenantLocks,
    at_once: Arc<Semaphore>,
    pub history: History,
    pub versions: Versions,
    problems: FolderProblems,
    /// The scripts that the host builds.
    scripts: Scripts,
}

impl Deploys {
    pub fn new(config: &Config, fleet: Arc<Fleet>, loader: Arc<Loader>, tenants: Arc<Tenants>) -> Self {
        let with_scripts = tenants.named().iter().filter(|(_, settings)| settings.scripts);
        let scripts = Scripts::of(config.plugins.clone(), with_scripts.map(|(tenant, _)| tenant.clone()).collect());
        Self {
            scripts,
            fleet,
            loader,
            history: History::watched(Arc::clone(tenants.live())),
            tenants,
            folder: config.plugins.clone(),
            watch: config.watch,
            watch_poll: config.watch_poll,
            missing_folder_grace: config.missing_folder_grace,
            loading: Loading::default(),
            missing: AtomicUsize::new(0),
            changing: TenantLocks::default(),
            at_once: Arc::new(Semaphore::new(AT_ONCE)),
            versions: Versions::new(&config.data),
            problems: FolderProblems::default(),
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
    /// Whether the version was found in the plugin folder. Any other is written there, and was asked for by somebody who
    /// may know that the cause of its earlier failures is mended.
    fn is_from_folder(self) -> bool {
        matches!(self, Self::Start | Self::Folder)
    }

    /// Whether it is the operator who wants the version loaded at once. What that uses is charged to the tenant, but its next
    /// deployments do not wait until all of it is paid for: a server that starts loads everything anew, and a tenant must not
    /// be kept from deploying because the operator started the server.
    fn is_at_once(self) -> bool {
        matches!(self, Self::Start | Self::Build)
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
    /// The version that served before; the same one where this version served already.
    pub older: Option<Arc<Plugin>>,
    /// What whoever deployed it should know.
    pub note: Option<&'static str>,
}

impl Deployed {
    /// Whether this version served already.
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
    /// Something is wrong with the component itself.
    Bad,
    /// Another plugin serves its path.
    Taken,
    /// The tenant has as many plugins as it may: `plugins-per-tenant`.
    TooMany,
    /// There was no time, or no memory, to load it.
    Busy,
    /// There is no such version.
    NoVersion,
    /// The folder in which its file belongs is a project.
    Project,
    /// The folder cannot be written.
    NotWritten,
}

impl NotDeployed {
    fn new(kind: RefusalKind, why: impl Into<String>) -> Self {
        Self { kind, why: why.into() }
    }

    /// The details go into the log alone: where files lie is the operator's business, not a tenant's.
    fn not_written(why: &anyhow::Error) -> Self {
        tracing::error!("cannot write a component into the plugin folder: {why:#}");
        Self::new(RefusalKind::NotWritten, "the plugin folder cannot be written")
    }
}

/// One change of a plugin under way. While it lives, no other change of the same tenant's plugins begins.
pub struct Change<'a> {
    deploys: &'a Deploys,
    key: &'a PluginKey,
    /// The account of the tenant, which pays for the change.
    account: Arc<Account>,
    _turn: TenantLock,
    _place: Option<OwnedSemaphorePermit>,
}

impl<'a> Change<'a> {
    pub async fn begin(deploys: &'a Deploys, key: &'a PluginKey) -> Self {
        let turn = deploys.changing.lock(&key.tenant).await;
        Self::at_turn(deploys, key, turn).await
    }

    /// Begins one for somebody who waits for it; fails where the tenant's other changes take too long.
    pub async fn begin_soon(deploys: &'a Deploys, key: &'a PluginKey) -> Result<Self, NotDeployed> {
        let begun = tokio::time::timeout(TURN_WAIT, Self::begin(deploys, key)).await;
        let words = "other changes of this tenant's plugins are under way";
        begun.map_err(|_| NotDeployed::new(RefusalKind::Busy, words))
    }

    /// Begins one as soon as the tenant has paid for what its last ones used. It waits without the turn and without a place,
    /// so that it keeps nobody from either: not the operator, nor another tenant.
    async fn begin_paid(deploys: &'a Deploys, key: &'a PluginKey) -> Self {
        let account = deploys.tenants.account(&key.tenant);
        loop {
            let turn = deploys.changing.lock(&key.tenant).await;
            let Some(wait) = account.cpu.deployment_wait() else { return Self::at_turn(deploys, key, turn).await };
            drop(turn);
            tokio::time::sleep(wait).await;
        }
    }

    async fn at_turn(deploys: &'a Deploys, key: &'a PluginKey, turn: TenantLock) -> Self {
        let account = deploys.tenants.account(&key.tenant);
        // The semaphore lives as long as the server.
        let place = Arc::clone(&deploys.at_once).acquire_owned().await.ok();
        Self { deploys, key, account, _turn: turn, _place: place }
    }

    /// Loads a component and lets it serve, without a span.
    async fn bring(&self, bytes: Bytes, by: DeployedBy) -> Result<Deployed, NotDeployed> {
        let older = self.deploys.fleet.get(self.key);
        let version = self.account.deploying(|| Loader::version_of(&bytes));
        if let Some(same) = older.as_ref().filter(|older| older.version == version) {
            // The folder may hold another version, which would serve after a restart.
            let note = if by == DeployedBy::Rollback { self.write(bytes).await? } else { None };
            if !by.is_from_folder() {
                self.deploys.fleet.try_again(same).await;
            }
            return Ok(Deployed { plugin: Arc::clone(same), older, note });
        }
        let loaded = self.load(&bytes, older.is_none()).await;
        if by.is_at_once() {
            self.account.cpu.forgive_deployments();
        }
        let plugin = loaded?;
        let note = if by.is_from_folder() { None } else { self.write(bytes.clone()).await? };
        self.keep(version, bytes).await;
        let plugin = self.deploys.fleet.put(plugin).map_err(|PathTaken { by, path }| self.taken(&path, &by))?;
        // Before rooms move: whoever is served by the version finds it in the history.
        self.tell(&plugin, older.as_deref(), by);
        self.deploys.fleet.swap(&plugin).await;
        Ok(Deployed { plugin, older, note })
    }

    /// Lets a kept version serve again: the one that is named, or the one that served before the current one.
    pub async fn roll_back(&self, version: Option<&str>) -> Result<Deployed, NotDeployed> {
        let (key, versions) = (self.key.clone(), self.deploys.versions.clone());
        let current = self.deploys.fleet.get(self.key).map(|plugin| plugin.version.clone());
        let wanted = version.map(str::to_owned);
        let read = self.blocking(move || {
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
                Err(NotDeployed::new(RefusalKind::Bad, "the kept version is damaged, or the server cannot read it"))
            }
        }
    }

    /// Takes the plugin out of service, unless its file has come back meanwhile.
    pub async fn retire(&self, file: &Path) {
        let (deploys, key) = (self.deploys, self.key);
        let looked = file.to_owned();
        if blocking(move || Ok(looked.exists())).await.unwrap_or(true) {
            return;
        }
        // A file that never served leaves nothing to retire.
        let Some(plugin) = deploys.fleet.retire(key) else { return };
        deploys.history.record(key, HistoryKind::Retired, Some(&plugin.version), "its file is gone");
        let (tenant, name, version) = (key.tenant.as_str(), key.plugin.as_str(), plugin.version.as_str());
        let file = file.display();
        tracing::info!(tenant, plugin = name, version, %file, "retired: its file is gone; its rooms' storage stays");
    }

    /// Compiles and rehearses a component, without letting it serve yet.
    async fn load(&self, bytes: &[u8], is_new: bool) -> Result<Plugin, NotDeployed> {
        let Self { deploys, key, .. } = self;
        let terms = deploys.tenants.terms(&key.tenant, &key.plugin);
        let max = terms.limits.plugins_per_tenant;
        if is_new && deploys.fleet.count(&key.tenant) >= max {
            return Err(NotDeployed::new(RefusalKind::TooMany, format!("plugins-per-tenant: at most {max}")));
        }
        // Each compilation has a bound of its own. This one also bounds the wait for other compilations and for CPU
        // time.
        let wait = Duration::from_millis(terms.limits.compile_wall_ms) * WAIT_COMPILATIONS;
        let loading = deploys.loader.load_bytes((*key).clone(), bytes, terms);
        let plugin = match tokio::time::timeout(wait, loading).await {
            Ok(Ok(plugin)) => plugin,
            Ok(Err(why)) => {
                let kind = if is_of_component(&why) { RefusalKind::Bad } else { RefusalKind::Busy };
                return Err(NotDeployed::new(kind, format!("{why:#}")));
            }
            Err(_) => return Err(NotDeployed::new(RefusalKind::Busy, "the server was too busy to load it in time")),
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

    /// Writes the component to its place in the folder, so that a restart serves the same version. Answers what whoever
    /// deploys should know.
    async fn write(&self, bytes: Bytes) -> Result<Option<&'static str>, NotDeployed> {
        let (folder, key) = (self.deploys.folder.clone(), self.key.clone());
        let written = self.blocking(move || {
            let Some(file) = place::of(&folder, &key)? else { return Ok(None) };
            place::write(&file, &bytes).map(Some)
        });
        match written.await {
            Ok(Some(replaced_link)) => Ok(replaced_link.then_some(place::LINK_REPLACED)),
            Ok(None) => Err(NotDeployed::new(RefusalKind::Project, "the tenant's folder holds a project")),
            Err(why) => Err(NotDeployed::not_written(&why)),
        }
    }

    /// Keeps the version to roll back to. Where that fails, the log says so and the version serves all the same.
    async fn keep(&self, version: String, bytes: Bytes) {
        let (key, versions) = (self.key.clone(), self.deploys.versions.clone());
        let max = self.deploys.tenants.layers(&key.tenant, None).limits().versions_kept;
        if let Err(why) = self.blocking(move || versions.keep(&key, &version, &bytes, max)).await {
            tracing::error!("cannot keep a version of {} to roll back to: {why:#}", self.key);
        }
    }

    /// Runs work that waits for a disk, and charges it.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> anyhow::Result<T> + Send + 'static,
    ) -> anyhow::Result<T> {
        let account = Arc::clone(&self.account);
        blocking(move || account.deploying(work)).await
    }

    /// Writes the change into the history and the log.
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

/// Whether a component does not load because of what it is, and not because the machine is busy or full.
fn is_of_component(why: &anyhow::Error) -> bool {
    why.downcast_ref().is_none_or(OpenError::is_of_code) && why.downcast_ref::<Prevented>().is_none()
}

/// Runs work that waits for a disk on a thread where it holds up nobody.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> anyhow::Result<T> + Send + 'static) -> anyhow::Result<T> {
    tokio::task::spawn_blocking(work).await.context("a bug in the server")?
}
