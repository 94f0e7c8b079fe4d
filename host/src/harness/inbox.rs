//! What a socket got and no step looked at.

use std::collections::VecDeque;

use serde_json::Value;

use super::compare::as_written;

/// The frames of one socket that wait for a step, and the asks that wait for an answer.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    frames: Vec<InboxFrame>,
    /// The numbers of what it was asked and did not answer.
    asks: VecDeque<Value>,
}

#[derive(Debug)]
struct InboxFrame {
    /// As it came.
    text: String,
    value: Value,
}

impl Inbox {
    /// Adds frames.
    pub(super) fn take_in(&mut self, frames: Vec<String>) {
        for text in frames {
            // The server writes JSON; what is too deep to be read here is shown as the text that it is.
            let value = serde_json::from_str(&text).unwrap_or_else(|_| Value::String(text.clone()));
            if value["type"] == "event"
                && let Some(id) = value.get("id")
            {
                self.asks.push_back(id.clone());
            }
            self.frames.push(InboxFrame { text, value });
        }
    }

    /// Takes all frames, as they came.
    pub(super) fn take_all(&mut self) -> Vec<String> {
        self.frames.drain(..).map(|frame| frame.text).collect()
    }

    /// Takes all frames, as a step writes them.
    pub(super) fn take_written(&mut self) -> Vec<Value> {
        self.frames.drain(..).map(|frame| as_written(frame.value)).collect()
    }

    /// Takes the last frame of a kind; where there is none, answers what there is.
    pub(super) fn take_last(&mut self, is_wanted: impl Fn(&Value) -> bool) -> Result<Value, Value> {
        match self.frames.iter().rposition(|frame| is_wanted(&frame.value)) {
            Some(place) => Ok(self.frames.remove(place).value),
            None => Err(self.frames.iter().map(|frame| frame.value.clone()).collect()),
        }
    }

    /// Whether it was asked something that it did not answer.
    pub(super) fn is_asked(&self) -> bool {
        !self.asks.is_empty()
    }

    /// Takes the number of the first ask that is not answered.
    pub(super) fn take_ask(&mut self) -> Option<Value> {
        self.asks.pop_front()
    }
}
