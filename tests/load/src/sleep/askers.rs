//! Sockets in rooms of their own, most of which sleep. Each numbers what it says, and its room counts its turns in memory
//! that survives sleep: a room that was lost and made anew begins at one again.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use hdrhistogram::Histogram;

use crate::load::answer::{Answer, shown};
use crate::load::clients::{Driver, Outgoing};

/// From one question of those who keep their rooms awake to the next, over all of them.
const TALK_EVERY: Duration = Duration::from_millis(1);

/// All sockets; the first of them talk on and on where that is asked for.
pub struct Askers {
    list: Vec<Asker>,
    talkers: usize,
    talked: u64,
    talk_from: Option<Instant>,
    /// Who asks next, when, and what for.
    plan: VecDeque<(Instant, usize, Why)>,
    waiting: usize,
    pub times: Times,
    /// What went wrong, by kind, and how often.
    pub closed: BTreeMap<String, usize>,
    pub lost: usize,
}

/// How long answers took.
pub struct Times {
    /// Of rooms that talk all the time.
    pub awake: Histogram<u64>,
    /// Of rooms that slept; of the same rooms right after that; and how much longer the first took.
    pub asleep: Histogram<u64>,
    pub again: Histogram<u64>,
    pub waking: Histogram<u64>,
    /// Of rooms that are all woken at once.
    pub storm: Histogram<u64>,
}

/// What an answer is counted as.
#[derive(Debug, Clone, Copy)]
pub enum Why {
    Entering,
    Talking,
    Waking,
    Again { first: Duration },
    Storm,
}

#[derive(Default)]
struct Asker {
    said: u64,
    seq: u64,
    asked: Option<(Instant, Why)>,
    is_closed: bool,
}

impl Times {
    fn new() -> Self {
        let new = || Histogram::new_with_bounds(1_000, 600_000_000_000, 3).expect("the bounds are in order");
        Self { awake: new(), asleep: new(), again: new(), waking: new(), storm: new() }
    }
}

impl Askers {
    pub fn new(sockets: usize, talkers: usize) -> Self {
        Self {
            list: (0..sockets).map(|_| Asker::default()).collect(),
            talkers,
            talked: 0,
            talk_from: None,
            plan: VecDeque::new(),
            waiting: 0,
            times: Times::new(),
            closed: BTreeMap::new(),
            lost: 0,
        }
    }

    /// From now on the talkers talk, or not.
    pub fn talk(&mut self, on: bool) {
        (self.talk_from, self.talked) = (on.then(Instant::now), 0);
    }

    /// These sockets ask, one every so often.
    pub fn ask(&mut self, sockets: impl Iterator<Item = usize>, every: Duration, why: Why) {
        let now = Instant::now();
        self.plan = sockets.zip(0..).map(|(socket, place)| (now + every * place, socket, why)).collect();
    }

    /// Whether everything that was planned is answered.
    pub fn is_done(&self) -> bool {
        self.plan.is_empty() && self.waiting == 0
    }

    pub fn waiting(&self) -> usize {
        self.waiting + self.plan.len()
    }

    /// Forgets how long answers took so far.
    pub fn begin(&mut self) {
        self.times = Times::new();
    }

