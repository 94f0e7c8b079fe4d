//! The well-behaved tenant: an open loop at a fixed rate, each answer checked. Those who come and go are in `company`.

use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Range;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

use super::kinds::{ByKind, Kind, Latency, Times};
use super::stand::GOOD;
use crate::load::clients::{Clients, Driver, Outgoing};
use crate::load::dialect::Dialect;

/// Sockets of a room.
const ROOM: usize = 5;
/// Sockets that send each kind, and so its rooms: an `echo` behind a write would wait for the disk.
const ECHOES: Range<usize> = 0..10;
const WRITES: Range<usize> = 10..15;
const READS: Range<usize> = 15..20;
const SOCKETS: usize = READS.end;
/// What is sent, in turn: of 130 messages a second 100 are echoes, 20 write and 10 read.
const PATTERN: [Kind; 13] = {
    let mut pattern = [Kind::Echo; 13];
    (pattern[3], pattern[6], pattern[9]) = (Kind::Write, Kind::Read, Kind::Write);
    pattern
};
/// From one message to the next.
const STEP: Duration = Duration::from_nanos(1_000_000_000 / 130);
/// Where the tenant's clients come from.
const CLIENTS: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
/// How long answers may take once nothing more is sent.
const DRAIN: Duration = Duration::from_secs(10);
/// How long the load listens on for frames that should not come.
const SURPLUS: Duration = Duration::from_millis(30);

/// Sends on schedule; each message has a number of its own.
struct Steady {
    sending: bool,
    /// When the message of number 0 was due, or would have been.
    base: Instant,
    next: u64,
    /// For each socket, the numbers whose answers are due.
    unanswered: Vec<VecDeque<u64>>,
    times: [Times; 3],
}

impl Steady {
    fn new() -> Self {
        let times = std::array::from_fn(|_| Times::new());
        Self { sending: false, base: Instant::now(), next: 0, unanswered: vec![VecDeque::new(); SOCKETS], times }
    }

    /// Goes on with the schedule from now.
    fn begin(&mut self) {
        self.base = Instant::now() - STEP * self.next as u32;
        self.sending = true;
        self.times = std::array::from_fn(|_| Times::new());
    }

    fn due_at(&self, number: u64) -> Instant {
        self.base + STEP * number as u32
    }

    fn outstanding(&self) -> usize {
        self.unanswered.iter().map(VecDeque::len).sum()
    }
}

/// What the message of this number is, which event says so, and whose it is.
fn message(number: u64) -> (Kind, &'static str, usize) {
    let kind = PATTERN[(number % PATTERN.len() as u64) as usize];
    let (event, sockets) = match kind {
        Kind::Write => ("keep", WRITES),
        Kind::Read => ("look", READS),
        Kind::Echo | Kind::Open => ("echo", ECHOES),
    };
    (kind, event, sockets.start + number as usize % sockets.len())
}

impl Driver for Steady {
    fn start(&mut self, _: &mut Outgoing) {}

    fn due(&mut self, now: Instant, out: &mut Outgoing) -> Option<Instant> {
        while self.sending {
            let at = self.due_at(self.next);
            if at > now {
                return Some(at);
            }
            let (_, event, socket) = message(self.next);
            self.unanswered[socket].push_back(self.next);
            Dialect::Verani.put(out, socket, event, self.next);
            self.next += 1;
        }
        None
    }

    fn frame(&mut self, socket: usize, text: &[u8], now: Instant, _: &mut Outgoing) -> anyhow::Result<()> {
        let expected = self.unanswered[socket].pop_front().context("a frame that nothing asked for")?;
        let (kind, event, _) = message(expected);
        let number = Dialect::Verani.number(text, event)?;
        ensure!(number == expected, "got the answer to {number}, the next was {expected}");
        let after = now.saturating_duration_since(self.due_at(number));
        self.times[kind as usize].add(after);
        Ok(())
    }
}

/// The tenant's clients.
pub struct Good {
    clients: Clients,
    driver: Steady,
}

impl Good {
    /// Connects them.
    pub fn connect(server: SocketAddr) -> anyhow::Result<Self> {
        let mut clients = Clients::none(Dialect::Verani)?;
        // Room by room, so that the host spreads them over its threads: rooms that open at once may all land on one.
        for room in 0..SOCKETS / ROOM {
            let paths = (0..ROOM).map(|_| format!("/t/{GOOD}/bench?room=room-{room}"));
            clients.join(CLIENTS, server, paths).context("the good tenant's clients")?;
            std::thread::sleep(SURPLUS);
        }
        Ok(Self { clients, driver: Steady::new() })
    }

    /// Sends for a time, and then on while `goes_on` says so; waits for all that is due.
    /// What was noticed can be asked for afterwards, however it ended.
    pub fn window(&mut self, time: Duration, mut goes_on: impl FnMut() -> bool) -> anyhow::Result<()> {
        self.driver.begin();
        self.clients.run(&mut self.driver, time, |_| false)?;
        while goes_on() {
            self.clients.run(&mut self.driver, Duration::from_millis(100), |_| false)?;
        }
        self.driver.sending = false;
        self.settle()
    }

    /// What was noticed in the last window, and in the wait for the rest behind it, with what openings took.
    pub fn latency(&self, open: Latency) -> ByKind {
        let [echo, write, read] = std::array::from_fn(|kind| self.driver.times[kind].latency());
        [echo, write, read, open]
    }

    fn settle(&mut self) -> anyhow::Result<()> {
        self.clients.run(&mut self.driver, DRAIN, |driver| driver.outstanding() == 0)?;
        let (missing, sent) = (self.driver.outstanding(), self.driver.next);
        ensure!(missing == 0, "{missing} answers are missing after {DRAIN:?}, of {sent} messages sent");
        self.clients.run(&mut self.driver, SURPLUS, |_| false)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_has_so_many_of_each_kind_and_every_socket_sends() {
        let second: Vec<_> = (0..130).map(message).collect();
        let count = |kind| second.iter().filter(|(of, ..)| *of == kind).count();
        assert_eq!((count(Kind::Echo), count(Kind::Write), count(Kind::Read)), (100, 20, 10));
        assert!((0..SOCKETS).all(|socket| second.iter().any(|(.., of)| *of == socket)));
    }
}
