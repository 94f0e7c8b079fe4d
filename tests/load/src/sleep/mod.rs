//! Rooms that sleep: what one costs, how long it takes to wake one, and what happens when all are woken at once.

mod askers;

use std::fs;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use clap::Args;
use hdrhistogram::Histogram;

use crate::hostile::attack::Arena;
use crate::hostile::uploads;
use crate::load::clients::{Clients, Driver};
use crate::load::cores::Cores;
use crate::load::dialect::Dialect;
use crate::load::guests;
use crate::load::parlor::{self, Scratch};
use crate::load::server::{Clocks, Memory, Recipe, Server};
use askers::{Askers, Together, Why};

/// What one address may do is raised, since all clients have few; and a tenant may use the whole CPU, since it would be
/// all that a storm waits for. Rooms sleep early, and end early, so that the run is short.
const CONFIGURATION: &str = "\
operator-token = \"parlor-load-operator-token\"

[limits]
sockets-per-room = 20000
sockets-per-address = 20000
requests-per-address-per-second = 20000
requests-per-address-burst = 20000
upgrades-per-address-per-second = 20000
upgrades-per-address-burst = 20000
tenant-cpu-percent = 100000
room-sleep-ms = 1000
room-linger-ms = 100
";
/// Rooms that the sockets share, for comparison.
const SHARED: usize = 10;
/// Sockets that enter at a time: their rooms are awake meanwhile.
const ENTER: usize = 500;
/// How long rooms may take to fall asleep, and how long memory may settle.
const ASLEEP: Duration = Duration::from_secs(60);
const SETTLE: Duration = Duration::from_millis(2_000);
/// From one room that is woken by itself to the next.
const WAKE_EVERY: Duration = Duration::from_millis(20);
/// How long all rooms may take to answer.
const STORM: Duration = Duration::from_secs(180);
/// The aims.
const AIM_KIB: f64 = 2.0;
const AIM_MS: f64 = 1.0;

/// What is measured.
#[derive(Args)]
pub struct Options {
    /// Parlor's binary.
    #[arg(long, value_name = "FILE")]
    parlor: PathBuf,
    /// Rooms, with a socket each.
    #[arg(long, default_value_t = 15_000)]
    rooms: usize,
    /// Of them, those that talk all the time.
    #[arg(long, default_value_t = 200)]
    awake: usize,
    /// Rooms that are woken by themselves.
    #[arg(long, default_value_t = 1_000)]
    wakes: usize,
    /// How often all are woken at once.
    #[arg(long, default_value_t = 3)]
    storms: usize,
    /// Rooms that may be awake at once.
    #[arg(long, default_value_t = 1_000)]
    awake_max: usize,
    /// Cores of the server: with one, the load has another to itself.
    #[arg(long, default_value_t = 1)]
    cores: usize,
    /// A folder with `swap_one.wasm`; built from `tests/guests` where it is not given.
    #[arg(long, value_name = "DIR")]
    plugins: Option<PathBuf>,
}

/// Everything; what must not be is the error.
pub fn run(options: &Options) -> anyhow::Result<()> {
    ensure!(options.awake > 0 && options.awake < options.rooms, "--awake must be from 1 to less than --rooms");
    crate::load::watch_signals()?;
    crate::load::raise_descriptors(options.rooms)?;
    let cores = Cores::split(options.cores)?;
    let scratch = Scratch::make()?;
    let plugins = scratch.path().join("plugins");
    fs::create_dir_all(&plugins).context("make the plugin folder")?;
    fs::write(plugins.join("swap.wasm"), guests::read("swap_one", options.plugins.as_deref())?)?;
    let configured = format!("{CONFIGURATION}awake-rooms-per-tenant = {}\n", options.awake_max);
    let recipe = parlor::serve(&options.parlor, &plugins, &configured, scratch.path())?;
    eprintln!("{cores}");
    let stand = Stand { options, cores, recipe };
    let together = stand.together().with_context(|| stand.recipe.last_words())?;
    let missed = stand.apart(&together).with_context(|| stand.recipe.last_words())?;
    ensure!(missed.is_empty(), "missed: {}", missed.join("; "));
    Ok(())
}

struct Stand<'a> {
    options: &'a Options,
    cores: Cores,
    recipe: Recipe,
}

