//! The clients whose events make a version's code fault. Each such fault makes the client wait longer before its next
//! event; a client that goes on is refused for a while, and for longer each time. A client is known by its user and by
//! its address, so that neither another name nor another connection gives it new tries.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use crate::clock::{Instant, doubled};
use crate::model::limits::Limits;
use crate::model::visitor::{Party, Visitor};
use crate::room::owner::Penalty;

/// How many users and addresses are remembered. Beyond that the ones whose last fault is longest ago are forgotten.
const KEPT: usize = 10_000;

/// The users and addresses that caused faults.
#[derive(Debug, Default)]
pub(super) struct Blame(HashMap<Party, Record>);

#[derive(Debug)]
struct Record {
    /// When it caused faults that still count; the oldest first.
    faults: VecDeque<Instant>,
    last: Instant,
    /// How often it was refused so far, and until when.
    refusals: u32,
    refused_until: Option<Instant>,
}

impl Blame {
    /// Puts a fault down to a client, and answers what it gets for it.
    pub(super) fn fault(&mut self, by: &Visitor, limits: &Limits, now: Instant) -> Penalty {
        if self.refused_for(by, now).is_some() {
            return Penalty::Refused;
        }
        let (mut is_refused, mut wait) = (false, Duration::ZERO);
        for blamed in by.blamable() {
            self.make_space(&blamed, limits, now);
            let max = bound(&blamed, limits);
            let fresh = Record { faults: VecDeque::new(), last: now, refusals: 0, refused_until: None };
            let record = self.0.entry(blamed.clone()).or_insert(fresh);
            let faults = record.count(max, limits, now);
            is_refused |= faults >= max;
            wait = wait.max(slow(&blamed, faults, limits));
        }
        if is_refused { Penalty::Refused } else { Penalty::Slowed(wait) }
    }

    /// For how long a client is still refused.
    pub(super) fn refused_for(&self, client: &Visitor, now: Instant) -> Option<Duration> {
        let until = self.records(client).filter_map(|(_, record)| record.refused_until).max()?;
        Some(until.saturating_duration_since(now)).filter(|left| !left.is_zero())
    }

    /// For how long the first event of a client that comes back has to wait.
    pub(super) fn slowed_for(&self, client: &Visitor, limits: &Limits, now: Instant) -> Option<Duration> {
        let waits = self.records(client).filter_map(|(blamed, record)| {
            let until = record.last + slow(&blamed, record.recent(limits, now), limits);
            Some(until.saturating_duration_since(now)).filter(|left| !left.is_zero())
        });
        waits.max()
    }

    fn records(&self, client: &Visitor) -> impl Iterator<Item = (Party, &Record)> {
        client.blamable().filter_map(|blamed| Some((blamed.clone(), self.0.get(&blamed)?)))
    }

    /// Forgets what no longer counts and, if need be, whoever caused no fault for longest.
    fn make_space(&mut self, newcomer: &Party, limits: &Limits, now: Instant) {
        if self.0.len() < KEPT || self.0.contains_key(newcomer) {
            return;
        }
        self.0.retain(|_, record| record.counts(limits, now));
        if self.0.len() >= KEPT
            && let Some(longest) = self.0.iter().min_by_key(|(_, record)| record.last).map(|(blamed, _)| blamed.clone())
        {
            self.0.remove(&longest);
        }
    }
}

impl Record {
    /// Counts a fault; answers how many count by now. As many as there may be refuse whoever it is about.
    fn count(&mut self, max: usize, limits: &Limits, now: Instant) -> usize {
        if !self.counts(limits, now) {
            self.refusals = 0;
        }
        let window = Duration::from_millis(limits.room_faults_window_ms);
        self.faults.retain(|at| now - *at <= window);
        self.faults.push_back(now);
        self.last = now;
        let faults = self.faults.len();
        if faults >= max {
            self.refused_until = Some(
                now + {
                    let [first, longest] =
                        [limits.client_refused_ms, limits.client_refused_max_ms].map(Duration::from_millis);
                    doubled(first, self.refusals, longest)
                },
            );
            self.refusals += 1;
            self.faults.clear();
        }
        faults
    }

    fn recent(&self, limits: &Limits, now: Instant) -> usize {
        let window = Duration::from_millis(limits.room_faults_window_ms);
        self.faults.iter().filter(|at| now - **at <= window).count()
    }

    /// Whether the record still has a consequence: it is forgotten when there was no fault for the longest time that a
    /// client may be refused.
    fn counts(&self, limits: &Limits, now: Instant) -> bool {
        let remembered = Duration::from_millis(limits.client_refused_max_ms.max(limits.room_faults_window_ms));
        let last = self.refused_until.map_or(self.last, |until| until.max(self.last));
        now.saturating_duration_since(last) <= remembered
    }
}

