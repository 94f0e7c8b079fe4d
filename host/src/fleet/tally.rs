//! How one version of a plugin fails, and what follows. A room that crashes stays closed for a while. A client whose
//! events make the code fault is slowed and refused. A version goes into quarantine, out of service, for what no single
//! client can have caused.
//!
//! A failure that a handler returns does not count: a client's bad data may cause it. Faults (traps, deadlines, memory)
//! end the instance. A room with too many of them crashes and closes. Rooms are named by clients, and whoever is in a room
//! shapes what its code works on: so crashes put a version into quarantine only where no user and no address was in two
//! of at least five crashed rooms, and these are half of all rooms.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use super::blame::Blame;
use super::breaker::{Breaker, Quarantine};
use crate::clock::Instant;
use crate::model::limits::Limits;
use crate::model::names::RoomId;
use crate::model::visitor::{Visitor, unrelated};

/// At least so many unrelated rooms, and half of all, must crash before their version is quarantined.
const ROOMS_OF_QUARANTINE: usize = 5;
/// How many closed rooms a tally remembers. Beyond that it forgets the one whose time is over soonest, which may then
/// open at once.
const CLOSED_ROOMS_KEPT: usize = 10_000;
/// How many crashes a tally remembers; the latest count.
const CRASHES_KEPT: usize = 256;

/// The faults of one version.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Rooms that crashed, and until when they stay closed.
    closed: HashMap<RoomId, Instant>,
    /// When faults happened that no client caused.
    unprovoked: VecDeque<Instant>,
    /// The last crash of each room; the oldest first.
    crashes: VecDeque<Crash>,
    pub(super) blame: Blame,
    pub(super) breaker: Breaker,
}

#[derive(Debug)]
struct Crash {
    room: RoomId,
    at: Instant,
    /// Who was in the room lately.
    suspects: Vec<Arc<Visitor>>,
}

/// Why and for how long a version goes into quarantine.
#[derive(Debug, PartialEq)]
pub(super) struct Quarantining {
    pub(super) why: String,
    pub(super) pause: Duration,
}

impl Tally {
    pub(super) fn quarantine(&self, now: Instant) -> Option<&Quarantine> {
        self.breaker.quarantine(now)
    }

    /// How long a room still stays closed.
    pub(super) fn closed_for(&self, room: &RoomId, now: Instant) -> Option<Duration> {
        self.closed.get(room).map(|until| until.saturating_duration_since(now)).filter(|left| !left.is_zero())
    }

    /// Counts the crash of a room, in which the suspects were lately, and beside which `others` run the version. Answers
    /// whether this crash puts the version into quarantine.
    pub(super) fn crashed(
        &mut self,
        room: &RoomId,
        suspects: Vec<Arc<Visitor>>,
        others: usize,
        why: &str,
        limits: &Limits,
        now: Instant,
    ) -> Option<Quarantining> {
        self.close(room, now + Duration::from_millis(limits.room_closed_ms), now);
        if self.breaker.is_tried_by(room, now) {
            return self.trip(format!("the room that tried it crashed: {why}"), limits, now);
        }
        let window = Duration::from_millis(limits.room_faults_window_ms);
        self.crashes.retain(|crash| crash.room != *room && now - crash.at <= window);
        if self.crashes.len() >= CRASHES_KEPT {
            self.crashes.pop_front();
        }
        self.crashes.push_back(Crash { room: room.clone(), at: now, suspects });
        let crashed = unrelated(self.crashes.iter().map(|crash| &*crash.suspects));
        if crashed < ROOMS_OF_QUARANTINE || 2 * crashed < crashed + others {
            return None;
        }
        let all = crashed + others;
        self.trip(
            format!("{crashed} of {all} rooms crashed that have no client in common, the last of them: {why}"),
            limits,
            now,
        )
    }

    /// Counts a fault that no client caused. Answers whether this fault puts the version into quarantine.
    pub(super) fn faulted_unprovoked(&mut self, why: &str, limits: &Limits, now: Instant) -> Option<Quarantining> {
        let window = Duration::from_millis(limits.room_faults_window_ms);
        self.unprovoked.retain(|at| now - *at <= window);
        self.unprovoked.push_back(now);
        let faults = self.unprovoked.len();
        if faults < limits.room_faults as usize {
            return None;
        }
        self.trip(format!("{faults} faults that no client caused, the last of them: {why}"), limits, now)
    }

