//! What the log says meanwhile: the lines of the plugin, and the turns that failed.

use std::collections::VecDeque;
use std::fmt;

use parking_lot::Mutex;
use serde_json::{Value, json};
use tracing::Event;
use tracing::field::{Field, Visit};

use crate::tenant::log_gate::GUEST_TARGET;

/// How the log begins to tell of a turn that failed.
const FAILED: &str = "turn failed: ";

/// What the log of this process said and no step looked at. There is one log in a process.
pub static HEARD: HeardLines = HeardLines { lines: Mutex::new(VecDeque::new()), failures: Mutex::new(VecDeque::new()) };

/// Lines, and failures, that wait for a step at most. Past it the oldest are forgotten.
const KEPT_MAX: usize = 100_000;

/// Lines of a log that wait for a step.
pub struct HeardLines {
    lines: Mutex<VecDeque<String>>,
    failures: Mutex<VecDeque<Value>>,
}

/// Whether a line is the plugin's own: what the host says of a plugin for its author names no room.
fn names_room(event: &Event<'_>) -> bool {
    event.metadata().fields().field("room").is_some()
}

impl HeardLines {
    /// Notes a line of the log.
    pub fn note(&self, event: &Event<'_>) {
        let mut line = LineMembers::default();
        event.record(&mut line);
        let LineMembers { event: of, code, message } = line;
        if event.metadata().target() == GUEST_TARGET && names_room(event) {
            let level = event.metadata().level().as_str().to_lowercase();
            keep(&self.lines, format!("{level}: {message}"));
        } else if let Some(message) = message.strip_prefix(FAILED) {
            keep(&self.failures, json!({ "event": of, "code": code, "message": message }));
        }
    }

    /// The lines of the plugin's log since the last look.
    pub(super) fn take_lines(&self) -> Vec<String> {
        std::mem::take(&mut *self.lines.lock()).into()
    }

    /// The turns that failed since the last look.
    pub(super) fn take_failures(&self) -> Vec<Value> {
        std::mem::take(&mut *self.failures.lock()).into()
    }

    /// How many failures no step looked at yet.
    pub(super) fn failures_so_far(&self) -> usize {
        self.failures.lock().len()
    }

    /// Whether a turn failed so behind the first `before` failures that no step looked at yet.
    pub(super) fn has_failure(&self, before: usize, event: &str, code: &str) -> bool {
        self.failures.lock().iter().skip(before).any(|failure| failure["event"] == event && failure["code"] == code)
    }

    /// Forgets all.
    pub(super) fn forget(&self) {
        self.take_lines();
        self.take_failures();
    }
}

/// Adds one to those that wait.
fn keep<T>(waiting: &Mutex<VecDeque<T>>, one: T) {
    let mut waiting = waiting.lock();
    if waiting.len() == KEPT_MAX {
        waiting.pop_front();
    }
    waiting.push_back(one);
}

/// The members of a line that are told on.
#[derive(Default)]
struct LineMembers {
    event: String,
    code: String,
    message: String,
}

impl LineMembers {
    fn member(&mut self, field: &Field) -> Option<&mut String> {
        match field.name() {
            "event" => Some(&mut self.event),
            "code" => Some(&mut self.code),
            "message" => Some(&mut self.message),
            _ => None,
        }
    }
}

impl Visit for LineMembers {
    fn record_str(&mut self, field: &Field, value: &str) {
        if let Some(member) = self.member(field) {
            value.clone_into(member);
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if let Some(member) = self.member(field) {
            *member = format!("{value:?}");
        }
    }
}