/// How many faults refuse a user, or an address, which many may share.
fn bound(blamed: &Party, limits: &Limits) -> usize {
    let max = if matches!(blamed, Party::User(_)) { limits.client_faults } else { limits.address_faults };
    max as usize
}

/// How long a client waits after so many faults. Those at an address wait for each other's faults only where these are
/// more than one user may cause.
fn slow(blamed: &Party, faults: usize, limits: &Limits) -> Duration {
    let free = if matches!(blamed, Party::User(_)) { 1 } else { limits.client_faults };
    match u32::try_from(faults).unwrap_or(u32::MAX).checked_sub(free) {
        Some(doublings) => {
            let [first, longest] = [limits.client_slow_ms, limits.client_refused_ms].map(Duration::from_millis);
            doubled(first, doublings, longest)
        }
        None => Duration::ZERO,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(address: &str, user: &str) -> Visitor {
        Visitor::new(address.parse().ok(), Some(user.to_owned()))
    }

    fn limits() -> Limits {
        Limits {
            room_faults_window_ms: 30_000,
            client_faults: 3,
            address_faults: 5,
            client_slow_ms: 1_000,
            client_refused_ms: 30_000,
            client_refused_max_ms: 100_000,
            ..Limits::default()
        }
    }

    #[test]
    fn a_client_waits_longer_with_each_fault_and_then_is_refused() {
        let (mut blame, now, limits) = (Blame::default(), Instant::now(), limits());
        let eve = client("203.0.113.1", "eve");
        assert_eq!(blame.fault(&eve, &limits, now), Penalty::Slowed(Duration::from_secs(1)));
        assert_eq!(blame.slowed_for(&eve, &limits, now), Some(Duration::from_secs(1)));
        assert_eq!(blame.fault(&eve, &limits, now), Penalty::Slowed(Duration::from_secs(2)));
        assert_eq!(blame.fault(&eve, &limits, now), Penalty::Refused);
        assert_eq!(blame.refused_for(&eve, now), Some(Duration::from_secs(30)));
        // Another address does not help, and others at its own do not pay for it.
        let elsewhere = client("203.0.113.9", "eve");
        assert_eq!(blame.refused_for(&elsewhere, now), Some(Duration::from_secs(30)));
        assert_eq!(blame.fault(&elsewhere, &limits, now), Penalty::Refused);
        assert_eq!(blame.refused_for(&client("203.0.113.1", "neighbour"), now), None);
        let good = client("203.0.113.2", "ada");
        assert_eq!((blame.refused_for(&good, now), blame.slowed_for(&good, &limits, now)), (None, None));
    }

    #[test]
    fn another_name_gives_an_address_only_so_many_tries() {
        let (mut blame, now, limits) = (Blame::default(), Instant::now(), limits());
        let penalties: Vec<Penalty> =
            (0..5).map(|number| blame.fault(&client("203.0.113.1", &format!("eve {number}")), &limits, now)).collect();
        let slowed = |seconds| Penalty::Slowed(Duration::from_secs(seconds));
        assert_eq!(penalties, [slowed(1), slowed(1), slowed(1), slowed(2), Penalty::Refused]);
        assert!(blame.refused_for(&client("203.0.113.1", "anybody"), now).is_some());
    }

    #[test]
    fn each_refusal_is_longer_up_to_a_bound_and_forgotten_after_it() {
        let (mut blame, mut now) = (Blame::default(), Instant::now());
        let limits = Limits { address_faults: 100, ..limits() };
        let eve = client("203.0.113.1", "eve");
        let mut refusals = Vec::new();
        for _ in 0..4 {
            while blame.fault(&eve, &limits, now) != Penalty::Refused {}
            let left = blame.refused_for(&eve, now).unwrap();
            refusals.push(left.as_secs());
            now += left;
            assert_eq!(blame.refused_for(&eve, now), None);
        }
        assert_eq!(refusals, [30, 60, 100, 100]);
        now += Duration::from_secs(101);
        while blame.fault(&eve, &limits, now) != Penalty::Refused {}
        assert_eq!(blame.refused_for(&eve, now), Some(Duration::from_secs(30)));
    }

    #[test]
    fn old_faults_count_no_more() {
        let (mut blame, mut now, limits) = (Blame::default(), Instant::now(), limits());
        for _ in 0..10 {
            assert!(matches!(blame.fault(&client("203.0.113.1", "ada"), &limits, now), Penalty::Slowed(_)));
            now += Duration::from_secs(16);
        }
    }

    #[test]
    fn what_is_remembered_has_a_bound() {
        let (mut blame, now, limits) = (Blame::default(), Instant::now(), limits());
        for number in 0..KEPT as u64 + 10 {
            blame.fault(&Visitor::new(None, Some(number.to_string())), &limits, now + Duration::from_millis(number));
        }
        assert_eq!(blame.0.len(), KEPT);
        assert!(!blame.0.contains_key(&Party::User("0".to_owned())));
    }
}
