//! What the clients say, in closed loops, and whether the answers are right: every frame is compared in full, and every
//! socket must get what it is due, in order, once.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use hdrhistogram::Histogram;

use super::clients::{Driver, Outgoing};
use super::dialect::Dialect;

/// The longest latency that is told apart, in nanoseconds: a minute.
const LONGEST_NS: u64 = 60_000_000_000;

/// What was seen in the measured window.
pub struct Tally {
    /// Events whose sender has its own answer.
    pub messages: u64,
    /// Frames received.
    pub deliveries: u64,
    /// From the sending of an event to each arrival that counts as its answer, in nanoseconds.
    pub latency: Histogram<u64>,
    /// No further event is sent.
    pub ending: bool,
    started: u64,
    due: u64,
}

impl Tally {
    /// Nothing yet.
    pub fn new() -> Self {
        let latency = Histogram::new_with_bounds(100, LONGEST_NS, 3).expect("the bounds are in order");
        Self { messages: 0, deliveries: 0, latency, ending: false, started: 0, due: 0 }
    }

    /// Forgets what was seen so far: the window begins.
    pub fn begin(&mut self) {
        (self.messages, self.deliveries) = (0, 0);
        self.latency.reset();
    }

    /// Frames that are due and have not arrived.
    pub fn outstanding(&self) -> u64 {
        self.due
    }

    /// Events sent in all.
    pub fn started(&self) -> u64 {
        self.started
    }

    /// An event went out, which so many frames must follow.
    pub fn sent(&mut self, receivers: usize) {
        self.started += 1;
        self.due += receivers as u64;
    }

    /// A frame came.
    pub fn arrived(&mut self) -> anyhow::Result<()> {
        self.deliveries += 1;
        self.due = self.due.checked_sub(1).context("a frame that nothing asked for")?;
        Ok(())
    }

    /// A frame came after that long.
    pub fn answered(&mut self, after: Duration) {
        self.latency.saturating_record(after.as_nanos() as u64);
    }
}

/// Each socket sends an event that is answered to it alone, and waits for its answer, with `depth` of them under way.
pub struct Echoes {
    /// What was seen.
    pub tally: Tally,
    dialect: Dialect,
    event: &'static str,
    depth: usize,
    /// The number of the answer that each socket waits for.
    expected: Vec<u64>,
    sent_at: Vec<Instant>,
}

impl Echoes {
    /// For so many sockets.
    pub fn new(dialect: Dialect, event: &'static str, sockets: usize, depth: usize) -> Self {
        let (expected, sent_at) = (vec![0; sockets], vec![Instant::now(); sockets * depth]);
        Self { tally: Tally::new(), dialect, event, depth, expected, sent_at }
    }

    fn send(&mut self, socket: usize, n: u64, now: Instant, out: &mut Outgoing) {
        self.sent_at[socket * self.depth + n as usize % self.depth] = now;
        self.tally.sent(1);
        self.dialect.put(out, socket, self.event, n);
    }
}

impl Driver for Echoes {
    fn start(&mut self, out: &mut Outgoing) {
        let now = Instant::now();
        for n in 0..self.depth {
            for socket in 0..self.expected.len() {
                self.send(socket, n as u64, now, out);
            }
        }
    }

    fn frame(&mut self, socket: usize, text: &[u8], now: Instant, out: &mut Outgoing) -> anyhow::Result<()> {
        let n = self.dialect.number(text, self.event)?;
        let expected = self.expected[socket];
        ensure!(n == expected, "got the answer to {n}, the next in order was {expected}");
        self.expected[socket] += 1;
        self.tally.arrived()?;
        self.tally.messages += 1;
        self.tally.answered(now - self.sent_at[socket * self.depth + n as usize % self.depth]);
        if !self.tally.ending {
            self.send(socket, n + self.depth as u64, now, out);
        }
        Ok(())
    }
}

/// Who speaks in a room.
#[derive(Clone, Copy, PartialEq)]
pub enum Speakers {
    /// One socket after the other, each when all have heard the one before.
    InTurn,
    /// All at once, each again when it hears itself.
    All,
}

/// Sockets send `say`, which all of their room hear, themselves included. The number of an event is its count from
/// this speaker times the size of the room, plus the speaker's place in the room.
pub struct Says {
    /// What was seen.
    pub tally: Tally,
    dialect: Dialect,
    room: usize,
    speakers: Speakers,
    /// For each socket and each speaker of its room, the number that is heard next.
    expected: Vec<u64>,
    sent_at: Vec<Instant>,
    /// For each room, how many have still to hear what was said last. Only where they speak in turn.
    listening: Vec<usize>,
}

impl Says {
    /// For `rooms` rooms of `room` sockets; socket `i` is in room `i / room`.
    pub fn new(dialect: Dialect, rooms: usize, room: usize, speakers: Speakers) -> Self {
        let sockets = rooms * room;
        let heard = if speakers == Speakers::All { room } else { 1 };
        let expected = (0..sockets * heard).map(|index| (index % heard) as u64).collect();
        Self {
            tally: Tally::new(),
            dialect,
            room,
            speakers,
            expected,
            sent_at: vec![Instant::now(); sockets],
            listening: vec![0; rooms],
        }
    }

