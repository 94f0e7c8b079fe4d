//! The timers of a room. They live in memory as long as the room, so they outlive its instances.

use std::collections::BTreeMap;

use super::event::SocketId;
use super::journal::{Journal, Mark};
use super::json::Json;
use crate::clock::Instant;

/// One timer of a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timer {
    pub due: Instant,
    /// The payload of the event that the timer raises.
    pub data: Option<Json>,
    /// The socket whose event set it; none where no client's event did.
    pub set_by: Option<SocketId>,
}

/// All timers of a room, by name. A journal notes what undoes each change.
#[derive(Debug, Default)]
pub struct Timers {
    timers: BTreeMap<String, Timer>,
    /// When the earliest timer is due: the room asks before each mail.
    next: Option<Instant>,
    /// What each changed name stood for before.
    journal: Journal<(String, Option<Timer>)>,
}

impl Timers {
    pub fn has(&self, name: &str) -> bool {
        self.timers.contains_key(name)
    }

    pub fn len(&self) -> usize {
        self.timers.len()
    }

    pub fn is_empty(&self) -> bool {
        self.timers.is_empty()
    }

    /// All timers, by name.
    pub fn all(&self) -> impl Iterator<Item = (&String, &Timer)> {
        self.timers.iter()
    }

    /// When the earliest timer is due.
    pub fn next_due(&self) -> Option<Instant> {
        self.next
    }

    /// Sets a timer, or removes it. Returns whether the name had one before.
    pub fn change(&mut self, name: String, timer: Option<Timer>) -> bool {
        let before = self.put(name.clone(), timer);
        let was_set = before.is_some();
        self.journal.note((name, before));
        was_set
    }

    /// Takes out the earliest timer that is due. It stays out, also where its turn fails.
    pub fn take_due(&mut self, now: Instant) -> Option<(String, Timer)> {
        let (name, _) = self.timers.iter().filter(|(_, timer)| timer.due <= now).min_by_key(|(_, timer)| timer.due)?;
        let name = name.clone();
        let timer = self.put(name.clone(), None)?;
        Some((name, timer))
    }

    pub fn mark(&self) -> Mark {
        self.journal.mark()
    }

    pub fn make_final(&mut self, before: Mark) {
        self.journal.make_final(before);
    }

    pub fn roll_back(&mut self, to: Mark) {
        while let Some((name, before)) = self.journal.take_back(to) {
            self.put(name, before);
        }
    }

    fn put(&mut self, name: String, timer: Option<Timer>) -> Option<Timer> {
        let before = match timer {
            Some(timer) => self.timers.insert(name, timer),
            None => self.timers.remove(&name),
        };
        self.next = self.timers.values().map(|timer| timer.due).min();
        before
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_failed_turn_leaves_timers_as_they_were() {
        let start = Instant::now();
        let timer = |ms| Some(Timer { due: start + Duration::from_millis(ms), data: None, set_by: None });
        let mut timers = Timers::default();
        assert!(!timers.change("a".into(), timer(10)));
        let mark = timers.mark();
        timers.make_final(mark);
        assert!(timers.change("a".into(), timer(5)) && timers.change("a".into(), None));
        assert!(!timers.change("b".into(), timer(1)));
        timers.roll_back(mark);
        assert_eq!((timers.len(), timers.next_due()), (1, Some(start + Duration::from_millis(10))));
    }

    #[test]
    fn the_earliest_comes_first_and_once() {
        let start = Instant::now();
        let mut timers = Timers::default();
        for (name, ms) in [("late", 9), ("first", 1), ("second", 2)] {
            timers
                .change(name.into(), Some(Timer { due: start + Duration::from_millis(ms), data: None, set_by: None }));
        }
        let mut taken = Vec::new();
        while let Some((name, _)) = timers.take_due(start + Duration::from_millis(5)) {
            taken.push(name);
        }
        assert_eq!(taken, ["first", "second"]);
        assert_eq!(timers.next_due(), Some(start + Duration::from_millis(9)));
    }
}
