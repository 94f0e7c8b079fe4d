//! Lines that are cut at random under sockets that talk: every frame of a session that goes on must come once and in order,
//! in both directions. And what many sockets without a line cost.

mod detached;
mod proxy;
mod rhythm;
mod session;
mod standing;

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use clap::Args;
use tokio::task::JoinSet;

use self::proxy::CuttingProxy;
use self::rhythm::Rhythm;
use self::session::{Counts, Errand, Session, talk};
use self::standing::{SharedStanding, until_standstill};
use crate::hostile::attack::Arena;
use crate::hostile::uploads;
use crate::load::cores::Cores;
use crate::load::guests;
use crate::load::parlor::{self, Scratch};
use crate::load::server::{Clocks, Server};

const CONFIGURATION: &str = "\
operator-token = \"parlor-load-operator-token\"

[limits]
sockets-per-room = 20000
sockets-per-address = 40000
requests-per-address-per-second = 100000
requests-per-address-burst = 100000
upgrades-per-address-per-second = 100000
upgrades-per-address-burst = 100000
detached-per-tenant = 20000
resume-ms = 600000
frames-per-second = 100000
frames-burst = 100000
tenant-cpu-percent = 100000
room-sleep-ms = 1
swap-trial-turns = 1
room-faults = 1000000
room-faults-window-ms = 1000
client-faults = 1000000
address-faults = 1000000
client-slow-ms = 0
room-backoff-ms = 1
";
/// The instance is lost after so many messages to all, and the plugin replaced after so many.
const CRASH_EVERY: u64 = 150;
const SWAP_EVERY: u64 = 400;

/// What is measured.
#[derive(Args)]
pub struct Options {
    /// Parlor's binary.
    #[arg(long, value_name = "FILE")]
    parlor: PathBuf,
    /// Sockets, all of one room, over lines that are cut.
    #[arg(long, default_value_t = 200)]
    sockets: usize,
    /// Messages a second that the room says to all of them.
    #[arg(long, default_value_t = 100)]
    per_second: u32,
    /// At least so many lines are cut.
    #[arg(long, default_value_t = 1_000)]
    cuts: u64,
    /// Numbered frames that all sockets together send upstream.
    #[arg(long, default_value_t = 100_000)]
    frames: u64,
    /// How many of them a second, by day: the lines are busy for 4 s, and then still for 1.5 s, so that the room sleeps.
    #[arg(long, default_value_t = 4_000)]
    rate: u32,
    /// Sockets without a line whose memory is measured; 0 for none.
    #[arg(long, default_value_t = 10_000)]
    detached: usize,
    /// A folder with `lines.wasm`; built from `tests/guests` where it is not given.
    #[arg(long, value_name = "DIR")]
    plugins: Option<PathBuf>,
}

/// Everything; what must not be is the error.
pub fn run(options: &Options) -> anyhow::Result<()> {
    crate::load::watch_signals()?;
    crate::load::raise_descriptors((3 * options.sockets).max(options.detached))?;
    let cores = Cores::split(1)?;
    let scratch = Scratch::make()?;
    let plugins = scratch.path().join("plugins");
    fs::create_dir_all(&plugins).context("make the plugin folder")?;
    let (plugin, component) = (plugins.join("lines.wasm"), guests::read("lines", options.plugins.as_deref())?);
    fs::write(&plugin, &component)?;
    let recipe = parlor::serve(&options.parlor, &plugins, CONFIGURATION, scratch.path())?;
    eprintln!("{cores}");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let cut = || -> anyhow::Result<()> {
        let server = Server::start(&recipe, &cores)?;
        runtime.block_on(cut(options, &server, Trouble { plugin: plugin.clone(), component: component.clone() }))
    };
    cut().with_context(|| recipe.last_words())?;
    if options.detached > 0 {
        let server = Server::start(&recipe, &cores)?;
        runtime.block_on(detached::measure(options.detached, &server)).with_context(|| recipe.last_words())?;
    }
    Ok(())
}

/// What happens to the room meanwhile: it loses its instance, and moves to another version.
struct Trouble {
    plugin: PathBuf,
    component: Vec<u8>,
}

