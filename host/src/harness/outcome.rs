//! What a step comes to.

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

/// Why a step has no result.
#[derive(Debug)]
pub struct StepError {
    pub(super) words: String,
    /// The status and the body with which a socket was refused.
    pub(super) refused: Option<(u16, String)>,
}

impl StepError {
    pub(super) fn new(words: impl Into<String>) -> Self {
        Self { words: words.into(), refused: None }
    }
}

pub(super) type StepResult = Result<Box<RawValue>, StepError>;

/// A step's result as JSON.
pub(super) fn result(value: impl Serialize) -> StepResult {
    to_raw_value(&value).map_err(|why| StepError::new(format!("the result is no JSON: {why}")))
}
