//! The scenarios, and one measurement of one of them.

use std::net::Ipv4Addr;
use std::time::Duration;

use anyhow::{Context, ensure};
use clap::ValueEnum;

use super::clients::{Clients, Driver};
use super::driver::{Echoes, Says, Speakers, Tally};
use super::server::{Clocks, Memory, Server};

/// How long answers may take once nothing more is sent.
const DRAIN: Duration = Duration::from_secs(20);
/// How long the load listens on for frames that should not come.
const SURPLUS: Duration = Duration::from_millis(30);
/// How long memory may settle before it is read.
const SETTLE: Duration = Duration::from_millis(700);

/// What is measured.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Scenario {
    /// One socket, request and reply.
    Single,
    /// 50 sockets in one room, request and reply, one under way for each.
    Depth1,
    /// The same with 16 under way.
    Depth16,
    /// The same in 40 rooms.
    Depth16Rooms40,
    /// 50 sockets in one room; the handler waits for three values of the room's storage before it replies.
    Recall,
    /// A room of 10 sockets; one says something, all hear it, then the next.
    Fanout10,
    /// The same with 100 sockets.
    Fanout100,
    /// The same with 1,000 sockets.
    Fanout1000,
    /// The same with 10,000 sockets.
    Fanout10000,
    /// 1,000 rooms of two sockets; each socket says something to both, again and again.
    Rooms1000,
    /// 2,000 sockets in 40 rooms, request and reply, one under way for each.
    Busy2000,
    /// Memory of an idle socket.
    Idle,
    /// Memory of a room.
    Roomcost,
}

/// One measurement's figures.
pub enum Figures {
    /// Of a server under load.
    Speed(Speed),
    /// Memory that one more costs.
    Memory(Memory),
}

impl Figures {
    /// Share of a core that other processes used; memory does not care.
    pub fn others_share(&self) -> f64 {
        match self {
            Self::Speed(speed) => speed.others_share,
            Self::Memory(_) => 0.0,
        }
    }
}

/// A loaded server.
pub struct Speed {
    /// Units (see [`Scenario::unit`]) a second.
    pub rate: f64,
    /// Microseconds of the server's CPU for one unit.
    pub cpu_us: f64,
    /// Latency in microseconds.
    pub p50_us: f64,
    /// Latency in microseconds.
    pub p99_us: f64,
    /// Latency in microseconds.
    pub max_us: f64,
    /// The server's memory at the end of the window, in KiB.
    pub rss_kib: f64,
    /// Share of a core that the server used.
    pub server_share: f64,
    /// Share of a core that the load used: near 1 it was the load that could not do more.
    pub load_share: f64,
    /// Share of a core that other processes used.
    pub others_share: f64,
}

/// How long, and how much.
pub struct Extent {
    /// Load before the window.
    pub warm_up: Duration,
    /// The window.
    pub window: Duration,
    /// Sockets of `idle`.
    pub idle_sockets: usize,
}

impl Scenario {
    /// All, in the order of the table.
    pub fn all() -> Vec<Self> {
        Self::value_variants().to_vec()
    }

    /// As on the command line.
    pub fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    /// What rate and CPU are counted in.
    pub fn unit(self) -> &'static str {
        match self {
            Self::Single | Self::Depth1 | Self::Depth16 | Self::Depth16Rooms40 | Self::Recall => "message",
            Self::Rooms1000 | Self::Busy2000 => "message",
            Self::Fanout10 | Self::Fanout100 | Self::Fanout1000 | Self::Fanout10000 => "delivery",
            Self::Idle => "socket",
            Self::Roomcost => "room",
        }
    }

    /// Measures it once. `start` starts a fresh server.
    pub fn measure(self, start: &dyn Fn() -> anyhow::Result<Server>, extent: &Extent) -> anyhow::Result<Figures> {
        let speed = |figures| Ok(Figures::Speed(figures));
        match self {
            Self::Single => speed(replies(&start()?, extent, "echo", (1, 1), 1)?),
            Self::Depth1 => speed(replies(&start()?, extent, "echo", (1, 50), 1)?),
            Self::Depth16 => speed(replies(&start()?, extent, "echo", (1, 50), 16)?),
            Self::Depth16Rooms40 => speed(replies(&start()?, extent, "echo", (40, 50), 16)?),
            Self::Recall => speed(replies(&start()?, extent, "recall", (1, 50), 1)?),
            Self::Busy2000 => speed(replies(&start()?, extent, "echo", (40, 50), 1)?),
            Self::Fanout10 => speed(says(&start()?, extent, 1, 10, Speakers::InTurn)?),
            Self::Fanout100 => speed(says(&start()?, extent, 1, 100, Speakers::InTurn)?),
            Self::Fanout1000 => speed(says(&start()?, extent, 1, 1_000, Speakers::InTurn)?),
            Self::Fanout10000 => speed(says(&start()?, extent, 1, 10_000, Speakers::InTurn)?),
            Self::Rooms1000 => speed(rooms_of_two(&start()?, extent, 1_000)?),
            Self::Idle => {
                let grown = growth(&start()?, 10, extent.idle_sockets / 10)?;
                Ok(Figures::Memory(grown.each(Memory::none(), extent.idle_sockets)))
            }
            Self::Roomcost => {
                let apart = growth(&start()?, 1_000, 1)?;
                let together = growth(&start()?, 1, 1_000)?;
                Ok(Figures::Memory(apart.each(together, 999)))
            }
        }
    }
}

