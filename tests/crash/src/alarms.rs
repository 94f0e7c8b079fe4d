//! What must become of a room's alarms: each that was set rings once it is due, whatever was killed meanwhile.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use crate::id::Id;
use crate::seen::{Checked, Ends, Losses, Seen, expect, shown};

/// How late an alarm may ring while the server lives: the first failure of its turn waits for a second, a restart finds
/// many that are due.
const LATE_MS: u64 = 5_000;

/// All alarms of a room. The guest keeps many and sets the host's one for the earliest.
#[derive(Debug, Default)]
pub struct Alarms {
    relaxed: bool,
    all: BTreeMap<Id, Alarm>,
}

#[derive(Debug, Default)]
struct Alarm {
    in_ms: u64,
    /// Since the Unix epoch; none where nobody heard that it was set.
    due: Option<u64>,
    armed: Trace,
    rang: Trace,
}

/// What is known of a fact.
#[derive(Debug, Default, Clone, Copy)]
struct Trace {
    /// A client saw it.
    seen: Option<Seen>,
    /// It was found stored, first in this life.
    stored: Option<u32>,
}

impl Trace {
    fn is_known(self) -> bool {
        self.seen.is_some() || self.stored.is_some()
    }

    /// The sight, where it is not known that it is on the disk.
    fn unsafe_sight(self) -> Option<Seen> {
        self.seen.filter(|_| self.stored.is_none())
    }
}

impl Alarms {
    pub fn new(relaxed: bool) -> Self {
        Self { relaxed, ..Self::default() }
    }

    /// An alarm is about to be asked for.
    pub fn sets(&mut self, id: Id, in_ms: u64) {
        self.all.insert(id, Alarm { in_ms, ..Alarm::default() });
    }

    /// A client saw `armed`.
    pub fn armed(&mut self, id: Id, due: u64, seen: Seen) -> Checked {
        let alarm = self.find(id)?;
        let was = alarm.armed.seen.and(alarm.due);
        expect(was.is_none_or(|was| was == due), || format!("alarm {id} due at {was:?}"), || shown(&due))?;
        alarm.due = Some(due);
        alarm.armed.seen.get_or_insert(seen);
        Ok(())
    }

    /// A client saw `rang` at this time since the Unix epoch. Answers how many milliseconds after it was due, where that
    /// is known and nobody saw it before.
    pub fn rang(&mut self, id: Id, wall: u64, seen: Seen) -> Checked<Option<u64>> {
        let relaxed = self.relaxed;
        let alarm = self.find(id)?;
        let before = alarm.rang.seen.map(|seen| seen.life).or(alarm.rang.stored);
        let once = relaxed || before.is_none_or(|life| life == seen.life);
        expect(once, || format!("alarm {id} not again: it rang in life {before:?}"), || format!("in {}", seen.life))?;
        let exact = alarm.armed.seen.and(alarm.due);
        expect(
            exact.is_none_or(|due| wall + 1 >= due),
            || format!("alarm {id} not before {exact:?}"),
            || shown(&wall),
        )?;
        let first = alarm.rang.seen.is_none();
        alarm.rang.seen.get_or_insert(seen);
        Ok(exact.filter(|_| first).map(|due| wall.saturating_sub(due)))
    }

    fn find(&mut self, id: Id) -> Checked<&mut Alarm> {
        let known = self.all.contains_key(&id);
        expect(known, || "only alarms that were asked for".to_owned(), || format!("alarm {id}"))?;
        Ok(self.all.entry(id).or_default())
    }

    /// The answer to `alarms` in a life, at a time since the Unix epoch.
    pub fn stored(&mut self, armed: &[Id], rang: &[Id], wall: u64, seen: Seen, ends: &Ends) -> Checked<Losses> {
        let (armed, rang): (HashSet<Id>, HashSet<Id>) =
            (armed.iter().copied().collect(), rang.iter().copied().collect());
        for id in armed.iter().chain(&rang) {
            self.find(*id)?;
        }
        let mut losses = Losses::default();
        for (id, alarm) in &mut self.all {
            let (is_armed, has_rung) = (armed.contains(id), rang.contains(id));
            expect(is_armed || !has_rung, || format!("alarm {id} to be set"), || "it only rang".to_owned())?;
            let mut settle = |trace: &mut Trace, there: bool, is_safe: bool, what: &str| {
                if there && is_safe {
                    trace.stored.get_or_insert(seen.life);
                } else if there {
                    trace.seen = Some(seen);
                } else if trace.is_known() {
                    let what = || format!("alarm {id}, which {what},");
                    losses.lose(self.relaxed, trace.unsafe_sight(), ends, what, || "it is not".to_owned())?;
                    *trace = Trace::default();
                }
                Ok(())
            };
            // Nobody sets alarms in this life before the first of these answers, but they ring from its begin: what is
            // said of that may be lost again.
            settle(&mut alarm.armed, is_armed, true, "was set")?;
            settle(&mut alarm.rang, has_rung, !self.relaxed, "rang")?;
            alarm.due = match alarm.due {
                _ if !is_armed => None,
                // Nobody heard when it is due: not later than if it had been set now.
                None => Some(wall + alarm.in_ms),
                due => due,
            };
        }
        Ok(losses)
    }

    /// Alarms that must still ring.
    pub fn waiting(&self) -> usize {
        self.all.values().filter(|alarm| alarm.armed.is_known() && !alarm.rang.is_known()).count()
    }

    /// How many were set and how many rang, as far as is known.
    pub fn counts(&self) -> (u64, u64) {
        let count = |of: fn(&Alarm) -> Trace| self.all.values().filter(|alarm| of(alarm).is_known()).count() as u64;
        (count(|alarm| alarm.armed), count(|alarm| alarm.rang))
    }

    /// Whether all have rung that should have, in a life that began to serve at `served`.
    pub fn in_time(&self, wall: u64, served: u64) -> Checked {
        let late = self.all.iter().find(|(_, alarm)| {
            let due = alarm.due.filter(|_| alarm.armed.is_known() && !alarm.rang.is_known());
            due.is_some_and(|due| due.max(served) + LATE_MS < wall)
        });
        let Some((id, alarm)) = late else { return Ok(()) };
        let bound = Duration::from_millis(LATE_MS);
        let due = alarm.due.unwrap_or_default();
        let words =
            || format!("alarm {id}, due at {due}, to ring within {bound:?} of that and of the start at {served}");
        expect(false, words, || format!("at {wall} it has not"))
    }
}

#[cfg(test)]
#[path = "alarms_tests.rs"]
mod tests;
