//! The faults of a room's code: the room waits longer before each further instance, and closes when there were too many
//! faults in too short a time.

use std::collections::VecDeque;
use std::time::Duration;

use crate::clock::Instant;
use crate::model::limits::Limits;

/// The faults of a room that still count.
#[derive(Debug, Default)]
pub(super) struct Faults(VecDeque<Instant>);

impl Faults {
    /// Counts a fault; says whether it is one too many.
    pub(super) fn count(&mut self, now: Instant, limits: &Limits) -> bool {
        self.forget_old(now, limits);
        self.0.push_back(now);
        self.0.len() >= limits.room_faults as usize
    }

    /// How long to wait before the next instance: nothing after a single fault.
    pub(super) fn back_off(&mut self, now: Instant, limits: &Limits) -> Option<Duration> {
        self.forget_old(now, limits);
        let doublings = u32::try_from(self.0.len()).unwrap_or(u32::MAX).checked_sub(2)?;
        let factor = 1u64.checked_shl(doublings).unwrap_or(u64::MAX);
        Some(Duration::from_millis(limits.room_backoff_ms.saturating_mul(factor)))
    }

    fn forget_old(&mut self, now: Instant, limits: &Limits) {
        let window = Duration::from_millis(limits.room_faults_window_ms);
        while self.0.front().is_some_and(|at| now - *at > window) {
            self.0.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_further_fault_waits_longer_until_one_is_too_many() {
        let limits = Limits { room_faults: 4, room_faults_window_ms: 1_000, room_backoff_ms: 10, ..Limits::default() };
        let (mut faults, now) = (Faults::default(), Instant::now());
        let mut waits = Vec::new();
        for _ in 0..3 {
            assert!(!faults.count(now, &limits));
            waits.push(faults.back_off(now, &limits).map(|wait| wait.as_millis()));
        }
        assert_eq!(waits, [None, Some(10), Some(20)]);
        assert!(faults.count(now, &limits));
    }

    #[test]
    fn old_faults_count_no_more() {
        let limits = Limits { room_faults: 3, room_faults_window_ms: 1_000, ..Limits::default() };
        let (mut faults, mut now) = (Faults::default(), Instant::now());
        for _ in 0..10 {
            assert!(!faults.count(now, &limits));
            now += Duration::from_millis(600);
        }
        now += Duration::from_millis(1_001);
        assert_eq!(faults.back_off(now, &limits), None);
    }
}
