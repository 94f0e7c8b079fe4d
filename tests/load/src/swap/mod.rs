//! New code under live sockets: what clients notice of it, and what a server holds after a thousand swaps.

mod replace;
mod talk;

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use clap::Args;
use hdrhistogram::Histogram;

use crate::hostile::attack::Arena;
use crate::load::clients::Clients;
use crate::load::cores::Cores;
use crate::load::guests;
use crate::load::holdings::Holdings;
use crate::load::parlor::{self, Scratch};
use crate::load::server::{Clocks, Recipe, Server};
use replace::{Means, Replacer};
use talk::{Talks, VERSIONS, histogram};

/// How long a version may take until every socket has heard it: it is compiled beside the load.
const MOVE: Duration = Duration::from_secs(90);
/// How long answers may take once nothing more is said, and how long the load listens on for what should not come.
const DRAIN: Duration = Duration::from_secs(20);
const SURPLUS: Duration = Duration::from_millis(50);
/// Load before the first swap.
const WARM_UP: Duration = Duration::from_secs(1);
/// Swaps before the first look at what is held: what is made once is not counted.
const WARM_UP_SWAPS: usize = 100;
/// Of the light load: what each socket waits from an answer to what it says next.
const PAUSE: Duration = Duration::from_millis(20);
/// How long the server may take to let go of what it does not need.
const SETTLE: Duration = Duration::from_secs(10);
/// The aim for the gap that clients see.
const AIM_MS: f64 = 50.0;
/// Memory that may come and go with the allocator; code of one version more.
const RSS_KIB: u64 = 8 << 10;
const CODE_KIB: u64 = 2 << 10;

/// What is measured.
#[derive(Args)]
pub struct Options {
    /// Parlor's binary.
    #[arg(long, value_name = "FILE")]
    parlor: PathBuf,
    #[arg(long, default_value_t = 20)]
    rooms: usize,
    /// Sockets in all rooms together.
    #[arg(long, default_value_t = 200)]
    sockets: usize,
    /// How often the plugin is replaced under full load, by each means; 0 leaves that out.
    #[arg(long, default_value_t = 50)]
    swaps: usize,
    /// How long that takes at least, in seconds: a swap is begun every so often.
    #[arg(long, default_value_t = 25.0)]
    seconds: f64,
    /// How often it is replaced under a light load, for what the server holds; 0 leaves that out.
    #[arg(long, default_value_t = 1_000)]
    many: usize,
    /// How the plugin is replaced; both by default.
    #[arg(long, value_enum)]
    means: Vec<Means>,
    /// Each version differs from all before it, and is compiled; otherwise two take turns.
    #[arg(long)]
    fresh: bool,
    /// Cores of the server: with one, the load has another to itself.
    #[arg(long, default_value_t = 1)]
    cores: usize,
    /// A folder with `swap_one.wasm` and `swap_two.wasm`; built from `tests/guests` where it is not given.
    #[arg(long, value_name = "DIR")]
    plugins: Option<PathBuf>,
}

/// Everything; what must not be is the error.
pub fn run(options: &Options) -> anyhow::Result<()> {
    let room = options.sockets / options.rooms.max(1);
    ensure!(room > 0 && options.sockets.is_multiple_of(options.rooms), "--sockets must be a multiple of --rooms");
    crate::load::watch_signals()?;
    crate::load::raise_descriptors(options.sockets)?;
    let cores = Cores::split(options.cores)?;
    let scratch = Scratch::make()?;
    let mut versions = Vec::new();
    for version in VERSIONS {
        versions.push(Arc::new(guests::read(&format!("swap_{version}"), options.plugins.as_deref())?));
    }
    let [one, two] = &versions[..] else { unreachable!("there are two") };
    let stand = Stand { options, cores, scratch, versions: [Arc::clone(one), Arc::clone(two)] };
    let default = [Means::Rename, Means::Put];
    let means = if options.means.is_empty() { &default[..] } else { &options.means };
    eprintln!("{}", stand.cores);
    let mut missed = Vec::new();
    for &means in means.iter().filter(|_| options.swaps > 0) {
        missed.extend(stand.under_load(means, room).with_context(|| format!("{means:?} under load"))?);
    }
    if options.many > 0 {
        for &means in means {
            missed.extend(stand.many(means).with_context(|| format!("{means:?}, many"))?);
        }
    }
    ensure!(missed.is_empty(), "missed: {}", missed.join("; "));
    Ok(())
}

