//! What a room does about a plugin that keeps failing: it waits longer before each further instance, and closes when
//! there were too many faults in too short a time.

use std::collections::VecDeque;
use std::time::Duration;

use crate::clock::Instant;

use super::actor::Room;
use super::gate::TurnKind;
use crate::guest::instance::OpenError;
use crate::model::event::hook;
use crate::model::failure::FailureKind;
use crate::model::limits::Limits;
use crate::plugin::failures::FailureRecord;
use crate::protocol::close::CloseReason;

/// The faults of a room that still count.
#[derive(Debug, Default)]
pub(super) struct Faults(VecDeque<Instant>);

impl Faults {
    /// Counts a fault; says whether it is one too many.
    fn count(&mut self, now: Instant, limits: &Limits) -> bool {
        self.forget_old(now, limits);
        self.0.push_back(now);
        self.0.len() >= limits.room_faults as usize
    }

    /// How long to wait before the next instance: nothing after a single fault.
    fn back_off(&mut self, now: Instant, limits: &Limits) -> Option<Duration> {
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

impl Room {
    /// The plugin's code ended its instance.
    pub(super) fn faulted(&mut self, kind: TurnKind, why: &str) {
        let own = match kind {
            TurnKind::Restore => Some(hook::RESTORE),
            TurnKind::Resume => Some(hook::RESUME),
            TurnKind::Alarm => Some(hook::ALARM),
            _ => None,
        };
        if let Some(hook) = own {
            // What is stored made it fail, or it fails always: no client is in this turn.
            self.owner.faulted_unprovoked(&self.plugin, &format!("{hook} {why}"));
        }
        if self.faults.count(Instant::now(), &self.limits) {
            self.crash(why);
        }
    }

    /// Waits as long as the faults so far demand.
    pub(super) async fn back_off(&mut self) {
        if let Some(wait) = self.faults.back_off(Instant::now(), &self.limits) {
            tokio::time::sleep(wait).await;
        }
    }

    /// No instance could be made: the room cannot serve and closes.
    pub(super) fn cannot_open(&mut self, why: &OpenError) {
        let (key, plugin) = (&self.shared.key, &self.plugin);
        log!(error, key, version = plugin.version, "the room cannot be opened: {why}");
        if matches!(why, OpenError::NoPlace(_) | OpenError::TenantFull | OpenError::TooManyAwake) {
            return self.end(CloseReason::TRY_LATER);
        }
        let words = why.to_string();
        let failure = FailureRecord::now(Some(key.room.clone()), "init", "no-instance", &words);
        plugin.record(FailureKind::NoInstance, failure);
        self.owner.faulted_unprovoked(plugin, &words);
        self.crash(&words);
    }

    /// Closes the room for a while.
    fn crash(&mut self, why: &str) {
        let (key, plugin) = (&self.shared.key, &self.plugin);
        let sockets = self.outbound.len();
        log!(error, key, version = plugin.version, sockets, "the room crashed and closes: {why}");
        self.owner.crashed(&self.shared, plugin, why);
        self.end(CloseReason::CRASHED);
    }

    /// Ends the room after what it is doing now; its sockets are told this.
    pub(super) fn end(&mut self, reason: CloseReason) {
        // Who ends it first says why.
        let _ = self.shared.ended_with.set(reason);
    }

    pub(super) fn is_ending(&self) -> bool {
        self.shared.ended_with.get().is_some()
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
