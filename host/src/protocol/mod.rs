//! Wire formats: from frames to events, and from emits to frames. Only this module knows what a frame looks like.

#[cfg(test)]
mod any_json;
pub mod close;
pub mod engineio;
pub mod socketio;
pub mod verani;
pub mod wire;

use std::sync::Arc;

use bytes::Bytes;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use crate::model::json::push_string;

/// An encoded text frame. Clones share its bytes.
pub type Frame = Utf8Bytes;

/// What a client is sent as one: a text frame, and the attachments that follow it with nothing between. Clones share the bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packet {
    pub text: Frame,
    /// None for almost all packets, which so cost no more than their text.
    attachments: Option<Arc<[Bytes]>>,
    /// When the client's event that led to it got its place, by `clock::now_ns`; 0 where it was none.
    accepted_ns: u64,
}

impl Packet {
    pub fn new(text: String, attachments: Vec<Bytes>) -> Self {
        Self { text: text.into(), attachments: (!attachments.is_empty()).then(|| attachments.into()), accepted_ns: 0 }
    }

    /// Says which event led to it, by the moment at which that got its place.
    pub fn of_event(self, accepted_ns: u64) -> Self {
        Self { accepted_ns, ..self }
    }

    /// How long after its event another moment was, if an event led to it.
    pub fn since_event(&self, now_ns: u64) -> Option<u64> {
        (self.accepted_ns != 0).then(|| now_ns.saturating_sub(self.accepted_ns))
    }

    pub fn attachments(&self) -> &[Bytes] {
        self.attachments.as_deref().unwrap_or_default()
    }

    /// The bytes of the text and the attachments together.
    pub fn bytes(&self) -> usize {
        self.text.len() + self.attachments().iter().map(Bytes::len).sum::<usize>()
    }
}

impl From<Frame> for Packet {
    fn from(text: Frame) -> Self {
        Self { text, attachments: None, accepted_ns: 0 }
    }
}

impl From<String> for Packet {
    fn from(text: String) -> Self {
        Self::from(Frame::from(text))
    }
}

/// Appends a JSON string. Almost no name needs escapes, so the common case is a copy.
fn push_text(out: &mut String, text: &str) {
    if text.bytes().all(|b| b >= 0x20 && b != b'"' && b != b'\\') {
        out.push('"');
        out.push_str(text);
        out.push('"');
    } else if push_string(out, text).is_err() {
        // Serialising a text cannot fail; if it ever does, an empty name keeps the frame valid.
        out.push_str(r#""""#);
    }
}

/// Appends an error as clients get it: an object with its code, and with its message where clients may have that.
fn push_error(out: &mut String, code: &str, message: Option<&str>) {
    out.push_str(r#"{"code":"#);
    push_text(out, code);
    if let Some(message) = message {
        out.push_str(r#","message":"#);
        push_text(out, message);
    }
    out.push('}');
}
