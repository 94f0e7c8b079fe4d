//! Tenants: where they are served, who may connect, the settings of their plugins, and what they use.

pub mod account;
pub mod aside;
pub mod charge;
pub mod costs;
mod cpu;
pub mod demand;
mod imports;
pub mod lane;
pub mod latency;
mod line;
pub mod locks;
pub mod log;
pub mod log_gate;
mod pace;
mod share;
pub mod tapes;
mod totals;
mod verdict;

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use crate::live::Live;
use crate::model::durability::Durability;
use crate::model::limits::{Layers, Limits};
use crate::model::names::{PluginKey, PluginName, TenantName};
use crate::model::recording::Recording;
use crate::model::secret::Secret;
use crate::model::web::{HostName, PageOrigin};
use crate::storage::{Payer, Payers};
use crate::traces::Traces;
use tapes::{TapePlace, TapeRules};

pub use account::Account;
pub use demand::Demand;
pub use imports::{Imports, OFFERED};
pub use pace::{Pace, PaceKind, Paced, RoomPace};
pub use totals::Totals;

/// The operator's settings of a plugin.
#[derive(Debug, Clone, Default)]
pub struct PluginSettings {
    /// The values that the plugin reads with `config.get`.
    pub config: BTreeMap<String, String>,
    /// Whether clients may choose their channels with `?channels=`, if the plugin has no `authorize`.
    pub client_channels: bool,
    pub durability: Durability,
    /// The WebSocket subprotocols that clients may ask for.
    pub subprotocols: Vec<String>,
    /// Whether its rooms record their turns.
    pub record: Recording,
    pub limits: Layers,
}

/// The operator's settings of a tenant.
#[derive(Debug, Clone)]
pub struct TenantSettings {
    /// The host names at whose root the tenant is served.
    pub hosts: Vec<HostName>,
    /// The origins whose pages may connect. If it is empty, all may.
    pub origins: Vec<PageOrigin>,
    /// The token for the tenant's own part of the API.
    pub token: Option<Secret>,
    /// The interfaces that its plugins may import.
    pub imports: Imports,
    /// Whether the server builds scripts in the tenant's folder.
    pub scripts: bool,
    /// Whether clients of Socket.IO are served.
    pub socket_io: bool,
    /// The plugin that serves Socket.IO's namespace `/` where none has the path `/`.
    pub socket_io_default: Option<PluginName>,
    /// The limits of the tenant, and of its plugins without limits of their own.
    pub limits: Layers,
    pub plugins: BTreeMap<PluginName, PluginSettings>,
}

impl Default for TenantSettings {
    fn default() -> Self {
        Self {
            hosts: Vec::new(),
            origins: Vec::new(),
            token: None,
            imports: Imports::default(),
            scripts: false,
            socket_io: true,
            socket_io_default: None,
            limits: Layers::default(),
            plugins: BTreeMap::new(),
        }
    }
}

/// All settings that apply to one plugin, and where its use is counted.
#[derive(Debug, Clone)]
pub struct Terms {
    pub config: BTreeMap<String, String>,
    pub client_channels: bool,
    pub durability: Durability,
    pub subprotocols: Vec<String>,
    pub imports: Imports,
    pub limits: Arc<Limits>,
    /// The account of the tenant, which the plugin's use is charged to.
    pub account: Arc<Account>,
    /// The plugin's counters.
    pub totals: Arc<Totals>,
    /// How its rooms are recorded; none where they are not.
    pub tapes: Option<TapeRules>,
}

/// The settings of all tenants, and the accounts of those that have a plugin.
#[derive(Debug)]
pub struct Tenants {
    settings: BTreeMap<TenantName, TenantSettings>,
    /// The settings of tenants that the configuration does not name.
    unnamed: TenantSettings,
    by_host: HashMap<HostName, TenantName>,
    demand: Arc<Demand>,
    /// Who watches what tenants' plugins do.
    live: Arc<Live>,
    accounts: Mutex<BTreeMap<TenantName, Arc<Account>>>,
    /// Configuration that projects suggest for their own plugins, under `parlor dev`.
    suggested: Mutex<BTreeMap<PluginName, BTreeMap<String, String>>>,
    /// Where tapes go; none where nothing records.
    tapes: Option<TapePlace>,
    /// Where spans go; none where the operator wants none.
    traces: Option<Arc<Traces>>,
}

impl Tenants {
    /// `host` are the limits of the server, `threads` is the number of its threads that run plugins.
    pub fn new(settings: BTreeMap<TenantName, TenantSettings>, host: Layers, threads: usize) -> Self {
        let by_host = settings
            .iter()
            .flat_map(|(tenant, settings)| settings.hosts.iter().map(|host| (host.clone(), tenant.clone())))
            .collect();
        let unnamed = TenantSettings { limits: host, ..TenantSettings::default() };
        let (live, accounts, suggested, tapes, traces) = Default::default();
        Self { settings, unnamed, by_host, demand: Demand::new(threads), live, accounts, suggested, tapes, traces }
    }

    /// Who watches what tenants' plugins do.
    pub fn live(&self) -> &Arc<Live> {
        &self.live
    }

    /// From now on, plugins that are loaded record into this place.
    pub fn taping(self, place: TapePlace) -> Self {
        Self { tapes: Some(place), ..self }
    }

    /// Spans of what tenants do go there. Comes before any account.
    pub fn tracing(self, traces: Option<Arc<Traces>>) -> Self {
        Self { traces, ..self }
    }

