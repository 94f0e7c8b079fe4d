//! Verani frames, protocol 1.0.
//!
//! In: `{"type": string, "channel"?: string, "data"?: any}`, one in each text frame. Other keys are ignored; if a key
//! comes twice, the last one counts, as with `JSON.parse`. Serialisers of other languages write a field that is not set
//! as `null`, or as an empty string: a channel of that kind is none, and a ping with the data `null` is a bare one.
//! Out: `{"type":"event","channel":C,"data":{"type":EVENT, ...}}`.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::{Frame, push_text};
use crate::model::event::{ClientEvent, Payload};
use crate::model::json::{DEPTH_MAX, Json, Text, is_deeper_than};
use crate::model::names::is_short_name;

/// The answer to a bare ping.
pub const PONG: Frame = Frame::from_static(r#"{"type":"pong"}"#);

/// A valid frame from a client.
#[derive(Debug, PartialEq, Eq)]
pub enum Inbound {
    /// `{"type":"ping"}`: the keepalive of Verani's own client. Its data may be `null`.
    Ping,
    Event(ClientEvent),
}

/// Why the host drops a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadFrame {
    Binary,
    NotJson,
    NotAnObject,
    TooDeep,
    NoType,
    TypeNotText,
    /// `type` is empty or longer than 128 bytes.
    TypeLength,
    /// `type` begins with `$`, which only the host's own events do.
    TypeReserved,
    ChannelNotText,
    ChannelLength,
}

impl BadFrame {
    pub const ALL: [Self; 10] = [
        Self::Binary,
        Self::NotJson,
        Self::NotAnObject,
        Self::TooDeep,
        Self::NoType,
        Self::TypeNotText,
        Self::TypeLength,
        Self::TypeReserved,
        Self::ChannelNotText,
        Self::ChannelLength,
    ];

    /// What is wrong with the frame, in words for whoever develops the client.
    pub fn words(self) -> &'static str {
        match self {
            Self::Binary => "it is binary, not text",
            Self::NotJson => "it is not JSON",
            Self::NotAnObject => "it is no JSON object",
            Self::TooDeep => "it nests deeper than 128 levels",
            Self::NoType => "it has no `type`",
            Self::TypeNotText => "`type` is no string",
            Self::TypeLength => "`type` must be 1 to 128 bytes",
            Self::TypeReserved => "`type` begins with $",
            Self::ChannelNotText => "`channel` is no string",
            Self::ChannelLength => "`channel` is over 128 bytes",
        }
    }
}

/// Decodes a client's frame.
pub fn decode(text: &str) -> Result<Inbound, BadFrame> {
    if is_deeper_than(text, DEPTH_MAX + 1) {
        return Err(BadFrame::TooDeep);
    }
    let frame: RawFrame<'_> = serde_json::from_str(text).map_err(|_| not_a_frame(text))?;
    let name = match frame.name.ok_or(BadFrame::NoType)? {
        Field::Text(name) => name,
        Field::Null | Field::Other => return Err(BadFrame::TypeNotText),
    };
    let channel = match frame.channel {
        Some(Field::Text(channel)) if !channel.is_empty() => Some(channel),
        Some(Field::Other) => return Err(BadFrame::ChannelNotText),
        _ => None,
    };
    if name == "ping" && channel.is_none() && frame.data.is_none_or(|data| data.get() == "null") {
        return Ok(Inbound::Ping);
    }
    if name.starts_with('$') {
        return Err(BadFrame::TypeReserved);
    }
    if !is_short_name(&name) {
        return Err(BadFrame::TypeLength);
    }
    if channel.as_deref().is_some_and(|channel| !is_short_name(channel)) {
        return Err(BadFrame::ChannelLength);
    }
    Ok(Inbound::Event(ClientEvent {
        name: name.into_owned(),
        channel: channel.map(Cow::into_owned),
        payload: frame.data.map(|data| Payload::Json(Json::of_raw(data))),
    }))
}

/// Why a text is no frame at all.
fn not_a_frame(text: &str) -> BadFrame {
    match serde_json::from_str::<IgnoredAny>(text) {
        Ok(_) if !text.trim_start().starts_with('{') => BadFrame::NotAnObject,
        _ => BadFrame::NotJson,
    }
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

/// A frame as it came in, borrowed where it holds no escapes.
struct RawFrame<'de> {
    name: Option<Field<'de>>,
    channel: Option<Field<'de>>,
    data: Option<&'de RawValue>,
}

/// The value of a field that should be a string.
enum Field<'de> {
    Text(Cow<'de, str>),
    Null,
    Other,
}

impl<'de> serde::Deserialize<'de> for Field<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?.get();
        Ok(match raw.as_bytes().first() {
            Some(b'"') => Self::Text(serde_json::from_str::<Text<'de>>(raw).map_err(D::Error::custom)?.0),
            Some(b'n') => Self::Null,
            _ => Self::Other,
        })
    }
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
                let mut frame = RawFrame { name: None, channel: None, data: None };
                while let Some(Text(key)) = map.next_key()? {
                    match &*key {
                        "type" => frame.name = Some(map.next_value()?),
                        "channel" => frame.channel = Some(map.next_value()?),
                        "data" => frame.data = Some(map.next_value()?),
                        _ => {
                            map.next_value::<IgnoredAny>()?;
                        }
                    }
                }
                Ok(frame)
            }
        }
        deserializer.deserialize_map(FrameVisitor)
    }
}

#[cfg(test)]
mod tests;
