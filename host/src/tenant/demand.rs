//! Who wants to run on which thread, and whom the system keeps from it: a tenant that used more than its share waits for these, and
//! for nobody else.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::available_parallelism;

use parking_lot::Mutex;

/// Stands for the level of a tenant where there is none: it is above any.
const NOBODY: u64 = u64::MAX;

/// All threads that run plugins, those of low priority among them: one that is at work wants a core as well.
#[derive(Debug)]
pub struct Demand {
    threads: Vec<Arc<ThreadDemand>>,
    cores: usize,
}

/// One thread. It alone writes this, and all others read it; where a tenant's lane is that of all further threads, they share one
/// that nobody reads.
#[derive(Debug)]
#[repr(align(128))]
pub struct ThreadDemand {
    /// Whether it is running work of a tenant, as far as the system lets it.
    runs: AtomicBool,
    /// The level of the tenant that ran last, where the system gave the core to other threads for a good part of that time. It holds until
    /// a lane of the thread has something to charge again, some 100 us of work later.
    denied: AtomicU64,
    /// The lowest level of those that stand in line.
    least: AtomicU64,
    /// The tenants that stand in line, each with its level.
    waiting: Mutex<Vec<(TenantOnThread, u64)>>,
}

/// Names a tenant among those of one thread.
pub type TenantOnThread = usize;

impl Demand {
    /// Of so many threads that run plugins.
    pub fn new(threads: usize) -> Arc<Self> {
        Self::on_cores(threads, available_parallelism().map_or(1, usize::from))
    }

    fn on_cores(threads: usize, cores: usize) -> Arc<Self> {
        Arc::new(Self { threads: (0..threads).map(|_| Arc::default()).collect(), cores })
    }

    pub fn threads(&self) -> &[Arc<ThreadDemand>] {
        &self.threads
    }

    pub fn cores(&self) -> usize {
        self.cores
    }

    /// Whether there are more threads at work than cores, and a tenant below this level is kept from one.
    pub fn is_denied_to_others(&self, here: &ThreadDemand, level: u64) -> bool {
        let (mut busy, mut least) = (1, NOBODY);
        for other in self.threads.iter().filter(|other| !std::ptr::eq(&***other, here) && other.is_busy()) {
            busy += 1;
            least = least.min(other.denied.load(Ordering::Relaxed));
        }
        busy > self.cores && least < level
    }
}

impl Default for ThreadDemand {
    fn default() -> Self {
        Self {
            runs: AtomicBool::new(false),
            denied: AtomicU64::new(NOBODY),
            least: AtomicU64::new(NOBODY),
            waiting: Mutex::default(),
        }
    }
}

impl ThreadDemand {
    /// Work of a tenant begins or ends to run.
    pub fn runs(&self, runs: bool) {
        self.runs.store(runs, Ordering::Relaxed);
    }

    /// Whether the system kept the tenant of this level from the core while it ran.
    pub fn was_denied(&self, denied: bool, level: u64) {
        self.denied.store(if denied { level } else { NOBODY }, Ordering::Relaxed);
    }

    /// Whether a tenant below this level stands in line. Where nobody does, this costs a look at one number.
    pub fn has_below(&self, level: u64) -> bool {
        self.least.load(Ordering::Relaxed) < level
    }

    /// Puts a tenant in line, or tells its level anew. Answers whether one of the others is below it.
    pub fn stand(&self, tenant: TenantOnThread, level: u64) -> bool {
        let mut waiting = self.waiting.lock();
        match waiting.iter_mut().find(|(known, _)| *known == tenant) {
            Some((_, known)) => *known = level,
            None => waiting.push((tenant, level)),
        }
        self.note_least(&waiting);
        waiting.iter().any(|(other, least)| *other != tenant && *least < level)
    }

    /// Takes a tenant out of the line.
    pub fn leave(&self, tenant: TenantOnThread) {
        let mut waiting = self.waiting.lock();
        waiting.retain(|(known, _)| *known != tenant);
        self.note_least(&waiting);
    }

    fn note_least(&self, waiting: &[(TenantOnThread, u64)]) {
        self.least.store(waiting.iter().map(|(_, level)| *level).min().unwrap_or(NOBODY), Ordering::Relaxed);
    }

    fn is_busy(&self) -> bool {
        self.runs.load(Ordering::Relaxed) || self.least.load(Ordering::Relaxed) != NOBODY
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_stands_in_line_with_less_goes_first_and_nobody_waits_for_who_left() {
        let thread = ThreadDemand::default();
        assert!(!thread.has_below(NOBODY - 1) && !thread.stand(1, 50));
        assert!(!thread.has_below(50) && thread.has_below(51));
        assert!(thread.stand(2, 60) && !thread.stand(1, 50) && !thread.stand(3, 50));
        assert!(thread.stand(1, 61), "its level is another now");
        thread.leave(3);
        assert!(!thread.stand(2, 60));
        thread.leave(2);
        assert!(!thread.has_below(61) && thread.has_below(62));
        thread.leave(1);
        assert!(!thread.is_busy());
    }

    #[test]
    fn only_who_is_denied_a_core_and_has_less_is_waited_for() {
        let demand = Demand::on_cores(3, 2);
        let [here, other, third] = demand.threads() else { panic!("three threads") };
        for thread in [here, other] {
            thread.runs(true);
            thread.was_denied(true, 10);
        }
        assert!(!demand.is_denied_to_others(here, 20), "there is a core for each");
        third.runs(true);
        assert!(demand.is_denied_to_others(here, 20) && !demand.is_denied_to_others(here, 10));
        other.was_denied(false, 10);
        assert!(!demand.is_denied_to_others(here, 20), "the others have what they want");
        other.was_denied(true, 10);
        other.runs(false);
        assert!(!demand.is_denied_to_others(here, 20), "it has nothing to do any more");
    }
}