impl Trouble {
    /// Puts another version in the place of the plugin: a section of nothing but a name comes behind it.
    fn swap(&self, number: u64) -> anyhow::Result<()> {
        let mut version = self.component.clone();
        version.extend([0, 3, 1, b'v', number as u8]);
        let beside = self.plugin.with_extension("next");
        fs::write(&beside, version)?;
        Ok(fs::rename(&beside, &self.plugin)?)
    }
}

/// Cuts lines until there were enough of them, and everything has come.
async fn cut(options: &Options, server: &Server, trouble: Trouble) -> anyhow::Result<()> {
    let Options { sockets, per_second, cuts, frames, rate, .. } = *options;
    let rhythm = Rhythm::begin();
    let proxy = CuttingProxy::start(server.address, rhythm, cuts).await?;
    let (counts, clocks, begin) = (Arc::new(Counts::default()), Clocks::read(server)?, Instant::now());
    let each = frames.div_ceil(sockets as u64);
    let pause = Duration::from_secs(sockets as u64) / rate;
    let errand = Errand { proxy: proxy.address, rhythm, frames: each, pause, counts: Arc::clone(&counts) };
    let mut talks = JoinSet::new();
    let standings: Vec<SharedStanding> = (0..sockets).map(|_| SharedStanding::default()).collect();
    for (number, standing) in standings.iter().enumerate() {
        talks.spawn(talk(server.address, format!("user{number}"), errand.clone(), standing.clone()));
    }
    let said = Arc::new(AtomicU64::new(0));
    let mut speaker = tokio::spawn(speak(server.address, per_second, rhythm, Arc::clone(&said), trouble));
    let talked = async {
        while let Some(done) = talks.join_next().await {
            done.context("a socket's task")??;
        }
        anyhow::Ok(())
    };
    tokio::select! {
        talked = talked => talked?,
        still = until_standstill(standings) => still?,
        spoken = &mut speaker => spoken.context("the speaker's task")??,
    }
    speaker.abort();
    let usage = clocks.since(server)?;
    let (lines, said) = (counts.resumed.load(Ordering::Relaxed), said.load(Ordering::Relaxed));
    let (cut, told) = (proxy.cuts(), counts.told.load(Ordering::Relaxed));
    let woken = uploads::figure("parlor_wake_seconds_count", "", &Arena::at(server.address))?.unwrap_or_default();
    println!(
        "{} crashes, {} swaps, woken {woken} times, {cut} lines cut ({} half-open), {lines} sessions resumed, 0 not; {} numbered frames upstream, \
         none lost, none twice; {told} of {said} said downstream, in order; {:.1} s, {:.1} s of CPU",
        said / CRASH_EVERY,
        said / SWAP_EVERY,
        proxy.half_open(),
        each * sockets as u64,
        begin.elapsed().as_secs_f64(),
        usage.server.as_secs_f64(),
    );
    ensure!(
        cut >= cuts,
        "only {cut} lines were cut before everything had come: ask for more frames, or fewer a second"
    );
    Ok(())
}

/// Says something to all sockets so often, and makes trouble now and then.
async fn speak(
    server: std::net::SocketAddr,
    per_second: u32,
    rhythm: Rhythm,
    said: Arc<AtomicU64>,
    trouble: Trouble,
) -> anyhow::Result<()> {
    let mut speaker = Session::begin(server, "speaker").await?;
    let mut due = tokio::time::Instant::now();
    loop {
        tokio::select! {
            () = tokio::time::sleep_until(due) => {
                due = rhythm.by_day(due + Duration::from_secs(1) / per_second);
                let number = said.fetch_add(1, Ordering::Relaxed);
                speaker.send(&format!(r#"{{"type":"tell","data":{number}}}"#)).await?;
                if (number + 1).is_multiple_of(CRASH_EVERY) {
                    speaker.send(r#"{"type":"crash","data":null}"#).await?;
                }
                if (number + 1).is_multiple_of(SWAP_EVERY) {
                    trouble.swap(number / SWAP_EVERY)?;
                }
            }
            frame = speaker.frame() => ensure!(frame.is_some(), "the speaker's line broke"),
        }
    }
}
