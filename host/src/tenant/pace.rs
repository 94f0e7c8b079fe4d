//! Whether a plugin's calls outlive a slice: such calls run on threads of low priority, where they hold up nobody.
//!
//! That a call took long by the clock on the wall is a suspicion only, since the machine may have been busy; while it
//! lasts, CPU time is measured from the first instruction on, which costs two system calls a call.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::cpu::now_ns;
use super::lane::SLICE;

/// How long a plugin is remembered for one long call.
const MEMORY: Duration = Duration::from_secs(10);

/// The pace of one version of a plugin.
#[derive(Debug, Default)]
pub struct Pace {
    suspect_until_ns: AtomicU64,
    heavy_until_ns: AtomicU64,
}

impl Pace {
    /// A call seems to have been long.
    pub fn suspect(&self) {
        remember(&self.suspect_until_ns);
    }

    /// A call has used this much CPU time so far.
    pub fn used(&self, cpu: Duration) {
        if cpu >= SLICE {
            remember(&self.heavy_until_ns);
        }
    }

    /// Whether the next call runs on a thread of low priority.
    pub fn is_heavy(&self) -> bool {
        is_remembered(&self.heavy_until_ns)
    }

    /// Whether the CPU time of the next call is measured from its beginning.
    pub fn is_measured(&self) -> bool {
        is_remembered(&self.suspect_until_ns) || self.is_heavy()
    }
}

fn remember(until_ns: &AtomicU64) {
    until_ns.store(now_ns() + MEMORY.as_nanos() as u64, Ordering::Relaxed);
}

/// Plugins that were never slow are not asked what time it is.
fn is_remembered(until_ns: &AtomicU64) -> bool {
    let until = until_ns.load(Ordering::Relaxed);
    until != 0 && now_ns() < until
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_long_call_is_remembered() {
        let pace = Pace::default();
        pace.used(SLICE / 2);
        assert!(!pace.is_heavy() && !pace.is_measured());
        pace.suspect();
        assert!(!pace.is_heavy() && pace.is_measured());
        pace.used(SLICE);
        assert!(pace.is_heavy() && pace.is_measured());
    }
}
