//! What is said, in either direction: a value or bytes, and the bytes that placeholders in the value name.

use bytes::Bytes;

pub use super::event::Payload;

/// What came with an event, or with a client's answer to an ask.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventData {
    /// None where the client gave nothing, which is not the same as `null`.
    pub payload: Option<Payload>,
    /// How many arguments the client gave. Several are one JSON array in the payload.
    pub arguments: u32,
    /// What the payload's placeholders `{"_placeholder":true,"num":n}` name, in the order of their numbers.
    pub attachments: Vec<Bytes>,
}

/// What a plugin says to clients: the data of an emit, of an ask or of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body {
    pub data: Payload,
    /// What placeholders in the data name. One whose number is not below their count is plain JSON.
    pub attachments: Vec<Bytes>,
    /// Whether the data, a JSON array, is several arguments, for clients whose protocol has them.
    pub is_spread: bool,
}

impl Body {
    pub fn of(data: Payload) -> Self {
        Self { data, attachments: Vec::new(), is_spread: false }
    }
}