impl Stand<'_> {
    fn start(&self) -> anyhow::Result<(Server, Arena)> {
        let server = Server::start(&self.recipe, &self.cores)?;
        let arena = Arena::at(server.address);
        Ok((server, arena))
    }

    /// What one of the sockets that come last takes: those before them have filled what is made once.
    fn each(&self, first: Memory, all: Memory) -> Memory {
        all.each(first, self.options.rooms - self.first())
    }

    fn first(&self) -> usize {
        self.options.rooms / 3
    }

    /// The memory of a socket: as many of them in few rooms, which sleep as well.
    fn together(&self) -> anyhow::Result<Memory> {
        let (server, arena) = self.start()?;
        let mut clients = Clients::none(Dialect::Verani)?;
        let mut memory = Vec::new();
        for sockets in [0..self.first(), self.first()..self.options.rooms] {
            let paths = sockets.clone().map(|socket| path("shared", socket % SHARED));
            clients.join(Ipv4Addr::LOCALHOST, server.address, paths)?;
            let mut driver = Together { unanswered: sockets.end };
            clients.start(&mut driver)?;
            let done = clients.run(&mut driver, ASLEEP, |driver| driver.unanswered == 0)?;
            ensure!(done, "{} answers are missing", driver.unanswered);
            fall_asleep(&mut clients, &mut driver, &arena, 0)?;
            memory.push(server.memory()?);
        }
        let [first, all] = <[Memory; 2]>::try_from(memory).map_err(|_| anyhow::anyhow!("there are two"))?;
        Ok(self.each(first, all))
    }

    fn apart(&self, together: &Memory) -> anyhow::Result<Vec<String>> {
        let Options { rooms, awake, .. } = *self.options;
        let (server, arena) = self.start()?;
        let (mut clients, mut askers) = (Clients::none(Dialect::Verani)?, Askers::new(rooms, awake));
        let begin = Instant::now();
        enter(&mut clients, &mut askers, &server, 0..self.first())?;
        askers.talk(true);
        fall_asleep(&mut clients, &mut askers, &arena, awake)?;
        let first = server.memory()?;
        enter(&mut clients, &mut askers, &server, self.first()..rooms)?;
        fall_asleep(&mut clients, &mut askers, &arena, awake)?;
        let all = server.memory()?;
        eprintln!("{rooms} rooms entered and asleep after {:.0} s", begin.elapsed().as_secs_f64());
        println!("{rooms} rooms with a socket each, all but {awake} asleep: RSS {:.1} MiB", all.rss_kib / 1024.0);
        let each = self.each(first, all);
        let pss = each.pss_kib - together.pss_kib;
        println!(
            "  one more: PSS {:.2} KiB, of it {pss:.2} KiB beyond its socket, RSS {:.2} KiB",
            each.pss_kib, each.rss_kib
        );
        println!("  one more socket in {SHARED} sleeping rooms: PSS {:.2} KiB", together.pss_kib);
        let mut missed = Vec::new();
        if pss >= AIM_KIB {
            missed.push(format!("a sleeping room has {pss:.2} KiB"));
        }
        println!("{:<52} {:>9} {:>9} {:>9}", "ms", "p50", "p99", "max");
        missed.extend(self.wake(&server, &mut clients, &mut askers)?);
        for storm in 1..=self.options.storms {
            fall_asleep(&mut clients, &mut askers, &arena, awake)?;
            self.storm(storm, &server, &mut clients, &mut askers)?;
        }
        missed.extend(self.all_there(&arena, &mut clients, &mut askers)?);
        Ok(missed)
    }

    /// Each of the rooms is still there, and remembers.
    fn all_there(&self, arena: &Arena, clients: &mut Clients, askers: &mut Askers) -> anyhow::Result<Vec<String>> {
        askers.talk(false);
        clients.run(askers, SETTLE, |_| false)?;
        askers.ask(0..self.options.rooms, Duration::from_millis(1), Why::Entering);
        clients.run(askers, STORM, Askers::is_done)?;
        let open = gauge("parlor_tenant_rooms", arena)?;
        println!("rooms at the end: {open:.0}; lost {}; sockets closed: {:?}", askers.lost, askers.closed);
        let mut missed: Vec<_> = askers.closed.iter().map(|(why, count)| format!("{count} sockets: {why}")).collect();
        if askers.lost > 0 || askers.waiting() > 0 {
            missed.push(format!("{} rooms lost, {} without answer", askers.lost, askers.waiting()));
        }
        Ok(missed)
    }

    /// Wakes rooms one by one.
    fn wake(&self, server: &Server, clients: &mut Clients, askers: &mut Askers) -> anyhow::Result<Vec<String>> {
        let Options { rooms, awake, wakes, .. } = *self.options;
        let step = ((rooms - awake) / wakes.max(1)).max(1);
        askers.begin();
        askers.ask((awake..rooms).step_by(step).take(wakes), WAKE_EVERY, Why::Waking);
        let clocks = Clocks::read(server)?;
        ensure!(clients.run(askers, STORM, Askers::is_done)?, "{} rooms do not wake", askers.waiting());
        let times = &askers.times;
        line(&format!("answer of a room that slept ({})", times.asleep.len()), &times.asleep);
        line("answer of the same room at once again", &times.again);
        line("difference: waking", &times.waking);
        line(&format!("meanwhile: the {awake} that talk"), &times.awake);
        shares(&clocks, server)?;
        let p99 = times.waking.value_at_quantile(0.99) as f64 / 1e6;
        Ok(if p99 < AIM_MS { Vec::new() } else { vec![format!("waking takes {p99:.2} ms (p99)")] })
    }

    /// Wakes all at once.
    fn storm(&self, number: usize, server: &Server, clients: &mut Clients, askers: &mut Askers) -> anyhow::Result<()> {
        askers.begin();
        let begin = Instant::now();
        let clocks = Clocks::read(server)?;
        askers.ask(self.options.awake..self.options.rooms, Duration::ZERO, Why::Storm);
        let done = clients.run(askers, STORM, Askers::is_done)?;
        let took = begin.elapsed();
        let closed: usize = askers.closed.values().sum();
        let times = &askers.times;
        line(&format!("storm {number}: answer of a room ({})", times.storm.len()), &times.storm);
        line("  meanwhile: those that talk", &times.awake);
        println!(
            "  all answered after {:.2} s; so far {closed} sockets closed, {} rooms lost",
            took.as_secs_f64(),
            askers.lost
        );
        shares(&clocks, server)?;
        ensure!(done, "{} rooms did not answer within {STORM:?}", askers.waiting());
        Ok(())
    }
}

