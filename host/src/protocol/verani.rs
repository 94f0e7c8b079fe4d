//! Verani frames, protocol 1.0.
//!
//! In: `{"type": string, "channel"?: string, "data"?: any}`, one in each text frame. Other keys are ignored; if a key
//! comes twice, the last one counts, as with `JSON.parse`. Out: `{"type":"event","channel":C,"data":{"type":EVENT,
//! ...}}`.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::Frame;
use crate::model::event::{ClientEvent, Payload};
use crate::model::json::{DEPTH_MAX, Json, Text, is_deeper_than, push_string};
use crate::model::names::is_short_name;

/// The answer to a bare ping.
pub const PONG: Frame = Frame::from_static(r#"{"type":"pong"}"#);

/// A valid frame from a client.
#[derive(Debug, PartialEq, Eq)]
pub enum Inbound {
    /// `{"type":"ping"}`: the keepalive of Verani's own client.
    Ping,
    Event(ClientEvent),
}

/// Why the host drops a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadFrame {
    NotAFrame,
    TooDeep,
    /// A name is empty or longer than 128 bytes.
    BadName,
    /// The name begins with `$`, which only the host's own events do.
    ReservedName,
}

/// Decodes a client's frame.
pub fn decode(text: &str) -> Result<Inbound, BadFrame> {
    if is_deeper_than(text, DEPTH_MAX + 1) {
        return Err(BadFrame::TooDeep);
    }
    let raw: RawFrame<'_> = serde_json::from_str(text).map_err(|_| BadFrame::NotAFrame)?;
    if raw.name == "ping" && raw.channel.is_none() && raw.data.is_none() {
        return Ok(Inbound::Ping);
    }
    if raw.name.starts_with('$') {
        return Err(BadFrame::ReservedName);
    }
    let channel = raw.channel.as_deref();
    if !is_short_name(&raw.name) || channel.is_some_and(|name| !is_short_name(name)) {
        return Err(BadFrame::BadName);
    }
    Ok(Inbound::Event(ClientEvent {
        name: raw.name.into_owned(),
        channel: raw.channel.map(Cow::into_owned),
        payload: raw.data.map(|data| Payload::Json(Json::of_raw(data))),
    }))
}

/// Encodes an emit, once for all its receivers. The event's name comes first, and data cannot override it.
pub fn encode(channel: &str, event: &str, data: &Json) -> Frame {
    let mut out = String::with_capacity(data.text().len() + channel.len() + event.len() + 64);
    out.push_str(r#"{"type":"event","channel":"#);
    push_text(&mut out, channel);
    out.push_str(r#","data":{"type":"#);
    push_text(&mut out, event);
    if !data.push_members(&mut out) {
        out.push_str(r#","data":"#);
        out.push_str(data.text());
    }
    out.push_str("}}");
    Frame::from(out)
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

/// A frame as it came in, borrowed where it holds no escapes.
struct RawFrame<'de> {
    name: Cow<'de, str>,
    channel: Option<Cow<'de, str>>,
    data: Option<&'de RawValue>,
}

impl<'de> serde::Deserialize<'de> for RawFrame<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FrameVisitor;
        impl<'de> Visitor<'de> for FrameVisitor {
            type Value = RawFrame<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a frame")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<RawFrame<'de>, A::Error> {
                let mut name = None;
                let mut channel = None;
                let mut data = None;
                while let Some(Text(key)) = map.next_key()? {
                    match &*key {
                        "type" => name = Some(map.next_value::<Text<'de>>()?.0),
                        "channel" => channel = Some(map.next_value::<Text<'de>>()?.0),
                        "data" => data = Some(map.next_value::<&'de RawValue>()?),
                        _ => {
                            map.next_value::<IgnoredAny>()?;
                        }
                    }
                }
                let name = name.ok_or_else(|| serde::de::Error::missing_field("type"))?;
                Ok(RawFrame { name, channel, data })
            }
        }
        deserializer.deserialize_map(FrameVisitor)
    }
}

#[cfg(test)]
mod tests;