    fn send(&mut self, socket: usize, n: u64, now: Instant, out: &mut Outgoing) {
        self.sent_at[socket] = now;
        self.listening[socket / self.room] = self.room;
        self.tally.sent(self.room);
        self.dialect.put(out, socket, "say", n);
    }

    fn heard_in_turn(&mut self, socket: usize, n: u64, now: Instant, out: &mut Outgoing) {
        let room = socket / self.room;
        let speaker = room * self.room + n as usize % self.room;
        self.tally.answered(now - self.sent_at[speaker]);
        self.listening[room] -= 1;
        if self.listening[room] == 0 {
            self.tally.messages += 1;
            if !self.tally.ending {
                let next = room * self.room + (n as usize + 1) % self.room;
                self.send(next, n + 1, now, out);
            }
        }
    }

    fn heard_from_all(&mut self, socket: usize, n: u64, now: Instant, out: &mut Outgoing) {
        if socket % self.room == n as usize % self.room {
            self.tally.messages += 1;
            self.tally.answered(now - self.sent_at[socket]);
            if !self.tally.ending {
                self.send(socket, n + self.room as u64, now, out);
            }
        }
    }
}

impl Driver for Says {
    fn start(&mut self, out: &mut Outgoing) {
        let now = Instant::now();
        let step = if self.speakers == Speakers::All { 1 } else { self.room };
        for socket in (0..self.sent_at.len()).step_by(step) {
            self.send(socket, (socket % self.room) as u64, now, out);
        }
    }

    fn frame(&mut self, socket: usize, text: &[u8], now: Instant, out: &mut Outgoing) -> anyhow::Result<()> {
        let n = self.dialect.number(text, "say")?;
        let (place, step) = match self.speakers {
            Speakers::All => (socket * self.room + n as usize % self.room, self.room as u64),
            Speakers::InTurn => (socket, 1),
        };
        let expected = self.expected[place];
        ensure!(n == expected, "heard {n}, the next in order was {expected}");
        self.expected[place] += step;
        self.tally.arrived()?;
        match self.speakers {
            Speakers::All => self.heard_from_all(socket, n, now, out),
            Speakers::InTurn => self.heard_in_turn(socket, n, now, out),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(name: &str, n: u64) -> Vec<u8> {
        format!(r#"{{"type":"event","channel":"default","data":{{"type":"{name}","n":{n},"text":"the quick brown fox jumps over the lazy dog","at":5}}}}"#)
            .into_bytes()
    }

    #[test]
    fn answers_must_come_in_order_and_once() {
        let (mut driver, mut out) = (Echoes::new(Dialect::Verani, "echo", 2, 2), Outgoing::to_nobody(2));
        driver.start(&mut out);
        let mut answer = |socket, n| driver.frame(socket, &frame("echo", n), Instant::now(), &mut out);
        assert!(answer(0, 1).is_err(), "the second before the first");
        assert!(answer(0, 0).is_ok());
        assert!(answer(0, 0).is_err(), "the first again");
        assert!(answer(1, 0).is_ok(), "each socket counts for itself");
        assert_eq!(driver.tally.outstanding(), 4, "two answers came, two more events went out");
        driver.tally.ending = true;
        for (socket, n) in [(0, 1), (0, 2), (1, 1), (1, 2)] {
            driver.frame(socket, &frame("echo", n), Instant::now(), &mut out).unwrap();
        }
        assert_eq!(driver.tally.outstanding(), 0);
        assert!(driver.frame(0, &frame("echo", 3), Instant::now(), &mut out).is_err(), "nobody asked for it");
    }

    #[test]
    fn one_speaks_when_all_have_heard_the_one_before() {
        let (mut driver, mut out) = (Says::new(Dialect::Verani, 1, 2, Speakers::InTurn), Outgoing::to_nobody(2));
        driver.start(&mut out);
        assert_eq!(driver.tally.started(), 1);
        driver.frame(1, &frame("say", 0), Instant::now(), &mut out).unwrap();
        assert!(driver.frame(1, &frame("say", 0), Instant::now(), &mut out).is_err(), "heard twice");
        assert_eq!(driver.tally.started(), 1);
        driver.frame(0, &frame("say", 0), Instant::now(), &mut out).unwrap();
        assert_eq!(driver.tally.started(), 2);
    }

    #[test]
    fn those_who_speak_at_once_are_told_apart() {
        let (mut driver, mut out) = (Says::new(Dialect::Verani, 1, 2, Speakers::All), Outgoing::to_nobody(2));
        driver.start(&mut out);
        assert_eq!(driver.tally.started(), 2);
        driver.frame(0, &frame("say", 1), Instant::now(), &mut out).unwrap();
        assert_eq!(driver.tally.messages, 0, "the other's event is no answer");
        driver.frame(0, &frame("say", 0), Instant::now(), &mut out).unwrap();
        assert_eq!((driver.tally.messages, driver.tally.started()), (1, 3));
        assert!(driver.frame(0, &frame("say", 4), Instant::now(), &mut out).is_err(), "one is missing between");
    }
}
