//! Verani frames to typed events, and back.

use std::borrow::Cow;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// What a client may ask of a room.
pub enum Event {
    /// To the sender alone.
    Echo(Note),
    /// To channel `default`: every socket of the room.
    Say(Note),
    /// To the sender alone, once three values that the room keeps have been looked up.
    Recall(Note),
}

/// The data of all events.
#[derive(Deserialize)]
pub struct Note {
    pub n: u64,
    pub text: String,
}

/// A frame as a client sends it. `channel` is checked to be a string and otherwise of no use here.
#[derive(Deserialize)]
struct Inbound<'a> {
    #[serde(borrow)]
    r#type: Cow<'a, str>,
    #[serde(default, rename = "channel")]
    _channel: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
}

#[derive(Serialize)]
struct Outbound<'a> {
    r#type: &'static str,
    channel: &'static str,
    data: Emit<'a>,
}

#[derive(Serialize)]
struct Emit<'a> {
    r#type: &'static str,
    n: u64,
    text: &'a str,
    at: u64,
}

/// None for what is no frame, or an event that this server does not know: both are dropped.
pub fn decode(text: &str) -> Option<Event> {
    let frame: Inbound<'_> = serde_json::from_str(text).ok()?;
    let data = frame.data?.get();
    match &*frame.r#type {
        "echo" => Some(Event::Echo(serde_json::from_str(data).ok()?)),
        "recall" => Some(Event::Recall(serde_json::from_str(data).ok()?)),
        "say" => Some(Event::Say(serde_json::from_str(data).ok()?)),
        _ => None,
    }
}

/// The frame that carries `note` to clients as the event `name`.
pub fn encode(name: &'static str, note: &Note) -> String {
    let at = now_ms();
    let frame =
        Outbound { r#type: "event", channel: "default", data: Emit { r#type: name, n: note.n, text: &note.text, at } };
    serde_json::to_string(&frame).expect("strings and numbers always encode")
}

/// The time that is added to every answer.
pub fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_echo_comes_back_in_the_envelope() {
        let Some(Event::Echo(note)) = decode(r#"{"type":"echo","data":{"n":7,"text":"a \"b\""}}"#) else {
            panic!("not read as an echo")
        };
        let frame: serde_json::Value = serde_json::from_str(&encode("echo", &note)).unwrap();
        assert_eq!(frame["type"], "event");
        assert_eq!(frame["channel"], "default");
        assert_eq!(frame["data"]["type"], "echo");
        assert_eq!(frame["data"]["n"], 7);
        assert_eq!(frame["data"]["text"], "a \"b\"");
        assert!(frame["data"]["at"].is_u64());
    }

    #[test]
    fn what_is_no_frame_is_dropped() {
        for text in [
            "",
            "[]",
            r#"{"data":{}}"#,
            r#"{"type":"echo"}"#,
            r#"{"type":"echo","channel":1,"data":{"n":1,"text":""}}"#,
        ] {
            assert!(decode(text).is_none(), "{text}");
        }
    }
}
