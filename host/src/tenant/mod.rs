//! Tenants: where they are served, who may connect, what holds for their plugins, and what they use.

pub mod account;
mod cpu;
mod imports;
pub mod lane;
mod pace;
mod totals;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use parking_lot::Mutex;

use crate::model::durability::Durability;
use crate::model::limits::{Layers, Limits};
use crate::model::names::{PluginName, TenantName};
use crate::model::secret::Secret;

pub use account::Account;
pub use imports::{Imports, OFFERED};
pub use pace::Pace;
pub use totals::Totals;

/// What the operator says of a plugin.
#[derive(Debug, Clone, Default)]
pub struct PluginSettings {
    /// What the plugin reads with `config.get`.
    pub config: BTreeMap<String, String>,
    /// Whether clients of a plugin without `authorize` may choose their channels with `?channels=`.
    pub client_channels: bool,
    pub durability: Durability,
    pub limits: Layers,
}

/// What the operator says of a tenant.
#[derive(Debug, Clone, Default)]
pub struct TenantSettings {
    /// Host names at whose root the tenant is served.
    pub hosts: Vec<String>,
    /// Origins whose pages may connect; all where empty.
    pub origins: Vec<String>,
    /// Opens what is the tenant's own in the API.
    pub token: Option<Secret>,
    /// What its plugins may import.
    pub imports: Imports,
    /// The bounds of the tenant, and of its plugins that have no table of their own.
    pub limits: Layers,
    pub plugins: BTreeMap<PluginName, PluginSettings>,
}

/// What holds for one plugin.
#[derive(Debug, Clone)]
pub struct Terms {
    pub config: BTreeMap<String, String>,
    pub client_channels: bool,
    pub durability: Durability,
    pub imports: Imports,
    pub limits: Arc<Limits>,
    /// Whom its use is charged to.
    pub account: Arc<Account>,
    /// Where what the plugin does is counted.
    pub totals: Arc<Totals>,
}

/// The tenants that the configuration knows, and what all tenants use now.
#[derive(Debug)]
pub struct Tenants {
    settings: BTreeMap<TenantName, TenantSettings>,
    /// For tenants of which nothing is said.
    unnamed: TenantSettings,
    by_host: HashMap<String, TenantName>,
    threads: usize,
    accounts: Mutex<BTreeMap<TenantName, Arc<Account>>>,
    /// What the projects of `parlor dev` say of their own plugins.
    suggested: Mutex<BTreeMap<PluginName, BTreeMap<String, String>>>,
}

impl Tenants {
    /// `host` are the bounds of the whole server, `threads` the number of its threads that run plugins.
    pub fn new(settings: BTreeMap<TenantName, TenantSettings>, host: Layers, threads: usize) -> Self {
        let by_host = settings
            .iter()
            .flat_map(|(tenant, settings)| settings.hosts.iter().map(|host| (host.clone(), tenant.clone())))
            .collect();
        let unnamed = TenantSettings { limits: host, ..TenantSettings::default() };
        Self { settings, unnamed, by_host, threads, accounts: Mutex::default(), suggested: Mutex::default() }
    }

    /// Whose host name this is.
    pub fn at_host(&self, host: &str) -> Option<&TenantName> {
        self.by_host.get(host)
    }

    /// What the operator says of a tenant, or the defaults.
    pub fn settings(&self, tenant: &TenantName) -> &TenantSettings {
        self.settings.get(tenant).unwrap_or(&self.unnamed)
    }

    /// The tenants that the configuration names, with what it says of each.
    pub fn named(&self) -> &BTreeMap<TenantName, TenantSettings> {
        &self.settings
    }

    /// The bounds of a tenant or of one of its plugins, and who set each.
    pub fn layers(&self, tenant: &TenantName, plugin: Option<&PluginName>) -> &Layers {
        let settings = self.settings(tenant);
        plugin.and_then(|plugin| settings.plugins.get(plugin)).map_or(&settings.limits, |plugin| &plugin.limits)
    }

    /// What holds for a plugin.
    pub fn terms(&self, tenant: &TenantName, plugin: &PluginName) -> Terms {
        let settings = self.settings(tenant);
        let own = settings.plugins.get(plugin);
        let account = self.account(tenant);
        Terms {
            config: self.config(tenant, plugin, own),
            client_channels: own.is_some_and(|own| own.client_channels),
            durability: own.map(|own| own.durability).unwrap_or_default(),
            imports: settings.imports.clone(),
            limits: Arc::new(self.layers(tenant, Some(plugin)).limits().clone()),
            totals: account.totals(plugin),
            account,
        }
    }

    /// What a project says of the configuration of its plugin, which is the tenant `default`'s. What the operator says of a
    /// key counts before it.
    pub fn suggest(&self, plugin: &PluginName, config: &BTreeMap<String, String>) {
        self.suggested.lock().insert(plugin.clone(), config.clone());
    }

    fn config(
        &self,
        tenant: &TenantName,
        plugin: &PluginName,
        own: Option<&PluginSettings>,
    ) -> BTreeMap<String, String> {
        let suggested = self.suggested.lock().get(plugin).filter(|_| tenant.is_default()).cloned();
        let mut config = suggested.unwrap_or_default();
        config.extend(own.map(|own| own.config.clone()).unwrap_or_default());
        config
    }

    /// Whether a page of this origin may connect to the tenant's rooms.
    pub fn allows_origin(&self, tenant: &TenantName, origin: &str) -> bool {
        let origins = &self.settings(tenant).origins;
        origins.is_empty() || origins.iter().any(|allowed| allowed.eq_ignore_ascii_case(origin))
    }

    /// What a tenant uses; opened at its first plugin.
    pub fn account(&self, tenant: &TenantName) -> Arc<Account> {
        let mut accounts = self.accounts.lock();
        let account = accounts.entry(tenant.clone()).or_insert_with(|| {
            let limits = self.settings(tenant).limits.limits().clone();
            Arc::new(Account::new(tenant.clone(), limits, self.threads))
        });
        Arc::clone(account)
    }

    /// All accounts, by name.
    pub fn accounts(&self) -> Vec<Arc<Account>> {
        self.accounts.lock().values().cloned().collect()
    }
}