    /// Ends the quarantine and forgets all faults; false where there was no quarantine.
    pub(super) fn lift(&mut self, now: Instant) -> bool {
        let lifted = self.quarantine(now).is_some();
        *self = Self::default();
        lifted
    }

    fn trip(&mut self, why: String, limits: &Limits, now: Instant) -> Option<Quarantining> {
        let pause = self.breaker.trip(&why, limits, now)?;
        self.crashes.clear();
        self.unprovoked.clear();
        Some(Quarantining { why, pause })
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
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: usize) -> RoomId {
        RoomId::new(&format!("r{number}")).unwrap()
    }

    /// A visitor who was in no other room.
    fn alone(number: usize) -> Vec<Arc<Visitor>> {
        let address = std::net::Ipv4Addr::from_bits(number as u32).into();
        vec![Arc::new(Visitor::new(Some(address), Some(format!("user {number}"))))]
    }

    fn crash(tally: &mut Tally, number: usize, others: usize, now: Instant) -> Option<String> {
        let limits = Limits::default();
        tally.crashed(&id(number), alone(number), others, "trap", &limits, now).map(|quarantining| quarantining.why)
    }

    #[test]
    fn a_crashed_room_stays_closed_alone_and_for_a_while() {
        let (mut tally, now) = (Tally::default(), Instant::now());
        let limits = Limits { room_closed_ms: 30, ..Limits::default() };
        tally.crashed(&id(0), alone(0), 19, "trap", &limits, now);
        assert_eq!(tally.closed_for(&id(0), now), Some(Duration::from_millis(30)));
        assert_eq!(tally.closed_for(&id(1), now), None);
        assert_eq!(tally.closed_for(&id(0), now + Duration::from_millis(30)), None);
    }

    #[test]
    fn a_version_is_quarantined_when_half_of_its_rooms_crash_and_at_least_five() {
        let now = Instant::now();
        let mut few = Tally::default();
        assert!((0..4).all(|room| crash(&mut few, room, 0, now).is_none()));

        let mut many = Tally::default();
        for room in 0..5 {
            assert_eq!(crash(&mut many, room, 11 - room, now), None);
        }
        // A room that crashes once more is no further room.
        assert_eq!(crash(&mut many, 0, 7, now), None);
        let why = crash(&mut many, 5, 6, now).unwrap();
        assert_eq!(why, "6 of 12 rooms crashed that have no client in common, the last of them: trap");
        assert_eq!(many.quarantine(now).unwrap().why, why);
        // Once is enough.
        assert_eq!(crash(&mut many, 6, 5, now), None);
        assert!(many.lift(now) && !many.lift(now));
        assert_eq!(many.closed_for(&id(0), now), None);
    }

    #[test]
    fn rooms_that_one_client_was_in_put_no_version_into_quarantine() {
        let (mut tally, now, limits) = (Tally::default(), Instant::now(), Limits::default());
        for room in 0..100 {
            // It is one of several in each room, and nobody else is in two of them.
            let suspects = [alone(1_000), alone(room)].concat();
            assert_eq!(tally.crashed(&id(room), suspects, 0, "trap", &limits, now), None);
            assert_eq!(tally.crashed(&id(1_000 + room), vec![], 0, "trap", &limits, now), None);
        }
        assert!((0..3).all(|room| crash(&mut tally, 2_000 + room, 0, now).is_none()));
        assert!(tally.crashes.len() <= CRASHES_KEPT);
    }

    #[test]
    fn a_room_that_tries_a_version_in_quarantine_and_crashes_ends_the_trial() {
        let (mut tally, now, limits) = (Tally::default(), Instant::now(), Limits::default());
        (0..5).for_each(|room| drop(crash(&mut tally, room, 0, now)));
        let tries = now + Duration::from_millis(limits.quarantine_ms);
        tally.breaker.opens(&id(9), &limits, tries);
        let again = tally.crashed(&id(9), alone(9), 0, "trap", &limits, tries).unwrap();
        assert_eq!(again.pause, Duration::from_millis(2 * limits.quarantine_ms));
        assert!(again.why.contains("the room that tried it crashed"));
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
        assert!(tally.faulted_unprovoked("init trapped", &limits, late).unwrap().why.contains("init trapped"));
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
        tally.crashed(&id(CLOSED_ROOMS_KEPT + 1), vec![], 0, "trap", &limits, now + Duration::from_secs(65));
        assert!(tally.closed.len() < CLOSED_ROOMS_KEPT);
    }
}
