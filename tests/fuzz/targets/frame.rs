//! What clients send: `decode` takes any text, says of it what is true, and what it lets through can be encoded again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use parlor::model::event::{ClientEvent, Payload};
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
        Err(BadFrame::TooDeep) => assert!(!is_json(text) || depth(text) > FRAME_DEPTH_MAX, "not deep: {text}"),
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
    }
});

/// What was read is what stands in the text.
fn assert_read(text: &str, inbound: Inbound) {
    assert!(depth(text) <= FRAME_DEPTH_MAX, "too deep: {text}");
    let outer = members(text).unwrap_or_else(|| panic!("not an object: {text}"));
    let (channel, data) = (last(&outer, "channel"), last(&outer, "data"));
    let ClientEvent { name, channel: read_channel, payload } = match inbound {
        Inbound::Ping => {
            assert_eq!(name_of(text).as_deref(), Some("ping"), "{text}");
            assert!(matches!(channel, None | Some("null" | "\"\"")) && matches!(data, None | Some("null")), "{text}");
            return;
        }
        Inbound::Event(event) => event,
    };
    assert_eq!(name_of(text).as_deref(), Some(name.as_str()), "{text}");
    assert_eq!(channel.and_then(string).filter(|channel| !channel.is_empty()), read_channel, "{text}");
    assert!(!name.starts_with('$') && !name.is_empty() && name.len() <= NAME_BYTES_MAX, "{text}");
    match payload {
        None => assert_eq!(data, None, "{text}"),
        Some(Payload::Binary(_)) => panic!("no frame of text is binary: {text}"),
        Some(Payload::Json(json)) => {
            assert_eq!(data, Some(json.text()), "{text}");
            // An object with a name that is no text (half of a surrogate pair) has no members to compare.
            if !json.is_object() || members(json.text()).is_some() {
                assert_well_formed(read_channel.as_deref().unwrap_or("room"), &name, &json);
            }
        }
    }
}

/// The frame's `type`.
fn name_of(text: &str) -> Option<String> {
    string(last(&members(text)?, "type")?)
}

/// The value of one of the frame's keys, as it stands there.
fn field(text: &str, key: &str) -> Option<String> {
    last(&members(text)?, key).map(str::to_owned)
}

/// Whether `decode` has to take a text for a frame. Of a key that stands twice no value may be half of a text.
fn is_frame(text: &str) -> bool {
    let Some(members) = members(text) else { return false };
    let names = members.iter().filter(|(key, _)| key == "type" || key == "channel");
    last(&members, "type").is_some() && names.into_iter().all(|(_, value)| string(value).is_some())
}
