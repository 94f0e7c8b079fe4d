//! The faults of a room's code: the room waits longer before each further instance, and closes when there were too many
//! faults in too short a time.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::{Instant, doubled};
use crate::model::limits::Limits;
use crate::model::visitor::Visitor;
use crate::protocol::close::CloseReason;
use crate::room::owner::Penalty;

/// What follows from a fault.
#[derive(Debug, Default)]
pub(in crate::room) struct Consequence {
    /// For the client that caused it, where one did.
    pub(in crate::room) penalty: Option<Penalty>,
    /// The room ends, for this reason.
    pub(in crate::room) ends: Option<CloseReason>,
}

/// The faults of a room that still count, and the client that caused each, where one did.
#[derive(Debug, Default)]
pub(super) struct Faults(VecDeque<(Instant, Option<Arc<Visitor>>)>);

impl Faults {
    /// Counts a fault; says whether it is one too many. Of related clients it counts one fewer than refuse a user, so
    /// that a room closes only for what several cause.
    pub(super) fn count(&mut self, by: Option<&Arc<Visitor>>, now: Instant, limits: &Limits) -> bool {
        self.forget_old(now, limits);
        let of_related = |by: &Arc<Visitor>| {
            self.0.iter().flat_map(|(_, culprit)| culprit).filter(|culprit| culprit.is_related(by)).count()
        };
        if by.is_some_and(|by| of_related(by) + 1 >= limits.client_faults as usize) {
            return false;
        }
        self.0.push_back((now, by.cloned()));
        self.0.len() >= limits.room_faults as usize
    }

    /// Whether each fault that counts was in a client's event, and none in a hook that works on what the room keeps.
    pub(super) fn are_all_of_clients(&self) -> bool {
        self.0.iter().all(|(_, culprit)| culprit.is_some())
    }

    /// Forgets the faults of a client that is refused for them: the room is rid of what caused them.
    pub(super) fn forget(&mut self, by: &Visitor) {
        self.0.retain(|(_, culprit)| !culprit.as_ref().is_some_and(|culprit| culprit.is_related(by)));
    }

    /// How long to wait before the next instance: nothing after a single fault.
    pub(super) fn back_off(&mut self, now: Instant, limits: &Limits) -> Option<Duration> {
        self.forget_old(now, limits);
        let doublings = u32::try_from(self.0.len()).unwrap_or(u32::MAX).checked_sub(2)?;
        Some(doubled(Duration::from_millis(limits.room_backoff_ms), doublings, Duration::MAX))
    }

    fn forget_old(&mut self, now: Instant, limits: &Limits) {
        let window = Duration::from_millis(limits.room_faults_window_ms);
        while self.0.front().is_some_and(|(at, _)| now - *at > window) {
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
            assert!(!faults.count(None, now, &limits));
            waits.push(faults.back_off(now, &limits).map(|wait| wait.as_millis()));
        }
        assert_eq!(waits, [None, Some(10), Some(20)]);
        assert!(faults.count(None, now, &limits));
    }

    #[test]
    fn old_faults_count_no_more() {
        let limits = Limits { room_faults: 3, room_faults_window_ms: 1_000, ..Limits::default() };
        let (mut faults, mut now) = (Faults::default(), Instant::now());
        for _ in 0..10 {
            assert!(!faults.count(None, now, &limits));
            now += Duration::from_millis(600);
        }
        now += Duration::from_millis(1_001);
        assert_eq!(faults.back_off(now, &limits), None);
    }

    #[test]
    fn a_refused_clients_faults_are_forgotten() {
        let limits = Limits { room_faults: 3, client_faults: 10, ..Limits::default() };
        let (mut faults, now) = (Faults::default(), Instant::now());
        let eve = Arc::new(Visitor::new(None, Some("eve".to_owned())));
        for _ in 0..10 {
            assert!(!faults.count(Some(&eve), now, &limits) && !faults.count(Some(&eve), now, &limits));
            faults.forget(&eve);
        }
        assert!(!faults.count(None, now, &limits) && !faults.count(Some(&eve), now, &limits));
        assert!(faults.count(None, now, &limits));
    }

    #[test]
    fn one_client_alone_closes_no_room() {
        let limits = Limits { room_faults: 5, client_faults: 3, ..Limits::default() };
        let (mut faults, now) = (Faults::default(), Instant::now());
        let at = |address: &str, user: usize| Arc::new(Visitor::new(address.parse().ok(), Some(user.to_string())));
        assert!(!(0..20).any(|user| faults.count(Some(&at("203.0.113.1", user)), now, &limits)));
        assert!(!(20..40).any(|user| faults.count(Some(&at("203.0.113.2", user)), now, &limits)));
        assert!(faults.count(Some(&at("203.0.113.3", 40)), now, &limits));
    }
}
