//! How one version of a plugin fails, and what follows. A room that crashes stays closed for a while. A version whose
//! code faults by itself, or in many of its rooms, goes into quarantine: out of service.
//!
//! A failure that a handler returns does not count: a client's bad data may cause it. Faults (traps, deadlines, memory)
//! end the instance. A room with too many of them crashes and closes. A version is quarantined for faults that no client
//! caused, or when at least five rooms and half of all crash.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use crate::clock::{Instant, unix_ms};
use crate::model::limits::Limits;
use crate::model::names::RoomId;

/// At least so many rooms, and half of all, must crash before their version is quarantined: a few rooms may have met one
/// client that knows how to crash them.
const ROOMS_OF_QUARANTINE: usize = 5;
/// How many closed rooms a tally remembers. Beyond that it forgets the one whose time is over soonest, which may then
/// open at once.
const CLOSED_ROOMS_KEPT: usize = 10_000;

/// Why a version is out of service.
#[derive(Debug, Clone, PartialEq)]
pub struct Quarantine {
    /// Milliseconds since the Unix epoch.
    pub since: f64,
    pub why: String,
}

/// The faults of one version.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Rooms that crashed, and until when they stay closed.
    closed: HashMap<RoomId, Instant>,
    /// When faults happened that no client caused.
    unprovoked: VecDeque<Instant>,
    /// When rooms crashed last; the oldest first.
    crashes: VecDeque<(RoomId, Instant)>,
    quarantine: Option<Quarantine>,
}

impl Tally {
    pub(super) fn quarantine(&self) -> Option<&Quarantine> {
        self.quarantine.as_ref()
    }

    /// How long a room still stays closed.
    pub(super) fn closed_for(&self, room: &RoomId, now: Instant) -> Option<Duration> {
        self.closed.get(room).map(|until| until.saturating_duration_since(now)).filter(|left| !left.is_zero())
    }

    /// Counts the crash of a room, beside which `others` run the version. Where this crash puts the version into
    /// quarantine, it answers why.
    pub(super) fn crashed(
        &mut self,
        room: &RoomId,
        others: usize,
        why: &str,
        limits: &Limits,
        now: Instant,
    ) -> Option<String> {
        self.close(room, now + Duration::from_millis(limits.room_closed_ms), now);
        let window = Duration::from_millis(limits.room_faults_window_ms);
        self.crashes.retain(|(crashed, at)| crashed != room && now - *at <= window);
        self.crashes.push_back((room.clone(), now));
        let (crashed, all) = (self.crashes.len(), self.crashes.len() + others);
        let is_everywhere = crashed >= ROOMS_OF_QUARANTINE && 2 * crashed >= all;
        is_everywhere
            .then(|| format!("{crashed} of {all} rooms crashed, the last of them: {why}"))
            .and_then(|why| self.put_into_quarantine(why))
    }

    /// Counts a fault that no client caused. Where this fault puts the version into quarantine, it answers why.
    pub(super) fn faulted_unprovoked(&mut self, why: &str, limits: &Limits, now: Instant) -> Option<String> {
        let window = Duration::from_millis(limits.room_faults_window_ms);
        self.unprovoked.retain(|at| now - *at <= window);
        self.unprovoked.push_back(now);
        let faults = self.unprovoked.len();
        (faults >= limits.room_faults as usize)
            .then(|| format!("{faults} faults that no client caused, the last of them: {why}"))
            .and_then(|why| self.put_into_quarantine(why))
    }

    /// Ends the quarantine and forgets all faults; false where there was no quarantine.
    pub(super) fn lift(&mut self) -> bool {
        let lifted = self.quarantine.is_some();
        *self = Self::default();
        lifted
    }

