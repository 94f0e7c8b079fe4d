//! The one clock of the server. Deadlines and ages are counted by [`Instant`], which nobody sets and which a test can pause;
//! what people and plugins are told is the wall clock, in milliseconds since the Unix epoch. What a thread executes has a clock of
//! its own.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::time::{ClockId, clock_gettime};

pub use tokio::time::Instant;

/// Milliseconds since the Unix epoch, by the wall clock; a clock before the epoch reads as 0.
pub fn unix_ms() -> f64 {
    let age = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    #[cfg(test)]
    let age = age + passed_while_paused();
    age.as_millis() as f64
}

/// How much CPU time the calling thread has used, in nanoseconds. Reading it takes some 0.25 us.
pub fn thread_cpu_ns() -> u64 {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    // Both parts are never negative for this clock.
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
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
