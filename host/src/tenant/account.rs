//! What one tenant uses and may use. Every counter is right at any moment, and reading or changing one takes no lock.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use tokio::sync::Notify;

use super::cpu::CpuBucket;
use super::demand::Demand;
use super::lane::{self, Lane};
use super::log::{LogRates, PluginLog};
use super::share::CpuShare;
use super::totals::Totals;
use crate::clock::thread_cpu_ns;
use crate::live::Live;
use crate::model::history::HistoryMemory;
use crate::model::limits::Limits;
use crate::model::names::{PluginKey, PluginName, TenantName};
use crate::traces::{TenantTraces, Traces};

/// One tenant's account.
#[derive(Debug)]
pub struct Account {
    pub tenant: TenantName,
    /// The tenant's limits. Its plugins may have their own.
    pub limits: Arc<Limits>,
    pub cpu: Arc<CpuBucket>,
    /// Sockets, counted from their upgrade on.
    pub sockets: Arc<Counter>,
    /// Those of them whose line broke, and whose clients may come back.
    pub detached: Arc<Counter>,
    /// Open rooms.
    pub rooms: Arc<Counter>,
    /// Rooms that hold an instance.
    pub awake: Arc<Counter>,
    /// Bytes of the memories and tables of its instances.
    pub memory: Arc<Counter>,
    /// Bytes of what was said to channels whose history its rooms keep; they are in `memory` as well.
    pub histories: Arc<Counter>,
    /// Bytes of the keys and values of its rooms.
    pub storage: Arc<Counter>,
    /// Bytes queued for its sockets.
    pub outbound: Arc<Counter>,
    /// What its plugins write into the operator's log.
    log: Arc<LogRates>,
    /// Who watches what its plugins do.
    live: Arc<Live>,
    /// Where spans of what it does go; none where the operator wants none.
    pub traces: Option<Arc<TenantTraces>>,
    /// Notified by whoever waits to open a room: an idle room of the tenant should give way.
    pub wanted: Notify,
    /// One lane for each thread that runs plugins, and one for all other threads.
    lanes: Vec<Arc<Lane>>,
    /// By plugin, while a version of it is loaded. Anybody can upload under any name, so a name alone keeps nothing
    /// here.
    totals: Mutex<BTreeMap<PluginName, Weak<Totals>>>,
}

impl Account {
    /// `demand` is what all tenants want of the threads that run plugins.
    pub fn new(tenant: TenantName, limits: Limits, demand: &Arc<Demand>) -> Self {
        let share = CpuShare::new(limits.tenant_cpu_weight, demand.cores());
        let cpu = Arc::new(CpuBucket::new(limits.tenant_cpu_percent, limits.tenant_cpu_burst_ms, share));
        // Other threads have no line that tenants share.
        let threads = demand.threads().iter().cloned().chain([Arc::default()]);
        let lanes = threads.map(|thread| Arc::new(Lane::new(Arc::clone(&cpu), thread, Arc::clone(demand)))).collect();
        let counter = |max| Arc::new(Counter::new(max));
        Self {
            tenant,
            sockets: counter(limits.sockets_per_tenant),
            detached: counter(limits.detached_per_tenant),
            rooms: counter(limits.rooms_per_tenant),
            awake: counter(limits.awake_rooms_per_tenant),
            memory: counter(limits.memory_tenant_bytes),
            histories: counter(usize::MAX),
            storage: counter(limits.storage_tenant_bytes),
            outbound: counter(limits.outbound_tenant_bytes),
            log: Arc::new(LogRates::new(limits.log_tenant_bytes_per_second, limits.log_tenant_bytes_burst)),
            live: Arc::default(),
            traces: None,
            limits: Arc::new(limits),
            cpu,
            wanted: Notify::new(),
            lanes,
            totals: Mutex::default(),
        }
    }

    /// The account, whose plugins these people watch.
    pub fn watched(self, live: Arc<Live>) -> Self {
        Self { live, ..self }
    }

    /// The account, of whose plugins these spans tell.
    pub fn traced(self, traces: Option<&Arc<Traces>>) -> Self {
        let per_second = self.limits.spans_per_second;
        let of_tenant = |traces: &Arc<Traces>| Arc::new(TenantTraces::new(Arc::clone(traces), per_second));
        Self { traces: traces.map(of_tenant), ..self }
    }

    /// The counters of a plugin, which all its loaded versions share. They begin at 0 if no version is loaded. `limits` are
    /// the plugin's own.
    pub fn totals(&self, plugin: &PluginName, limits: &Limits) -> Arc<Totals> {
        let mut known = self.totals.lock();
        if let Some(totals) = known.get(plugin).and_then(Weak::upgrade) {
            return totals;
        }
        known.retain(|_, totals| totals.strong_count() > 0);
        let key = PluginKey { tenant: self.tenant.clone(), plugin: plugin.clone() };
        let log = PluginLog::new(key.clone(), limits, Arc::clone(&self.log), Arc::clone(&self.live));
        let totals = Arc::new(Totals::new(key, log));
        known.insert(plugin.clone(), Arc::downgrade(&totals));
        totals
    }

