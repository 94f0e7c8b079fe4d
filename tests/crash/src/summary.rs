//! What a run comes to.

use std::fmt;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::{Value, json};

use crate::room::{Counts, Room};
use crate::seen::Losses;

/// The figures of a run without a violation.
#[derive(Debug, Default)]
pub struct Summary {
    pub kills: u32,
    /// Of these, how many hit the server while it started.
    pub kills_starting: u32,
    /// From each start to its serving; and to all rooms' being compared, where the kill left time for it.
    pub starts: Vec<Duration>,
    pub recoveries: Vec<Duration>,
    pub acknowledged: u64,
    pub acks: u64,
    pub checked: u64,
    pub resent: u64,
    pub audits: u64,
    pub rooms: u64,
    pub armed: u64,
    pub rang: u64,
    /// The latest of the alarms that a client heard ring, after it was due.
    pub latest_ring_ms: u64,
    /// What the relaxed rooms lost of what was seen.
    pub(crate) losses: Losses,
}

impl Summary {
    pub(crate) fn median_start(&self) -> Duration {
        median(&self.starts)
    }

    pub(crate) fn so_far(&self, counts: &Counts) -> String {
        let [acknowledged, checked] =
            [&counts.acknowledged, &counts.checked].map(|count| count.load(Ordering::Relaxed));
        format!("{acknowledged} turns answered, {checked} emits checked")
    }

    pub(crate) fn close(&mut self, counts: &Counts, rooms: &[Room]) {
        let of = |count: &std::sync::atomic::AtomicU64| count.load(Ordering::Relaxed);
        self.acknowledged = of(&counts.acknowledged);
        self.acks = of(&counts.acks);
        self.checked = of(&counts.checked);
        self.resent = of(&counts.resent);
        self.audits = of(&counts.audits);
        self.rooms = of(&counts.rooms);
        self.latest_ring_ms = of(&counts.latest_ring_ms);
        for room in rooms {
            let model = room.model();
            let (armed, rang) = model.alarms.counts();
            (self.armed, self.rang) = (self.armed + armed, self.rang + rang);
            self.losses.add(model.losses);
        }
    }

    pub fn json(&self) -> Value {
        json!({
            "kills": self.kills, "kills_while_starting": self.kills_starting,
            "turns_acknowledged": self.acknowledged, "acks": self.acks, "emits_checked": self.checked, "sent_again": self.resent,
            "audits": self.audits, "rooms_compared": self.rooms,
            "alarms_set": self.armed, "alarms_rung": self.rang, "latest_ring_ms": self.latest_ring_ms,
            "relaxed_turns_lost": self.losses.turns, "relaxed_oldest_loss_ms": ms(self.losses.oldest),
            "relaxed_allowed_ms": ms(self.losses.allowed), "relaxed_excused": self.losses.excused, "relaxed_span_ms": ms(self.losses.span),
            "start_ms": { "median": ms(median(&self.starts)), "max": ms(most(&self.starts)) },
            "recovery_ms": { "median": ms(median(&self.recoveries)), "max": ms(most(&self.recoveries)) },
        })
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kills, kills_starting, acknowledged, acks, checked, resent, audits, rooms, armed, rang, .. } = self;
        writeln!(f, "{kills} kills, {kills_starting} of them while the server started: no violation")?;
        writeln!(
            f,
            "{acknowledged} turns answered, {acks} of them acknowledged, {checked} emits checked, {resent} sent again"
        )?;
        writeln!(f, "{rooms} times a whole room compared, {audits} audits")?;
        writeln!(f, "{armed} alarms set, {rang} rung, the latest {} ms after it was due", self.latest_ring_ms)?;
        let Losses { turns, oldest, allowed, excused, span, .. } = self.losses;
        let (oldest, allowed, span) = (ms(oldest), ms(allowed), ms(span));
        write!(
            f,
            "relaxed: {turns} turns lost that were seen, at most {span} ms of them at once, the oldest {oldest} ms "
        )?;
        writeln!(
            f,
            "before its kill; {excused} of them past 100 ms and within what stalls allowed ({allowed} ms at most)"
        )?;
        let [start, recovery] = [&self.starts, &self.recoveries].map(|times| (ms(median(times)), ms(most(times))));
        write!(
            f,
            "from start to serving {} ms (median), {} (max); to every room compared {}, {}",
            start.0, start.1, recovery.0, recovery.1
        )
    }
}

fn ms(time: Duration) -> f64 {
    (time.as_secs_f64() * 10_000.0).round() / 10.0
}

fn median(times: &[Duration]) -> Duration {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

fn most(times: &[Duration]) -> Duration {
    times.iter().max().copied().unwrap_or_default()
}
