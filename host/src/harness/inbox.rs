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
    /// The session that outlives its line; none where the client did not ask for one.
    pub(super) session: Option<InboxSession>,
}

/// What a client keeps of its session.
#[derive(Debug, Clone)]
pub(super) struct InboxSession {
    pub(super) secret: String,
    /// How many frames came that count.
    pub(super) got: u64,
    /// Whether the session goes on over this line, where the one before broke.
    pub(super) is_back: bool,
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
            if value["type"] == "session" {
                self.note_session(&value);
                continue;
            }
            if let Some(session) = self.session.as_mut().filter(|_| value["type"] != "pong") {
                session.got += 1;
            }
            if value["type"] == "event"
                && let Some(id) = value.get("id")
            {
                self.asks.push_back(id.clone());
            }
            self.frames.push(InboxFrame { text, value });
        }
    }

    /// What the server says of the session is for whoever counts frames, and for no step.
    fn note_session(&mut self, frame: &Value) {
        let is_back = frame["resumed"] == true;
        let got = self.session.as_ref().filter(|_| is_back).map_or(0, |session| session.got);
        self.session = frame["id"].as_str().map(|id| InboxSession { secret: id.to_owned(), got, is_back });
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