struct Stand<'a> {
    options: &'a Options,
    cores: Cores,
    scratch: Scratch,
    versions: [Arc<Vec<u8>>; 2],
}

/// A server with sockets in rooms.
struct Live {
    server: Server,
    recipe: Recipe,
    replacer: Replacer,
    clients: Clients,
    talks: Talks,
}

impl Stand<'_> {
    fn start(&self, means: Means, rooms: usize, room: usize, pause: Duration) -> anyhow::Result<Live> {
        let plugins = self.scratch.path().join("plugins");
        fs::create_dir_all(&plugins).context("make the plugin folder")?;
        let file = plugins.join("swap.wasm");
        fs::write(&file, &*self.versions[0]).context("write the plugin")?;
        let recipe = parlor::serve(&self.options.parlor, &plugins, parlor::CONFIGURATION, self.scratch.path())?;
        let server = Server::start(&recipe, &self.cores).with_context(|| recipe.last_words())?;
        let arena = Arena::at(server.address);
        let replacer = Replacer { means, file, versions: self.versions.clone(), fresh: self.options.fresh, arena };
        if !self.options.fresh {
            // Both are compiled before the load: that is low priority, and takes long beside a load that fills the core.
            for version in [1, 0] {
                Replacer { means: Means::Put, ..replacer.clone() }.replace(version)?;
            }
        }
        let paths = (0..rooms * room).map(|socket| format!("/swap?room=room-{}", socket / room));
        let mut clients = Clients::connect(server.address, paths)?;
        let mut talks = Talks::new(rooms, room, pause);
        clients.start(&mut talks)?;
        ensure!(clients.run(&mut talks, DRAIN, Talks::all_joined)?, "not every socket came in");
        Ok(Live { server, recipe, replacer, clients, talks })
    }

    /// Full rate; each swap's window is followed by one of the same length without a swap.
    fn under_load(&self, means: Means, room: usize) -> anyhow::Result<Vec<String>> {
        let options = self.options;
        let mut live = self.start(means, options.rooms, room, Duration::ZERO)?;
        let [mut with, mut without, mut took] = [histogram(), histogram(), histogram()];
        live.clients.run(&mut live.talks, WARM_UP, |_| false)?;
        let clocks = Clocks::read(&live.server)?;
        let (begin, heard) = (Instant::now(), live.talks.heard);
        let every = Duration::from_secs_f64(options.seconds / options.swaps.max(1) as f64);
        for swap in 1..=options.swaps {
            live.talks.begin_window();
            let time = live.swap(swap)?;
            live.talks.end_window(&mut with);
            took.saturating_record(time.as_nanos() as u64);
            live.talks.begin_window();
            live.clients.run(&mut live.talks, time, |_| false)?;
            live.talks.end_window(&mut without);
            let left = (begin + every * swap as u32).saturating_duration_since(Instant::now());
            live.clients.run(&mut live.talks, left, |_| false)?;
        }
        let usage = clocks.since(&live.server)?;
        let rate = (live.talks.heard - heard) as f64 / usage.wall.as_secs_f64();
        let share = |time: Duration| time.as_secs_f64() / usage.wall.as_secs_f64();
        live.finish()?;
        println!(
            "{means:?}: {} swaps under {} sockets in {} rooms; {} said, {} heard, {rate:.0} a second; \
             server {:.2}, load {:.2}, others {:.2} of a core",
            options.swaps,
            options.sockets,
            options.rooms,
            live.talks.said,
            live.talks.heard,
            share(usage.server),
            share(usage.load),
            share(usage.others)
        );
        println!("  {:<44} {:>9} {:>9} {:>9}", "ms", "p50", "p99", "max");
        line("longest gap of a client around a swap", &with);
        line("the same without a swap", &without);
        line("last frame of a version to first of the next", &live.talks.change);
        line("saying something to hearing it", &live.talks.latency);
        line("replacing the file to the last room moved", &took);
        let p99 = with.value_at_quantile(0.99) as f64 / 1e6;
        Ok(if p99 < AIM_MS { Vec::new() } else { vec![format!("{means:?}: the gap's p99 is {p99:.1} ms")] })
    }

    /// Many swaps; the server must hold no more at the end than at the begin.
    fn many(&self, means: Means) -> anyhow::Result<Vec<String>> {
        let mut live = self.start(means, self.options.rooms, 1, PAUSE)?;
        let mut took = histogram();
        for swap in 1..=WARM_UP_SWAPS {
            live.swap(swap)?;
        }
        let before = live.settled(None)?;
        let mut half = before;
        for swap in 1..=self.options.many {
            let time = live.swap(WARM_UP_SWAPS + swap)?;
            took.saturating_record(time.as_nanos() as u64);
            if swap == self.options.many / 2 {
                half = live.settled(None)?;
            }
        }
        let after = live.settled(Some(before))?;
        live.finish()?;
        println!("{means:?}: {} swaps under {} sockets that speak now and then", self.options.many, self.options.rooms);
        println!("  {:<44} {:>9} {:>9} {:>9}", "ms", "p50", "p99", "max");
        line("replacing the file to the last room moved", &took);
        println!("  {:<8}   RSS KiB descriptors threads    maps  code KiB watches", "");
        for (when, held) in [("before", before), ("half", half), ("after", after)] {
            let Holdings { rss_kib, descriptors, threads, maps, code_kib, watches } = held;
            println!("  {when:<8} {rss_kib:>9} {descriptors:>11} {threads:>7} {maps:>7} {code_kib:>9} {watches:>7}");
        }
        Ok(if is_flat(before, after) { Vec::new() } else { vec![format!("{means:?}: many swaps leave something")] })
    }
}

