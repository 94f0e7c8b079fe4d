//! Tapes for people: lines of words, and JSON.

use serde_json::{Value, json};

use super::boundary::{shown_answer, shown_args};
use super::data::{TapedCall, TapedEvent, TapedOutcome, TapedVerdict};
use super::file::{TapeFile, TapedTurn};
use super::json::{text_of, with_text};
use super::replayer::Divergence;

/// How much of an argument is shown in a line.
const SHOWN_BYTES: usize = 80;

/// A call as people write it: `storage.get("seat")`.
pub fn call_words(name: &str, args: &[u8]) -> String {
    let args = match shown_args(name, args) {
        Some(Value::Array(args)) => args.iter().map(short).collect::<Vec<_>>().join(", "),
        _ => "?".to_owned(),
    };
    format!("{}({args})", name.replace('_', "-"))
}

fn short(value: &Value) -> String {
    let text = value.to_string();
    if text.len() <= SHOWN_BYTES { text } else { format!("{}...", &text[..text.floor_char_boundary(SHOWN_BYTES)]) }
}

/// An answer in a line.
pub fn answer_words(call: &TapedCall) -> String {
    shown_answer(&call.name, &call.answer).map_or_else(|| "?".to_owned(), |answer| short(&answer))
}

impl std::fmt::Display for Divergence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { turn, call, recorded, now } = self;
        let recorded = recorded.as_ref().map_or_else(|| "no call more".to_owned(), |r| call_words(&r.name, &r.args));
        write!(f, "diverged at call {call} of turn {turn}: recorded {recorded}, now {}", call_words(now.0, &now.1))
    }
}

/// The lines that a turn logged, each behind its level.
pub fn logged(calls: &[TapedCall]) -> Vec<String> {
    let lines = calls.iter().filter(|call| call.name == "logging.write").filter_map(|call| {
        let Value::Array(args) = shown_args(&call.name, &call.args)? else { return None };
        let [level, Value::String(message)] = &args[..] else { return None };
        let level = level.as_str().unwrap_or_default().to_lowercase();
        Some(message.lines().map(|line| format!("{level}: {line}")).collect::<Vec<_>>())
    });
    lines.flatten().collect()
}

/// The outcome of a call in words.
pub fn outcome_words(outcome: &TapedOutcome) -> String {
    match outcome {
        TapedOutcome::Ready { name, path } => format!("ready as {name:?} at {path}"),
        TapedOutcome::Unready(why) => format!("refused: {why}"),
        TapedOutcome::Answered(None) => "done".to_owned(),
        TapedOutcome::Answered(Some(_)) => "done, with an answer".to_owned(),
        TapedOutcome::Failed(failure) => format!("failed with {}: {}", failure.code, failure.message),
        TapedOutcome::Faulted { code, words } => format!("{code}: {words}"),
    }
}

/// The lines of `--dump`, one object each.
pub fn dump(tape: &TapeFile) -> Vec<Value> {
    let mut lines = vec![json!({ "base": base(tape) })];
    lines.extend(tape.turns.iter().map(turn));
    lines
}

/// Where the life begins.
pub fn base(tape: &TapeFile) -> Value {
    let mut base = serde_json::to_value(&tape.base).unwrap_or_default();
    // The general rule cannot see that an empty list is an empty value.
    if let (Some(base), Some(entries)) = (base.as_object_mut(), &tape.base.storage) {
        let entries = entries.iter().map(|(key, value)| (key.clone(), text_of(value.clone()))).collect();
        base.insert("storage".to_owned(), Value::Object(entries));
    }
    base
}

/// One call of the guest, with all that belongs to it.
pub fn turn(turn: &TapedTurn) -> Value {
    let TapedTurn { number, between, event, calls, end, verdict } = turn;
    let calls: Vec<Value> = calls.iter().map(call).collect();
    json!({
        "turn": number,
        "between": between,
        "event": event.as_ref().map(shown_event),
        "calls": calls,
        "outcome": with_text(serde_json::to_value(&end.outcome).unwrap_or_default()),
        "effects": end.effects,
        "clocks": end.clocks,
        "random_bytes": end.random.len(),
        "cpu_ns": end.cpu_ns,
        "verdict": verdict.as_ref().map(TapedVerdict::words),
    })
}

fn call(call: &TapedCall) -> Value {
    json!({
        "call": call.name.replace('_', "-"),
        "args": shown_args(&call.name, &call.args),
        "answer": shown_answer(&call.name, &call.answer),
    })
}

fn shown_event(event: &TapedEvent) -> Value {
    let mut shown = with_text(serde_json::to_value(&event.event).unwrap_or_default());
    if let Some(members) = shown.as_object_mut() {
        members.insert("arguments".to_owned(), json!(event.arguments));
        let attachments: Vec<Value> = event.attachments.iter().cloned().map(text_of).collect();
        members.insert("attachments".to_owned(), json!(attachments));
    }
    shown
}

impl TapedVerdict {
    /// What the room made of the turn, in words.
    pub fn words(&self) -> String {
        match self {
            Self::Committed => "committed".to_owned(),
            Self::RolledBack { code, message, .. } => format!("rolled back, {code}: {message}"),
            Self::Lost => "lost with writes that failed".to_owned(),
        }
    }
}
