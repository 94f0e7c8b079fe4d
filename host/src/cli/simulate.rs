//! `parlor simulate`: what seeds find out about a plugin.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use clap::Args;

use super::arguments::pair;
use super::print::print;
use super::replay::{ReplayArgs, replay};
use super::room::HarnessArgs;
use crate::files::write_whole;
use crate::guest::tape::data::{BetweenTurns, TapedEvent, TapedMember};
use crate::guest::tape::file::{self, TapeFile, TapedTurn};
use crate::harness::Harness;
use crate::harness::simulation::{
    FoundFailure, Lessons, SimulationNews, SimulationPlan, SimulationReport, simulate as run,
};
use crate::plugin::tapes::{COMPONENTS, EXTENSION, files_in};

/// How many steps pass between two lines of progress.
const PROGRESS: u64 = 1_000;

#[derive(Debug, Args)]
pub struct SimulateArgs {
    #[command(flatten)]
    pub harness: HarnessArgs,
    /// How many steps happen to the room.
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    pub steps: u64,
    /// Take payloads from this tape, or from the tapes of this folder, as they are and changed; may be repeated.
    #[arg(long, value_name = "TAPES")]
    pub from: Vec<PathBuf>,
    /// What clients come with in their query, beside user, userId, name and client; {user} stands for the user; may be repeated.
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    pub query: Vec<(String, String)>,
    /// Fail at each error of a handler that is not for its sender, whatever it was sent.
    #[arg(long)]
    pub strict: bool,
    /// How often a failing list of steps is tried with fewer of them.
    #[arg(long, value_name = "N", default_value_t = 300)]
    pub tries: usize,
    /// Write the tape of a failure into this folder, and its component.
    #[arg(long, value_name = "DIR", default_value = ".parlor/tapes")]
    pub tapes: PathBuf,
}

impl SimulateArgs {
    /// Whether there are arguments beside the component, the seed and the steps that change what happens.
    fn has_others(&self) -> bool {
        let HarnessArgs { component, set, .. } = &self.harness;
        let is_named = component.plugin.is_some() || component.config.config.is_some() || component.tenant != "default";
        is_named || !set.is_empty() || self.strict || !self.from.is_empty() || !self.query.is_empty()
    }
}

pub(super) fn simulate(args: SimulateArgs) -> anyhow::Result<()> {
    let (seed, steps, file) = (args.harness.seed, args.steps, args.harness.component.file.clone());
    let others = if args.has_others() { ", and the other arguments as here" } else { "" };
    let mut lessons = Lessons::default();
    for place in &args.from {
        learn(place, &mut lessons)?;
    }
    let options = args.harness.options()?;
    let plugin = options.key.plugin.clone();
    let recorded = tempfile::tempdir().context("no folder for tapes")?;
    let plan = SimulationPlan {
        seed,
        steps,
        query: args.query,
        is_strict: args.strict,
        lessons,
        tries: args.tries,
        tapes: recorded.path().to_owned(),
    };
    let report = run(Harness::start(options)?, plan, |news| {
        // Whoever does not read it has the end all the same.
        let _ = match news {
            SimulationNews::Steps(done) if done % PROGRESS == 0 && done < steps => {
                print(&format!("seed {seed}: {done} of {steps} steps\n"))
            }
            SimulationNews::Steps(_) => Ok(()),
            SimulationNews::Shrinking(step) => print(&format!("seed {seed}: step {step} fails; looking for fewer\n")),
        };
    })?;
    tell_rest(&report)?;
    let Some(found) = &report.found else {
        return print(&format!("seed {seed}: {} steps, and nothing failed\n", report.steps));
    };
    tell_failure(found)?;
    if let Some(tape) = keep_tape(recorded.path(), &args.tapes, &format!("{plugin}-seed-{seed}"))? {
        print(&format!("replay it: parlor replay {}\n", tape.display()))?;
        let again = ReplayArgs { file: tape, component: None, with: None, turn: None, dump: false, set: Vec::new() };
        if let Err(why) = replay(again) {
            print(&format!("the replay: {why:#}\n"))?;
        }
    }
    let failure = &found.failure;
    print(&format!(
        "find it again: parlor simulate {} --seed {seed} --steps {}{others}\n",
        file.display(),
        found.step
    ))?;
    bail!("seed {seed} fails at step {}: {}: {}: {}", found.step, failure.event, failure.code, failure.message)
}

