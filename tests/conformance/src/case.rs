//! How a case is written.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

/// The files of cases, built in: a runner reads no folder.
const FILES: [(&str, &str); 15] = [
    ("acks", include_str!("../cases/acks.json")),
    ("asks", include_str!("../cases/asks.json")),
    ("authorize", include_str!("../cases/authorize.json")),
    ("bounds", include_str!("../cases/bounds.json")),
    ("bytes", include_str!("../cases/bytes.json")),
    ("data", include_str!("../cases/data.json")),
    ("dispatch", include_str!("../cases/dispatch.json")),
    ("emits", include_str!("../cases/emits.json")),
    ("history", include_str!("../cases/history.json")),
    ("life", include_str!("../cases/life.json")),
    ("members", include_str!("../cases/members.json")),
    ("presence", include_str!("../cases/presence.json")),
    ("storage", include_str!("../cases/storage.json")),
    ("time", include_str!("../cases/time.json")),
    ("turns", include_str!("../cases/turns.json")),
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(rename = "about")]
    _about: String,
    cases: Vec<Case>,
}

/// One behaviour, and the steps that show it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// Unique among all cases; the id of the case's room.
    pub name: String,
    /// What a reader learns where it fails.
    pub shows: String,
    /// The plugin's configuration.
    #[serde(default)]
    pub config: BTreeMap<String, String>,
    /// What happens, in order.
    pub steps: Vec<Step>,
    /// All that the room's storage holds at the end; nothing is checked without it.
    pub stored: Option<BTreeMap<String, Value>>,
}

/// Something that a runner does or looks at.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// A client opens a socket.
    Connect(Connect),
    /// A client asks for a socket, and is refused.
    Refused(Refused),
    /// A client sends a frame.
    #[serde(rename_all = "kebab-case")]
    Send {
        /// Whose socket.
        from: String,
        /// The whole frame.
        frame: Value,
    },
    /// A client sends the event `do`.
    Do(Do),
    /// A client sends an event and waits for its acknowledgement.
    Request(Request),
    /// A client answers the first ask that it got and did not answer yet.
    Answer(Answer),
    /// What the sockets got since the last such step.
    Expect(BTreeMap<String, Vec<Value>>),
    /// The server closed these sockets.
    Closed(BTreeMap<String, Closing>),
    /// A client closes its socket.
    Leave(Leaving),
    /// A client's line breaks that may come back.
    LoseLine(String),
    /// It comes back over another line.
    ComeBack(String),
    /// The turns that failed since the last such step.
    Failures(Vec<Value>),
    /// Lines that the log has got since the last such step, others between them.
    Log(Vec<String>),
    /// Time passes: so many milliseconds.
    Advance(u64),
    /// The room gives up its instance.
    Sleep,
    /// The instance is lost, in the server through this socket.
    Crash(String),
    /// The server dies and is started again.
    Restart,
    /// The second version takes over.
    Swap,
    /// The second version cannot resume, and fails with this code.
    SwapFails(String),
}

/// A client opens a socket.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Connect {
    /// The name that the case has for the socket.
    #[serde(rename = "as")]
    pub name: String,
    /// What the query has beside `room`, `user` and `client`.
    #[serde(default)]
    pub query: Map<String, Value>,
    /// Further headers of the request.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
}

/// A client asks for a socket, and is refused.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refused {
    /// As that of [`Connect`].
    #[serde(default)]
    pub query: Map<String, Value>,
    /// As those of [`Connect`].
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The response's status.
    pub status: u16,
    /// The response's body.
    pub body: String,
}

/// A client sends operations.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Do {
    /// Whose socket.
    pub from: String,
    /// The operations.
    pub ops: Value,
    /// Their results; none where the turn fails.
    pub did: Option<Value>,
}

/// A client waits for an acknowledgement.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// Whose socket.
    pub from: String,
    /// The frame, without its number.
    pub frame: Map<String, Value>,
    /// The acknowledgement, without its type and number.
    pub ack: Map<String, Value>,
}

/// A client answers an ask.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// Whose socket.
    pub from: String,
    /// The answer's frame, without its type and number.
    pub frame: Map<String, Value>,
}

/// How the server closed a socket.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Closing {
    /// The close frame's code.
    pub code: u16,
    /// The close frame's reason.
    pub reason: String,
}

/// How a client closes its socket.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Leaving {
    /// Whose socket.
    pub who: String,
    /// The close frame's code.
    pub code: u16,
    /// The close frame's reason.
    pub reason: String,
}

/// The cases of each file, by the file's name.
///
/// # Panics
/// Where a file is not as `README.md` says, with its name and the place in it.
pub fn cases() -> Vec<(&'static str, Vec<Case>)> {
    let read = |(name, text)| match serde_json::from_str::<File>(text) {
        Ok(file) => (name, file.cases),
        Err(why) => panic!("tests/conformance/cases/{name}.json: {why}"),
    };
    FILES.map(read).into()
}

/// The cases of all files as they are written, for runners that read steps themselves.
///
/// # Panics
/// As [`cases`].
pub fn written() -> Vec<Value> {
    let read = |(name, text)| match serde_json::from_str::<Value>(text) {
        Ok(mut file) => match file["cases"].take() {
            Value::Array(cases) => cases,
            _ => panic!("tests/conformance/cases/{name}.json has no list of cases"),
        },
        Err(why) => panic!("tests/conformance/cases/{name}.json: {why}"),
    };
    FILES.into_iter().flat_map(read).collect()
}
