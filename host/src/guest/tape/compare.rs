//! What two lives did in the same turns: what each asked for that others see or that stays.

use super::data::{TapedCall, TapedOutcome, TapedVerdict};
use super::file::TapedTurn;
use super::show::{call_words, outcome_words};

/// The calls that only ask, or that act on nothing but the instance itself.
const ASKING: [&str; 8] = ["clock.", "config.", "events.", "inbox.", "random.", "room.", "logging.", "history."];
/// The others that only ask.
const READS: [&str; 7] = [
    "storage.get",
    "storage.get_many",
    "storage.scan",
    "sockets.get_meta",
    "sockets.present",
    "sockets.of_channel",
    "alarm.get",
];

/// How one turn of two lives differs, a line each: what the first did alone with `-`, what the second did alone with `+`.
pub fn difference(before: &TapedTurn, after: &TapedTurn) -> Vec<String> {
    let (before, after) = (effects(before), effects(after));
    let same_head = before.iter().zip(&after).take_while(|(a, b)| a == b).count();
    let (before, after) = (&before[same_head..], &after[same_head..]);
    let same_tail = before.iter().rev().zip(after.iter().rev()).take_while(|(a, b)| a == b).count();
    let (before, after) = (&before[..before.len() - same_tail], &after[..after.len() - same_tail]);
    let lines = |sign: char, lines: &[String]| lines.iter().map(|line| format!("{sign} {line}")).collect::<Vec<_>>();
    [lines('-', before), lines('+', after)].concat()
}

/// Whether a turn failed, by more than a refusal for its sender.
pub fn has_failed(turn: &TapedTurn) -> bool {
    match (&turn.verdict, &turn.end.outcome) {
        (Some(TapedVerdict::RolledBack { for_sender, .. }), _) => !for_sender,
        (Some(TapedVerdict::Committed | TapedVerdict::Lost), _) => false,
        (None, outcome) => matches!(outcome, TapedOutcome::Faulted { .. } | TapedOutcome::Unready(_)),
    }
}

/// What a turn did: its calls that act where it committed, and how it ended.
fn effects(turn: &TapedTurn) -> Vec<String> {
    if let Some(TapedVerdict::RolledBack { code, message, .. }) = &turn.verdict {
        return vec![format!("{code}: {message}")];
    }
    let mut effects: Vec<String> =
        turn.calls.iter().filter(|call| acts(call)).map(|call| call_words(&call.name, &call.args)).collect();
    effects.push(match &turn.end.outcome {
        TapedOutcome::Answered(Some(answer)) => format!("answers {answer:?}"),
        outcome => outcome_words(outcome),
    });
    effects
}

fn acts(call: &TapedCall) -> bool {
    !ASKING.iter().any(|interface| call.name.starts_with(interface)) && !READS.contains(&call.name.as_str())
}
