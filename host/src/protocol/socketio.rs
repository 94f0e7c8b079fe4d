//! Socket.IO packets, protocol 5, as clients send them: each is the text of an Engine.IO message.
//!
//! A packet is its type, a digit; `N-` where N attachments follow it, each a message of bytes; a namespace and a comma, where it is
//! not `/`; the number of an acknowledgement, where one is asked for or given; and JSON: an array of the event's name and its
//! arguments, or of an acknowledgement's arguments, or an object where a client connects. Whatever the reference parser for
//! JavaScript refuses is refused here.

pub mod encode;
pub mod reader;

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer, IgnoredAny, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::model::body::{EventData, Payload};
use crate::model::event::{ACK_ID_MAX, ClientAnswer, ClientEvent, ClientMessage};
use crate::model::json::{DEPTH_MAX, Json, is_deeper_than, unquoted};
use crate::model::names::is_short_name;
use crate::model::placeholder::Placeholders;

/// The namespace of a packet that names none.
pub const DEFAULT_NAMESPACE: &str = "/";

/// The names that a Socket.IO client keeps for what happens to itself. Its parser takes an event of such a name for a broken
/// packet.
const RESERVED_NAMES: [&str; 6] =
    ["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"];

/// A packet from a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientPacket<'a> {
    /// Without the query that some clients put behind it.
    pub namespace: Cow<'a, str>,
    pub content: ClientContent,
}

impl ClientPacket<'_> {
    /// The packet without its ties to the text that it came in.
    pub fn into_owned(self) -> ClientPacket<'static> {
        ClientPacket { namespace: Cow::Owned(self.namespace.into_owned()), content: self.content }
    }
}

/// What a client wants of a namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientContent {
    /// The client connects, with what it gave as `auth`: a JSON object.
    Connect(Option<Json>),
    Disconnect,
    /// An event for the room, or the answer to an ask of its plugin.
    Message(ClientMessage),
}

/// A packet's text, decoded: the attachments are still to come.
#[derive(Debug, PartialEq, Eq)]
pub struct DecodedText<'a> {
    pub packet: ClientPacket<'a>,
    /// How many attachments follow.
    pub attachments: usize,
    /// Whether the only argument is the only attachment.
    pub is_bytes: bool,
}

/// Why a message is no packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadPacket {
    Empty,
    UnknownPacketType,
    ConnectError,
    NoAttachmentCount,
    TooManyAttachments,
    NamespaceLength,
    IdTooLarge,
    NoId,
    AuthNotObject,
    DisconnectWithData,
    NotAnArray,
    NotJson,
    TooDeep,
    NoName,
    NameNotText,
    NameLength,
    NameOfHost,
    NameReserved,
    PlaceholderWithoutAttachment,
    AttachmentWithoutPlaceholder,
    AttachmentNamedTwice,
    BytesWithoutPacket,
    TextBeforeAttachments,
    TooLarge,
}

impl BadPacket {
    pub const ALL: [Self; 24] = [
        Self::Empty,
        Self::UnknownPacketType,
        Self::ConnectError,
        Self::NoAttachmentCount,
        Self::TooManyAttachments,
        Self::NamespaceLength,
        Self::IdTooLarge,
        Self::NoId,
        Self::AuthNotObject,
        Self::DisconnectWithData,
        Self::NotAnArray,
        Self::NotJson,
        Self::TooDeep,
        Self::NoName,
        Self::NameNotText,
        Self::NameLength,
        Self::NameOfHost,
        Self::NameReserved,
        Self::PlaceholderWithoutAttachment,
        Self::AttachmentWithoutPlaceholder,
        Self::AttachmentNamedTwice,
        Self::BytesWithoutPacket,
        Self::TextBeforeAttachments,
        Self::TooLarge,
    ];

    /// What is wrong with the packet, in words for whoever develops the client.
    pub fn words(self) -> &'static str {
        match self {
            Self::Empty => "the message is empty",
            Self::UnknownPacketType => "the message begins with no packet type of Socket.IO 5, which are 0 to 6",
            Self::ConnectError => "only a server sends CONNECT_ERROR",
            Self::NoAttachmentCount => "the type is not followed by the number of attachments and -, as in 51-",
            Self::TooManyAttachments => "the packet has more attachments than attachments-per-event",
            Self::NamespaceLength => "the namespace is over 128 bytes",
            Self::IdTooLarge => "the id is over 2^53 - 1",
            Self::NoId => "an acknowledgement has no id",
            Self::AuthNotObject => "the data of CONNECT is no JSON object",
            Self::DisconnectWithData => "DISCONNECT has data",
            Self::NotAnArray => "the data is no JSON array",
            Self::NotJson => "the data is not JSON",
            Self::TooDeep => "the data nests deeper than 128 levels",
            Self::NoName => "the event has no name",
            Self::NameNotText => "the event's name is no string",
            Self::NameLength => "the event's name must be 1 to 128 bytes",
            Self::NameOfHost => "the event's name begins with $",
            Self::NameReserved => "Socket.IO keeps the event's name for itself",
            Self::PlaceholderWithoutAttachment => "a placeholder names no attachment",
            Self::AttachmentWithoutPlaceholder => "an attachment has no placeholder",
            Self::AttachmentNamedTwice => "two placeholders name one attachment",
            Self::BytesWithoutPacket => "bytes came that no packet announced",
            Self::TextBeforeAttachments => "a text came where the packet before it still lacks attachments",
            Self::TooLarge => "the packet and its attachments are larger than frame-bytes",
        }
    }
}

