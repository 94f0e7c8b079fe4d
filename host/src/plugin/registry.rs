//! Which plugins serve, and at which paths.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::RwLock;

use super::loader::Plugin;
use crate::model::names::{PluginKey, TenantName};

/// Two plugins of one tenant claim one path.
#[derive(Debug)]
pub struct PathTaken {
    pub path: String,
    pub by: PluginKey,
}

/// The plugins of every tenant. Read at each upgrade, changed when a file changes.
#[derive(Debug, Default)]
pub struct Registry {
    plugins: RwLock<Plugins>,
    /// How often a path or a place among a tenant's plugins became free.
    freed: AtomicU64,
}

/// What is kept of a plugin. Older versions live for as long as a room runs them, and no longer: their code takes memory.
#[derive(Debug)]
struct Served {
    current: Arc<Plugin>,
    /// What was served before it, to step back to.
    previous: Option<Arc<Plugin>>,
}

#[derive(Debug, Default)]
struct Plugins {
    by_key: BTreeMap<PluginKey, Served>,
    by_path: HashMap<TenantName, HashMap<String, Arc<Plugin>>>,
}

impl Registry {
    /// Lets a plugin serve its path, in place of an older version of the same plugin where there is one. A path that
    /// another plugin of the tenant serves stays with that.
    pub fn put(&self, plugin: Plugin) -> Result<Arc<Plugin>, PathTaken> {
        let plugin = Arc::new(plugin);
        let mut plugins = self.plugins.write();
        let Plugins { by_key, by_path } = &mut *plugins;
        let paths = by_path.entry(plugin.key.tenant.clone()).or_default();
        if let Some(other) = paths.get(plugin.path.as_str()).filter(|other| other.key != plugin.key) {
            return Err(PathTaken { path: plugin.path.to_string(), by: other.key.clone() });
        }
        let older = by_key.remove(&plugin.key).map(|served| served.current);
        if let Some(older) = older.as_ref().filter(|older| older.path != plugin.path) {
            paths.remove(older.path.as_str());
            self.freed.fetch_add(1, Ordering::Relaxed);
        }
        paths.insert(plugin.path.as_str().to_owned(), Arc::clone(&plugin));
        by_key.insert(plugin.key.clone(), Served { current: Arc::clone(&plugin), previous: older });
        Ok(plugin)
    }

    /// Takes a plugin out of service: its path leads nowhere from now on.
    pub fn remove(&self, key: &PluginKey) -> Option<Arc<Plugin>> {
        let mut plugins = self.plugins.write();
        let removed = plugins.by_key.remove(key)?.current;
        if let Some(paths) = plugins.by_path.get_mut(&key.tenant) {
            paths.remove(removed.path.as_str());
        }
        self.freed.fetch_add(1, Ordering::Relaxed);
        Some(removed)
    }

    /// Changes whenever a path or a place among a tenant's plugins becomes free: what was refused for want of one may
    /// be tried again.
    pub fn freed(&self) -> u64 {
        self.freed.load(Ordering::Relaxed)
    }

    /// How many plugins a tenant has.
    pub fn count(&self, tenant: &TenantName) -> usize {
        self.plugins.read().by_path.get(tenant).map_or(0, HashMap::len)
    }

    /// The plugin that serves a path of a tenant. The path matches exactly.
    pub fn at(&self, tenant: &TenantName, path: &str) -> Option<Arc<Plugin>> {
        self.plugins.read().by_path.get(tenant)?.get(path).cloned()
    }

    pub fn get(&self, key: &PluginKey) -> Option<Arc<Plugin>> {
        self.plugins.read().by_key.get(key).map(|served| Arc::clone(&served.current))
    }

    /// The version that was served before the current one.
    pub fn previous(&self, key: &PluginKey) -> Option<Arc<Plugin>> {
        self.plugins.read().by_key.get(key)?.previous.clone()
    }

    /// All of them, by tenant and name.
    pub fn all(&self) -> Vec<Arc<Plugin>> {
        self.plugins.read().by_key.values().map(|served| Arc::clone(&served.current)).collect()
    }
}
