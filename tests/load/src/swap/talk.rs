//! Sockets that talk while their plugin is replaced. Each says one number after the other to its room, and hears every
//! number of it. The guest counts its turns in memory that goes from version to version, so a turn that is lost, run
//! twice or out of order breaks the count.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use hdrhistogram::Histogram;

use crate::load::answer::{Answer, shown};
use crate::load::clients::{Driver, Outgoing};

/// What the versions call themselves, in turn.
pub const VERSIONS: [&str; 2] = ["one", "two"];

/// All sockets; those of a room stand side by side.
pub struct Talks {
    room: usize,
    /// From an answer to what is said next.
    pause: Duration,
    talkers: Vec<Talker>,
    /// Who says something next, and when.
    next: VecDeque<(Instant, usize)>,
    joined: usize,
    /// How often the plugin was replaced, and how many sockets have heard the last version.
    pub version: usize,
    moved: usize,
    /// Nothing further is said.
    pub ending: bool,
    pub said: u64,
    pub heard: u64,
    /// From saying something to hearing it.
    pub latency: Histogram<u64>,
    /// From a socket's last frame of one version to its first of the next.
    pub change: Histogram<u64>,
}

struct Talker {
    /// What it says next, and when it said the last that it has not heard.
    next: u64,
    said_at: Option<Instant>,
    /// What it hears next of each of its room.
    expected: Vec<u64>,
    seq: u64,
    version: usize,
    last_came: Instant,
    longest: Duration,
}

pub fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1_000, 600_000_000_000, 3).expect("the bounds are in order")
}

impl Talks {
    pub fn new(rooms: usize, room: usize, pause: Duration) -> Self {
        let talker = |socket: usize| Talker {
            next: (socket % room) as u64,
            said_at: None,
            expected: (0..room as u64).collect(),
            seq: 0,
            version: 0,
            last_came: Instant::now(),
            longest: Duration::ZERO,
        };
        Self {
            room,
            pause,
            talkers: (0..rooms * room).map(talker).collect(),
            next: VecDeque::new(),
            joined: 0,
            version: 0,
            moved: 0,
            ending: false,
            said: 0,
            heard: 0,
            latency: histogram(),
            change: histogram(),
        }
    }

    pub fn all_joined(&self) -> bool {
        self.joined == self.talkers.len()
    }

    /// The plugin is about to be replaced.
    pub fn replace(&mut self) {
        (self.version, self.moved) = (self.version + 1, 0);
    }

    /// Whether every socket has heard the last version.
    pub fn all_moved(&self) -> bool {
        self.moved == self.talkers.len()
    }

    /// Frames that are due and have not come: every socket of a room hears all that was said there.
    pub fn outstanding(&self) -> u64 {
        self.said * self.room as u64 - self.heard
    }

    /// From here on the longest gap of each socket counts anew; one that has begun counts as a whole.
    pub fn begin_window(&mut self) {
        self.talkers.iter_mut().for_each(|talker| talker.longest = Duration::ZERO);
    }

    /// Adds each socket's longest gap; one that has not ended counts for as long as it is.
    pub fn end_window(&self, gaps: &mut Histogram<u64>) {
        for talker in &self.talkers {
            gaps.saturating_record(talker.longest.max(talker.last_came.elapsed()).as_nanos() as u64);
        }
    }

