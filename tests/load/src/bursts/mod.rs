//! Rooms that open in a burst and then speak: what a message costs, and whether anybody was called heavy for the burst.

mod neighbour;
mod table;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, ensure};
use clap::Args;

use crate::hostile::attack::Arena;
use crate::hostile::uploads;
use crate::load::QUIET_SHARE;
use crate::load::cores::Cores;
use crate::load::parlor::{self, CONFIGURATION, Scratch};
use crate::load::scenario::{Extent, Speed, rooms_of_two};
use crate::load::server::{Recipe, Server};
use neighbour::Neighbour;
pub use neighbour::spin;
use table::Table;

/// The metric that counts verdicts; of them, those on rooms.
const VERDICTS: &str = "parlor_heavy_verdicts_total";
const OF_ROOMS: &str = "kind=\"room\"";

/// What is measured.
#[derive(Args)]
pub struct Options {
    /// Parlor's binary.
    #[arg(long, value_name = "FILE")]
    parlor: PathBuf,
    /// Another build of it, such as the one before a change, measured in turn with the first.
    #[arg(long, value_name = "FILE")]
    before: Option<PathBuf>,
    /// Rooms that open at once, of two sockets each; may be given several times.
    #[arg(long, default_values_t = [10, 100, 300, 1_000])]
    rooms: Vec<usize>,
    /// How often each of them is measured, on a fresh server each time.
    #[arg(long, default_value_t = 20)]
    runs: usize,
    /// A plugin, as `NAME=DIR`; may be given several times. The folder has `bench-room.wasm`, or is the project that
    /// `parlor build` makes it from.
    #[arg(long, value_name = "NAME=DIR", default_values = ["rust=tests/load/guest", "ts=tests/load/typescript"])]
    guest: Vec<String>,
    /// Seconds of the measured window, which begins right after the burst.
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
    /// How often a run that other processes disturbed is made at most; the least disturbed one counts. Not beside a neighbour.
    #[arg(long, default_value_t = 3)]
    attempts: usize,
    /// Has a process of the same priority spin on the server's core meanwhile.
    #[arg(long)]
    neighbour: bool,
    /// Cores of the server: with one, the load has another to itself.
    #[arg(long, default_value_t = 1)]
    cores: usize,
}

/// One run: what its messages cost, and how many rooms and how much else were called heavy; none where the build has no such
/// metric.
pub struct Run {
    speed: Speed,
    heavy_rooms: Option<f64>,
    heavy_else: Option<f64>,
}

/// A build that serves a guest.
struct Contender {
    guest: String,
    build: &'static str,
    recipe: Recipe,
}

/// Measures everything that was asked for, and prints the table.
pub fn run(options: &Options) -> anyhow::Result<()> {
    ensure!(options.runs > 0 && options.seconds > 0.0, "--runs and --seconds must be more than 0");
    crate::load::watch_signals()?;
    let most = options.rooms.iter().copied().max().unwrap_or_default();
    ensure!(most > 0, "--rooms must be more than 0");
    crate::load::raise_descriptors(2 * most)?;
    let cores = Cores::split(options.cores)?;
    let scratch = Scratch::make()?;
    let contenders = contenders(options, &scratch)?;
    eprintln!("{cores}{}", if options.neighbour { ", beside a process that spins" } else { "" });
    let mut table = Table::default();
    for number in 1..=options.runs {
        for &rooms in &options.rooms {
            for Contender { guest, build, recipe } in &contenders {
                let run = quietest(options, recipe, &cores, rooms)
                    .with_context(|| format!("{rooms} rooms of {guest}, {build}, run {number}"))
                    .inspect_err(|_| eprintln!("it said last:\n{}", recipe.last_words()))?;
                eprintln!("run {number}: {}", table::line(guest, rooms, build, &run));
                table.add(guest, rooms, build, run);
            }
        }
    }
    print!("{table}");
    Ok(())
}

fn contenders(options: &Options, scratch: &Scratch) -> anyhow::Result<Vec<Contender>> {
    let mut contenders = Vec::new();
    for text in &options.guest {
        let (guest, project) = text.split_once('=').context("--guest must be NAME=DIR")?;
        let folder = scratch.path().join(guest);
        fs::create_dir(&folder).with_context(|| format!("make the folder {}", folder.display()))?;
        let project = Path::new(project);
        let is_built = project.join(parlor::PLUGIN).exists();
        let plugins = if is_built { project.to_owned() } else { parlor::build(&options.parlor, project, &folder)? };
        for (build, program) in [("before", options.before.as_ref()), ("now", Some(&options.parlor))] {
            let Some(program) = program else { continue };
            let own = folder.join(build);
            fs::create_dir(&own).with_context(|| format!("make the folder {}", own.display()))?;
            let recipe = parlor::serve(program, &plugins, &known_to(program)?, &own)?;
            contenders.push(Contender { guest: guest.to_owned(), build, recipe });
        }
    }
    Ok(contenders)
}

/// The configuration without the limits that a build does not know, since it came before them.
fn known_to(program: &Path) -> anyhow::Result<String> {
    let output = Command::new(program).arg("limits").output().with_context(|| format!("run {}", program.display()))?;
    let listed = String::from_utf8_lossy(&output.stdout);
    let keys: BTreeSet<&str> = listed.lines().filter_map(|line| line.split_whitespace().next()).collect();
    ensure!(output.status.success() && keys.len() > 10, "{} limits: lists none", program.display());
    let (before, limits) = CONFIGURATION.split_once("[limits]\n").context("the configuration has limits")?;
    let known = |line: &&str| line.split(' ').next().is_some_and(|key| keys.contains(key));
    let limits: String = limits.lines().filter(known).map(|line| format!("{line}\n")).collect();
    Ok(format!("{before}[limits]\n{limits}"))
}

/// Runs once; again where other processes took part, and then the attempt counts that they disturbed least.
fn quietest(options: &Options, recipe: &Recipe, cores: &Cores, rooms: usize) -> anyhow::Result<Run> {
    let mut best = once(options, recipe, cores, rooms)?;
    for _ in 1..options.attempts {
        if options.neighbour || best.speed.others_share <= QUIET_SHARE {
            break;
        }
        let again = once(options, recipe, cores, rooms)?;
        if again.speed.others_share < best.speed.others_share {
            best = again;
        }
    }
    Ok(best)
}

fn once(options: &Options, recipe: &Recipe, cores: &Cores, rooms: usize) -> anyhow::Result<Run> {
    let window = Duration::from_secs_f64(options.seconds);
    let server = Server::start(recipe, cores)?;
    let _neighbour = options.neighbour.then(|| Neighbour::start(cores)).transpose()?;
    let speed = rooms_of_two(&server, &Extent { warm_up: Duration::ZERO, window, idle_sockets: 0 }, rooms)?;
    let arena = Arena::at(server.address);
    let all = uploads::figure(VERDICTS, "", &arena)?;
    let heavy_rooms = uploads::figure(VERDICTS, OF_ROOMS, &arena)?;
    let heavy_else = all.zip(heavy_rooms).map(|(all, rooms)| all - rooms);
    Ok(Run { speed, heavy_rooms, heavy_else })
}