/// Decodes the text of a client's packet.
pub fn decode(text: &str, attachments_max: usize) -> Result<DecodedText<'_>, BadPacket> {
    let mut letters = text.chars();
    let kind = letters.next().ok_or(BadPacket::Empty)?;
    let (attachments, rest) = match kind {
        '5' | '6' => split_attachments(letters.as_str(), attachments_max)?,
        _ => (0, letters.as_str()),
    };
    let (namespace, rest) = split_namespace(rest)?;
    let (content, is_bytes) = match kind {
        '0' => (ClientContent::Connect(auth(rest)?), false),
        '1' if rest.is_empty() => (ClientContent::Disconnect, false),
        '1' => return Err(BadPacket::DisconnectWithData),
        '2' | '5' => event(rest, attachments)?,
        '3' | '6' => answer(rest, attachments)?,
        '4' => return Err(BadPacket::ConnectError),
        _ => return Err(BadPacket::UnknownPacketType),
    };
    let packet = ClientPacket { namespace: Cow::Borrowed(namespace), content };
    Ok(DecodedText { packet, attachments, is_bytes })
}

/// Whether a Socket.IO client takes an event of this name for a broken packet.
pub fn is_reserved(name: &str) -> bool {
    RESERVED_NAMES.contains(&name)
}

/// The digits that a text begins with, and what follows them.
fn split_digits(text: &str) -> (&str, &str) {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    text.split_at_checked(digits).unwrap_or(("", text))
}

/// The number of attachments that a text begins with, and what follows its hyphen.
fn split_attachments(text: &str, max: usize) -> Result<(usize, &str), BadPacket> {
    let (digits, rest) = split_digits(text);
    let rest = rest.strip_prefix('-').ok_or(BadPacket::NoAttachmentCount)?;
    if digits.bytes().all(|digit| digit == b'0') {
        return Err(BadPacket::NoAttachmentCount);
    }
    match digits.parse() {
        Ok(count) if count <= max => Ok((count, rest)),
        _ => Err(BadPacket::TooManyAttachments),
    }
}

/// The namespace that a text begins with, and what follows its comma. The comma may be missing at the end.
fn split_namespace(text: &str) -> Result<(&str, &str), BadPacket> {
    if !text.starts_with('/') {
        return Ok((DEFAULT_NAMESPACE, text));
    }
    let (named, rest) = text.split_once(',').unwrap_or((text, ""));
    let namespace = named.split_once('?').map_or(named, |(namespace, _)| namespace);
    if is_short_name(namespace) { Ok((namespace, rest)) } else { Err(BadPacket::NamespaceLength) }
}

/// The id that a text begins with, and what follows it.
fn split_id(text: &str) -> Result<(Option<u64>, &str), BadPacket> {
    let (digits, rest) = split_digits(text);
    if digits.is_empty() {
        return Ok((None, rest));
    }
    match digits.parse() {
        Ok(id) if id <= ACK_ID_MAX => Ok((Some(id), rest)),
        _ => Err(BadPacket::IdTooLarge),
    }
}

fn auth(data: &str) -> Result<Option<Json>, BadPacket> {
    if data.is_empty() {
        return Ok(None);
    }
    if !data.starts_with('{') {
        return Err(BadPacket::AuthNotObject);
    }
    if is_deeper_than(data, DEPTH_MAX) {
        return Err(BadPacket::TooDeep);
    }
    let raw: &RawValue = serde_json::from_str(data).map_err(|_| BadPacket::NotJson)?;
    Ok(Some(Json::of_raw(raw)))
}

