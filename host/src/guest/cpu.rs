//! The CPU budget of a call, measured in CPU time of its thread: a busy machine does not use up a guest's budget.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::ticker::Ticker;
use crate::clock::{now_ns, thread_cpu_ns};
use crate::tenant::lane::{SLICE, executed_within};

/// Where a call's own code has not begun.
const NOT_BEGUN: u64 = u64::MAX;
/// So many ticks within one slice: it was not interrupted at the first, and took two whole slices at least.
const TICKS_OF_A_HOLD: u64 = 3;

/// Measures the CPU time of the current call. The store and whoever polls the call share it. Only one thread uses it at
/// a time, so its orderings are relaxed.
#[derive(Debug)]
pub struct CpuMeter {
    ticker: Arc<Ticker>,
    budget_ns: AtomicU64,
    used_ns: AtomicU64,
    /// The thread's CPU time when the current slice began, 0 between slices. The first slice of a call is free: reading
    /// the clock costs a system call, and most calls end before the first tick.
    slice_start_ns: AtomicU64,
    exceeded: AtomicBool,
    /// When the guest's own code began, by the clock; 0 once the first slice is over.
    entered_ns: AtomicU64,
    /// Time of the first slice, by the clock.
    first_ns: AtomicU64,
    /// The tick at which the guest's own code began, for the first slice.
    begun_tick: AtomicU64,
    /// CPU time of the first slice, where it was not interrupted in time.
    held_ns: AtomicU64,
    /// Whether the call was told to be long.
    told: AtomicBool,
}

impl CpuMeter {
    pub fn new(ticker: Arc<Ticker>) -> Self {
        let [budget_ns, used_ns, slice_start_ns, entered_ns, first_ns, begun_tick, held_ns] =
            [const { AtomicU64::new(0) }; 7];
        let [exceeded, told] = [const { AtomicBool::new(false) }; 2];
        Self { ticker, budget_ns, used_ns, slice_start_ns, exceeded, entered_ns, first_ns, begun_tick, held_ns, told }
    }

    /// Begins a call with a budget.
    pub fn begin(&self, budget_ms: u64) {
        self.ticker.guest_runs();
        self.budget_ns.store(budget_ms * 1_000_000, Ordering::Relaxed);
        self.used_ns.store(0, Ordering::Relaxed);
        self.slice_start_ns.store(0, Ordering::Relaxed);
        self.exceeded.store(false, Ordering::Relaxed);
        self.entered_ns.store(0, Ordering::Relaxed);
        self.first_ns.store(0, Ordering::Relaxed);
        self.begun_tick.store(NOT_BEGUN, Ordering::Relaxed);
        self.held_ns.store(0, Ordering::Relaxed);
        self.told.store(false, Ordering::Relaxed);
    }

    /// The guest's own code begins: what came before is the host's work.
    pub fn enter(&self) {
        self.entered_ns.store(now_ns(), Ordering::Relaxed);
        self.begun_tick.store(self.ticker.ticks(), Ordering::Relaxed);
    }

    /// The first slice is over: the call is done, or goes on later.
    pub fn end_first_slice(&self) {
        let entered = self.entered_ns.swap(0, Ordering::Relaxed);
        if entered != 0 {
            self.first_ns.store(now_ns().saturating_sub(entered), Ordering::Relaxed);
        }
    }

    /// What the call executed: its first slice by the clock, and CPU time of the others.
    pub fn executed_ns(&self) -> u64 {
        self.first_ns.load(Ordering::Relaxed) + self.used_ns.load(Ordering::Relaxed)
    }

    /// How many slices the call has used beyond its first one, or in a first one that was not interrupted in time.
    pub fn slices(&self) -> u32 {
        let ns = self.used_ns.load(Ordering::Relaxed) + self.held_ns();
        u32::try_from(ns / SLICE.as_nanos() as u64).unwrap_or(u32::MAX)
    }

    /// Says once that the call is long by now, as it is from so many slices on; answers how many it has used.
    pub fn turned_long(&self, from: u32) -> Option<u32> {
        if self.is_told() {
            return None;
        }
        let slices = self.slices();
        self.told.store(slices >= from, Ordering::Relaxed);
        (slices >= from).then_some(slices)
    }

    /// Whether the call was told to be long.
    pub fn is_told(&self) -> bool {
        self.told.load(Ordering::Relaxed)
    }

    /// CPU time of the first slice, where it was not interrupted in time; a lower bound.
    fn held_ns(&self) -> u64 {
        let begun = self.begun_tick.swap(NOT_BEGUN, Ordering::Relaxed);
        let ticks = self.ticker.ticks().saturating_sub(begun);
        if ticks >= TICKS_OF_A_HOLD {
            let whole = SLICE * u32::try_from(ticks - 1).unwrap_or(u32::MAX);
            self.held_ns.store(executed_within(whole).as_nanos() as u64, Ordering::Relaxed);
        }
        self.held_ns.load(Ordering::Relaxed)
    }

    /// Whether the current call used more than its budget, so that it was interrupted.
    pub fn exceeded(&self) -> bool {
        self.exceeded.load(Ordering::Relaxed)
    }

    /// Begins a slice: the guest runs from here on.
    pub fn start_slice(&self) {
        self.slice_start_ns.store(thread_cpu_ns(), Ordering::Relaxed);
        self.ticker.guest_runs();
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

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;
    use crate::tenant::lane::note_cpu;

    /// Executes for several slices, as one instruction does that nothing interrupts, while the clock ticks.
    fn hold(ticker: &Ticker) {
        let (start, cpu) = (Instant::now(), thread_cpu_ns());
        while thread_cpu_ns() - cpu < (10 * SLICE).as_nanos() as u64 {
            std::hint::spin_loop();
        }
        let ticks = start.elapsed().as_millis() / SLICE.as_millis();
        (0..=ticks).for_each(|_| ticker.count());
    }

    #[test]
    fn a_call_that_holds_its_thread_is_told_once_and_the_hosts_work_before_it_is_not() {
        let meter = CpuMeter::new(Arc::default());
        note_cpu();
        meter.begin(50);
        hold(&meter.ticker);
        assert_eq!((meter.turned_long(1), meter.is_told()), (None, false), "the guest has not begun");
        note_cpu();
        meter.enter();
        hold(&meter.ticker);
        assert!(meter.turned_long(1).is_some_and(|slices| slices >= 5));
        assert_eq!((meter.turned_long(1), meter.is_told()), (None, true));
        meter.begin(50);
        meter.enter();
        assert_eq!((meter.turned_long(1), meter.is_told()), (None, false), "the next call begins anew");
    }

    #[test]
    fn slices_that_are_short_together_are_no_long_call_and_more_than_one_slice_is() {
        let meter = CpuMeter::new(Arc::default());
        meter.begin(1_000);
        meter.enter();
        let (cpu, mut slices) = (thread_cpu_ns(), 0);
        while meter.turned_long(1).is_none() {
            meter.start_slice();
            let start = thread_cpu_ns();
            while thread_cpu_ns() - start < Duration::from_micros(300).as_nanos() as u64 {
                std::hint::spin_loop();
            }
            meter.end_slice();
            slices += 1;
        }
        assert!(slices > 1 && thread_cpu_ns() - cpu >= SLICE.as_nanos() as u64, "{slices}");
    }
}
