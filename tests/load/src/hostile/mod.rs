//! Attacks: hostile plugins and clients beside a well-behaved tenant, and what that tenant notices of them.

pub mod attack;
mod clients;
mod flat;
mod good;
mod guests;
mod log;
mod measure;
mod probe;
mod process;
pub mod seen;
mod stand;
mod table;
pub mod uploads;
pub mod wire;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use clap::Args;

use crate::load::cores::Cores;
use crate::load::parlor::{self, Scratch};
use crate::load::{raise_descriptors, watch_signals};
use attack::Attack;
use measure::Extent;
use stand::Kit;
use table::Row;

/// Sockets of all attackers and of the good tenant together.
const SOCKETS: usize = 2_000;
/// The least share of the processor for attackers: they stand for other machines, and what they use themselves is
/// nothing that the host could defend against.
const LOWEST_PRIORITY: i32 = 19;
/// Stack of an attacker's thread.
const STACK_BYTES: usize = 256 << 10;

/// Which attacks, and how they are measured.
#[derive(Args)]
pub struct Options {
    /// Parlor's binary.
    #[arg(long, value_name = "FILE", default_value = "target/release/parlor")]
    parlor: PathBuf,
    /// Only attacks whose name contains this; may be given several times.
    #[arg(long, value_name = "PART")]
    attack: Vec<String>,
    /// Prints the attacks and ends.
    #[arg(long)]
    list: bool,
    /// Writes the hostile files to this folder and ends: for `parlor check`, say.
    #[arg(long, value_name = "DIR")]
    write: Option<PathBuf>,
    /// Seconds of load without, and of load with the attack.
    #[arg(long, default_value_t = 4.0)]
    seconds: f64,
    /// Seconds of load before.
    #[arg(long, default_value_t = 1.0)]
    warm_up: f64,
    /// How often each attack is measured, each time on a fresh server; the table shows medians.
    #[arg(long, default_value_t = 1)]
    rounds: usize,
    /// How often an attack is measured at most where it misses the aim: the machine has other things to do as well.
    #[arg(long, default_value_t = 3)]
    attempts: usize,
    /// A folder with `bench-room.wasm`; built with `parlor build` where it is not given.
    #[arg(long, value_name = "DIR")]
    plugins: Option<PathBuf>,
    /// The project that `bench-room.wasm` is built from.
    #[arg(long, value_name = "DIR", default_value = "tests/load/guest")]
    guest: PathBuf,
    /// Writes the table to this file as well.
    #[arg(long, value_name = "FILE")]
    table: Option<PathBuf>,
    /// Instead of latencies: a thousand of each kind of attack on one server, which must not grow.
    #[arg(long)]
    flat: bool,
    /// How many of each kind, with `--flat`.
    #[arg(long, default_value_t = 1_000)]
    repetitions: usize,
}

/// Attacks, and prints the table. An error where a line misses the aim.
pub fn run(options: &Options) -> anyhow::Result<()> {
    let is_wanted =
        |name: &str| options.attack.is_empty() || options.attack.iter().any(|part| name.contains(part.as_str()));
    let attacks: Vec<Attack> = attack::all().into_iter().filter(|attack| is_wanted(&attack.name())).collect();
    if options.list {
        attacks.iter().for_each(|attack| println!("{:<28} {}", attack.name(), attack.what()));
        return Ok(());
    }
    if let Some(folder) = &options.write {
        return write_files(folder, &attacks);
    }
    ensure!(options.rounds > 0 && options.seconds > 0.0, "--rounds and --seconds must be more than 0");
    watch_signals()?;
    raise_descriptors(SOCKETS)?;
    let scratch = Scratch::make()?;
    let kit = kit(options, &scratch)?;
    let (text, missed) = if options.flat {
        flat::run(&kit, options.repetitions, is_wanted)?
    } else {
        ensure!(!attacks.is_empty(), "no attack has such a name: see --list");
        table(options, &kit, &attacks)?
    };
    if let Some(path) = &options.table {
        std::fs::write(path, text).with_context(|| format!("write {}", path.display()))?;
    }
    match missed {
        0 => Ok(()),
        missed => bail!("{missed} lines miss the aim"),
    }
}

fn write_files(folder: &Path, attacks: &[Attack]) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder).with_context(|| format!("make {}", folder.display()))?;
    for (name, bytes) in attacks.iter().filter_map(Attack::file) {
        let path = folder.join(name).with_extension("wasm");
        std::fs::write(&path, bytes).with_context(|| format!("write {}", path.display()))?;
    }
    Ok(())
}

/// All lines, printed as they come, and how many of them miss the aim.
fn table(options: &Options, kit: &Kit, attacks: &[Attack]) -> anyhow::Result<(String, usize)> {
    let extent =
        Extent { warm_up: Duration::from_secs_f64(options.warm_up), window: Duration::from_secs_f64(options.seconds) };
    let mut text = format!("{}\n", table::HEAD);
    print!("{text}");
    let mut missed = 0;
    for attack in attacks {
        let row = best_row(options, kit, attack, extent)?;
        missed += usize::from(!row.is_good());
        println!("{}", row.line());
        text += &format!("{}\n", row.line());
    }
    Ok((text, missed))
}

/// Measures an attack, again where it misses the aim or others disturbed it; the attempt that is nearest to it counts.
fn best_row(options: &Options, kit: &Kit, attack: &Attack, extent: Extent) -> anyhow::Result<Row> {
    let mut best: Option<Row> = None;
    let mut attempts = 0;
    while attempts < options.attempts.max(1) && !best.as_ref().is_some_and(|row| row.is_good() && !row.is_disturbed()) {
        attempts += 1;
        let rounds = (0..options.rounds).map(|_| measure::round(kit, attack, extent));
        let row = Row::of(attack, &rounds.collect::<anyhow::Result<Vec<_>>>()?);
        if best.as_ref().is_none_or(|best| row.is_better_than(best)) {
            best = Some(row);
        }
    }
    let best = best.map(|row| row.best_of(attempts));
    best.context("no attempt was made")
}

fn kit(options: &Options, scratch: &Scratch) -> anyhow::Result<Kit> {
    let plugins = match &options.plugins {
        Some(folder) => folder.clone(),
        None => parlor::build(&options.parlor, &options.guest, scratch.path())?,
    };
    let bench = plugins.join(parlor::PLUGIN);
    let bench = std::fs::read(&bench).with_context(|| format!("read {}", bench.display()))?;
    let folder = scratch.path().join("stand");
    std::fs::create_dir(&folder).with_context(|| format!("make {}", folder.display()))?;
    Ok(Kit { program: options.parlor.clone(), bench, folder, cores: Cores::shared()? })
}

/// Gives way to everything else: this thread is an attacker's.
fn low_priority() {
    // Where it is not allowed, the attack only takes more from the machine.
    let _ = rustix::process::setpriority_process(None, LOWEST_PRIORITY);
}

/// Runs the same in so many threads, and waits for all.
fn in_threads(count: usize, run: impl Fn(usize) + Sync) {
    std::thread::scope(|scope| {
        for number in 0..count {
            let run = &run;
            let thread = std::thread::Builder::new().stack_size(STACK_BYTES);
            // Where no thread can be made, the attack is a smaller one.
            let _ = thread.spawn_scoped(scope, move || run(number));
        }
    });
}
