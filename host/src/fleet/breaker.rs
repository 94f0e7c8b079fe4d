//! The circuit breaker of one version: a quarantine that ends by itself. It is closed while the version serves, open while
//! the version is out of service, and half open when the pause is over and one room tries it.

use std::time::Duration;

use crate::clock::{Instant, doubled, unix_ms};
use crate::model::limits::Limits;
use crate::model::names::RoomId;

/// Why a version is out of service.
#[derive(Debug, Clone, PartialEq)]
pub struct Quarantine {
    /// Milliseconds since the Unix epoch.
    pub since: f64,
    pub why: String,
    /// When one room may try the version again, in milliseconds since the Unix epoch.
    pub tries_at: f64,
}

#[derive(Debug, Default)]
pub(super) struct Breaker {
    open: Option<Open>,
    /// How often the version was quarantined in a row, and when the last quarantine ended.
    before: Option<(u32, Instant)>,
}

/// The version is out of service.
#[derive(Debug)]
struct Open {
    told: Quarantine,
    /// How many quarantines in a row this one makes.
    number: u32,
    /// When the first room may try.
    until: Instant,
    /// How long a room has to go without a crash.
    trial: Duration,
    trying: Option<Trying>,
}

/// The room that tries the version, and since when.
#[derive(Debug)]
struct Trying {
    room: RoomId,
    since: Instant,
}

impl Open {
    /// When the trial under way is passed.
    fn passes_at(&self) -> Option<Instant> {
        self.trying.as_ref().map(|trying| trying.since + self.trial)
    }

    fn is_passed(&self, now: Instant) -> bool {
        self.passes_at().is_some_and(|at| at <= now)
    }
}

impl Breaker {
    /// Puts the version into quarantine; answers for how long. None where it is in one already that no room tries: then
    /// its rooms are about to close.
    pub(super) fn trip(&mut self, why: &str, limits: &Limits, now: Instant) -> Option<Duration> {
        self.settle(limits, now);
        let number = match &self.open {
            Some(open) if open.trying.is_none() => return None,
            Some(open) => open.number + 1,
            None => self.before.map_or(0, |(number, _)| number + 1),
        };
        let [first, longest] = [limits.quarantine_ms, limits.quarantine_max_ms].map(Duration::from_millis);
        let pause = doubled(first, number, longest);
        let since = unix_ms();
        let told = Quarantine { since, why: why.to_owned(), tries_at: since + pause.as_millis() as f64 };
        let trial = Duration::from_millis(limits.quarantine_trial_ms);
        self.open = Some(Open { told, number, until: now + pause, trial, trying: None });
        Some(pause)
    }

    /// Why the version is out of service; none where it serves.
    pub(super) fn quarantine(&self, now: Instant) -> Option<&Quarantine> {
        self.open.as_ref().filter(|open| !open.is_passed(now)).map(|open| &open.told)
    }

    /// How long it takes at least until a room may open on the version; none where it may now.
    pub(super) fn refuses(&self, room: &RoomId, now: Instant) -> Option<Duration> {
        let open = self.open.as_ref().filter(|open| !open.is_passed(now))?;
        match &open.trying {
            Some(trying) if trying.room == *room => None,
            Some(_) => open.passes_at().map(|at| at - now),
            None => Some(open.until.saturating_duration_since(now)).filter(|left| !left.is_zero()),
        }
    }

    /// Whether this room tries the version at the moment.
    pub(super) fn is_tried_by(&self, room: &RoomId, now: Instant) -> bool {
        let open = self.open.as_ref().filter(|open| !open.is_passed(now));
        open.and_then(|open| open.trying.as_ref()).is_some_and(|trying| trying.room == *room)
    }

    /// A room opens that [`Breaker::refuses`] let through. Says whether it tries a version in quarantine.
    pub(super) fn opens(&mut self, room: &RoomId, limits: &Limits, now: Instant) -> bool {
        self.settle(limits, now);
        let Some(open) = &mut self.open else { return false };
        let is_new = open.trying.is_none();
        if is_new {
            open.trying = Some(Trying { room: room.clone(), since: now });
        }
        is_new
    }