impl Live {
    /// One swap, until every socket has heard the new version; how long it took.
    fn swap(&mut self, number: usize) -> anyhow::Result<Duration> {
        let begin = Instant::now();
        self.talks.replace();
        let replacer = self.replacer.clone();
        let replacing = std::thread::spawn(move || replacer.replace(number));
        let moved = self.clients.run(&mut self.talks, MOVE, Talks::all_moved);
        let moved = moved.with_context(|| format!("swap {number}")).with_context(|| self.recipe.last_words())?;
        ensure!(moved, "swap {number}: not every room moved in {MOVE:?}\n{}", self.recipe.last_words());
        let took = begin.elapsed();
        replacing.join().map_err(|_| anyhow::anyhow!("replacing panicked"))??;
        Ok(took)
    }

    /// What the server holds once it has let go of what it does not need.
    fn settled(&mut self, before: Option<Holdings>) -> anyhow::Result<Holdings> {
        let end = Instant::now() + SETTLE;
        loop {
            self.clients.run(&mut self.talks, Duration::from_secs(2), |_| false)?;
            let now = Holdings::read(&self.server)?;
            if before.is_none_or(|before| is_flat(before, now)) || Instant::now() > end {
                return Ok(now);
            }
        }
    }

    /// All that is due comes, nothing beyond, and the server complained of nothing.
    fn finish(&mut self) -> anyhow::Result<()> {
        self.talks.ending = true;
        let done = self.clients.run(&mut self.talks, DRAIN, |talks| talks.outstanding() == 0)?;
        ensure!(done, "{} frames are missing", self.talks.outstanding());
        self.clients.run(&mut self.talks, SURPLUS, |_| false)?;
        let log = fs::read_to_string(&self.recipe.log).unwrap_or_default();
        let bad = log.lines().find(|line| line.contains(" ERROR ") || line.contains(" WARN "));
        ensure!(bad.is_none(), "the server complained: {}", bad.unwrap_or_default());
        Ok(())
    }
}

fn is_flat(before: Holdings, after: Holdings) -> bool {
    after.rss_kib <= before.rss_kib + RSS_KIB
        && after.code_kib <= before.code_kib + CODE_KIB
        && after.descriptors <= before.descriptors + 3
        && after.threads <= before.threads + 1
        && after.watches <= before.watches
        && after.maps <= before.maps + 50
}

/// A line of a table, in milliseconds.
fn line(name: &str, times: &Histogram<u64>) {
    let ms = |quantile| times.value_at_quantile(quantile) as f64 / 1e6;
    println!("  {name:<44} {:>9.2} {:>9.2} {:>9.2}", ms(0.5), ms(0.99), times.max() as f64 / 1e6);
}
