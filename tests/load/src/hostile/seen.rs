//! What an attack met: its first action, what stopped it and when, and what it got away with. Shared by the attack's
//! threads.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use crate::load::clients::INTERRUPTED;

/// Kinds of stops that are kept; more of them say nothing more.
const KINDS_MAX: usize = 20;
/// Kinds of stops that a table shows.
const KINDS_SHOWN: usize = 3;
/// Letters of a stop that are kept.
const WORDS_MAX: usize = 70;

/// What one attack met.
#[derive(Default)]
pub struct Seen {
    begun: OnceLock<(Instant, SystemTime)>,
    over: AtomicBool,
    acts: AtomicU64,
    stops: Mutex<BTreeMap<String, Stop>>,
    breaches: Mutex<BTreeMap<String, u64>>,
    note: OnceLock<String>,
    is_ready: AtomicBool,
    may_go: AtomicBool,
    due: OnceLock<SystemTime>,
}

/// A kind of stop.
#[derive(Debug, Clone, Copy)]
pub struct Stop {
    /// From the attack's first action to the first of its kind.
    pub after: Duration,
    /// How many there were.
    pub count: u64,
}

impl Seen {
    /// The attack acts, maybe for the first time.
    pub fn act(&self) {
        self.begun.get_or_init(|| (Instant::now(), SystemTime::now()));
        self.acts.fetch_add(1, Ordering::Relaxed);
    }

    /// The attack has prepared what it needs, and asks whether it is to act now. One that is over need not ask on.
    pub fn may_go(&self) -> bool {
        self.is_ready.store(true, Ordering::Relaxed);
        self.may_go.load(Ordering::Relaxed) || self.is_over()
    }

    /// Whether it has prepared.
    pub fn is_ready(&self) -> bool {
        self.is_ready.load(Ordering::Relaxed)
    }

    /// Lets it act.
    pub fn go(&self) {
        self.may_go.store(true, Ordering::Relaxed);
    }

    /// Says when something happens by itself that was prepared.
    pub fn set_due(&self, due: SystemTime) {
        self.due.get_or_init(|| due);
    }

    /// That time.
    pub fn due(&self) -> Option<SystemTime> {
        self.due.get().copied()
    }

    /// How often it acted.
    pub fn acts(&self) -> u64 {
        self.acts.load(Ordering::Relaxed)
    }

    /// When it acted first.
    pub fn begun(&self) -> Option<SystemTime> {
        self.begun.get().map(|(_, time)| *time)
    }

    /// It was stopped just now.
    pub fn stop(&self, what: &str) {
        let begun = self.begun.get().map_or_else(Instant::now, |(begun, _)| *begun);
        self.stop_after(what, begun.elapsed());
    }

    /// It was stopped that long after its first action.
    pub fn stop_after(&self, what: &str, after: Duration) {
        let mut stops = lock(&self.stops);
        let what = clipped(what);
        if let Some(known) = stops.get_mut(&what) {
            known.count += 1;
            known.after = known.after.min(after);
        } else if stops.len() < KINDS_MAX {
            stops.insert(what, Stop { after, count: 1 });
        }
    }

    /// The host let something happen that it must not.
    pub fn breach(&self, what: &str) {
        let mut breaches = lock(&self.breaches);
        if breaches.len() < KINDS_MAX || breaches.contains_key(what) {
            *breaches.entry(what.to_owned()).or_default() += 1;
        }
    }

    /// What a reader of the table should know besides.
    pub fn note(&self, what: &str) {
        self.note.get_or_init(|| what.to_owned());
    }

    /// That, where there is any.
    pub fn noted(&self) -> Option<&str> {
        self.note.get().map(String::as_str)
    }

    /// Everything that the host should not have let happen.
    pub fn breaches(&self) -> Vec<String> {
        lock(&self.breaches).iter().map(|(what, count)| format!("{what} ({count} times)")).collect()
    }

    /// Ends the attack.
    pub fn end(&self) {
        self.over.store(true, Ordering::Relaxed);
    }

    /// Whether the attack is to end.
    pub fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed) || INTERRUPTED.load(Ordering::Relaxed)
    }

    /// Waits, in pieces, and says whether the attack goes on.
    pub fn pause(&self, time: Duration) -> bool {
        let end = Instant::now() + time;
        while !self.is_over() {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return true;
            }
            std::thread::sleep(left.min(Duration::from_millis(20)));
        }
        false
    }

    /// Whether anything stopped it.
    pub fn is_stopped(&self) -> bool {
        !lock(&self.stops).is_empty()
    }

    /// What stopped it, in the order in which it began to, and after how long the first did.
    pub fn summary(&self) -> Option<(String, Duration)> {
        let mut stops: Vec<(String, Stop)> =
            lock(&self.stops).iter().map(|(what, stop)| (what.clone(), *stop)).collect();
        stops.sort_by_key(|(_, stop)| stop.after);
        let first = stops.first()?.1.after;
        let shown = stops.iter().take(KINDS_SHOWN).map(|(what, _)| what.as_str());
        let mut words = shown.collect::<Vec<_>>().join("; ");
        if stops.len() > KINDS_SHOWN {
            words += &format!("; and {} more", stops.len() - KINDS_SHOWN);
        }
        Some((words, first))
    }
}

/// Words as a part of a table's line.
fn clipped(what: &str) -> String {
    let plain: String =
        what.chars().map(|letter| if letter.is_control() || letter == '|' { ' ' } else { letter }).collect();
    match plain.char_indices().nth(WORDS_MAX) {
        Some((end, _)) => format!("{}...", &plain[..end]),
        None => plain,
    }
}

/// A thread that panicked leaves what it counted.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stops_are_told_in_the_order_in_which_they_began() {
        let seen = Seen::default();
        assert!(seen.summary().is_none());
        for (what, ms) in [("late", 30), ("early", 10), ("early", 5), ("a|b\n", 40), ("other", 50)] {
            seen.stop_after(what, Duration::from_millis(ms));
        }
        let (words, after) = seen.summary().unwrap();
        assert_eq!(words, "early; late; a b ; and 1 more");
        assert_eq!(after, Duration::from_millis(5));
    }
}
