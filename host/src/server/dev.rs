//! What `parlor dev` tells the server about its projects: where their pages are, what they configure, and how their last
//! build went.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::RwLock;
use serde::Serialize;

use crate::deploy::{Change, DeployedBy, Deploys, HistoryKind};
use crate::model::names::{PluginKey, PluginName};
use crate::plugin::loader::Loader;

/// Where npm puts packages, in a project's folder or in one above.
pub const PACKAGES: &str = "node_modules";

/// What the server knows of the projects of `parlor dev`.
#[derive(Debug, Default)]
pub struct DevProjects {
    pages: RwLock<BTreeMap<PluginName, PathBuf>>,
    /// The configuration that each project sets for its plugin.
    configs: RwLock<BTreeMap<PluginName, BTreeMap<String, String>>>,
    /// By project: the name of its plugin, or of its folder while the plugin has no name yet.
    builds: RwLock<BTreeMap<String, BuildReport>>,
    /// Counts what was said of builds, so that whoever watches knows that there is something new.
    changes: AtomicU64,
}

/// How the last build of a project went.
#[derive(Debug, Clone, Serialize)]
pub struct BuildReport {
    pub project: String,
    pub state: BuildState,
    /// What the compiler said, without colours; empty where all is well.
    pub words: String,
    /// From the save to the moment when the server served or refused the new version.
    pub seconds: Option<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum BuildState {
    Building,
    Served,
    /// It does not build, or the server refuses what came out.
    Failed,
}

impl DevProjects {
    /// The folder of a plugin's pages; none where it has none.
    pub fn pages_of(&self, plugin: &PluginName) -> Option<PathBuf> {
        self.pages.read().get(plugin).filter(|folder| folder.is_dir()).cloned()
    }

    /// The folder with the builds of Socket.IO's client for browsers, where node would find that package from a plugin's
    /// pages; none where nobody installed it.
    pub fn socket_io_client_of(&self, plugin: &PluginName) -> Option<PathBuf> {
        let pages = self.pages_of(plugin)?.canonicalize().ok()?;
        Some(installed(&pages, "socket.io-client")?.join("dist"))
    }

    /// Notes where a plugin's pages are. The folder need not exist yet.
    pub fn set_pages(&self, plugin: PluginName, folder: PathBuf) {
        self.pages.write().insert(plugin, folder);
    }

    pub fn set_config(&self, plugin: PluginName, config: BTreeMap<String, String>) {
        self.configs.write().insert(plugin, config);
    }

    /// The configuration that each project sets for its plugin.
    pub fn configs(&self) -> BTreeMap<PluginName, BTreeMap<String, String>> {
        self.configs.read().clone()
    }

    /// Notes how a build goes.
    pub fn tell(&self, build: BuildReport) {
        self.builds.write().insert(build.project.clone(), build);
        self.changes.fetch_add(1, Ordering::Relaxed);
    }

    /// Forgets the build of a project that is gone, or that has another name now.
    pub fn forget(&self, project: &str) {
        self.builds.write().remove(project);
        self.changes.fetch_add(1, Ordering::Relaxed);
    }

    /// How often something was said of builds.
    pub fn changes(&self) -> u64 {
        self.changes.load(Ordering::Relaxed)
    }

    /// How the last build of each project went, by name.
    pub fn builds(&self) -> Vec<BuildReport> {
        self.builds.read().values().cloned().collect()
    }
}

/// Where node finds a package from a folder.
pub fn installed(folder: &Path, package: &str) -> Option<PathBuf> {
    folder.ancestors().map(|above| above.join(PACKAGES).join(package)).find(|place| place.is_dir())
}

/// Serves a component that `parlor dev` built, and writes it into the plugin folder. Answers whether it differs from
/// the one before, or why the server refuses it.
pub async fn serve(deploys: &Deploys, key: &PluginKey, component: Vec<u8>) -> Result<bool, String> {
    let version = Loader::version_of(&component);
    match Change::begin(deploys, key).await.deploy(component.into(), DeployedBy::Build).await {
        Ok(deployed) => Ok(!deployed.unchanged()),
        Err(refused) => {
            deploys.history.record(key, HistoryKind::Refused, Some(&version), refused.why.clone());
            Err(refused.why)
        }
    }
}