fn path(kind: &str, room: usize) -> String {
    format!("/swap?room={kind}-{room}")
}

/// Sockets come into rooms of their own, and have one answer each.
fn enter(
    clients: &mut Clients,
    askers: &mut Askers,
    server: &Server,
    rooms: std::ops::Range<usize>,
) -> anyhow::Result<()> {
    for first in rooms.clone().step_by(ENTER) {
        let some = first..(first + ENTER).min(rooms.end);
        clients.join(Ipv4Addr::LOCALHOST, server.address, some.clone().map(|room| path("own", room)))?;
        askers.ask(some, Duration::ZERO, Why::Entering);
        ensure!(clients.run(askers, ASLEEP, Askers::is_done)?, "{} answers are missing", askers.waiting());
    }
    ensure!(askers.closed.is_empty(), "sockets were closed: {:?}", askers.closed);
    Ok(())
}

/// Waits until no more rooms are awake than should be, and a little longer.
fn fall_asleep(clients: &mut Clients, driver: &mut impl Driver, arena: &Arena, awake: usize) -> anyhow::Result<()> {
    let end = Instant::now() + ASLEEP;
    loop {
        clients.run(driver, SETTLE, |_| false)?;
        let count = gauge("parlor_tenant_awake_rooms", arena)?;
        if count as usize <= awake {
            clients.run(driver, SETTLE, |_| false)?;
            return Ok(());
        }
        ensure!(Instant::now() < end, "{count} rooms are awake after {ASLEEP:?}, not {awake}");
    }
}

/// A figure of the server's, of its only tenant.
fn gauge(name: &str, arena: &Arena) -> anyhow::Result<f64> {
    uploads::figure(name, "", arena)?.with_context(|| format!("no figure {name}"))
}

fn shares(clocks: &Clocks, server: &Server) -> anyhow::Result<()> {
    let usage = clocks.since(server)?;
    let share = |time: Duration| time.as_secs_f64() / usage.wall.as_secs_f64();
    let (server, load, others) = (share(usage.server), share(usage.load), share(usage.others));
    println!("  server {server:.2}, load {load:.2}, others {others:.2} of a core");
    Ok(())
}

/// A line of a table, in milliseconds.
fn line(name: &str, times: &Histogram<u64>) {
    let ms = |quantile| times.value_at_quantile(quantile) as f64 / 1e6;
    println!("{name:<52} {:>9.3} {:>9.3} {:>9.3}", ms(0.5), ms(0.99), times.max() as f64 / 1e6);
}
