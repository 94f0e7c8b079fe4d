//! The shortest list of steps that fails in the same way, as far as it is found in so many tries.

use serde_json::Value;

use super::driver::{Driver, SimulatedFailure};
use super::step::SimulatedStep;

/// A step, with the number by which it draws.
pub(super) type Numbered = (u64, SimulatedStep);

/// Runs the steps from the beginning. Answers the first failure, and how many steps that took.
pub(super) fn run(driver: &mut Driver, steps: &[Numbered]) -> anyhow::Result<Option<(usize, SimulatedFailure)>> {
    driver.begin()?;
    for (place, (number, step)) in steps.iter().enumerate() {
        if let Some(failure) = driver.step(*number, step) {
            return Ok(Some((place + 1, failure)));
        }
        driver.forget_frames();
    }
    Ok(None)
}

/// Leaves out steps for as long as the rest fails in the same way. Half of them at first, then ever fewer at a time.
pub(super) fn shrink(
    mut steps: Vec<Numbered>,
    tries: usize,
    mut fails: impl FnMut(&[Numbered]) -> anyhow::Result<Option<usize>>,
) -> anyhow::Result<Vec<Numbered>> {
    let (mut left, mut size) = (tries, (steps.len() / 2).max(1));
    loop {
        let mut has_shrunk = false;
        // From the end on: what came last is what matters.
        let mut end = steps.len().saturating_sub(1);
        while end > 0 && left > 0 {
            let start = end.saturating_sub(size);
            let rest = [&steps[..start], &steps[end..]].concat();
            left -= 1;
            if let Some(count) = fails(&rest)? {
                steps = rest;
                steps.truncate(count);
                has_shrunk = true;
            }
            end = start.min(steps.len().saturating_sub(1));
        }
        if left == 0 || size == 1 && !has_shrunk {
            return Ok(steps);
        }
        size = (size / 2).max(1);
    }
}

/// Leaves out members of what clients sent, for as long as it fails in the same way.
pub(super) fn shrink_payloads(
    mut steps: Vec<Numbered>,
    tries: usize,
    mut fails: impl FnMut(&[Numbered]) -> anyhow::Result<Option<usize>>,
) -> anyhow::Result<Vec<Numbered>> {
    let mut left = tries;
    for place in 0..steps.len() {
        for name in members(&steps[place].1) {
            if left == 0 {
                return Ok(steps);
            }
            left -= 1;
            let mut fewer = steps.clone();
            if let SimulatedStep::Send { data: Some(Value::Object(members)), .. } = &mut fewer[place].1 {
                members.remove(&name);
            }
            if fails(&fewer)? == Some(steps.len()) {
                steps = fewer;
            }
        }
    }
    Ok(steps)
}

/// The names of the members that a client sends.
fn members(step: &SimulatedStep) -> Vec<String> {
    match step {
        SimulatedStep::Send { data: Some(Value::Object(members)), .. } => members.keys().cloned().collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_members_that_the_failure_needs_are_left() {
        let send = |data: Value| SimulatedStep::Send { from: "s1".to_owned(), event: "e".to_owned(), data: Some(data) };
        let steps = vec![(1, send(serde_json::json!({ "a": 1, "b": 2, "c": 3 })))];
        let needs_b = |steps: &[Numbered]| {
            let SimulatedStep::Send { data: Some(data), .. } = &steps[0].1 else { return Ok(None) };
            Ok(data.get("b").map(|_| 1))
        };
        let shortest = shrink_payloads(steps, 10, needs_b).unwrap();
        assert_eq!(shortest, [(1, send(serde_json::json!({ "b": 2 })))]);
    }

    fn steps(numbers: impl IntoIterator<Item = u64>) -> Vec<Numbered> {
        numbers.into_iter().map(|number| (number, SimulatedStep::Sleep)).collect()
    }

    /// Fails at 80, if 3 and 41 came before.
    fn fails(steps: &[Numbered]) -> Option<usize> {
        let at = |number| steps.iter().position(|(found, _)| *found == number);
        let end = at(80)?;
        (at(3)? < end && at(41)? < end).then_some(end + 1)
    }

    #[test]
    fn only_what_the_failure_needs_is_left() {
        let shortest = shrink(steps(0..=80), 1_000, |steps| Ok(fails(steps))).unwrap();
        assert_eq!(shortest, steps([3, 41, 80]));
    }

    #[test]
    fn it_ends_after_its_tries_with_what_fails() {
        let mut tries = 0;
        let count = |steps: &[Numbered]| {
            tries += 1;
            Ok(fails(steps))
        };
        let short = shrink(steps(0..=80), 9, count).unwrap();
        assert!(fails(&short) == Some(short.len()) && short.len() < 81);
        assert_eq!(tries, 9);
    }
}