    /// Where spans go; none where the operator wants none.
    pub fn traces(&self) -> Option<&Arc<Traces>> {
        self.traces.as_ref()
    }

    /// Where a plugin's tapes are, and what the name of each begins with; none where nothing records.
    pub fn tape_folder(&self, tenant: &TenantName, plugin: &PluginName) -> Option<(PathBuf, String)> {
        Some(match self.tapes.as_ref()? {
            TapePlace::Dev(folder) | TapePlace::Simulated(folder) => (folder.clone(), format!("{plugin}-")),
            TapePlace::Served(tapes) => (tapes.join(tenant.as_str()).join(plugin.as_str()), String::new()),
        })
    }

    /// How a plugin's rooms are recorded; none where they are not.
    fn tape_rules(&self, tenant: &TenantName, plugin: &PluginName) -> Option<TapeRules> {
        let recording = self.settings(tenant).plugins.get(plugin).map(|own| own.record).unwrap_or_default();
        let (folder, _) = self.tape_folder(tenant, plugin)?;
        TapeRules::new(self.tapes.as_ref()?, folder, recording)
    }

    /// The tenant that is served at a host name.
    pub fn at_host(&self, host: &HostName) -> Option<&TenantName> {
        self.by_host.get(host)
    }

    /// The operator's settings of a tenant, or the defaults.
    pub fn settings(&self, tenant: &TenantName) -> &TenantSettings {
        self.settings.get(tenant).unwrap_or(&self.unnamed)
    }

    /// The tenants that the configuration names, with their settings.
    pub fn named(&self) -> &BTreeMap<TenantName, TenantSettings> {
        &self.settings
    }

    /// The limits of a tenant or of one of its plugins, with the source of each.
    pub fn layers(&self, tenant: &TenantName, plugin: Option<&PluginName>) -> &Layers {
        let settings = self.settings(tenant);
        plugin.and_then(|plugin| settings.plugins.get(plugin)).map_or(&settings.limits, |plugin| &plugin.limits)
    }

    /// Collects all settings that apply to a plugin.
    pub fn terms(&self, tenant: &TenantName, plugin: &PluginName) -> Terms {
        let settings = self.settings(tenant);
        let own = settings.plugins.get(plugin);
        let account = self.account(tenant);
        let limits = self.layers(tenant, Some(plugin)).limits().clone();
        Terms {
            config: self.config(tenant, plugin, own),
            client_channels: own.is_some_and(|own| own.client_channels),
            durability: own.map(|own| own.durability).unwrap_or_default(),
            subprotocols: own.map(|own| own.subprotocols.clone()).unwrap_or_default(),
            imports: settings.imports.clone(),
            totals: account.totals(plugin, &limits),
            limits: Arc::new(limits),
            tapes: self.tape_rules(tenant, plugin),
            account,
        }
    }

    /// Sets the configuration that a project suggests for its plugin of the tenant `default`. Where the operator sets a
    /// key as well, the operator's value counts.
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

    /// Whether pages of an origin, as an `Origin` header names it, may connect to the tenant's rooms.
    pub fn allows_origin(&self, tenant: &TenantName, origin: &str) -> bool {
        let origins = &self.settings(tenant).origins;
        origins.is_empty() || origins.iter().any(|allowed| allowed.matches(origin))
    }

    /// Whether the tenant lists the origins whose pages may connect, each by its name.
    pub fn names_origins(&self, tenant: &TenantName) -> bool {
        let origins = &self.settings(tenant).origins;
        !origins.is_empty() && origins.iter().all(|origin| origin.as_str() != PageOrigin::ANY)
    }

    /// The account of a tenant. The first call opens it.
    pub fn account(&self, tenant: &TenantName) -> Arc<Account> {
        let mut accounts = self.accounts.lock();
        let account = accounts.entry(tenant.clone()).or_insert_with(|| {
            let limits = self.settings(tenant).limits.limits().clone();
            let account = Account::new(tenant.clone(), limits, &self.demand).watched(Arc::clone(&self.live));
            Arc::new(account.traced(self.traces.as_ref()))
        });
        Arc::clone(account)
    }

    /// The counters of a plugin of which a version is loaded.
    fn known_totals(&self, tenant: &str, plugin: &str) -> Option<Arc<Totals>> {
        let account = self.accounts.lock().get(tenant).cloned();
        account.and_then(|account| account.known_totals(plugin))
    }

    /// Says in the operator's log how many lines it had to do without.
    pub fn tell_left_out(&self) {
        for account in self.accounts() {
            for (plugin, totals) in account.all_totals() {
                totals.log.tell_left_out(&PluginKey { tenant: account.tenant.clone(), plugin });
            }
        }
    }

    /// All accounts, by name.
    pub fn accounts(&self) -> Vec<Arc<Account>> {
        self.accounts.lock().values().cloned().collect()
    }
}

/// Storage works for tenants on threads of its own, and each pays for that.
impl Payers for Tenants {
    fn payer(&self, tenant: &TenantName) -> Arc<dyn Payer> {
        Arc::clone(&self.account(tenant).cpu) as _
    }
}

impl Payer for cpu::CpuBucket {
    fn charge(&self, cpu: Duration) {
        self.charge(cpu.as_nanos() as u64);
    }

    fn owes(&self) -> Duration {
        self.owes_now()
    }

    fn weight(&self) -> u32 {
        self.weight()
    }
}
