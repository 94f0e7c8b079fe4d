//! What durable turns cost: the store alone, and rooms of the guest `ledger` that write through it, in turn.

mod clients;
pub mod raw;
mod table;

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, ensure};
use clap::Args;
use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use crate::ledger;
use crate::load::clients::Clients;
use crate::load::cores::Cores;
use crate::load::parlor;
use crate::load::server::{Clocks, Recipe, Server};
use table::Table;

/// How long answers may take once nothing more is sent.
const DRAIN: Duration = Duration::from_secs(20);
/// What makes the disk slow, beside this program.
const SLOW_DISK: &str = "libslow_disk.so";
/// A tenant whose plugin is relaxed.
const RELAXED: &str = "\n[tenants.lax.plugins.ledger]\ndurability = \"relaxed\"\n";

/// What is measured.
#[derive(Args)]
pub struct Options {
    #[command(flatten)]
    stand: ledger::Stand,
    /// A case, by the name that the table has for it; may be given several times. All of them by default.
    #[arg(long)]
    case: Vec<String>,
    /// Seconds of a measured window.
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// Seconds of load before each window.
    #[arg(long, default_value_t = 1.0)]
    warm_up: f64,
    /// How often everything is measured; the table shows medians.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Cores of the server and of the store alone: with one, the load has another to itself.
    #[arg(long, default_value_t = 1)]
    cores: usize,
    /// How much longer a sync of the slow disk takes.
    #[arg(long, default_value_t = 10)]
    slow_ms: u32,
    /// Writes all figures, of every round, to this file as well.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// Who writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Who {
    /// The store, without rooms, guests and sockets.
    Store,
    Strict,
    Relaxed,
}

/// One line of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
struct Case {
    who: Who,
    /// Rooms that write, and what each has under way.
    rooms: usize,
    depth: usize,
    /// Rooms beside them that are asked for what writes nothing.
    askers: usize,
    is_slow: bool,
}

/// What was measured of a case.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct Figures {
    /// Batches or turns that were durable, each second.
    rate: f64,
    /// Microseconds until one was: the middle, and all but one of a hundred.
    p50_us: f64,
    p99_us: f64,
    /// CPU time of the process for one, in microseconds.
    cpu_us: f64,
    /// What rooms beside them noticed, from when the question was due.
    asked_p50_us: f64,
    asked_p99_us: f64,
    asked_max_us: f64,
    /// Shares of a core.
    server_share: f64,
    load_share: f64,
    others_share: f64,
}

impl Figures {
    fn of(latency: &Histogram<u64>, seconds: f64, cpu: Duration) -> Self {
        let us = |quantile| latency.value_at_quantile(quantile) as f64 / 1e3;
        let cpu_us = cpu.as_secs_f64() * 1e6 / latency.len().max(1) as f64;
        Self {
            rate: latency.len() as f64 / seconds,
            p50_us: us(0.5),
            p99_us: us(0.99),
            cpu_us,
            server_share: cpu.as_secs_f64() / seconds,
            ..Self::default()
        }
    }
}

/// The id of a room's entry, and the key that it is kept under.
fn id(count: u64) -> String {
    format!("{count:08}")
}

fn entry(count: u64) -> String {
    format!("entry/{count:08}")
}

/// All lines, in the order in which a round measures them: what is compared stands side by side.
fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for is_slow in [false, true] {
        for (rooms, depth) in [(1, 1), (1, 16), (100, 1), (100, 16)] {
            for who in [Who::Store, Who::Strict, Who::Relaxed] {
                cases.push(Case { who, rooms, depth, askers: 0, is_slow });
            }
        }
    }
    let askers = 20;
    cases.push(Case { who: Who::Strict, rooms: 0, depth: 1, askers, is_slow: false });
    for is_slow in [false, true] {
        cases.push(Case { who: Who::Strict, rooms: 20, depth: 1, askers, is_slow });
    }
    cases
}

/// Measures everything, in turn, and prints the table.
pub fn run(options: &Options) -> anyhow::Result<()> {
    ensure!(options.rounds > 0 && options.seconds > 0.0, "--rounds and --seconds must be more than 0");
    crate::load::watch_signals()?;
    let stand = Stand::lay_out(options)?;
    eprintln!("{}, data in {}", stand.cores, stand.folder.display());
    let mut cases = cases();
    cases.retain(|case| options.case.is_empty() || options.case.contains(&table::name(case)));
    ensure!(!cases.is_empty(), "no case is called {}", options.case.join(" or "));
    let mut table = Table::new(&cases);
    for round in 1..=options.rounds {
        for (index, case) in cases.iter().enumerate() {
            let figures = match case.who {
                Who::Store => stand.store(case),
                _ => stand.rooms(case),
            };
            let figures = figures.with_context(|| format!("{}, round {round}", table::name(case)))?;
            eprintln!("round {round}: {}", table::line(case, &figures, None));
            table.add(index, figures);
        }
    }
    print!("{}", table.text(options.slow_ms));
    if let Some(path) = &options.json {
        fs::write(path, table.json()).with_context(|| format!("write {}", path.display()))?;
    }
    fs::remove_dir_all(&stand.folder).with_context(|| format!("remove {}", stand.folder.display()))
}