    fn say(&mut self, socket: usize, now: Instant, out: &mut Outgoing) {
        let talker = &mut self.talkers[socket];
        talker.said_at = Some(now);
        self.said += 1;
        out.text(socket, format!(r#"{{"type":"say","data":{{"n":{}}}}}"#, talker.next).as_bytes());
        talker.next += self.room as u64;
    }

    fn joins(&mut self, socket: usize, data: &Answer<'_>) -> anyhow::Result<()> {
        ensure!(!self.all_joined() && data.seq == Some(0), "the answer to a question that was not asked");
        self.joined += 1;
        if self.all_joined() {
            let now = Instant::now();
            // Spread, where there is a pause, so that the load is steady.
            let (step, sockets) = (self.pause / self.talkers.len() as u32, self.talkers.len());
            self.next = (0..sockets).map(|socket| (now + step * socket as u32, socket)).collect();
        }
        ensure!(data.version == Some(VERSIONS[0]), "socket {socket} meets version {:?} first", data.version);
        Ok(())
    }

    /// Where a version is new to a socket, it is the last one that the plugin was replaced by, and it stays.
    fn version_fits(&mut self, socket: usize, version: &str, gap: Duration) -> anyhow::Result<()> {
        let talker = &mut self.talkers[socket];
        if version == VERSIONS[talker.version % 2] {
            return Ok(());
        }
        ensure!(
            talker.version < self.version && version == VERSIONS[self.version % 2],
            "an answer of version {version:?}, which is not current: {} swaps, {} seen",
            self.version,
            talker.version
        );
        talker.version = self.version;
        self.moved += 1;
        self.change.saturating_record(gap.as_nanos() as u64);
        Ok(())
    }
}

impl Driver for Talks {
    fn start(&mut self, out: &mut Outgoing) {
        // An upgrade is answered before the socket is in its room, an event after it.
        (0..self.talkers.len()).for_each(|socket| out.text(socket, br#"{"type":"state","data":null}"#));
    }

    fn frame(&mut self, socket: usize, text: &[u8], now: Instant, _: &mut Outgoing) -> anyhow::Result<()> {
        let answer = Answer::of(text)?;
        let (n, seq, version) = match answer {
            Answer { r#type: "state", n: None, .. } => return self.joins(socket, &answer),
            Answer { r#type: "said", n: Some(n), seq: Some(seq), version: Some(version), .. } => (n, seq, version),
            _ => bail!("not expected: {}", shown(text)),
        };
        let room = self.room;
        let talker = &mut self.talkers[socket];
        let expected = &mut talker.expected[n as usize % room];
        ensure!(n == *expected, "heard {n}, the next of its speaker was {expected}");
        ensure!(seq == talker.seq + 1, "turn {seq} behind turn {}: {}", talker.seq, shown(text));
        *expected += room as u64;
        talker.seq = seq;
        let gap = now - talker.last_came;
        talker.longest = talker.longest.max(gap);
        talker.last_came = now;
        self.heard += 1;
        self.version_fits(socket, version, gap)?;
        if n as usize % room == socket % room {
            let said_at = self.talkers[socket].said_at.take().context("an answer to what was not said")?;
            self.latency.saturating_record((now - said_at).as_nanos() as u64);
            self.next.push_back((now + self.pause, socket));
        }
        Ok(())
    }

    fn due(&mut self, now: Instant, out: &mut Outgoing) -> Option<Instant> {
        if self.ending {
            return None;
        }
        while let Some(&(due, socket)) = self.next.front() {
            if due > now {
                return Some(due);
            }
            self.next.pop_front();
            self.say(socket, now, out);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(n: u64, version: &str, seq: u64) -> Vec<u8> {
        format!(r#"{{"type":"event","channel":"default","data":{{"type":"said","n":{n},"version":"{version}","seq":{seq}}}}}"#)
            .into_bytes()
    }

    /// Two sockets of a room that have both said their first number.
    fn talks() -> (Talks, Outgoing) {
        let (mut talks, mut out) = (Talks::new(1, 2, Duration::ZERO), Outgoing::to_nobody(2));
        let state = br#"{"type":"event","channel":"default","data":{"type":"state","version":"one","seq":0}}"#;
        for socket in 0..2 {
            talks.frame(socket, state, Instant::now(), &mut out).unwrap();
        }
        talks.due(Instant::now(), &mut out);
        (talks, out)
    }

    #[test]
    fn every_number_must_come_once_and_in_order() {
        let (mut talks, mut out) = talks();
        let mut hear = |n, seq| talks.frame(0, &said(n, "one", seq), Instant::now(), &mut out);
        assert!(hear(2, 1).is_err(), "the second of a speaker before the first");
        assert!(hear(0, 2).is_err(), "a turn is missing");
        assert!(hear(0, 1).is_ok() && hear(1, 2).is_ok());
        assert!(hear(1, 3).is_err(), "again");
        assert_eq!(talks.outstanding(), 2);
    }

    #[test]
    fn a_version_comes_when_it_is_current_and_stays() {
        let (mut talks, mut out) = talks();
        assert!(talks.frame(0, &said(0, "two", 1), Instant::now(), &mut out).is_err(), "before it is current");
        let (mut talks, mut out) = self::talks();
        talks.replace();
        talks.frame(0, &said(0, "one", 1), Instant::now(), &mut out).unwrap();
        assert!(!talks.all_moved());
        talks.frame(0, &said(1, "two", 2), Instant::now(), &mut out).unwrap();
        talks.frame(1, &said(0, "two", 1), Instant::now(), &mut out).unwrap();
        assert!(talks.all_moved());
        talks.due(Instant::now(), &mut out);
        assert!(talks.frame(0, &said(2, "one", 3), Instant::now(), &mut out).is_err(), "back again");
    }
}
