//! A rate limit: so many a second in the long run, with a burst.

use std::time::Duration;

/// A rate limit (the generic cell rate algorithm, ITU-T I.371). Its whole state is one moment: each event moves it
/// ahead by the time that the event uses up.
#[derive(Debug, Clone, Copy)]
pub struct Rate {
    /// The time that one event uses up.
    each: Duration,
    /// How far `reached` may be ahead of the clock.
    burst: Duration,
    reached: Duration,
}

impl Rate {
    /// So many events a second.
    pub fn new(per_second: u32, burst: u32) -> Self {
        Self::within(Duration::from_secs(1), per_second, burst)
    }

    /// So many events in each such time.
    pub fn within(time: Duration, events: u32, burst: u32) -> Self {
        let each = time / events.max(1);
        Self { each, burst: each.saturating_mul(burst), reached: Duration::ZERO }
    }

    /// Counts `many` events at `now`, by any clock. Counts none and returns false where these are too many.
    pub fn allows(&mut self, many: u32, now: Duration) -> bool {
        let reached = self.reached.max(now).saturating_add(self.each.saturating_mul(many));
        let allowed = reached <= now.saturating_add(self.burst);
        if allowed {
            self.reached = reached;
        }
        allowed
    }

    /// Counts `many` events that happened already. Returns how long to wait until the rate is kept again.
    pub fn overdraw(&mut self, many: u32, now: Duration) -> Option<Duration> {
        self.reached = self.reached.max(now).saturating_add(self.each.saturating_mul(many));
        let allowed = now.saturating_add(self.burst);
        self.reached.checked_sub(allowed).filter(|wait| !wait.is_zero())
    }

    /// Whether all events so far are long enough ago to be forgotten.
    pub fn is_idle(&self, now: Duration) -> bool {
        self.reached <= now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn a_burst_and_then_the_rate() {
        let mut rate = Rate::new(100, 3);
        assert!((0..3).all(|_| rate.allows(1, ms(1_000))));
        assert!(!rate.allows(1, ms(1_000)));
        assert!(!rate.allows(1, ms(1_009)) && rate.allows(1, ms(1_010)) && !rate.allows(1, ms(1_010)));
        assert!(!rate.is_idle(ms(1_039)) && rate.is_idle(ms(1_040)));
        assert!(rate.allows(3, ms(9_000)) && !rate.allows(1, ms(9_000)));
    }

    #[test]
    fn what_happened_already_is_waited_for() {
        let mut rate = Rate::new(1_000, 10);
        assert_eq!(rate.overdraw(10, ms(5)), None);
        assert_eq!(rate.overdraw(5, ms(5)), Some(ms(5)));
        assert_eq!(rate.overdraw(0, ms(10)), None);
    }
}
