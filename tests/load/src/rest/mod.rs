//! A server at rest: how often its threads wake, and what of a core that takes, with plugins that nobody uses, with sockets
//! that say nothing, with rooms that sleep, and with rooms whose alarms are far away.

mod threads;

use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use clap::Args;

use crate::hostile::attack::Arena;
use crate::hostile::uploads;
use crate::load::clients::{Clients, Driver, Outgoing};
use crate::load::cores::Cores;
use crate::load::dialect::Dialect;
use crate::load::parlor::{self, CONFIGURATION, PLUGIN, Scratch};
use crate::load::scenario::connect;
use crate::load::server::{Recipe, Server};
use threads::Threads;

/// Rooms fall asleep and end early, so that the run is short.
const SOON: &str = "room-sleep-ms = 1000\nroom-linger-ms = 100\n";
/// Nobody is pinged while this is measured, so that the difference is what pings cost.
const UNPINGED: &str = "ping-after-ms = 86400000\n";
/// Tenants that have the plugin as well, beside the one whose rooms are used.
const OTHERS: usize = 5;
/// Sockets of a room, where they share rooms.
const ROOM: usize = 50;
/// Rooms that are opened at a time to set an alarm, and how far ahead it is.
const BATCH: usize = 500;
const ALARM_MS: u64 = 86_400_000;
/// How long answers may take, and rooms to fall asleep.
const ANSWERS: Duration = Duration::from_secs(60);
/// How long the server is left alone before the window: what it does once is done by then.
const SETTLE: Duration = Duration::from_secs(3);

/// What is measured.
#[derive(Args)]
pub struct Options {
    /// Parlor's binary.
    #[arg(long, value_name = "FILE")]
    parlor: PathBuf,
    /// Idle sockets, fifty to a room.
    #[arg(long, default_value_t = 10_000)]
    sockets: usize,
    /// Rooms that sleep, with a socket each.
    #[arg(long, default_value_t = 15_000)]
    rooms: usize,
    /// Rooms in which nobody is and whose alarm is a day ahead.
    #[arg(long, default_value_t = 10_000)]
    alarms: usize,
    /// Seconds of each window.
    #[arg(long, default_value_t = 30.0)]
    seconds: f64,
    /// Cores of the server: with one, the load has another to itself.
    #[arg(long, default_value_t = 1)]
    cores: usize,
    /// The folder of `bench-room.wasm`, or the project that it is built from.
    #[arg(long, value_name = "DIR", default_value = "tests/load/guest")]
    guest: PathBuf,
}

/// A state's name, its limits in the configuration, and how a server comes into it.
type State<'a> = (&'a str, &'a str, &'a dyn Fn(&Server) -> anyhow::Result<Clients>);

/// Measures each state in turn, on a fresh server, and prints a table.
pub fn run(options: &Options) -> anyhow::Result<()> {
    ensure!(options.seconds > 0.0, "--seconds must be more than 0");
    crate::load::watch_signals()?;
    crate::load::raise_descriptors(options.sockets.max(options.rooms))?;
    let scratch = Scratch::make()?;
    let stand = Stand { options, cores: Cores::split(options.cores)?, plugins: plugins(options, scratch.path())? };
    let Options { sockets, rooms, alarms, .. } = *options;
    println!("| | wake-ups a second | of a core | threads: wake-ups a second, of a core |\n|---|---|---|---|");
    let pings = format!("{sockets} idle sockets");
    let states: [State<'_>; 5] = [
        (&format!("{} plugins, nobody there", OTHERS + 1), "", &|_| Clients::none(Dialect::Verani)),
        (&pings, "", &|server| connect(server, sockets.div_ceil(ROOM), ROOM)),
        (&format!("{pings}, not pinged"), UNPINGED, &|server| connect(server, sockets.div_ceil(ROOM), ROOM)),
        (&format!("{rooms} rooms that sleep, a socket each, not pinged"), UNPINGED, &|server| {
            connect(server, rooms, 1)
        }),
        (&format!("{alarms} rooms with an alarm"), "", &|server| set_alarms(server, alarms)),
    ];
    for (number, (name, limits, prepare)) in states.into_iter().enumerate() {
        let folder = scratch.path().join(format!("state-{number}"));
        fs::create_dir(&folder).with_context(|| format!("make {}", folder.display()))?;
        let configured = format!("{CONFIGURATION}{SOON}{limits}");
        let recipe = parlor::serve(&options.parlor, &stand.plugins, &configured, &folder)?;
        let line = stand.measure(name, &recipe, prepare).with_context(|| recipe.last_words())?;
        println!("{line}");
    }
    Ok(())
}