/// Where it is measured.
struct Stand<'a> {
    options: &'a Options,
    folder: PathBuf,
    cores: Cores,
    slow_disk: PathBuf,
}

impl<'a> Stand<'a> {
    fn lay_out(options: &'a Options) -> anyhow::Result<Self> {
        let plugin = options.stand.plugin()?;
        let folder = options.stand.make_folder("durable")?;
        for place in ["plugins", "plugins/lax"].map(|place| folder.join(place)) {
            fs::create_dir_all(&place).with_context(|| format!("make {}", place.display()))?;
            fs::write(place.join("ledger.wasm"), &plugin).context("write the plugin")?;
        }
        let own = std::env::current_exe().context("find this program's own file")?;
        let slow_disk = own.with_file_name(SLOW_DISK);
        ensure!(slow_disk.exists(), "{} is missing: build it with -p slow-disk", slow_disk.display());
        Ok(Self { options, folder, cores: Cores::split(options.cores)?, slow_disk })
    }

    /// `env`, with what makes the disk slow where it should be, and a program behind it.
    fn slowed(&self, case: &Case, program: &Path) -> Vec<OsString> {
        let mut words = Vec::new();
        if case.is_slow {
            let preload: OsString =
                [OsString::from("LD_PRELOAD="), self.slow_disk.clone().into()].into_iter().collect();
            words.extend([preload, format!("SLOW_DISK_MS={}", self.options.slow_ms).into()]);
        }
        words.push(program.into());
        words
    }

    /// The store alone.
    fn store(&self, case: &Case) -> anyhow::Result<Figures> {
        let folder = self.folder.join("store");
        empty(&folder)?;
        let own = std::env::current_exe().context("find this program's own file")?;
        let mut command = Command::new("env");
        command.args(self.slowed(case, &own)).arg("raw-store").arg("--folder").arg(&folder);
        for (name, value) in [
            ("--rooms", case.rooms.to_string()),
            ("--depth", case.depth.to_string()),
            ("--seconds", self.options.seconds.to_string()),
            ("--warm-up", self.options.warm_up.to_string()),
        ] {
            command.arg(name).arg(value);
        }
        let child =
            self.cores.on_server_cores(|| command.stdout(Stdio::piped()).spawn())?.context("start the store")?;
        let output = child.wait_with_output().context("wait for the store")?;
        ensure!(output.status.success(), "the store ended with {}", output.status);
        serde_json::from_slice(&output.stdout).context("read the store's figures")
    }

    /// Rooms that write through it.
    fn rooms(&self, case: &Case) -> anyhow::Result<Figures> {
        empty(&self.folder.join("data/tenants"))?;
        let configured = [parlor::CONFIGURATION, RELAXED].concat();
        let plugins = self.folder.join("plugins");
        let mut recipe = parlor::serve(self.options.stand.parlor(), &plugins, &configured, &self.folder)?;
        let arguments = std::mem::take(&mut recipe.arguments);
        recipe.arguments = self.slowed(case, &recipe.program).into_iter().chain(arguments).collect();
        recipe.program = "env".into();
        self.load(case, &recipe).with_context(|| recipe.last_words())
    }

    fn load(&self, case: &Case, recipe: &Recipe) -> anyhow::Result<Figures> {
        let [warm_up, seconds] = [self.options.warm_up, self.options.seconds].map(Duration::from_secs_f64);
        let server = Server::start(recipe, &self.cores)?;
        let place = if case.who == Who::Relaxed { "/t/lax/ledger" } else { "/ledger" };
        let writers = (0..case.rooms).map(|room| format!("{place}?room=room-{room}"));
        let askers = (0..case.askers).map(|room| format!("{place}?room=calm-{room}"));
        let mut clients = Clients::connect(server.address, writers.chain(askers))?;
        let mut driver = clients::Ledgers::new(case.rooms, case.depth, case.askers)?;
        clients.start(&mut driver)?;
        clients.run(&mut driver, warm_up, |_| false)?;
        driver.begin();
        let clocks = Clocks::read(&server)?;
        clients.run(&mut driver, seconds, |_| false)?;
        let usage = clocks.since(&server)?;
        let mut figures = Figures::of(&driver.written, usage.wall.as_secs_f64(), usage.server);
        let asked = |quantile| driver.asked.value_at_quantile(quantile) as f64 / 1e3;
        (figures.asked_p50_us, figures.asked_p99_us) = (asked(0.5), asked(0.99));
        figures.asked_max_us = driver.asked.max() as f64 / 1e3;
        let share = |time: Duration| time.as_secs_f64() / usage.wall.as_secs_f64();
        (figures.load_share, figures.others_share) = (share(usage.load), share(usage.others));
        driver.ending = true;
        let done = clients.run(&mut driver, DRAIN, |driver| driver.outstanding() == 0)?;
        ensure!(done, "{} answers are missing after {DRAIN:?}", driver.outstanding());
        Ok(figures)
    }
}

fn empty(folder: &Path) -> anyhow::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(why) if why.kind() != std::io::ErrorKind::NotFound => {
            Err(why).with_context(|| format!("empty {}", folder.display()))
        }
        _ => Ok(()),
    }
}
