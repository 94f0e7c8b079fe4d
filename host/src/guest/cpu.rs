//! The CPU budget of a call, measured in CPU time of its thread: a busy machine does not use up a guest's budget.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use crate::tenant::lane::thread_cpu_ns;

/// Measures the CPU time of the current call. The store and whoever polls the call share it. Only one thread uses it at
/// a time, so its orderings are relaxed.
#[derive(Debug, Default)]
pub struct CpuMeter {
    budget_ns: AtomicU64,
    used_ns: AtomicU64,
    /// The thread's CPU time when the current slice began, 0 between slices. The first slice of a call is free: reading
    /// the clock costs a system call, and most calls end before the first tick.
    slice_start_ns: AtomicU64,
    exceeded: AtomicBool,
}

impl CpuMeter {
    /// Begins a call with a budget.
    pub fn begin(&self, budget_ms: u64) {
        self.budget_ns.store(budget_ms * 1_000_000, Ordering::Relaxed);
        self.used_ns.store(0, Ordering::Relaxed);
        self.slice_start_ns.store(0, Ordering::Relaxed);
        self.exceeded.store(false, Ordering::Relaxed);
    }

    /// Whether the current call used more than its budget, so that it was interrupted.
    pub fn exceeded(&self) -> bool {
        self.exceeded.load(Ordering::Relaxed)
    }

    /// How much CPU time the current call has used, as far as it was measured.
    pub fn used(&self) -> Duration {
        Duration::from_nanos(self.used_ns.load(Ordering::Relaxed))
    }

    /// Begins a slice: the guest runs from here on.
    pub fn start_slice(&self) {
        self.slice_start_ns.store(thread_cpu_ns(), Ordering::Relaxed);
    }

    /// Ends a slice: the guest yields, waits or is done. Returns whether the budget is used up.
    pub fn end_slice(&self) -> bool {
        let start = self.slice_start_ns.swap(0, Ordering::Relaxed);
        if start == 0 {
            return self.exceeded();
        }
        let slice = thread_cpu_ns().saturating_sub(start);
        let used = self.used_ns.fetch_add(slice, Ordering::Relaxed) + slice;
        let over = used > self.budget_ns.load(Ordering::Relaxed);
        self.exceeded.store(over, Ordering::Relaxed);
        over
    }
}