    fn close(&mut self, room: &RoomId, until: Instant, now: Instant) {
        if self.closed.len() >= CLOSED_ROOMS_KEPT && !self.closed.contains_key(room) {
            self.closed.retain(|_, until| *until > now);
        }
        if self.closed.len() >= CLOSED_ROOMS_KEPT
            && let Some(soonest) = self.closed.iter().min_by_key(|(_, until)| **until).map(|(room, _)| room.clone())
        {
            self.closed.remove(&soonest);
        }
        self.closed.insert(room.clone(), until);
    }

    fn put_into_quarantine(&mut self, why: String) -> Option<String> {
        if self.quarantine.is_some() {
            return None;
        }
        self.quarantine = Some(Quarantine { since: unix_ms(), why: why.clone() });
        Some(why)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: usize) -> RoomId {
        RoomId::new(&format!("r{number}")).unwrap()
    }

    #[test]
    fn a_crashed_room_stays_closed_alone_and_for_a_while() {
        let (mut tally, now) = (Tally::default(), Instant::now());
        let limits = Limits { room_closed_ms: 30, ..Limits::default() };
        tally.crashed(&id(0), 19, "trap", &limits, now);
        assert_eq!(tally.closed_for(&id(0), now), Some(Duration::from_millis(30)));
        assert_eq!(tally.closed_for(&id(1), now), None);
        assert_eq!(tally.closed_for(&id(0), now + Duration::from_millis(30)), None);
    }

    #[test]
    fn a_version_is_quarantined_when_half_of_its_rooms_crash_and_at_least_five() {
        let (limits, now) = (Limits::default(), Instant::now());
        let mut few = Tally::default();
        assert!((0..4).all(|room| few.crashed(&id(room), 0, "trap", &limits, now).is_none()));

        let mut many = Tally::default();
        for room in 0..5 {
            assert_eq!(many.crashed(&id(room), 11 - room, "trap", &limits, now), None);
        }
        // A room that crashes once more is no further room.
        assert_eq!(many.crashed(&id(0), 7, "trap", &limits, now), None);
        let why = many.crashed(&id(5), 6, "the last", &limits, now).unwrap();
        assert_eq!(why, "6 of 12 rooms crashed, the last of them: the last");
        assert_eq!(many.quarantine().unwrap().why, why);
        // Once is enough.
        assert_eq!(many.crashed(&id(6), 5, "trap", &limits, now), None);
        assert!(many.lift() && !many.lift());
        assert_eq!(many.closed_for(&id(0), now), None);
    }

    #[test]
    fn a_version_is_quarantined_for_faults_of_its_own_within_the_window() {
        let limits = Limits { room_faults: 3, room_faults_window_ms: 1_000, ..Limits::default() };
        let (mut tally, now) = (Tally::default(), Instant::now());
        for second in [0, 2, 4, 6] {
            assert_eq!(tally.faulted_unprovoked("init", &limits, now + Duration::from_secs(second)), None);
        }
        let late = now + Duration::from_millis(6_500);
        assert_eq!(tally.faulted_unprovoked("init", &limits, late), None);
        assert!(tally.faulted_unprovoked("init trapped", &limits, late).unwrap().contains("init trapped"));
    }

    #[test]
    fn closed_rooms_have_a_bound_and_those_that_open_soonest_go_first() {
        let (mut tally, now) = (Tally::default(), Instant::now());
        let limits = Limits { room_closed_ms: 60_000, ..Limits::default() };
        for room in 0..CLOSED_ROOMS_KEPT + 1 {
            tally.close(&id(room), now + Duration::from_millis(60_000 + room as u64), now);
        }
        assert_eq!(tally.closed.len(), CLOSED_ROOMS_KEPT);
        assert_eq!(tally.closed_for(&id(0), now), None);
        assert!(tally.closed_for(&id(1), now).is_some());
        // Those whose time is over go before any other.
        tally.crashed(&id(CLOSED_ROOMS_KEPT + 1), 0, "trap", &limits, now + Duration::from_secs(65));
        assert!(tally.closed.len() < CLOSED_ROOMS_KEPT);
    }
}
