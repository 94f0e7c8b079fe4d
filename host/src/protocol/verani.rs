//! Verani frames, protocol 1.0.
//!
//! In: `{"type": string, "channel"?: string, "data"?: any, "id"?: integer}`, one in each text frame. With an `id` the
//! client waits for an acknowledgement. `"base64"` in the place of `data` is bytes. `{"type":"ack", "id": integer, ..}` is
//! the answer to an ask. Other keys are ignored; if a key comes twice, the last one counts, as with `JSON.parse`.
//! Serialisers of other languages write a field that is not set as `null`, or as an empty string: a channel or an id of that
//! kind is none, and a ping with the data `null` is a bare one.
//! Out: `{"type":"event","channel":C,"data":{"type":EVENT, ...}}`, with an `id` where it asks the client, and an `at`
//! where the channel's history is kept; `{"type":"ack","id":N}` with `data`, `base64` or `error`; and
//! `{"type":"history","channel":C,"recovered":B,"frames":[..]}` for each channel that a client's `?since=` names.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::{Frame, push_error, push_text};
use crate::model::base64;
use crate::model::body::{Body, EventData, Payload};
use crate::model::event::{ACK_ID_MAX, AckId, AskId, ClientAnswer, ClientEvent, ClientMessage};
use crate::model::history::{HistoryAnswer, HistoryPosition};
use crate::model::json::{DEPTH_MAX, Json, Key, is_deeper_than, unquoted};
use crate::model::names::is_short_name;
use crate::model::placeholder::filled;

