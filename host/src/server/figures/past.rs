//! The figures of the last ten minutes, second by second, for plots.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use serde_json::{Value, json};

use crate::model::names::{PluginName, TenantName};
use crate::tenant::latency::Distribution;

/// How many seconds are kept.
pub const SECONDS: usize = 600;
/// Of how many subjects seconds are kept: the host, tenants and plugins. Of further ones there is the last second alone.
const SUBJECTS_MAX: usize = 1_024;

/// What figures are of: the host, a tenant, or a plugin of it.
pub type Subject = (Option<TenantName>, Option<PluginName>);

/// What was counted of a subject so far.
#[derive(Debug, Clone, Default)]
pub struct Reading {
    /// What its turns executed; their number is that of the turns.
    pub turns: Distribution,
    /// From an event's place to a frame of its turn.
    pub event: Distribution,
    pub failures: u64,
    pub cpu: Duration,
    /// Now.
    pub sockets: usize,
}

impl Reading {
    /// Adds what was counted of a part.
    pub fn add(&mut self, part: &Self) {
        self.turns.add(&part.turns);
        self.event.add(&part.event);
        self.failures += part.failures;
    }
}

/// One second of a subject.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sample {
    turns: u32,
    failures: u32,
    cpu_us: u32,
    sockets: u32,
    /// Bounds below which half and 99 per cent of the second's events were answered; 0 where there were none.
    p50_us: u32,
    p99_us: u32,
}

impl Sample {
    fn between(earlier: &Reading, now: &Reading) -> Self {
        let event = now.event.since(&earlier.event);
        let micros = |part| event.quantile(part).map_or(0, |seconds| (seconds * 1e6) as u32);
        Self {
            turns: now.turns.since(&earlier.turns).count() as u32,
            failures: now.failures.saturating_sub(earlier.failures) as u32,
            cpu_us: now.cpu.saturating_sub(earlier.cpu).as_micros() as u32,
            sockets: now.sockets as u32,
            p50_us: micros(0.5),
            p99_us: micros(0.99),
        }
    }

    pub fn body(&self) -> Value {
        let Self { turns, failures, cpu_us, sockets, p50_us, p99_us } = self;
        json!({ "turns": turns, "failures": failures, "cpu_us": cpu_us, "sockets": sockets, "p50_us": p50_us, "p99_us": p99_us })
    }
}

#[derive(Debug, Default)]
struct Series {
    last: Reading,
    /// The last second.
    now: Sample,
    /// Whether it is one of those of which more is kept.
    is_kept: bool,
    /// The newest last; empty while nothing has happened for so long.
    samples: VecDeque<Sample>,
    /// For how many seconds nothing has happened.
    quiet: usize,
}

/// What is kept of all subjects.
#[derive(Debug, Default)]
pub struct Past(BTreeMap<Subject, Series>);

impl Past {
    /// Notes what was counted of everybody so far. Those that it does not name are forgotten.
    pub fn note(&mut self, readings: &BTreeMap<Subject, Reading>) {
        self.0.retain(|subject, _| readings.contains_key(subject));
        let mut kept = self.0.values().filter(|series| series.is_kept).count();
        for (subject, now) in readings {
            let series = self.0.entry(subject.clone()).or_default();
            if !series.is_kept && kept < SUBJECTS_MAX {
                series.is_kept = true;
                kept += 1;
            }
            series.note(now);
        }
    }

    /// The last second of a subject.
    pub fn last(&self, subject: &Subject) -> Sample {
        self.0.get(subject).map(|series| series.now).unwrap_or_default()
    }

    /// All that is kept of a subject, as lists that end now.
    pub fn body(&self, subject: &Subject) -> Value {
        let samples = || self.0.get(subject).into_iter().flat_map(|series| &series.samples);
        let list = |figure: fn(&Sample) -> u32| samples().map(figure).collect::<Vec<_>>();
        json!({
            "seconds": SECONDS,
            "turns": list(|sample| sample.turns),
            "failures": list(|sample| sample.failures),
            "cpu_us": list(|sample| sample.cpu_us),
            "sockets": list(|sample| sample.sockets),
            "p50_us": list(|sample| sample.p50_us),
            "p99_us": list(|sample| sample.p99_us),
        })
    }
}

impl Series {
    fn note(&mut self, now: &Reading) {
        let sample = Sample::between(&self.last, now);
        self.last = now.clone();
        self.now = sample;
        if !self.is_kept {
            return;
        }
        self.quiet = if sample == Sample::default() { self.quiet + 1 } else { 0 };
        if self.quiet >= SECONDS {
            self.samples = VecDeque::new();
        } else if self.quiet == 0 || !self.samples.is_empty() {
            if self.samples.len() >= SECONDS {
                self.samples.pop_front();
            }
            self.samples.push_back(sample);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_host(failures: u64) -> BTreeMap<Subject, Reading> {
        BTreeMap::from([((None, None), Reading { failures, ..Reading::default() })])
    }

    #[test]
    fn each_second_is_what_came_in_it_and_ten_minutes_are_kept() {
        let mut past = Past::default();
        (1..700).for_each(|second| past.note(&of_host(second * 2)));
        let failures = past.body(&(None, None))["failures"].as_array().unwrap().clone();
        assert_eq!((failures.len(), failures.iter().all(|count| *count == 2)), (SECONDS, true));
    }

    #[test]
    fn of_those_beyond_the_most_there_is_the_last_second() {
        let subject = |number: usize| (Some(TenantName::new(&format!("t{number:04}")).unwrap()), None);
        let of = |tenants: std::ops::Range<usize>, failures| {
            let reading = Reading { failures, ..Reading::default() };
            tenants.map(|number| (subject(number), reading.clone())).collect::<BTreeMap<Subject, Reading>>()
        };
        let mut past = Past::default();
        let seconds = |past: &Past, number| past.body(&subject(number))["failures"].as_array().unwrap().len();
        past.note(&of(0..SUBJECTS_MAX + 1, 3));
        past.note(&of(0..SUBJECTS_MAX + 1, 5));
        for (number, kept) in [(0, 2), (SUBJECTS_MAX - 1, 2), (SUBJECTS_MAX, 0)] {
            assert_eq!((past.last(&subject(number)).failures, seconds(&past, number)), (2, kept), "{number}");
        }
        // One that is gone makes a place.
        past.note(&of(1..SUBJECTS_MAX + 1, 9));
        assert_eq!((past.last(&subject(SUBJECTS_MAX)).failures, seconds(&past, SUBJECTS_MAX)), (4, 1));
    }

    #[test]
    fn where_nothing_happens_nothing_is_kept() {
        let mut past = Past::default();
        past.note(&of_host(0));
        past.note(&of_host(0));
        assert!(past.0[&(None, None)].samples.is_empty());
        past.note(&of_host(2));
        (0..SECONDS - 1).for_each(|_| past.note(&of_host(2)));
        assert_eq!(past.0[&(None, None)].samples.len(), SECONDS);
        past.note(&of_host(2));
        assert!(past.0[&(None, None)].samples.is_empty());
        past.note(&BTreeMap::new());
        assert!(past.0.is_empty(), "what is gone is forgotten");
    }
}
