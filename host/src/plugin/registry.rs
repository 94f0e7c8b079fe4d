//! Which plugins serve, and at which paths.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use parking_lot::RwLock;

use super::loader::Plugin;
use crate::model::names::{PluginKey, TenantName};

/// Two plugins of one tenant claim one path.
#[derive(Debug)]
pub struct PathTaken {
    pub by: PluginKey,
}

/// The plugins of every tenant. Read at each upgrade, changed when a file changes.
#[derive(Debug, Default)]
pub struct Registry {
    plugins: RwLock<Plugins>,
}

#[derive(Debug, Default)]
struct Plugins {
    by_key: BTreeMap<PluginKey, Arc<Plugin>>,
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
            return Err(PathTaken { by: other.key.clone() });
        }
        if let Some(older) = by_key.insert(plugin.key.clone(), Arc::clone(&plugin)) {
            paths.remove(older.path.as_str());
        }
        paths.insert(plugin.path.as_str().to_owned(), Arc::clone(&plugin));
        Ok(plugin)
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
        self.plugins.read().by_key.get(key).cloned()
    }

    /// All of them, by tenant and name.
    pub fn all(&self) -> Vec<Arc<Plugin>> {
        self.plugins.read().by_key.values().cloned().collect()
    }
}
