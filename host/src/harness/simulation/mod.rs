//! Simulation: users, crashes, failing disks and time happen to a room in an order that a seed gives, until something fails that
//! must not. The same seed finds the same again.

mod dice;
mod driver;
mod lessons;
mod payload;
mod planner;
mod shrink;
mod step;

use std::path::PathBuf;

use anyhow::ensure;

pub use driver::{HandlerErrors, SimulatedFailure};
pub use lessons::Lessons;

use self::dice::Dice;
use self::driver::Driver;
use self::planner::SimulatedRoom;
use self::shrink::Numbered;
use super::session::Harness;
use crate::model::event::hook;
use crate::tenant::tapes::TapePlace;

/// What a simulation does.
pub struct SimulationPlan {
    pub seed: u64,
    pub steps: u64,
    /// Members of the query with which clients come, over those that plugins often look for; `{user}` is the user.
    pub query: Vec<(String, String)>,
    /// Whether each error of a handler fails it that is not for the sender.
    pub is_strict: bool,
    /// What is known of the plugin before.
    pub lessons: Lessons,
    /// How often a failing prefix is tried with fewer steps.
    pub tries: usize,
    /// The empty folder for the tape of a failure.
    pub tapes: PathBuf,
}

/// What a simulation came to.
pub struct SimulationReport {
    /// How many steps were done.
    pub steps: u64,
    pub errors: HandlerErrors,
    /// How the first client was refused: then all came in past `authorize`.
    pub refusal: Option<String>,
    pub found: Option<FoundFailure>,
}

/// A failure that was found.
pub struct FoundFailure {
    /// The step in which it was found, from 1.
    pub step: u64,
    pub failure: SimulatedFailure,
    /// The steps that lead to it: their numbers, and what they did.
    pub prefix: Vec<(u64, String)>,
    /// Whether the same steps failed in the same way once more.
    pub is_repeatable: bool,
}

/// What a simulation tells meanwhile.
pub enum SimulationNews {
    Steps(u64),
    /// It failed in this step, and now shorter prefixes are tried.
    Shrinking(u64),
}

/// Simulates a room. An error says why it cannot be simulated at all.
pub fn simulate(
    harness: Harness,
    plan: SimulationPlan,
    mut tell: impl FnMut(SimulationNews),
) -> anyhow::Result<SimulationReport> {
    let SimulationPlan { seed, query, is_strict, tries, tapes, .. } = &plan;
    let mut driver = Driver::new(harness, *seed, query.clone(), *is_strict)?;
    let (steps, failure) = explore(&mut driver, &plan, &mut tell)?;
    let mut report = SimulationReport {
        steps: steps.len() as u64,
        errors: std::mem::take(&mut driver.errors),
        refusal: driver.refusal.take(),
        found: None,
    };
    let Some(first) = failure else { return Ok(report) };
    tell(SimulationNews::Shrinking(report.steps));
    let fails = |driver: &mut Driver, steps: &[Numbered]| {
        let found = shrink::run(driver, steps)?;
        anyhow::Ok(found.filter(|(_, failure)| failure.is_like(&first)).map(|(count, _)| count))
    };
    let is_repeatable = fails(&mut driver, &steps)?.is_some();
    let prefix = if is_repeatable {
        let fewer = shrink::shrink(steps, *tries, |steps| fails(&mut driver, steps))?;
        shrink::shrink_payloads(fewer, *tries, |steps| fails(&mut driver, steps))?
    } else {
        steps
    };
    driver.record(TapePlace::Simulated(tapes.clone()));
    let again = shrink::run(&mut driver, &prefix)?.map(|(_, failure)| failure).filter(|again| again.is_like(&first));
    report.found = Some(FoundFailure {
        step: report.steps,
        is_repeatable: is_repeatable && again.is_some(),
        failure: again.unwrap_or(first),
        prefix: prefix.into_iter().map(|(number, step)| (number, step.to_string())).collect(),
    });
    Ok(report)
}

/// Does one step after the other, until one fails or all are done.
fn explore(
    driver: &mut Driver,
    plan: &SimulationPlan,
    tell: &mut impl FnMut(SimulationNews),
) -> anyhow::Result<(Vec<Numbered>, Option<SimulatedFailure>)> {
    driver.begin()?;
    let all = driver.events();
    ensure!(!all.is_empty(), "the plugin registered for nothing that could happen");
    let takes_all = all.iter().any(|event| event == hook::ANY || event == hook::MESSAGE);
    let events: Vec<String> = all.into_iter().filter(|event| !event.starts_with('$') && event != hook::ANY).collect();
    let (mut lessons, mut steps) = (plan.lessons.clone(), Vec::new());
    for number in 1..=plan.steps {
        let situation = SimulatedRoom {
            open: &driver.open(),
            lost: &driver.lost(),
            asked: &driver.asked(),
            alarm_in: driver.alarm_in(),
            events: &events,
            takes_all,
            is_past: driver.refusal.is_some(),
        };
        let step = planner::next(number, &situation, &lessons, &mut Dice::of(plan.seed, number));
        let failure = driver.step(number, &step);
        if failure.is_none() {
            driver.listen(number, &step, &mut lessons);
        }
        steps.push((number, step));
        if failure.is_some() {
            return Ok((steps, failure));
        }
        tell(SimulationNews::Steps(number));
    }
    Ok((steps, None))
}