fn event(text: &str, attachments: usize) -> Result<(ClientContent, bool), BadPacket> {
    let (ack, data) = split_id(text)?;
    let elements = elements(data, DEPTH_MAX)?;
    let raw_name = elements.first.ok_or(BadPacket::NoName)?;
    let name = event_name(raw_name)?;
    let arguments = elements.count - 1;
    let payload = match elements.second {
        Some(second) if arguments == 1 => Some(Json::of_raw(second)),
        Some(_) => Some(Json::of_checked(without_first(data, raw_name))),
        None => None,
    };
    let is_bytes = has_bytes(data, attachments)? && arguments == 1;
    let event = ClientEvent { name, channel: None, data: event_data(payload, arguments), ack };
    Ok((ClientContent::Message(ClientMessage::Event(event)), is_bytes))
}

fn answer(text: &str, attachments: usize) -> Result<(ClientContent, bool), BadPacket> {
    let (ask, data) = split_id(text)?;
    let ask = ask.ok_or(BadPacket::NoId)?;
    // The plugin gets the answer in an object, which is a level more.
    let elements = elements(data, DEPTH_MAX - 1)?;
    let arguments = elements.count;
    let payload = match elements.first {
        Some(first) if arguments == 1 => Some(Json::of_raw(first)),
        Some(_) => Some(Json::of_checked(data.trim_end().to_owned())),
        None => None,
    };
    let is_bytes = has_bytes(data, attachments)? && arguments == 1;
    let answer = ClientAnswer { ask, data: event_data(payload, arguments) };
    Ok((ClientContent::Message(ClientMessage::Answer(answer)), is_bytes))
}

fn event_data(payload: Option<Json>, arguments: u32) -> EventData {
    EventData { payload: payload.map(Payload::Json), arguments, attachments: Vec::new() }
}

fn event_name(raw: &RawValue) -> Result<String, BadPacket> {
    let name = unquoted(raw.get()).ok_or(BadPacket::NameNotText)?;
    if name.starts_with('$') {
        Err(BadPacket::NameOfHost)
    } else if !is_short_name(&name) {
        Err(BadPacket::NameLength)
    } else if is_reserved(&name) {
        Err(BadPacket::NameReserved)
    } else {
        Ok(name.into_owned())
    }
}

/// An array without its first element, which is a text, and the comma behind it.
fn without_first(array: &str, first: &RawValue) -> String {
    let inner = array.strip_prefix('[').unwrap_or(array).trim_start();
    let rest = inner.strip_prefix(first.get()).unwrap_or(inner).trim_start();
    let others = rest.strip_prefix(',').unwrap_or(rest).trim();
    format!("[{others}")
}

/// Checks that each placeholder names an attachment and each attachment has one placeholder. Says whether an argument itself is
/// the only attachment. A packet without attachments has no placeholders: what looks like one is plain JSON.
fn has_bytes(array: &str, attachments: usize) -> Result<bool, BadPacket> {
    if attachments == 0 {
        return Ok(false);
    }
    let mut has_placeholder = vec![false; attachments];
    let mut is_argument = false;
    for placeholder in Placeholders::of(array) {
        let named = placeholder.number.and_then(|number| has_placeholder.get_mut(number));
        if std::mem::replace(named.ok_or(BadPacket::PlaceholderWithoutAttachment)?, true) {
            return Err(BadPacket::AttachmentNamedTwice);
        }
        is_argument |= placeholder.depth == 1;
    }
    if has_placeholder.contains(&false) {
        return Err(BadPacket::AttachmentWithoutPlaceholder);
    }
    Ok(is_argument && attachments == 1)
}

/// What is in a packet's array: the first two elements, as they were written, and how many there are.
#[derive(Debug, Default)]
struct Elements<'de> {
    first: Option<&'de RawValue>,
    second: Option<&'de RawValue>,
    count: u32,
}

fn elements(array: &str, depth_max: usize) -> Result<Elements<'_>, BadPacket> {
    if !array.starts_with('[') {
        return Err(BadPacket::NotAnArray);
    }
    if is_deeper_than(array, depth_max) {
        return Err(BadPacket::TooDeep);
    }
    serde_json::from_str(array).map_err(|_| BadPacket::NotJson)
}

impl<'de> serde::Deserialize<'de> for Elements<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ElementsVisitor;
        impl<'de> Visitor<'de> for ElementsVisitor {
            type Value = Elements<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Elements<'de>, A::Error> {
                let mut elements = Elements { first: seq.next_element()?, ..Elements::default() };
                if elements.first.is_some() {
                    elements.second = seq.next_element()?;
                    elements.count = 1 + u32::from(elements.second.is_some());
                }
                while seq.next_element::<IgnoredAny>()?.is_some() {
                    elements.count = elements.count.saturating_add(1);
                }
                Ok(elements)
            }
        }
        deserializer.deserialize_seq(ElementsVisitor)
    }
}

#[cfg(test)]
mod differential;
#[cfg(test)]
mod tests;