/// A folder in which several tenants have the plugin.
fn plugins(options: &Options, folder: &Path) -> anyhow::Result<PathBuf> {
    let is_built = options.guest.join(PLUGIN).exists();
    let built = if is_built { options.guest.clone() } else { parlor::build(&options.parlor, &options.guest, folder)? };
    let plugins = folder.join("tenants");
    for place in
        std::iter::once(plugins.clone()).chain((0..OTHERS).map(|tenant| plugins.join(format!("other-{tenant}"))))
    {
        fs::create_dir_all(&place).with_context(|| format!("make {}", place.display()))?;
        fs::copy(built.join(PLUGIN), place.join(PLUGIN)).context("copy the plugin")?;
    }
    Ok(plugins)
}

struct Stand<'a> {
    options: &'a Options,
    cores: Cores,
    plugins: PathBuf,
}

impl Stand<'_> {
    /// A line of the table.
    fn measure(
        &self,
        name: &str,
        recipe: &Recipe,
        prepare: &dyn Fn(&Server) -> anyhow::Result<Clients>,
    ) -> anyhow::Result<String> {
        let server = Server::start(recipe, &self.cores)?;
        let mut clients = prepare(&server)?;
        wait_for_sleep(&mut clients, &server)?;
        clients.run(&mut Silent, SETTLE, |_| false)?;
        let (before, begin) = (Threads::read(server.process())?, Instant::now());
        clients.run(&mut Silent, Duration::from_secs_f64(self.options.seconds), |_| false)?;
        let used = Threads::read(server.process())?.since(&before, begin.elapsed());
        Ok(format!("| {name} | {used} |"))
    }
}

/// Waits until no room is awake. A server that has just started may be too busy to answer.
fn wait_for_sleep(clients: &mut Clients, server: &Server) -> anyhow::Result<()> {
    let (arena, end) = (Arena::at(server.address), Instant::now() + ANSWERS);
    while awake_rooms(&arena).is_none_or(|rooms| rooms > 0.0) {
        ensure!(Instant::now() < end, "rooms are awake after {ANSWERS:?}");
        clients.run(&mut Silent, Duration::from_millis(500), |_| false)?;
    }
    Ok(())
}

/// What the server tells of all tenants; none where it does not answer.
fn awake_rooms(arena: &Arena) -> Option<f64> {
    uploads::figure("parlor_tenant_awake_rooms", "", arena).ok().map(Option::unwrap_or_default)
}

/// Rooms store an alarm each, and then nobody is there.
fn set_alarms(server: &Server, alarms: usize) -> anyhow::Result<Clients> {
    for first in (0..alarms).step_by(BATCH) {
        let count = BATCH.min(alarms - first);
        let mut clients = Clients::none(Dialect::Verani)?;
        let paths = (first..first + count).map(|room| Dialect::Verani.path(room));
        clients.join(Ipv4Addr::LOCALHOST, server.address, paths)?;
        let mut setting = Setting { unanswered: count };
        clients.start(&mut setting)?;
        let done = clients.run(&mut setting, ANSWERS, |setting| setting.unanswered == 0)?;
        ensure!(done, "{} rooms do not answer", setting.unanswered);
    }
    let stored = uploads::figure("parlor_alarms", "", &Arena::at(server.address))?;
    ensure!(stored == Some(alarms as f64), "{stored:?} alarms are stored, not {alarms}");
    Clients::none(Dialect::Verani)
}

/// Each socket has its room set an alarm, and asks for an answer, which comes when the alarm is stored.
struct Setting {
    unanswered: usize,
}

impl Driver for Setting {
    fn start(&mut self, out: &mut Outgoing) {
        let ring = format!(r#"{{"type":"ring","data":{{"in_ms":{ALARM_MS}}}}}"#);
        for socket in 0..self.unanswered {
            out.text(socket, ring.as_bytes());
            Dialect::Verani.put(out, socket, "echo", 0);
        }
    }

    fn frame(&mut self, _: usize, text: &[u8], _: Instant, _: &mut Outgoing) -> anyhow::Result<()> {
        Dialect::Verani.number(text, "echo")?;
        self.unanswered = self.unanswered.checked_sub(1).context("a frame that nothing asked for")?;
        Ok(())
    }
}

/// Says nothing, and is told nothing.
struct Silent;

impl Driver for Silent {
    fn start(&mut self, _: &mut Outgoing) {}

    fn frame(&mut self, _: usize, text: &[u8], _: Instant, _: &mut Outgoing) -> anyhow::Result<()> {
        anyhow::bail!("a frame that nothing asked for: {}", String::from_utf8_lossy(text))
    }
}