    fn say(&mut self, socket: usize, now: Instant, why: Why, out: &mut Outgoing) {
        let asker = &mut self.list[socket];
        // A talker whose answer is late is passed over; what waits counts for as long as it waits.
        if asker.is_closed || asker.asked.is_some() {
            return;
        }
        if !matches!(why, Why::Talking) {
            self.waiting += 1;
        }
        asker.said += 1;
        asker.asked = Some((now, why));
        out.text(socket, format!(r#"{{"type":"say","data":{{"n":{}}}}}"#, asker.said).as_bytes());
    }

    fn took(&mut self, time: Duration, why: Why) {
        let times = &mut self.times;
        let record = |times: &mut Histogram<u64>, time: Duration| times.saturating_record(time.as_nanos() as u64);
        match why {
            Why::Entering => {}
            Why::Talking => record(&mut times.awake, time),
            Why::Waking => record(&mut times.asleep, time),
            Why::Again { first } => {
                record(&mut times.again, time);
                record(&mut times.waking, first.saturating_sub(time));
            }
            Why::Storm => record(&mut times.storm, time),
        }
    }
}

impl Driver for Askers {
    fn start(&mut self, _: &mut Outgoing) {}

    fn frame(&mut self, socket: usize, text: &[u8], now: Instant, out: &mut Outgoing) -> anyhow::Result<()> {
        let answer = Answer::of(text)?;
        let asker = &mut self.list[socket];
        let fits = answer.r#type == "said" && answer.n == Some(asker.said);
        ensure!(fits, "not the answer to {}: {}", asker.said, shown(text));
        let Some((at, why)) = asker.asked.take() else { bail!("nothing was asked: {}", shown(text)) };
        let seq = answer.seq.with_context(|| format!("a room that does not count: {}", shown(text)))?;
        if seq != asker.seq + 1 {
            self.lost += 1;
        }
        asker.seq = seq;
        if !matches!(why, Why::Talking) {
            self.waiting -= 1;
        }
        self.took(now - at, why);
        if let Why::Waking = why {
            self.say(socket, Instant::now(), Why::Again { first: now - at }, out);
        }
        Ok(())
    }

    fn closed(&mut self, socket: usize, why: &str) -> anyhow::Result<()> {
        let asker = &mut self.list[socket];
        if !std::mem::replace(&mut asker.is_closed, true) {
            *self.closed.entry(why.to_owned()).or_default() += 1;
            if asker.asked.take().is_some_and(|(_, why)| !matches!(why, Why::Talking)) {
                self.waiting -= 1;
            }
        }
        Ok(())
    }

    fn due(&mut self, now: Instant, out: &mut Outgoing) -> Option<Instant> {
        while let Some(&(due, socket, why)) = self.plan.front().filter(|(due, ..)| *due <= now) {
            self.plan.pop_front();
            self.say(socket, due, why, out);
        }
        let planned = self.plan.front().map(|(due, ..)| *due);
        let Some(begin) = self.talk_from else { return planned };
        while begin + TALK_EVERY * self.talked as u32 <= now {
            let socket = self.talked as usize % self.talkers;
            self.say(socket, begin + TALK_EVERY * self.talked as u32, Why::Talking, out);
            self.talked += 1;
        }
        let next = begin + TALK_EVERY * self.talked as u32;
        Some(planned.map_or(next, |planned| planned.min(next)))
    }
}

/// Sockets that share rooms ask for something that nobody else hears of, each once.
pub struct Together {
    pub unanswered: usize,
}

impl Driver for Together {
    fn start(&mut self, out: &mut Outgoing) {
        (0..self.unanswered).for_each(|socket| out.text(socket, br#"{"type":"state","data":null}"#));
    }

    fn frame(&mut self, _: usize, _: &[u8], _: Instant, _: &mut Outgoing) -> anyhow::Result<()> {
        self.unanswered = self.unanswered.checked_sub(1).context("a frame that nothing asked for")?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(n: u64, seq: u64) -> Vec<u8> {
        format!(r#"{{"type":"event","channel":"default","data":{{"type":"said","n":{n},"seq":{seq}}}}}"#).into_bytes()
    }

    #[test]
    fn a_room_that_forgot_is_lost_and_a_closed_socket_is_told() {
        let (mut askers, mut out) = (Askers::new(2, 0), Outgoing::to_nobody(2));
        askers.ask(0..2, Duration::ZERO, Why::Storm);
        askers.due(Instant::now(), &mut out);
        assert_eq!(askers.waiting(), 2);
        askers.frame(0, &said(1, 1), Instant::now(), &mut out).unwrap();
        assert!(askers.frame(0, &said(1, 1), Instant::now(), &mut out).is_err(), "twice");
        askers.closed(1, "1013").unwrap();
        askers.closed(1, "the server ended the connection").unwrap();
        assert!(askers.is_done() && askers.lost == 0 && askers.closed.len() == 1);
        askers.ask(0..1, Duration::ZERO, Why::Storm);
        askers.due(Instant::now(), &mut out);
        askers.frame(0, &said(2, 1), Instant::now(), &mut out).unwrap();
        assert_eq!(askers.lost, 1);
    }
}