/// The answer to a bare ping.
pub const PONG: Frame = Frame::from_static(r#"{"type":"pong"}"#);

/// How the frame of a session begins.
const SESSION: &str = r#"{"type":"session","id":""#;

/// Tells a client the secret by which it may come back after its line broke. With `heard` it came back, and so many of its
/// frames were taken; without it is a new member.
pub fn session(secret: &str, heard: Option<u64>) -> Frame {
    let state = heard.map_or_else(|| "false".to_owned(), |heard| format!("true,\"heard\":{heard}"));
    format!(r#"{SESSION}{secret}","resumed":{state}}}"#).into()
}

/// Tells a client that wants to come back that it is a new member, and cannot come back to that either.
pub const NO_SESSION: Frame = Frame::from_static(r#"{"type":"session","resumed":false}"#);

/// Whether a frame tells a client of its session.
pub fn is_session(frame: &Frame) -> bool {
    frame.as_str().starts_with(r#"{"type":"session""#)
}

/// Whether a frame is one of those that a client counts: all that a room says, in contrast to what the line itself says.
pub fn is_counted(frame: &Frame) -> bool {
    !(is_session(frame) || frame.as_str().starts_with(r#"{"type":"pong""#))
}

/// A valid frame from a client.
#[derive(Debug, PartialEq, Eq)]
pub enum Inbound {
    /// `{"type":"ping"}`: the keepalive of Verani's own client. Its data may be `null`.
    Ping,
    Message(ClientMessage),
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
    /// `id` is no integer that JavaScript can name.
    Id,
    /// `base64` is no text, or not base64 with its padding.
    Base64,
}

impl BadFrame {
    pub const ALL: [Self; 12] = [
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
        Self::Id,
        Self::Base64,
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
            Self::Id => "`id` is no integer from 0 to 2^53-1",
            Self::Base64 => "`base64` is no base64 text",
        }
    }
}

/// Decodes a client's frame.
pub fn decode(text: &str) -> Result<Inbound, BadFrame> {
    if is_deeper_than(text, DEPTH_MAX + 1) {
        return Err(BadFrame::TooDeep);
    }
    let mut frame: RawFrame<'_> = serde_json::from_str(text).map_err(|_| not_a_frame(text))?;
    let name = match frame.name.take().ok_or(BadFrame::NoType)? {
        Field::Text(name) => name,
        Field::Null | Field::Other => return Err(BadFrame::TypeNotText),
    };
    let channel = match frame.channel.take() {
        Some(Field::Text(channel)) if !channel.is_empty() => Some(channel),
        Some(Field::Other) => return Err(BadFrame::ChannelNotText),
        _ => None,
    };
    let id = frame.id.map_or(Ok(None), |raw| ack_id(raw.get()))?;
    let has_no_data = has_no_value(&frame) && matches!(frame.base64, None | Some(Field::Null));
    if name == "ping" && channel.is_none() && id.is_none() && has_no_data {
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
    if let Some(ask) = id.filter(|_| name == "ack") {
        // The plugin gets the data in an object.
        if frame.data.is_some_and(|data| is_deeper_than(data.get(), DEPTH_MAX - 1)) {
            return Err(BadFrame::TooDeep);
        }
        return Ok(Inbound::Message(ClientMessage::Answer(ClientAnswer { ask, data: data_of(&frame)? })));
    }
    let data = data_of(&frame)?;
    let channel = channel.map(Cow::into_owned);
    let event = ClientEvent { name: name.into_owned(), channel, data, ack: id };
    Ok(Inbound::Message(ClientMessage::Event(event)))
}

/// What a frame carries: one value, bytes or nothing.
fn data_of(frame: &RawFrame<'_>) -> Result<EventData, BadFrame> {
    let payload = match &frame.base64 {
        Some(Field::Text(text)) if has_no_value(frame) => {
            Some(Payload::Binary(base64::decode(text.as_bytes()).ok_or(BadFrame::Base64)?))
        }
        Some(Field::Other) if has_no_value(frame) => return Err(BadFrame::Base64),
        _ => frame.data.map(|data| Payload::Json(Json::of_raw(data))),
    };
    Ok(EventData::of(payload))
}

/// Whether `data` is not set, or `null`, which some serialisers write for that.
fn has_no_value(frame: &RawFrame<'_>) -> bool {
    frame.data.is_none_or(|data| data.get() == "null")
}

/// Reads the number of an acknowledgement; none where it is not set.
fn ack_id(raw: &str) -> Result<Option<AckId>, BadFrame> {
    if matches!(raw, "null" | "\"\"") {
        return Ok(None);
    }
    raw.parse().ok().filter(|id| *id <= ACK_ID_MAX).map(Some).ok_or(BadFrame::Id)
}

/// Why a text is no frame at all.
fn not_a_frame(text: &str) -> BadFrame {
    match serde_json::from_str::<IgnoredAny>(text) {
        Ok(_) if !text.trim_start().starts_with('{') => BadFrame::NotAnObject,
        _ => BadFrame::NotJson,
    }
}

/// Encodes an emit, once for all its receivers. The event's name comes first, and data cannot override it. An emit that
/// asks carries the number of the ask, and one of a channel whose history is kept its position there.
pub fn encode(channel: &str, event: &str, body: &Body, ask: Option<AskId>, at: Option<&HistoryPosition>) -> Frame {
    let mut out = String::with_capacity(body.bytes() + channel.len() + event.len() + 96);
    push_event(&mut out, channel, event, body, ask, at);
    Frame::from(out)
}

/// Encodes what a client missed of a channel.
pub fn history(HistoryAnswer { channel, page }: &HistoryAnswer) -> Frame {
    let mut out = r#"{"type":"history","channel":"#.to_owned();
    push_text(&mut out, channel);
    out.push_str(if page.recovered { r#","recovered":true,"frames":["# } else { r#","recovered":false,"frames":["# });
    for (place, entry) in page.entries.iter().enumerate() {
        if place > 0 {
            out.push(',');
        }
        push_event(&mut out, channel, &entry.event, &entry.body, None, Some(&page.position(entry)));
    }
    out.push_str("]}");
    Frame::from(out)
}

fn push_event(
    out: &mut String,
    channel: &str,
    event: &str,
    body: &Body,
    ask: Option<AskId>,
    at: Option<&HistoryPosition>,
) {
    out.push_str(r#"{"type":"event","channel":"#);
    push_text(out, channel);
    out.push_str(r#","data":{"type":"#);
    push_text(out, event);
    match &body.data {
        Payload::Json(data) if body.attachments.is_empty() => push_emitted(out, data),
        Payload::Json(data) => push_emitted(out, &filled(data, &body.attachments)),
        Payload::Binary(bytes) => push_base64(out, bytes),
    }
    out.push('}');
    if let Some(ask) = ask {
        push_id(out, ask);
    }
    if let Some(HistoryPosition { epoch, seq }) = at {
        // An epoch is the host's own word, and needs no escapes.
        out.push_str(r#","at":""#);
        out.push_str(epoch);
        out.push('.');
        out.push_str(&seq.to_string());
        out.push('"');
    }
    out.push('}');
}

/// Appends the members of emitted data, or data that has none as a member.
fn push_emitted(out: &mut String, data: &Json) {
    if !data.push_members(out) {
        push_data(out, data);
    }
}

/// Encodes the acknowledgement of a client's event, with what its handler answered.
pub fn ack(id: AckId, body: Option<&Body>) -> Frame {
    let mut out = begin_ack(id);
    match body.map(|body| (&body.data, &body.attachments)) {
        Some((Payload::Json(data), attachments)) if attachments.is_empty() => push_data(&mut out, data),
        Some((Payload::Json(data), attachments)) => push_data(&mut out, &filled(data, attachments)),
        Some((Payload::Binary(bytes), _)) => push_base64(&mut out, bytes),
        None => {}
    }
    out.push('}');
    Frame::from(out)
}

/// Encodes the acknowledgement of a client's event that had no effect.
pub fn nack(id: AckId, code: &str, message: Option<&str>) -> Frame {
    let mut out = begin_ack(id);
    out.push_str(r#","error":"#);
    push_error(&mut out, code, message);
    out.push('}');
    Frame::from(out)
}

fn begin_ack(id: AckId) -> String {
    let mut out = r#"{"type":"ack""#.to_owned();
    push_id(&mut out, id);
    out
}

fn push_id(out: &mut String, id: u64) {
    out.push_str(r#","id":"#);
    out.push_str(&id.to_string());
}

fn push_data(out: &mut String, data: &Json) {
    out.push_str(r#","data":"#);
    out.push_str(data.text());
}

fn push_base64(out: &mut String, bytes: &[u8]) {
    out.push_str(r#","base64":"#);
    base64::push_text(out, bytes);
}

/// A frame as it came in, borrowed where it holds no escapes.
struct RawFrame<'de> {
    name: Option<Field<'de>>,
    channel: Option<Field<'de>>,
    data: Option<&'de RawValue>,
    base64: Option<Field<'de>>,
    id: Option<&'de RawValue>,
}

/// The value of a field that should be a string. A string with half of a surrogate pair is no text, and so another value.
enum Field<'de> {
    Text(Cow<'de, str>),
    Null,
    Other,
}

impl<'de> serde::Deserialize<'de> for Field<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?.get();
        Ok(match raw.as_bytes().first() {
            Some(b'"') => unquoted(raw).map_or(Self::Other, Self::Text),
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
                let mut frame = RawFrame { name: None, channel: None, data: None, base64: None, id: None };
                while let Some(key) = map.next_key::<Key<'de>>()? {
                    match key.text().as_deref().unwrap_or_default() {
                        "type" => frame.name = Some(map.next_value()?),
                        "channel" => frame.channel = Some(map.next_value()?),
                        "data" => frame.data = Some(map.next_value()?),
                        "base64" => frame.base64 = Some(map.next_value()?),
                        "id" => frame.id = Some(map.next_value()?),
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
