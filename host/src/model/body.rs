//! What is said, in either direction: a value or bytes, and the bytes that placeholders in the value name.

use bytes::Bytes;

use super::json::Json;

/// The data of an event or of an emit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payload {
    Json(Json),
    Binary(Vec<u8>),
}

impl Payload {
    /// The bytes that the payload holds in memory.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Json(json) => json.text().len(),
            Self::Binary(bytes) => bytes.len(),
        }
    }
}

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

impl EventData {
    /// One argument, or none, without attachments.
    pub fn of(payload: Option<Payload>) -> Self {
        Self { arguments: payload.is_some().into(), payload, attachments: Vec::new() }
    }

    /// The bytes that the data holds in memory.
    pub fn bytes(&self) -> usize {
        self.payload.as_ref().map_or(0, Payload::bytes) + bytes_of(&self.attachments)
    }
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

    /// The bytes that the body holds in memory.
    pub fn bytes(&self) -> usize {
        self.data.bytes() + bytes_of(&self.attachments)
    }
}

/// The bytes of all attachments together.
pub fn bytes_of(attachments: &[Bytes]) -> usize {
    attachments.iter().map(Bytes::len).sum()
}
