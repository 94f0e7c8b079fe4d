//! Attacks: hostile plugins and clients beside a well-behaved tenant, and what that tenant notices of them.

pub mod attack;
mod clients;
mod company;
mod costs;
mod flat;
mod good;
mod guests;
mod kinds;
mod log;
mod measure;
mod probe;
mod process;
pub mod seen;
mod stand;
mod table;
pub mod uploads;
pub mod wire;

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use clap::Args;

use crate::load::cores::Cores;
use crate::load::parlor::{self, Scratch};
use crate::load::{guests as rust_guests, raise_descriptors, watch_signals};
use attack::{Attack, Scale};
use measure::Extent;
use stand::Kit;
use table::{Build, Row};

/// Sockets of all attackers and of the good tenant together.
const SOCKETS: usize = 2_000;
/// The plugin that does all that it may.
const GREEDY: &str = "greedy";
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
    /// An older build of Parlor, which meets the same attacks in turn with the other: what it misses does not count.
    #[arg(long, value_name = "FILE")]
    before: Option<PathBuf>,
    /// Only the attacks on what all tenants share.
    #[arg(long)]
    shared: bool,
    /// Rooms of `alarm-storm`, whose alarms are due at one moment.
    #[arg(long, default_value_t = 5_000)]
    alarms: usize,
    /// Open rooms of `api-list`.
    #[arg(long, default_value_t = 5_000)]
    rooms: usize,
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
    /// Writes all figures to this file as well, a line of JSON for each line of the table.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// A folder with `greedy.wasm`; built from `tests/guests` where it is not given.
    #[arg(long, value_name = "DIR")]
    guests: Option<PathBuf>,
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
    let attacks = attack::all().into_iter().filter(|attack| is_wanted(&attack.name()));
    let attacks: Vec<Attack> = attacks.filter(|attack| !options.shared || attack.is_shared()).collect();
    if options.list {
        attacks.iter().for_each(|attack| println!("{:<28} {}", attack.name(), attack.what()));
        return Ok(());
    }
    if let Some(folder) = &options.write {
        return write_files(folder, &attacks);
    }
    ensure!(options.rounds > 0 && options.seconds > 0.0, "--rounds and --seconds must be more than 0");
    watch_signals()?;
    raise_descriptors(SOCKETS + options.rooms)?;
    let scratch = Scratch::make()?;
    let kit = kit(options, &scratch, attacks.iter().any(Attack::is_greedy))?;
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
    let seconds = Duration::from_secs_f64;
    let scale = Scale { alarms: options.alarms, rooms: options.rooms };
    let extent = Extent { warm_up: seconds(options.warm_up), window: seconds(options.seconds), scale };
    let before =
        options.before.as_ref().map(|program| kit.of(program, kit.folder.with_extension("before"))).transpose()?;
    let kits: Vec<(Build, &Kit)> =
        before.iter().map(|before| (Build::Before, before)).chain([(Build::Current, kit)]).collect();
    let create = |path: &PathBuf| File::create(path).with_context(|| format!("write {}", path.display()));
    let mut json = options.json.as_ref().map(create).transpose()?;
    let mut text = format!("{}\n", table::HEAD);
    print!("{text}");
    let mut missed = 0;
    for attack in attacks {
        for row in best_rows(options, &kits, attack, extent)? {
            missed += usize::from(row.build == Build::Current && !row.is_good());
            println!("{}", row.line());
            text += &format!("{}\n", row.line());
            if let Some(file) = &mut json {
                writeln!(file, "{}", row.json()).context("write the figures")?;
            }
        }
    }
    Ok((text, missed))
}

/// Measures an attack on each build in turn, again where the current one misses the aim or others disturbed it; the
/// attempt that is nearest to it counts, for both.
fn best_rows(options: &Options, kits: &[(Build, &Kit)], attack: &Attack, extent: Extent) -> anyhow::Result<Vec<Row>> {
    let mut best: Vec<Row> = Vec::new();
    let mut attempts = 0;
    while attempts < options.attempts.max(1) && !best.last().is_some_and(|row| row.is_good() && !row.is_disturbed()) {
        attempts += 1;
        let mut rounds: Vec<Vec<_>> = kits.iter().map(|_| Vec::new()).collect();
        for _ in 0..options.rounds {
            for ((_, kit), rounds) in kits.iter().zip(&mut rounds) {
                rounds.push(measure::round(kit, attack, extent)?);
            }
        }
        let rows = kits.iter().zip(&rounds).map(|((build, _), rounds)| Row::of(*build, attack, rounds));
        let rows: Vec<Row> = rows.collect();
        if best.last().zip(rows.last()).is_none_or(|(best, row)| row.is_better_than(best)) {
            best = rows;
        }
    }
    Ok(best.into_iter().map(|row| row.best_of(attempts)).collect())
}

fn kit(options: &Options, scratch: &Scratch, is_greedy: bool) -> anyhow::Result<Kit> {
    let plugins = match &options.plugins {
        Some(folder) => folder.clone(),
        None => parlor::build(&options.parlor, &options.guest, scratch.path())?,
    };
    let bench = plugins.join(parlor::PLUGIN);
    let bench = std::fs::read(&bench).with_context(|| format!("read {}", bench.display()))?;
    let greedy = is_greedy.then(|| rust_guests::read(GREEDY, options.guests.as_deref())).transpose()?;
    let folder = scratch.path().join("stand");
    std::fs::create_dir(&folder).with_context(|| format!("make {}", folder.display()))?;
    let program = options.parlor.clone();
    Ok(Kit { program, bench, greedy: greedy.unwrap_or_default(), folder, cores: Cores::shared()? })
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
