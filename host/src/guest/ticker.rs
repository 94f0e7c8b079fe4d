//! The clock that interrupts guests. It ticks while calls begin or go on, and stands while none does, so that a server at rest
//! sleeps.

use std::ops::ControlFlow;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::thread::{self, Thread};
use std::time::Duration;

use crate::tenant::lane::SLICE;

/// How often a running guest is interrupted, to charge its CPU time and to let others run on its thread. A guest that
/// spins delays its neighbours by this much at a time; each tick costs a core some 5 us.
pub const EPOCH_TICK: Duration = SLICE;
/// After so many ticks at which no call had begun or gone on, the clock stands. A guest only needs the first: it is interrupted
/// there, and goes on by a poll that starts the clock again. One that nothing interrupts, since it is within one instruction, is
/// measured in ticks (`guest/cpu.rs`), and this many suffice for any verdict.
const QUIET_TICKS: u32 = 10;
/// A clock that stands ticks this often, uncounted.
const STANDING_TICK: Duration = Duration::from_secs(1);
/// Stands for the number of ticks once the engine is gone.
const ENDED: u32 = u32::MAX;

/// When the clock ticks, and how often it has.
#[derive(Debug, Default)]
pub struct Ticker {
    /// Ticks since one at which a call had begun or gone on; at [`QUIET_TICKS`] the clock stands.
    quiet: AtomicU32,
    ticks: AtomicU64,
    thread: OnceLock<Thread>,
}

impl Ticker {
    /// A guest begins or goes on: the clock ticks, from one tick's length after this on at the latest. While it ticks, this
    /// costs next to nothing: all threads read what only a tick changes. What they read may be a moment old, but not by all the
    /// ticks that come before the clock stands.
    pub fn guest_runs(&self) {
        if self.quiet.load(Ordering::Relaxed) != 0 && self.quiet.swap(0, Ordering::AcqRel) >= QUIET_TICKS {
            self.wake();
        }
    }

    /// How many ticks there were. Reading it costs nothing, unlike a clock.
    pub fn ticks(&self) -> u64 {
        self.ticks.load(Ordering::Relaxed)
    }

    /// Whether it stands, since no guest runs.
    pub fn stands(&self) -> bool {
        self.quiet.load(Ordering::Acquire) == QUIET_TICKS
    }

    /// Ends the clock's thread.
    pub(super) fn end(&self) {
        self.quiet.store(ENDED, Ordering::Release);
        self.wake();
    }

    /// Runs the clock on the calling thread: at each tick it does what `tick` says.
    pub(super) fn run(&self, mut tick: impl FnMut()) -> ControlFlow<()> {
        self.thread.get_or_init(thread::current);
        loop {
            while self.stands() {
                thread::park_timeout(STANDING_TICK);
                // A thread that the system held up between its call of `guest_runs` and the guest's next instruction is
                // interrupted by this, where the clock came to stand meanwhile.
                if self.stands() {
                    tick();
                }
            }
            thread::sleep(EPOCH_TICK);
            if self.quiet.load(Ordering::Acquire) == ENDED {
                return ControlFlow::Break(());
            }
            tick();
            self.count();
        }
    }

    /// Counts a tick.
    pub(super) fn count(&self) {
        self.ticks.fetch_add(1, Ordering::Relaxed);
        let next = |quiet: u32| (quiet < QUIET_TICKS).then_some(quiet + 1);
        // It fails where the clock stands or has ended, and then the number stays.
        let _ = self.quiet.fetch_update(Ordering::AcqRel, Ordering::Relaxed, next);
    }

    /// Wakes the clock's thread, if it has one yet.
    fn wake(&self) {
        if let Some(thread) = self.thread.get() {
            thread.unpark();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Instant;

    use super::*;

    #[test]
    fn it_ticks_on_while_guests_run_and_stands_a_while_after() {
        let ticker = Ticker::default();
        for _ in 0..3 * QUIET_TICKS {
            ticker.guest_runs();
            ticker.count();
            assert!(!ticker.stands());
        }
        // The last of those was the first tick at which the call before it was seen.
        (2..QUIET_TICKS).for_each(|_| ticker.count());
        assert!(!ticker.stands());
        ticker.count();
        assert!(ticker.stands());
        ticker.guest_runs();
        assert!(!ticker.stands());
        ticker.count();
        assert!(!ticker.stands(), "a call that begins has all its ticks");
    }

    /// Waits for what the clock does on its thread.
    fn until(what: impl Fn() -> bool) {
        let begin = Instant::now();
        while !what() {
            assert!(begin.elapsed() < Duration::from_secs(10), "it does not happen");
            thread::yield_now();
        }
    }

    #[test]
    fn a_clock_that_stands_ticks_for_the_next_guest_and_ends_with_its_engine() {
        let ticker = Arc::<Ticker>::default();
        let running = Arc::clone(&ticker);
        let clock = thread::spawn(move || running.run(|| {}));
        for _ in 0..3 {
            until(|| ticker.stands());
            let stood_at = ticker.ticks();
            ticker.guest_runs();
            until(|| ticker.stands());
            assert_eq!(ticker.ticks(), stood_at + u64::from(QUIET_TICKS));
        }
        ticker.end();
        assert_eq!(clock.join().unwrap(), ControlFlow::Break(()));
    }
}
