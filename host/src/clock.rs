//! The one clock of the server. Deadlines and ages are counted by [`Instant`], which nobody sets and which a test can pause;
//! what people and plugins are told is the wall clock, in milliseconds since the Unix epoch. What a thread executes has a clock of
//! its own.
//!
//! A process may have virtual time instead: its wall clock begins where it is told, and moves with [`Instant`] alone.

use std::cell::Cell;
use std::sync::OnceLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use parking_lot::Mutex;

use rustix::time::{ClockId, clock_gettime};

pub use tokio::time::Instant;

/// Where virtual time began, in a process that has it.
static VIRTUAL: OnceLock<Mutex<VirtualStart>> = OnceLock::new();

/// One moment by both clocks.
#[derive(Debug, Clone, Copy)]
struct VirtualStart {
    unix_ms: u64,
    at: Instant,
}

impl VirtualStart {
    /// The time since the Unix epoch.
    fn now(self) -> Duration {
        Duration::from_millis(self.unix_ms) + self.at.elapsed()
    }
}

/// From now on, this process's wall clock shows this time, and moves with [`Instant`] alone. Call it in a runtime whose
/// clock is paused.
pub fn set_virtual(unix_ms: u64) {
    let start = VirtualStart { unix_ms, at: Instant::now() };
    *VIRTUAL.get_or_init(|| Mutex::new(start)).lock() = start;
}

/// The virtual time since the Unix epoch, in a process that has virtual time.
pub fn virtual_now() -> Option<Duration> {
    VIRTUAL.get().map(|start| start.lock().now())
}

/// Milliseconds since the Unix epoch, by the wall clock; a clock before the epoch reads as 0.
pub fn unix_ms() -> f64 {
    unix_now().as_millis() as f64
}

/// The time since the Unix epoch, by the wall clock; a clock before the epoch reads as 0.
pub fn unix_now() -> Duration {
    if let Some(now) = virtual_now() {
        return now;
    }
    let age = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    #[cfg(test)]
    let age = age + passed_while_paused();
    age
}

/// A clock that is right to some milliseconds and costs next to nothing: the host reads it for every frame.
pub fn coarse_now() -> Duration {
    if let Some(now) = virtual_now() {
        return now;
    }
    let now = clock_gettime(ClockId::MonotonicCoarse);
    // Both parts are never negative for this clock.
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
}

thread_local! {
    /// What the calling thread last read.
    static READ_NS: Cell<u64> = const { Cell::new(0) };
    /// What the wall clock showed, and what the calling thread had read before.
    static UNIX_MS: Cell<(u64, f64)> = const { Cell::new((0, 0.0)) };
}

/// Nanoseconds on a clock that nobody sets. It starts far from 0, so that moments before its start have a number.
pub fn now_ns() -> u64 {
    const BEFORE_START_NS: u64 = 1 << 50;
    // As the kernel gives it: a socket's or a room's poll reads it twice, and std would compute more than that takes.
    let since = clock_gettime(ClockId::Monotonic);
    // Both parts are never negative for this clock.
    let now = BEFORE_START_NS + since.tv_sec as u64 * 1_000_000_000 + since.tv_nsec as u64;
    #[cfg(test)]
    let now = if GOES_BY_CPU.get() { BEFORE_START_NS + thread_cpu_ns() } else { now };
    READ_NS.set(now);
    now
}

/// What [`now_ns`] last told the calling thread. For rooms and sockets, this is a moment since the begin of their poll: their lane
/// reads the clock there.
pub fn recent_ns() -> u64 {
    READ_NS.get()
}

/// What [`unix_ms`] told the calling thread after it last called [`now_ns`]: one reading for all that comes in one poll.
pub fn recent_unix_ms() -> f64 {
    let read_ns = recent_ns();
    let (of_ns, known) = UNIX_MS.get();
    // A test may have paused the clock and put it forward since.
    if of_ns == read_ns && read_ns != 0 && !cfg!(test) && VIRTUAL.get().is_none() {
        return known;
    }
    let now = unix_ms();
    UNIX_MS.set((read_ns, now));
    now
}

/// How much CPU time the calling thread has used, in nanoseconds. Reading it takes some 0.25 us.
pub fn thread_cpu_ns() -> u64 {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    // Both parts are never negative for this clock.
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}

/// The next moment at or after `due` of those that are `apart`, for all who are in no hurry: timers that are due at one moment wake
/// a thread once.
pub fn together(due: Instant, apart: Duration) -> Instant {
    static ORIGIN: OnceLock<Instant> = OnceLock::new();
    let since = due.saturating_duration_since(*ORIGIN.get_or_init(Instant::now)).as_nanos();
    let beyond = since.checked_rem(apart.as_nanos()).unwrap_or_default();
    if beyond == 0 { due } else { due + apart - Duration::from_nanos(beyond as u64) }
}

/// A time that is doubled so often, up to a longest one.
pub fn doubled(first: Duration, times: u32, longest: Duration) -> Duration {
    let factor = 1u32.checked_shl(times).unwrap_or(u32::MAX);
    first.saturating_mul(factor).min(longest.max(first))
}

/// How far a test that pauses the clock has put it forward: the wall clock goes with it.
#[cfg(test)]
fn passed_while_paused() -> Duration {
    Instant::now().into_std().saturating_duration_since(std::time::Instant::now())
}

#[cfg(test)]
thread_local! {
    static GOES_BY_CPU: Cell<bool> = const { Cell::new(false) };
}

/// While this lives, [`now_ns`] tells its thread what that has executed: a test that counts slices of time holds on a busy machine.
#[cfg(test)]
pub struct CpuClock;

#[cfg(test)]
impl CpuClock {
    pub fn start() -> Self {
        GOES_BY_CPU.set(true);
        Self
    }
}

#[cfg(test)]
impl Drop for CpuClock {
    fn drop(&mut self) {
        GOES_BY_CPU.set(false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_that_are_near_come_together_and_none_comes_early() {
        let apart = Duration::from_millis(500);
        // The first moment that anybody asks for begins the count.
        together(Instant::now(), apart);
        let start = Instant::now();
        let first = together(start, apart);
        assert!(first >= start && first < start + apart);
        for late in [0, 1, 250, 499, 500] {
            assert_eq!(
                together(first + apart - Duration::from_millis(late), apart),
                if late == 500 { first } else { first + apart }
            );
        }
        assert_eq!(together(start, Duration::ZERO), start);
    }
}
