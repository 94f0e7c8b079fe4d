//! Lines that are cut at random under sockets that talk: every frame of a session that goes on must come once and in order,
//! in both directions. And what many sockets without a line cost.

mod detached;
mod proxy;
mod session;

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use clap::Args;
use tokio::task::JoinSet;

use self::proxy::CuttingProxy;
use self::session::{Counts, Session, talk};
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
frames-per-second = 100000
frames-burst = 100000
tenant-cpu-percent = 100000
room-sleep-ms = 1
swap-trial-turns = 1
room-faults = 1000000
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
    let Options { sockets, per_second, cuts, frames, .. } = *options;
    let proxy = CuttingProxy::start(server.address, cuts).await?;
    let (counts, clocks, begin) = (Arc::new(Counts::default()), Clocks::read(server)?, Instant::now());
    let each = frames.div_ceil(sockets as u64);
    let mut talks = JoinSet::new();
    for number in 0..sockets {
        talks.spawn(talk(proxy.address, format!("user{number}"), each, Arc::clone(&counts)));
    }
    let said = Arc::new(AtomicU64::new(0));
    let speaker = tokio::spawn(speak(server.address, per_second, Arc::clone(&said), trouble));
    let report = async {
        while let Some(done) = talks.join_next().await {
            done.context("a socket's task")??;
        }
        anyhow::Ok(())
    };
    report.await?;
    ensure!(!speaker.is_finished(), "the speaker did not speak to the end");
    speaker.abort();
    let usage = clocks.since(server)?;
    let (lines, failed) = (counts.resumed.load(Ordering::Relaxed), counts.not_resumed.load(Ordering::Relaxed));
    let (cut, heard) = (proxy.cuts(), counts.heard.load(Ordering::Relaxed));
    println!(
        "{} crashes, {} swaps, {cut} lines cut ({} half-open), {lines} sessions resumed, {failed} not; {} numbered frames upstream, none lost, none twice; \
         {heard} of {} said downstream, in order; {:.1} s, {:.1} s of CPU",
        said.load(Ordering::Relaxed) / CRASH_EVERY,
        said.load(Ordering::Relaxed) / SWAP_EVERY,
        proxy.half_open(),
        each * sockets as u64,
        said.load(Ordering::Relaxed),
        begin.elapsed().as_secs_f64(),
        usage.server.as_secs_f64(),
    );
    ensure!(cut >= cuts, "only {cut} lines were cut before everything had come: ask for more frames");
    Ok(())
}

/// Says something to all sockets so often, and makes trouble now and then.
async fn speak(
    server: std::net::SocketAddr,
    per_second: u32,
    said: Arc<AtomicU64>,
    trouble: Trouble,
) -> anyhow::Result<()> {
    let mut speaker = Session::begin(server, "speaker").await?;
    let mut every = tokio::time::interval(Duration::from_secs(1) / per_second);
    loop {
        tokio::select! {
            _ = every.tick() => {
                let number = said.fetch_add(1, Ordering::Relaxed);
                speaker.send(&format!(r#"{{"type":"tell","data":{number}}}"#)).await?;
                if (number + 1) % CRASH_EVERY == 0 {
                    speaker.send(r#"{"type":"crash","data":null}"#).await?;
                }
                if (number + 1) % SWAP_EVERY == 0 {
                    trouble.swap(number / SWAP_EVERY)?;
                }
            }
            frame = speaker.frame() => ensure!(frame.is_some(), "the speaker's line broke"),
        }
    }
}