/// So many rooms of two sockets, which open at once; then each socket says something to both, again and again.
pub fn rooms_of_two(server: &Server, extent: &Extent, rooms: usize) -> anyhow::Result<Speed> {
    says(server, extent, rooms, 2, Speakers::All)
}

/// Connects, and sees each socket get one answer: an upgrade is answered before the socket is in its room, an event
/// after it.
pub fn connect(server: &Server, rooms: usize, room_size: usize) -> anyhow::Result<Clients> {
    let (dialect, sockets) = (server.dialect, rooms * room_size);
    let mut clients = Clients::none(dialect)?;
    let paths = (0..sockets).map(|socket| dialect.path(socket / room_size));
    clients.join(Ipv4Addr::LOCALHOST, server.address, paths)?;
    let mut driver = Echoes::new(dialect, "echo", sockets, 1);
    driver.tally.ending = true;
    clients.start(&mut driver)?;
    settle(&mut clients, &mut driver, &|driver: &mut Echoes| &mut driver.tally)?;
    Ok(clients)
}

/// Request and reply in so many rooms of so many sockets.
fn replies(
    server: &Server,
    extent: &Extent,
    event: &'static str,
    (rooms, room_size): (usize, usize),
    depth: usize,
) -> anyhow::Result<Speed> {
    let mut clients = connect(server, rooms, room_size)?;
    let mut driver = Echoes::new(server.dialect, event, rooms * room_size, depth);
    window(server, extent, &mut clients, &mut driver, |driver| &mut driver.tally, |tally| tally.messages)
}

fn says(server: &Server, extent: &Extent, rooms: usize, room_size: usize, speakers: Speakers) -> anyhow::Result<Speed> {
    let mut clients = connect(server, rooms, room_size)?;
    let mut driver = Says::new(server.dialect, rooms, room_size, speakers);
    let units = |tally: &Tally| {
        if speakers == Speakers::All { tally.messages } else { tally.deliveries }
    };
    window(server, extent, &mut clients, &mut driver, |driver| &mut driver.tally, units)
}

/// Warms up, measures, and sees to it that every frame that is due arrives and none beyond.
fn window<D: Driver>(
    server: &Server,
    extent: &Extent,
    clients: &mut Clients,
    driver: &mut D,
    tally: impl Fn(&mut D) -> &mut Tally,
    units: impl Fn(&Tally) -> u64,
) -> anyhow::Result<Speed> {
    clients.start(driver)?;
    clients.run(driver, extent.warm_up, |_| false)?;
    tally(driver).begin();
    let clocks = Clocks::read(server)?;
    clients.run(driver, extent.window, |_| false)?;
    let usage = clocks.since(server)?;
    let rss_kib = server.memory()?.rss_kib;
    let seen = tally(driver);
    seen.ending = true;
    let count = units(seen) as f64;
    ensure!(count > 0.0, "nothing arrived in the measured window");
    let micros = |quantile| seen.latency.value_at_quantile(quantile) as f64 / 1e3;
    let share = |time: Duration| time.as_secs_f64() / usage.wall.as_secs_f64();
    let speed = Speed {
        rate: count / usage.wall.as_secs_f64(),
        cpu_us: usage.server.as_secs_f64() * 1e6 / count,
        p50_us: micros(0.5),
        p99_us: micros(0.99),
        max_us: seen.latency.max() as f64 / 1e3,
        rss_kib,
        server_share: share(usage.server),
        load_share: share(usage.load),
        others_share: share(usage.others),
    };
    settle(clients, driver, &tally)?;
    Ok(speed)
}

/// Waits for all that is due, then a little for what is not.
fn settle<D: Driver>(
    clients: &mut Clients,
    driver: &mut D,
    tally: &impl Fn(&mut D) -> &mut Tally,
) -> anyhow::Result<()> {
    let end = std::time::Instant::now() + DRAIN;
    while tally(driver).outstanding() > 0 {
        let (missing, sent) = (tally(driver).outstanding(), tally(driver).started());
        ensure!(std::time::Instant::now() < end, "{missing} frames are missing, of {sent} events sent");
        clients.run(driver, SURPLUS, |_| false)?;
    }
    clients.run(driver, SURPLUS, |_| false).context("after all was answered")?;
    Ok(())
}

/// By how much the server grows with these sockets, each of which has had one answer.
fn growth(server: &Server, rooms: usize, room_size: usize) -> anyhow::Result<Memory> {
    // One socket first, so that what the server makes once is not counted.
    drop(connect(server, 1, 1)?);
    std::thread::sleep(SETTLE);
    let before = server.memory()?;
    let clients = connect(server, rooms, room_size)?;
    std::thread::sleep(SETTLE);
    let after = server.memory()?;
    drop(clients);
    Ok(after.each(before, 1))
}
