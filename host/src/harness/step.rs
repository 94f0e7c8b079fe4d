//! What a step says.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::opening::OpenStep;

/// Something that the harness does or looks at.
#[derive(Debug)]
pub enum RoomStep {
    Open(OpenStep),
    Connect(ConnectStep),
    Refused(RefusedStep),
    Send(SendStep),
    Request(RequestStep),
    Answer(AnswerStep),
    Do(DoStep),
    Expect(BTreeMap<String, Vec<Value>>),
    /// Of one socket, or of all.
    Frames(Option<String>),
    Closed(BTreeMap<String, PeerClosing>),
    HowClosed(String),
    Leave(LeaveStep),
    LoseLine(String),
    ComeBack(String),
    Failures(Option<Vec<Value>>),
    Log(Option<Vec<String>>),
    Advance(u64),
    Sleep,
    Crash,
    Check,
    FailCommits(u32),
    Restart,
    Swap(Option<PathBuf>),
    SwapFails(String),
    Stored(Option<BTreeMap<String, Value>>),
    Room,
    Quit,
}

/// A request for a socket.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ConnectStep {
    #[serde(rename = "as")]
    pub name: String,
    pub path: Option<String>,
    pub query: Option<Map<String, Value>>,
    pub headers: BTreeMap<String, String>,
    pub meta: Option<MemberStep>,
}

/// Who a socket is that comes in past `authorize`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MemberStep {
    pub user: String,
    pub client: Option<String>,
    pub channels: Option<Vec<String>>,
    #[serde(default)]
    pub fields: Map<String, Value>,
}

/// A request for a socket that is refused.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RefusedStep {
    pub path: Option<String>,
    pub query: Option<Map<String, Value>>,
    pub headers: BTreeMap<String, String>,
    pub status: Option<u16>,
    pub body: Option<String>,
}

/// A frame, or a text that need be none.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SendStep {
    pub from: String,
    pub frame: Option<Box<RawValue>>,
    pub text: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestStep {
    pub from: String,
    pub frame: Map<String, Value>,
    pub ack: Option<Map<String, Value>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnswerStep {
    pub from: String,
    pub frame: Map<String, Value>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DoStep {
    pub from: String,
    pub ops: Value,
    pub did: Option<Value>,
}

/// How a socket was closed.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields)]
pub struct PeerClosing {
    pub code: u16,
    pub reason: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeaveStep {
    pub who: String,
    #[serde(default = "normal")]
    pub code: u16,
    #[serde(default)]
    pub reason: String,
}

/// The code of a socket that ends in the normal way (RFC 6455, 7.4.1).
fn normal() -> u16 {
    1_000
}

/// The verbs, for whoever wrote another one.
const VERBS: &str = "open, connect, refused, send, request, answer, do, expect, frames, closed, leave, lose-line, come-back, \
                     failures, log, advance, sleep, crash, check, fail-commits, restart, swap, swap-fails, stored, room, quit";

/// Reads what a verb says; none where it stands alone.
pub(super) fn read(verb: &str, said: Option<&RawValue>) -> Result<RoomStep, String> {
    Ok(match (verb, said) {
        ("open", None) => RoomStep::Open(OpenStep::default()),
        ("open", Some(said)) => RoomStep::Open(value(said)?),
        ("connect", Some(said)) => {
            let connect: ConnectStep = value(said)?;
            if connect.name.is_empty() {
                return Err("it needs \"as\", the name of the socket".to_owned());
            }
            RoomStep::Connect(connect)
        }
        ("refused", Some(said)) => RoomStep::Refused(value(said)?),
        ("send", Some(said)) => RoomStep::Send(value(said)?),
        ("request", Some(said)) => RoomStep::Request(value(said)?),
        ("answer", Some(said)) => RoomStep::Answer(value(said)?),
        ("do", Some(said)) => RoomStep::Do(value(said)?),
        ("expect", Some(said)) => RoomStep::Expect(value(said)?),
        ("frames", said) => RoomStep::Frames(said.map(value).transpose()?),
        ("closed", Some(said)) if said.get().starts_with('"') => RoomStep::HowClosed(value(said)?),
        ("closed", Some(said)) => RoomStep::Closed(value(said)?),
        ("leave", Some(said)) => RoomStep::Leave(value(said)?),
        ("lose-line", Some(said)) => RoomStep::LoseLine(value(said)?),
        ("come-back", Some(said)) => RoomStep::ComeBack(value(said)?),
        ("failures", said) => RoomStep::Failures(said.map(value).transpose()?),
        ("log", said) => RoomStep::Log(said.map(value).transpose()?),
        ("advance", Some(said)) => RoomStep::Advance(value(said)?),
        ("sleep", None) => RoomStep::Sleep,
        // In a server a client's event does it; here it needs nobody.
        ("crash", _) => RoomStep::Crash,
        ("check", None) => RoomStep::Check,
        ("fail-commits", Some(said)) => RoomStep::FailCommits(value(said)?),
        ("restart", None) => RoomStep::Restart,
        ("swap", said) => RoomStep::Swap(said.map(value).transpose()?),
        ("swap-fails", Some(said)) => RoomStep::SwapFails(value(said)?),
        ("stored", said) => RoomStep::Stored(said.map(value).transpose()?),
        ("room", None) => RoomStep::Room,
        ("quit", None) => RoomStep::Quit,
        ("sleep" | "check" | "restart" | "room" | "quit", Some(_)) => {
            return Err(format!("it stands alone, as the text {verb:?}"));
        }
        (verb, None) if VERBS.split(", ").any(|known| known == verb) => {
            return Err(format!("it needs something to do it with: {{{verb:?}: ...}}"));
        }
        (verb, _) => return Err(format!("there is no verb {verb:?}; there are {VERBS}")),
    })
}

fn value<T: DeserializeOwned>(said: &RawValue) -> Result<T, String> {
    serde_json::from_str(said.get()).map_err(|why| why.to_string())
}
