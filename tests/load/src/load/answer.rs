//! What the guests of the tests answer: all fields that any load looks at.

use anyhow::Context as _;
use serde::Deserialize;

/// How much of a frame an error shows.
const SHOWN_BYTES: usize = 300;

/// A guest's answer; what it does not say is none.
#[derive(Debug, Deserialize)]
pub struct Answer<'a> {
    pub r#type: &'a str,
    /// What was numbered by its sender.
    pub n: Option<u64>,
    /// The turns of the room so far, and the version that ran this one.
    pub seq: Option<u64>,
    pub version: Option<&'a str>,
    /// An entry, and how many there are.
    pub id: Option<&'a str>,
    pub count: Option<u64>,
}

#[derive(Deserialize)]
struct Frame<'a> {
    #[serde(borrow)]
    data: Answer<'a>,
}

impl<'a> Answer<'a> {
    /// Reads the text of a Verani frame.
    pub fn of(text: &'a [u8]) -> anyhow::Result<Self> {
        let frame: Frame<'a> =
            serde_json::from_slice(text).with_context(|| format!("not expected: {}", shown(text)))?;
        Ok(frame.data)
    }
}

/// A frame for the words of an error.
pub fn shown(text: &[u8]) -> String {
    String::from_utf8_lossy(&text[..text.len().min(SHOWN_BYTES)]).into_owned()
}
