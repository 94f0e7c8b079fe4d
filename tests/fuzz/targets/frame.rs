//! What clients send: `decode` takes any text, says of it what is true, and what it lets through can be encoded again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use parlor::model::body::Payload;
use parlor::model::event::{ACK_ID_MAX, ClientAnswer, ClientEvent, ClientMessage};
use parlor::model::json::DEPTH_MAX;
use parlor::protocol::verani::{BadFrame, Inbound, decode};
use parlor_fuzz::frames::{assert_well_formed, depth, is_json, last, members, string};

/// A frame's own braces stand around a value that may nest `DEPTH_MAX` deep.
const FRAME_DEPTH_MAX: usize = DEPTH_MAX + 1;
/// A name's bytes.
const NAME_BYTES_MAX: usize = 128;

fuzz_target!(|input: &[u8]| {
    let Ok(text) = std::str::from_utf8(input) else { return };
    match decode(text) {
        Ok(inbound) => assert_read(text, inbound),
        Err(BadFrame::TooDeep) => assert!(!is_json(text) || depth(text) > depth_max(text), "not deep: {text}"),
        Err(BadFrame::Binary) => panic!("no text is binary: {text}"),
        Err(BadFrame::NotJson | BadFrame::NotAnObject) => assert!(!is_frame(text), "a frame after all: {text}"),
        Err(BadFrame::NoType) => assert_eq!(field(text, "type"), None, "{text}"),
        Err(BadFrame::TypeNotText) => assert!(name_of(text).is_none(), "{text}"),
        Err(BadFrame::TypeReserved) => assert!(name_of(text).is_some_and(|name| name.starts_with('$')), "{text}"),
        Err(BadFrame::TypeLength) => {
            assert!(name_of(text).is_some_and(|name| name.is_empty() || name.len() > NAME_BYTES_MAX), "{text}");
        }
        Err(BadFrame::ChannelNotText) => {
            assert!(field(text, "channel").is_some_and(|value| value != "null" && string(&value).is_none()), "{text}");
        }
        Err(BadFrame::ChannelLength) => {
            let channel = field(text, "channel").and_then(|value| string(&value));
            assert!(channel.is_some_and(|name| name.len() > NAME_BYTES_MAX), "{text}");
        }
        Err(BadFrame::Id) => assert!(field(text, "id").is_some() && id_of(text).is_none(), "{text}"),
        Err(BadFrame::Base64) => {
            let base64 = field(text, "base64").unwrap_or_else(|| panic!("no base64: {text}"));
            assert!(!string(&base64).is_some_and(|base64| is_base64(&base64)), "{text}");
        }
    }
});

/// What was read is what stands in the text.
fn assert_read(text: &str, inbound: Inbound) {
    assert!(depth(text) <= depth_max(text), "too deep: {text}");
    let outer = members(text).unwrap_or_else(|| panic!("not an object: {text}"));
    let (channel, data) = (last(&outer, "channel"), last(&outer, "data"));
    let (name, read_channel, read) = match inbound {
        Inbound::Ping => {
            assert_eq!(name_of(text).as_deref(), Some("ping"), "{text}");
            assert!(matches!(channel, None | Some("null" | "\"\"")) && matches!(data, None | Some("null")), "{text}");
            return;
        }
        Inbound::Message(ClientMessage::Event(ClientEvent { name, channel, data, ack })) => {
            assert_eq!(id_of(text), ack, "{text}");
            (name, channel, data)
        }
        Inbound::Message(ClientMessage::Answer(ClientAnswer { ask, data })) => {
            assert_eq!((name_of(text).as_deref(), id_of(text)), (Some("ack"), Some(ask)), "{text}");
            ("ack".to_owned(), channel.and_then(string).filter(|channel| !channel.is_empty()), data)
        }
    };
    assert_eq!(name_of(text).as_deref(), Some(name.as_str()), "{text}");
    assert_eq!(channel.and_then(string).filter(|channel| !channel.is_empty()), read_channel, "{text}");
    assert!(!name.starts_with('$') && !name.is_empty() && name.len() <= NAME_BYTES_MAX, "{text}");
    assert_eq!(read.arguments, u32::from(read.payload.is_some()), "{text}");
    match read.payload {
        None => assert_eq!(data, None, "{text}"),
        Some(Payload::Binary(bytes)) => {
            assert!(matches!(data, None | Some("null")), "{text}");
            let base64 = last(&outer, "base64").and_then(string).unwrap_or_else(|| panic!("no base64: {text}"));
            assert!(is_base64(&base64) && base64.len() == bytes.len().div_ceil(3) * 4, "{text}");
        }
        Some(Payload::Json(json)) => {
            assert_eq!(data, Some(json.text()), "{text}");
            assert_well_formed(read_channel.as_deref().unwrap_or("room"), &name, &json);
        }
    }
}

/// How deep a frame may nest. An answer to an ask stands in one object more when the plugin gets it.
fn depth_max(text: &str) -> usize {
    let is_answer = name_of(text).as_deref() == Some("ack") && id_of(text).is_some();
    FRAME_DEPTH_MAX - usize::from(is_answer && field(text, "data").is_some_and(|data| depth(&data) == DEPTH_MAX))
}

/// The number that the frame's `id` is.
fn id_of(text: &str) -> Option<u64> {
    field(text, "id")?.parse().ok().filter(|id| *id <= ACK_ID_MAX)
}

/// Whether a text is base64 with its padding, and with nothing in the bits that the padding leaves over.
fn is_base64(text: &str) -> bool {
    const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let letters = text.trim_end_matches('=');
    let left_over = match text.len() - letters.len() {
        0 => 1,
        1 => 4,
        2 => 16,
        _ => return false,
    };
    let last = letters.chars().next_back().map_or(Some(0), |letter| LETTERS.find(letter));
    text.len().is_multiple_of(4)
        && letters.chars().all(|letter| LETTERS.contains(letter))
        && last.is_some_and(|last| last % left_over == 0)
}

/// The frame's `type`.
fn name_of(text: &str) -> Option<String> {
    string(last(&members(text)?, "type")?)
}

/// The value of one of the frame's keys, as it stands there.
fn field(text: &str, key: &str) -> Option<String> {
    last(&members(text)?, key).map(str::to_owned)
}

/// Whether `decode` has to take a text for a frame.
fn is_frame(text: &str) -> bool {
    field(text, "type").is_some()
}
