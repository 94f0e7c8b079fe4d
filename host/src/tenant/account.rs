//! What one tenant uses, and may use: every figure is true at any moment, and nothing of it waits for a lock.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;
use tokio::sync::Notify;

use super::cpu::CpuBucket;
use super::lane::{self, Lane};
use super::totals::Totals;
use crate::model::limits::Limits;
use crate::model::names::{PluginName, TenantName};

/// One tenant's account.
#[derive(Debug)]
pub struct Account {
    pub tenant: TenantName,
    /// The tenant's bounds; a plugin may have narrower ones of its own.
    pub limits: Limits,
    pub cpu: Arc<CpuBucket>,
    /// Sockets from their upgrade on.
    pub sockets: Arc<Counter>,
    /// Open rooms.
    pub rooms: Arc<Counter>,
    /// Rooms with an instance.
    pub awake: Arc<Counter>,
    /// Bytes of its instances' memories and tables.
    pub memory: Arc<Counter>,
    /// Bytes that its rooms store.
    pub storage: Arc<Counter>,
    /// Bytes queued for its sockets.
    pub outbound: Arc<Counter>,
    /// Told by an opening that waits, for rooms of the tenant that nobody is in.
    pub wanted: Notify,
    /// One for each thread that runs plugins, and one for the threads that are none of these.
    lanes: Vec<Arc<Lane>>,
    /// By plugin; as many as the tenant ever had.
    totals: Mutex<BTreeMap<PluginName, Arc<Totals>>>,
}

impl Account {
    /// `threads` is the number of threads that run plugins.
    pub fn new(tenant: TenantName, limits: Limits, threads: usize) -> Self {
        let cpu = Arc::new(CpuBucket::new(limits.tenant_cpu_percent, limits.tenant_cpu_burst_ms));
        let lanes = (0..=threads).map(|_| Arc::new(Lane::new(Arc::clone(&cpu)))).collect();
        let counter = |max| Arc::new(Counter::new(max));
        Self {
            tenant,
            sockets: counter(limits.sockets_per_tenant),
            rooms: counter(limits.rooms_per_tenant),
            awake: counter(limits.awake_rooms_per_tenant),
            memory: counter(limits.memory_tenant_bytes),
            storage: counter(limits.storage_tenant_bytes),
            outbound: counter(limits.outbound_tenant_bytes),
            limits,
            cpu,
            wanted: Notify::new(),
            lanes,
            totals: Mutex::default(),
        }
    }

    /// Where what a plugin does is counted.
    pub fn totals(&self, plugin: &PluginName) -> Arc<Totals> {
        Arc::clone(self.totals.lock().entry(plugin.clone()).or_default())
    }

    /// The tenant's lane on this thread.
    pub fn lane(&self) -> &Arc<Lane> {
        &self.lanes[lane::thread_number().min(self.lanes.len() - 1)]
    }
}

/// How much of something is in use, and how much may be.
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

    /// Takes so much, if that stays within the bound. Two who ask at once never both get the last of it.
    pub fn take(&self, amount: usize) -> bool {
        let within = |used: usize| used.checked_add(amount).filter(|total| *total <= self.max);
        self.used.fetch_update(Ordering::AcqRel, Ordering::Relaxed, within).is_ok()
    }

    /// Takes so much, whatever the bound; says whether it is passed now.
    pub fn add(&self, amount: usize) -> bool {
        self.used.fetch_add(amount, Ordering::AcqRel) + amount > self.max
    }

    /// Gives back what was taken.
    pub fn give(&self, amount: usize) {
        self.used.fetch_sub(amount, Ordering::AcqRel);
    }

    /// What may still be taken.
    pub fn left(&self) -> usize {
        self.max.saturating_sub(self.used())
    }

    /// Something that took `before` takes `after` now, whatever the bound.
    pub fn change(&self, before: usize, after: usize) {
        if after >= before {
            self.add(after - before);
        } else {
            self.give(before - after);
        }
    }

    /// Takes one, whatever the bound.
    pub fn place_beyond_bounds(self: &Arc<Self>) -> Place {
        self.add(1);
        Place(Arc::clone(self))
    }

    /// Takes one, which is given back when the place is dropped.
    pub fn place(self: &Arc<Self>) -> Option<Place> {
        self.take(1).then(|| Place(Arc::clone(self)))
    }
}

/// One of what a counter counts, given back when it is dropped.
#[derive(Debug)]
pub struct Place(Arc<Counter>);

impl Drop for Place {
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
    fn amounts_never_wrap() {
        let counter = Counter::new(10);
        assert!(counter.take(7) && !counter.take(4) && !counter.take(usize::MAX) && counter.take(3));
        assert!(counter.add(1));
        assert_eq!(counter.used(), 11);
    }
}
