//! Measuring: servers in processes of their own, load from this one, scenario by scenario, round by round.

pub mod answer;
pub mod clients;
pub mod cores;
pub mod dialect;
pub mod driver;
pub mod frame;
pub mod guests;
pub mod holdings;
pub mod parlor;
pub mod report;
pub mod scenario;
pub mod server;
mod socketio;

use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::{Context, ensure};
use clap::Args;

use cores::Cores;
use dialect::Dialect;
use parlor::Scratch;
use report::Report;
use scenario::{Extent, Figures, Scenario};
use server::{Recipe, Server};

/// The base line: axum on one thread, few sockets at a time from their reading to their writing.
const BEST_ON_ONE_CORE: &str = "baseline=--runtime single --sockets axum --io-events 16 --event-interval 256";
/// The same on several: axum cannot move a connection to the thread of its room, so tokio-tungstenite stands in.
const BEST_ON_SEVERAL: &str = "baseline=--runtime sharded --io-events 16 --event-interval 256";

/// socketioxide, which axum serves, likewise: its connections stay on the runtime that accepted them.
const SOCKETIOXIDE_ON_ONE_CORE: &str = "--runtime single --sockets socketioxide --io-events 16 --event-interval 256";
const SOCKETIOXIDE_ON_SEVERAL: &str = "--runtime multi --sockets socketioxide";

/// What the names of the servers of `--before` begin with.
const BEFORE: &str = "before-";
/// The share of a core that other processes may use during a measurement.
pub const QUIET_SHARE: f64 = 0.15;