    /// The counters of a plugin of which a version is loaded.
    pub fn known_totals(&self, plugin: &str) -> Option<Arc<Totals>> {
        self.totals.lock().get(plugin).and_then(Weak::upgrade)
    }

    /// The counters of each plugin of which a version is loaded.
    pub fn all_totals(&self) -> Vec<(PluginName, Arc<Totals>)> {
        let known = self.totals.lock();
        known.iter().filter_map(|(plugin, totals)| Some((plugin.clone(), totals.upgrade()?))).collect()
    }

    /// Runs work that brings a version of the tenant's into service, and charges what this thread executes meanwhile.
    pub fn deploying<T>(&self, work: impl FnOnce() -> T) -> T {
        let before = thread_cpu_ns();
        let done = work();
        self.cpu.charge_deployment(thread_cpu_ns().saturating_sub(before));
        done
    }

    /// The tenant's lane on the calling thread.
    pub fn lane(&self) -> &Arc<Lane> {
        &self.lanes[lane::thread_number().min(self.lanes.len() - 1)]
    }
}

impl HistoryMemory for Account {
    fn take(&self, bytes: usize) -> bool {
        let fits = self.memory.take(bytes);
        if fits {
            self.histories.add(bytes);
        }
        fits
    }

    fn add(&self, bytes: usize) {
        self.memory.add(bytes);
        self.histories.add(bytes);
    }

    fn give(&self, bytes: usize) {
        self.memory.give(bytes);
        self.histories.give(bytes);
    }
}

/// Counts how much of something is in use, up to a limit.
#[derive(Debug)]
pub struct Counter {
    used: AtomicUsize,
    max: usize,
}

impl Counter {
    pub fn new(max: usize) -> Self {
        Self { used: AtomicUsize::new(0), max }
    }

    pub fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    pub fn max(&self) -> usize {
        self.max
    }

    /// Takes `amount` if that stays within the limit. Of two callers at once, at most one gets the last of it.
    pub fn take(&self, amount: usize) -> bool {
        let within = |used: usize| used.checked_add(amount).filter(|total| *total <= self.max);
        self.used.fetch_update(Ordering::AcqRel, Ordering::Relaxed, within).is_ok()
    }

    /// Takes `amount`, even past the limit. Returns whether the limit is exceeded now.
    pub fn add(&self, amount: usize) -> bool {
        self.used.fetch_add(amount, Ordering::AcqRel) + amount > self.max
    }

    /// Gives back what was taken.
    pub fn give(&self, amount: usize) {
        self.used.fetch_sub(amount, Ordering::AcqRel);
    }

    /// How much is left to take.
    pub fn left(&self) -> usize {
        self.max.saturating_sub(self.used())
    }

    /// Replaces an amount that was taken by another one, even past the limit.
    pub fn change(&self, before: usize, after: usize) {
        if after >= before {
            self.add(after - before);
        } else {
            self.give(before - after);
        }
    }

    /// Takes one, even past the limit, until the place is dropped.
    pub fn place_beyond_bounds(self: &Arc<Self>) -> CounterPlace {
        self.add(1);
        CounterPlace(Arc::clone(self))
    }

    /// Takes one if that stays within the limit, until the place is dropped.
    pub fn place(self: &Arc<Self>) -> Option<CounterPlace> {
        self.take(1).then(|| CounterPlace(Arc::clone(self)))
    }
}

/// One unit of a counter, given back when this is dropped.
#[derive(Debug)]
pub struct CounterPlace(Arc<Counter>);

impl Drop for CounterPlace {
    fn drop(&mut self) {
        self.0.give(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_end_at_the_bound_and_come_back() {
        let counter = Arc::new(Counter::new(2));
        let first = counter.place();
        let _second = counter.place().unwrap();
        assert!(counter.place().is_none());
        drop(first);
        assert!(counter.place().is_some());
    }

    #[test]
    fn plugin_names_without_end_leave_nothing_behind() {
        let account = Account::new(TenantName::default_tenant(), Limits::default(), &Demand::new(1));
        let name = |number: usize| PluginName::new(&format!("p{number}")).unwrap();
        let served = account.totals(&name(0), &account.limits);
        served.room_ended(7, 0);
        for number in 1..1_000 {
            // An upload of a component that the host refuses does this.
            drop(account.totals(&name(number), &account.limits));
        }
        assert!(account.totals.lock().len() <= 2, "{:?}", account.totals.lock().len());
        assert_eq!(account.totals(&name(0), &account.limits).turns(), 7, "a plugin that is served keeps its counters");
    }

    #[test]
    fn amounts_never_wrap() {
        let counter = Counter::new(10);
        assert!(counter.take(7) && !counter.take(4) && !counter.take(usize::MAX) && counter.take(3));
        assert!(counter.add(1));
        assert_eq!(counter.used(), 11);
    }
}
