//! A line of JSON becomes a step, and its result a line.

use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::outcome::{StepError, StepResult};
use super::step::{self, RoomStep};

/// A verb with what it says.
#[derive(serde::Deserialize)]
#[serde(transparent)]
struct WrittenStep<'a>(#[serde(borrow)] std::collections::BTreeMap<String, &'a RawValue>);

/// Reads a line. Answers the verb, where there is one, and the step or why there is none.
pub fn parse(line: &[u8]) -> (Option<String>, Result<RoomStep, StepError>) {
    let line = match std::str::from_utf8(line) {
        Ok(line) => line,
        Err(why) => return (None, Err(StepError::new(format!("this is no UTF-8: {why}")))),
    };
    let is_alone = line.trim_start().starts_with('"');
    let read = if is_alone {
        serde_json::from_str::<String>(line).map(|verb| vec![(verb, None)])
    } else {
        serde_json::from_str::<WrittenStep<'_>>(line)
            .map(|WrittenStep(said)| said.into_iter().map(|(verb, said)| (verb, Some(said))).collect())
    };
    match read {
        Err(why) if why.is_data() => {
            let words = "a step is an object with one member, its verb, or the verb alone as a text";
            (None, Err(StepError::new(format!("{words}: {why}"))))
        }
        Err(why) => (None, Err(StepError::new(format!("this is no JSON: {why}")))),
        Ok(said) => match <[_; 1]>::try_from(said) {
            Ok([(verb, said)]) => {
                let step = step::read(&verb, said).map_err(StepError::new);
                (Some(verb), step)
            }
            Err(members) => {
                let words = format!("a step is an object with one member, its verb; this has {}", members.len());
                (None, Err(StepError::new(words)))
            }
        },
    }
}

/// What is written for a step.
#[derive(Serialize)]
pub struct StepAnswer {
    step: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    verb: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ok: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<Value>,
}

impl StepAnswer {
    pub fn new(step: u64, verb: Option<String>, result: StepResult) -> Self {
        let (ok, error, refused) = match result {
            Ok(ok) => (Some(ok), None, None),
            Err(StepError { words, refused }) => (None, Some(words), refused),
        };
        let refused = refused.map(|(status, body)| json!({ "status": status, "body": body }));
        Self { step, verb, ok, error, refused }
    }

    /// An answer to no step: nothing can go on.
    pub fn last(words: &str) -> Self {
        Self::new(0, None, Err(StepError::new(words)))
    }

    pub fn is_error(&self) -> bool {
        self.error.is_some()
    }

    /// The answer as one line, without its end.
    pub fn line(&self) -> String {
        // Nothing in it can fail to be written.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// A frame as JSON: as it came, on one line.
pub(super) fn one_line(frame: &str) -> Box<RawValue> {
    // Ends of lines stand between values alone: within a text they are escaped.
    let line = frame.replace(['\n', '\r'], " ");
    RawValue::from_string(line).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

/// A frame with more members.
pub(super) fn with(mut frame: Map<String, Value>, members: impl IntoIterator<Item = (&'static str, Value)>) -> String {
    frame.extend(members.into_iter().map(|(name, value)| (name.to_owned(), value)));
    Value::Object(frame).to_string()
}