/// What is measured, and against what.
#[derive(Args)]
pub struct Options {
    /// A scenario; may be given several times. All of them by default.
    #[arg(long, value_enum)]
    scenario: Vec<Scenario>,
    /// Seconds of a measured window.
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// Seconds of load before each window.
    #[arg(long, default_value_t = 1.0)]
    warm_up: f64,
    /// How often each scenario is measured with each server; the table shows medians.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// How often a measurement that other processes disturbed is made at most; the least disturbed one counts.
    #[arg(long, default_value_t = 3)]
    attempts: usize,
    /// Cores of the server: with one, the load has another core to itself; with more it shares them.
    #[arg(long, default_value_t = 1)]
    cores: usize,
    /// Sockets of the scenario `idle`.
    #[arg(long, default_value_t = 10_000)]
    idle_sockets: usize,
    /// Parlor's binary. Without it only base lines are measured.
    #[arg(long, value_name = "FILE")]
    parlor: Option<PathBuf>,
    /// Another build of Parlor's binary, such as the one before a change: it serves the same guests, as `before-NAME`, and
    /// is what all others are compared with unless `--reference` names one.
    #[arg(long, value_name = "FILE", requires = "parlor")]
    before: Option<PathBuf>,
    /// A plugin that Parlor serves, and what the table calls Parlor with it, as `NAME=DIR`; may be given several times.
    /// The folder has `bench-room.wasm`, or is the project that `parlor build` makes it from.
    #[arg(long, value_name = "NAME=DIR", default_value = "parlor=tests/load/guest")]
    guest: Vec<String>,
    /// What Parlor's clients speak; may be given several times, and then it is measured with each.
    #[arg(long, value_enum, default_value = "verani")]
    wire: Vec<Dialect>,
    /// Measures socketioxide as well, a server of Socket.IO in Rust.
    #[arg(long)]
    socketioxide: bool,
    /// Measures socket.io as well: the folder of its server, in which `npm ci` was run.
    #[arg(long, value_name = "DIR")]
    socketio: Option<PathBuf>,
    /// The Node that runs it.
    #[arg(long, value_name = "FILE", default_value = "node")]
    node: PathBuf,
    /// The server that all others are compared with; by default the first base line.
    #[arg(long, value_name = "NAME")]
    reference: Option<String>,
    /// A native server, as `NAME=ARGUMENTS` with the arguments of `parlor-load baseline`; may be given several times.
    /// By default the best that was found: see the README.
    #[arg(long, value_name = "NAME=ARGUMENTS")]
    baseline: Vec<String>,
    /// Writes all figures, of every round, to this file as well.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// Measures everything that was asked for, and prints the table.
pub fn run(options: &Options) -> anyhow::Result<()> {
    ensure!(options.rounds > 0 && options.seconds > 0.0, "--rounds and --seconds must be more than 0");
    watch_signals()?;
    raise_descriptors(options.idle_sockets)?;
    let cores = Cores::split(options.cores)?;
    let scratch = Scratch::make()?;
    let recipes = recipes(options, &scratch)?;
    let scenarios = if options.scenario.is_empty() { Scenario::all() } else { options.scenario.clone() };
    let extent = Extent {
        warm_up: Duration::from_secs_f64(options.warm_up),
        window: Duration::from_secs_f64(options.seconds),
        idle_sockets: options.idle_sockets,
    };
    eprintln!("{cores}");
    let names: Vec<String> = recipes.iter().map(|recipe| recipe.name.clone()).collect();
    let reference = match &options.reference {
        None => names.iter().position(|name| name.starts_with(BEFORE)).unwrap_or(0),
        Some(name) => names.iter().position(|other| other == name).with_context(|| format!("no server is {name}"))?,
    };
    let mut report = Report::new(names, reference);
    for round in 0..options.rounds {
        for &scenario in &scenarios {
            for (index, recipe) in recipes.iter().enumerate() {
                let start = || Server::start(recipe, &cores);
                let figures = quietest(scenario, options.attempts, &start, &extent)
                    .with_context(|| format!("{} of {}, round {}", scenario.name(), recipe.name, round + 1))
                    .inspect_err(|_| eprintln!("{} said last:\n{}", recipe.name, recipe.last_words()))?;
                eprintln!(
                    "round {}: {:<10} {:<12} {}",
                    round + 1,
                    scenario.name(),
                    recipe.name,
                    report::line(&figures)
                );
                report.add(scenario, index, figures);
            }
        }
    }
    print!("{}", report.table());
    if let Some(path) = &options.json {
        std::fs::write(path, report.json()).with_context(|| format!("write {}", path.display()))?;
    }
    Ok(())
}

/// Measures once; again where other processes took part, and then the attempt counts that they disturbed least.
fn quietest(
    scenario: Scenario,
    attempts: usize,
    start: &dyn Fn() -> anyhow::Result<Server>,
    extent: &Extent,
) -> anyhow::Result<Figures> {
    let mut best = scenario.measure(start, extent)?;
    for _ in 1..attempts {
        if best.others_share() <= QUIET_SHARE {
            break;
        }
        let again = scenario.measure(start, extent)?;
        if again.others_share() < best.others_share() {
            best = again;
        }
    }
    Ok(best)
}

/// The base lines, the servers of Socket.IO, then Parlor with each guest.
fn recipes(options: &Options, scratch: &Scratch) -> anyhow::Result<Vec<Recipe>> {
    let default = [if options.cores == 1 { BEST_ON_ONE_CORE } else { BEST_ON_SEVERAL }.to_owned()];
    let given = if options.baseline.is_empty() { &default[..] } else { &options.baseline };
    let mut recipes = Vec::new();
    for text in given {
        let (name, arguments) = text.split_once('=').context("--baseline must be NAME=ARGUMENTS")?;
        recipes.push(native(name, arguments, Dialect::Verani, scratch)?);
    }
    if options.socketioxide {
        let arguments = if options.cores == 1 { SOCKETIOXIDE_ON_ONE_CORE } else { SOCKETIOXIDE_ON_SEVERAL };
        recipes.push(native("socketioxide", arguments, Dialect::SocketIo, scratch)?);
    }
    if let Some(folder) = &options.socketio {
        recipes.push(socketio::recipe(&options.node, folder, scratch)?);
    }
    for (program, prefix) in [(&options.before, BEFORE), (&options.parlor, "")] {
        let Some(program) = program else { continue };
        for text in &options.guest {
            let (name, folder) = text.split_once('=').context("--guest must be NAME=DIR")?;
            let name = format!("{prefix}{name}");
            recipes.extend(parlor::recipes(program, &name, folder.as_ref(), &options.wire, scratch)?);
        }
    }
    Ok(recipes)
}

/// A native server: this program, with the arguments of `baseline`.
fn native(name: &str, arguments: &str, dialect: Dialect, scratch: &Scratch) -> anyhow::Result<Recipe> {
    let words = ["baseline", "--listen", "127.0.0.1:0"].into_iter().chain(arguments.split_whitespace());
    Ok(Recipe {
        name: name.to_owned(),
        program: std::env::current_exe().context("find this program's own file")?,
        arguments: words.map(Into::into).collect(),
        log: scratch.path().join(format!("native-{name}.log")),
        dialect,
    })
}

/// A signal ends the run at the next tick of the load, which kills the servers on its way out.
pub fn watch_signals() -> anyhow::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().context("watch for signals")?;
    std::thread::spawn(move || {
        runtime.block_on(async {
            let (Ok(mut interrupt), Ok(mut terminate)) =
                (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
            else {
                return;
            };
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            clients::INTERRUPTED.store(true, Ordering::Relaxed);
        });
    });
    Ok(())
}

/// Each socket is a descriptor here and one in the server, which inherits the limit.
pub fn raise_descriptors(idle_sockets: usize) -> anyhow::Result<()> {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).context("raise the limit of open files")?;
    let needed = idle_sockets as u64 + 1_200;
    ensure!(
        limit.maximum.is_none_or(|most| most >= needed),
        "{idle_sockets} sockets need {needed} open files, this system allows {:?}: use --idle-sockets",
        limit.maximum
    );
    Ok(())
}
