//! What happens to a simulated room, one thing after the other.

use std::fmt;

use serde_json::{Value, json};

/// How many letters of a payload are shown.
const SHOWN: usize = 300;

/// One thing that happens to a room.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum SimulatedStep {
    Connect {
        socket: String,
        user: String,
        /// The fields of its meta, where it comes in past `authorize`.
        past: Option<Value>,
    },
    Send {
        from: String,
        event: String,
        data: Option<Value>,
    },
    /// It answers the oldest ask that it got.
    Answer {
        from: String,
        data: Option<Value>,
    },
    Leave {
        socket: String,
        code: u16,
    },
    LoseLine(String),
    ComeBack(String),
    Advance(u64),
    Sleep,
    Crash,
    Swap,
    Restart,
    FailCommit,
}

impl SimulatedStep {
    /// A client's frame, whose acknowledgement has this number.
    pub(super) fn frame(event: &str, data: Option<&Value>, id: u64) -> String {
        match data {
            Some(data) => json!({ "type": event, "data": data, "id": id }).to_string(),
            None => json!({ "type": event, "id": id }).to_string(),
        }
    }
}

struct ShownData<'a>(&'a Option<Value>);

impl fmt::Display for ShownData<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(data) = self.0 else { return f.write_str("nothing") };
        let text = data.to_string();
        match text.char_indices().nth(SHOWN) {
            Some((end, _)) => write!(f, "{}... ({} bytes)", &text[..end], text.len()),
            None => f.write_str(&text),
        }
    }
}

impl fmt::Display for SimulatedStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect { socket, user, past: None } => write!(f, "{socket} connects as {user}"),
            Self::Connect { socket, user, past: Some(fields) } => {
                write!(f, "{socket} connects as {user}, past authorize, with {fields}")
            }
            Self::Send { from, event, data } => write!(f, "{from} sends {event} with {}", ShownData(data)),
            Self::Answer { from, data } => write!(f, "{from} answers with {}", ShownData(data)),
            Self::Leave { socket, code } => write!(f, "{socket} leaves with {code}"),
            Self::LoseLine(socket) => write!(f, "{socket} loses its line"),
            Self::ComeBack(socket) => write!(f, "{socket} comes back over another line"),
            Self::Advance(ms) => write!(f, "{ms} ms pass"),
            Self::Sleep => f.write_str("the room sleeps"),
            Self::Crash => f.write_str("the instance is lost"),
            Self::Swap => f.write_str("the plugin is swapped to itself"),
            Self::Restart => f.write_str("the server is killed and starts again"),
            Self::FailCommit => f.write_str("the next writes will fail"),
        }
    }
}
