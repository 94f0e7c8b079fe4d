//! Tenants: where they are served, who may connect, and what they use.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::model::names::{PluginName, TenantName};

/// What the operator says of a plugin.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PluginSettings {
    /// What the plugin reads with `config.get`.
    pub config: BTreeMap<String, String>,
    /// Whether clients of a plugin without `authorize` may choose their channels with `?channels=`.
    pub client_channels: bool,
}

/// What the operator says of a tenant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TenantSettings {
    /// Host names at whose root the tenant is served.
    pub hosts: Vec<String>,
    /// Origins whose pages may connect; all where empty.
    pub origins: Vec<String>,
    pub plugins: BTreeMap<PluginName, PluginSettings>,
}

/// The tenants that the configuration knows, and what all tenants use now.
#[derive(Debug, Default)]
pub struct Tenants {
    settings: BTreeMap<TenantName, TenantSettings>,
    by_host: HashMap<String, TenantName>,
    sockets: parking_lot::Mutex<HashMap<TenantName, Arc<AtomicUsize>>>,
}

/// A place among a tenant's sockets, given back when it is dropped.
#[derive(Debug)]
pub struct SocketPlace(Arc<AtomicUsize>);

impl Tenants {
    pub fn new(settings: BTreeMap<TenantName, TenantSettings>) -> Self {
        let by_host = settings
            .iter()
            .flat_map(|(tenant, settings)| settings.hosts.iter().map(|host| (host.clone(), tenant.clone())))
            .collect();
        Self { settings, by_host, sockets: parking_lot::Mutex::default() }
    }

    /// Whose host name this is.
    pub fn at_host(&self, host: &str) -> Option<&TenantName> {
        self.by_host.get(host)
    }

    /// What the operator says of a plugin, or the defaults.
    pub fn plugin_settings(&self, tenant: &TenantName, plugin: &PluginName) -> PluginSettings {
        let settings = self.settings.get(tenant).and_then(|settings| settings.plugins.get(plugin));
        settings.cloned().unwrap_or_default()
    }

    /// Whether a page of this origin may connect to the tenant's rooms.
    pub fn allows_origin(&self, tenant: &TenantName, origin: &str) -> bool {
        match self.settings.get(tenant) {
            Some(settings) if !settings.origins.is_empty() => {
                settings.origins.iter().any(|allowed| allowed.eq_ignore_ascii_case(origin))
            }
            _ => true,
        }
    }

    /// Takes a place among a tenant's sockets, of which there are `max`.
    pub fn take_socket_place(&self, tenant: &TenantName, max: usize) -> Option<SocketPlace> {
        let count = Arc::clone(self.sockets.lock().entry(tenant.clone()).or_default());
        let place = SocketPlace(Arc::clone(&count));
        // The place is counted first and given back when there is none: two who ask at once never both get the last.
        if count.fetch_add(1, Ordering::AcqRel) < max { Some(place) } else { None }
    }
}

impl Drop for SocketPlace {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}