    /// A room ended: if it was the one that tried, another may try.
    pub(super) fn ended(&mut self, room: &RoomId, now: Instant) {
        if let Some(open) = self.open.as_mut().filter(|open| !open.is_passed(now)) {
            open.trying.take_if(|trying| trying.room == *room);
        }
    }

    /// Ends a quarantine whose trial is passed, and forgets those of long ago.
    fn settle(&mut self, limits: &Limits, now: Instant) {
        if let Some(open) = self.open.take_if(|open| open.is_passed(now)) {
            self.before = open.passes_at().map(|at| (open.number, at));
        }
        let remembered = Duration::from_millis(limits.quarantine_max_ms);
        self.before.take_if(|(_, ended)| now - *ended > remembered);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn limits() -> Limits {
        Limits { quarantine_ms: 30_000, quarantine_max_ms: 100_000, quarantine_trial_ms: 10_000, ..Limits::default() }
    }

    fn room(name: &str) -> RoomId {
        RoomId::new(name).unwrap()
    }

    #[test]
    fn a_quarantine_ends_when_one_room_has_tried_the_version() {
        let (mut breaker, now, limits) = (Breaker::default(), Instant::now(), limits());
        assert_eq!(breaker.trip("trap", &limits, now), Some(30 * SECOND));
        // Rooms that are about to close may still report crashes.
        assert_eq!(breaker.trip("trap", &limits, now), None);
        assert_eq!(breaker.refuses(&room("a"), now + 10 * SECOND), Some(20 * SECOND));
        let tries = now + 30 * SECOND;
        assert_eq!(breaker.refuses(&room("a"), tries), None);
        assert!(breaker.opens(&room("a"), &limits, tries));
        assert_eq!(breaker.refuses(&room("a"), tries + SECOND), None);
        assert_eq!(breaker.refuses(&room("b"), tries + SECOND), Some(9 * SECOND));
        assert!(breaker.quarantine(tries + 9 * SECOND).is_some());
        assert_eq!(breaker.quarantine(tries + 10 * SECOND), None);
        assert_eq!(breaker.refuses(&room("b"), tries + 10 * SECOND), None);
        // Whatever becomes of that room later says no more than any other.
        assert!(breaker.is_tried_by(&room("a"), tries + 9 * SECOND));
        assert!(!breaker.is_tried_by(&room("a"), tries + 10 * SECOND));
        assert!(!breaker.opens(&room("b"), &limits, tries + 10 * SECOND));
    }

    #[test]
    fn each_pause_is_longer_up_to_a_bound() {
        let (mut breaker, mut now, limits) = (Breaker::default(), Instant::now(), limits());
        let mut pauses = Vec::new();
        for _ in 0..4 {
            let pause = breaker.trip("trap", &limits, now).unwrap();
            pauses.push(pause.as_secs());
            now += pause;
            breaker.opens(&room("a"), &limits, now);
        }
        assert_eq!(pauses, [30, 60, 100, 100]);
        // It goes on from there where it fails soon after a trial that it passed, and begins anew much later.
        now += 10 * SECOND;
        assert_eq!(breaker.trip("trap", &limits, now).unwrap().as_secs(), 100);
        now += 100 * SECOND;
        breaker.opens(&room("a"), &limits, now);
        now += 111 * SECOND;
        assert_eq!(breaker.trip("trap", &limits, now).unwrap().as_secs(), 30);
    }

    #[test]
    fn a_room_that_ends_early_leaves_the_trial_to_another() {
        let (mut breaker, now, limits) = (Breaker::default(), Instant::now(), limits());
        breaker.trip("trap", &limits, now);
        let tries = now + 30 * SECOND;
        assert!(breaker.opens(&room("a"), &limits, tries));
        breaker.ended(&room("b"), tries);
        assert!(breaker.refuses(&room("b"), tries).is_some());
        breaker.ended(&room("a"), tries);
        assert_eq!(breaker.refuses(&room("b"), tries), None);
        assert!(breaker.opens(&room("b"), &limits, tries));
    }
}
