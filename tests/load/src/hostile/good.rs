//! The well-behaved tenant: an open loop at a fixed rate, every frame checked, and one who comes and goes.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

use super::seen::Seen;
use super::stand::GOOD;
use super::wire::{Got, Wire};
use crate::load::clients::{Clients, Driver, Outgoing};
use crate::load::dialect::Dialect;
use crate::load::driver::Tally;

/// Rooms, and sockets of each.
const ROOMS: usize = 4;
const ROOM: usize = 5;
const SOCKETS: usize = ROOMS * ROOM;
/// From one message to the next: 200 a second in all, of which half go to all sockets of a room.
const STEP: Duration = Duration::from_millis(5);
/// Where the tenant's clients come from.
const CLIENTS: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
/// Where the one comes from who comes and goes.
const NEWCOMER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 3);
/// How often that one comes.
const COMES_EVERY: Duration = Duration::from_millis(250);
/// How long a newcomer waits to be in and to be answered. An error past it.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long answers may take once nothing more is sent.
const DRAIN: Duration = Duration::from_secs(10);
/// How long the load listens on for frames that should not come.
const SURPLUS: Duration = Duration::from_millis(30);

/// What the tenant noticed in a window of time, in milliseconds.
#[derive(Debug, Clone, Copy, Default)]
pub struct Latency {
    pub p50: f64,
    pub p99: f64,
    pub max: f64,
}

/// Sends on schedule; each message has a number of its own.
struct Steady {
    tally: Tally,
    sending: bool,
    /// When the message of number 0 was due, or would have been.
    base: Instant,
    next: u64,
    /// For each socket, the number of its next answer to `echo`.
    echoes: Vec<u64>,
    /// For each socket and each speaker of its room, the number of what is heard next.
    heard: Vec<u64>,
}

impl Steady {
    fn new() -> Self {
        let heard = (0..SOCKETS * ROOM).map(|index| (index % ROOM) as u64).collect();
        Self { tally: Tally::new(), sending: false, base: Instant::now(), next: 0, echoes: vec![0; SOCKETS], heard }
    }

    /// Goes on with the schedule from now.
    fn begin(&mut self) {
        self.base = Instant::now() - STEP * self.next as u32;
        self.sending = true;
        self.tally.begin();
    }

    /// The `turn`th round of all sockets: even ones are `echo`, odd ones `say`.
    fn due_at(&self, turn: u64, socket: usize) -> Instant {
        self.base + STEP * (turn as u32 * SOCKETS as u32 + socket as u32)
    }
}

impl Driver for Steady {
    fn start(&mut self, _: &mut Outgoing) {}

    fn due(&mut self, now: Instant, out: &mut Outgoing) -> Option<Instant> {
        if !self.sending {
            return None;
        }
        loop {
            let (turn, socket) = (self.next / SOCKETS as u64, (self.next % SOCKETS as u64) as usize);
            let at = self.due_at(turn, socket);
            if at > now {
                return Some(at);
            }
            self.next += 1;
            if turn % 2 == 0 {
                self.tally.sent(1);
                Dialect::Verani.put(out, socket, "echo", turn / 2);
            } else {
                self.tally.sent(ROOM);
                Dialect::Verani.put(out, socket, "say", turn / 2 * ROOM as u64 + (socket % ROOM) as u64);
            }
        }
    }

    fn frame(&mut self, socket: usize, text: &[u8], now: Instant, _: &mut Outgoing) -> anyhow::Result<()> {
        self.tally.arrived()?;
        let is_echo = text.windows(6).any(|six| six == b"\"echo\"");
        let due_at = if is_echo {
            let n = Dialect::Verani.number(text, "echo")?;
            ensure!(n == self.echoes[socket], "got the answer to {n}, the next was {}", self.echoes[socket]);
            self.echoes[socket] += 1;
            self.due_at(n * 2, socket)
        } else {
            let n = Dialect::Verani.number(text, "say")?;
            let (count, place) = (n / ROOM as u64, n as usize % ROOM);
            let next = &mut self.heard[socket * ROOM + place];
            ensure!(n == *next, "heard {n}, the next was {next}");
            *next += ROOM as u64;
            self.due_at(count * 2 + 1, socket / ROOM * ROOM + place)
        };
        self.tally.answered(now.saturating_duration_since(due_at));
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
        for room in 0..ROOMS {
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

    /// What was noticed in the last window, and in the wait for the rest behind it.
    pub fn latency(&self) -> Latency {
        let millis = |nanos: u64| nanos as f64 / 1e6;
        let latency = &self.driver.tally.latency;
        Latency {
            p50: millis(latency.value_at_quantile(0.5)),
            p99: millis(latency.value_at_quantile(0.99)),
            max: millis(latency.max()),
        }
    }

    fn settle(&mut self) -> anyhow::Result<()> {
        self.clients.run(&mut self.driver, DRAIN, |driver| driver.tally.outstanding() == 0)?;
        let (missing, sent) = (self.driver.tally.outstanding(), self.driver.tally.started());
        ensure!(missing == 0, "{missing} frames are missing after {DRAIN:?}, of {sent} messages sent");
        self.clients.run(&mut self.driver, SURPLUS, |_| false)?;
        Ok(())
    }
}

/// One who comes, says something, is answered and goes, again and again.
pub struct Newcomer {
    seen: Arc<Seen>,
    thread: JoinHandle<Visits>,
}

/// What the newcomer met.
#[derive(Debug, Default)]
pub struct Visits {
    /// The longest time from the first packet to the first answer, in milliseconds.
    pub slowest_ms: f64,
    /// Visits that failed, and why.
    pub errors: Vec<String>,
}

impl Newcomer {
    /// Begins to come.
    pub fn start(server: SocketAddr) -> Self {
        let seen = Arc::new(Seen::default());
        let own = Arc::clone(&seen);
        let thread = std::thread::spawn(move || {
            let mut visits = Visits::default();
            while own.pause(COMES_EVERY) {
                let begin = Instant::now();
                match visit(server, &own) {
                    Ok(()) => visits.slowest_ms = visits.slowest_ms.max(begin.elapsed().as_secs_f64() * 1e3),
                    Err(_) if own.is_over() => {}
                    Err(why) => visits.errors.push(format!("a newcomer: {why}")),
                }
            }
            visits
        });
        Self { seen, thread }
    }

    /// No longer comes.
    pub fn end(self) -> Visits {
        self.seen.end();
        self.thread.join().unwrap_or_default()
    }
}

fn visit(server: SocketAddr, seen: &Seen) -> Result<(), String> {
    let end = Instant::now() + PATIENCE;
    let path = format!("/t/{GOOD}/bench?room=visits");
    let mut wire = Wire::open(NEWCOMER, server, &path, seen).map_err(|refused| refused.words())?;
    wire.text(br#"{"type":"echo","data":{"n":1,"text":"hello"}}"#);
    while Instant::now() < end && !seen.is_over() {
        match wire.receive() {
            Got::Text(_) => return Ok(()),
            Got::Closed(why) => return Err(why),
            Got::Nothing => {}
        }
    }
    Err(format!("not answered within {PATIENCE:?}"))
}