/// What did not fail the simulation, and may be worth a look.
fn tell_rest(report: &SimulationReport) -> anyhow::Result<()> {
    if let Some(refusal) = &report.refusal {
        print(&format!(
            "a client was refused with {refusal}; --query may help. From then on clients came in past authorize\n"
        ))?;
    }
    for ((event, code), (count, message)) in &report.errors {
        print(&format!("{count} times {event} failed with {code}: {message}\n"))?;
    }
    Ok(())
}

fn tell_failure(found: &FoundFailure) -> anyhow::Result<()> {
    let FoundFailure { step, failure, prefix, is_repeatable } = found;
    print(&format!("{} failed with {}: {}\n", failure.event, failure.code, failure.message))?;
    failure.log.iter().try_for_each(|line| print(&format!("  {line}\n")))?;
    print(&format!("{} of the {step} steps lead to it:\n", prefix.len()))?;
    prefix.iter().try_for_each(|(number, words)| print(&format!("  {number}: {words}\n")))?;
    if !is_repeatable {
        print("the same steps did not fail in the same way again: it depends on how fast this machine is\n")?;
    }
    Ok(())
}

/// Moves the tape of the failure, the last that was written, and its component to where the user has them. None where no turn of the
/// room failed.
fn keep_tape(recorded: &Path, folder: &Path, name: &str) -> anyhow::Result<Option<PathBuf>> {
    let mut tapes = files_in(recorded, EXTENSION);
    tapes.retain(|(_, tape)| !tape.to_string_lossy().contains("-before"));
    let Some((_, tape)) = tapes.into_iter().max() else { return Ok(None) };
    let components = folder.join(COMPONENTS);
    fs::create_dir_all(&components).with_context(|| format!("cannot make the folder {}", components.display()))?;
    let copy = |from: &Path, to: &Path| {
        let read = fs::read(from).with_context(|| format!("cannot read {}", from.display()))?;
        write_whole(to, &read).with_context(|| format!("cannot write {}", to.display()))
    };
    for (_, component) in files_in(&recorded.join(COMPONENTS), "wasm") {
        copy(&component, &components.join(component.file_name().unwrap_or_default()))?;
    }
    let kept = folder.join(format!("{name}.{EXTENSION}"));
    copy(&tape, &kept)?;
    Ok(Some(kept))
}

/// Takes what clients sent and who they were from a tape, or from those of a folder.
fn learn(place: &Path, lessons: &mut Lessons) -> anyhow::Result<()> {
    let mut tapes = vec![place.to_owned()];
    if place.is_dir() {
        tapes = files_in(place, EXTENSION).into_iter().map(|(_, tape)| tape).collect();
        tapes.sort();
        ensure!(!tapes.is_empty(), "{} has no tapes", place.display());
    }
    for tape in tapes {
        let read = fs::read(&tape).with_context(|| format!("cannot read {}", tape.display()))?;
        let TapeFile { base, turns } = file::read(&read).with_context(|| format!("{}", tape.display()))?;
        base.members.iter().for_each(|member| learn_member(member, lessons));
        turns.iter().for_each(|turn| learn_turn(turn, lessons));
    }
    Ok(())
}

fn learn_turn(turn: &TapedTurn, lessons: &mut Lessons) {
    for between in &turn.between {
        if let BetweenTurns::Admitted(member) = between {
            learn_member(member, lessons);
        }
    }
    if let Some((event, data)) = turn.event.as_ref().and_then(TapedEvent::json)
        && let Ok(data) = serde_json::from_str(data)
    {
        lessons.sample(event, data);
    }
}

fn learn_member(member: &TapedMember, lessons: &mut Lessons) {
    if let Ok(fields) = serde_json::from_str(&member.fields) {
        lessons.meta(fields);
    }
}
