//! Packets to clients. Each text begins with the digit of an Engine.IO message, so that it is what leaves.

use std::borrow::Cow;

use bytes::Bytes;

use super::{DEFAULT_NAMESPACE, is_reserved};
use crate::model::body::{Body, Payload};
use crate::model::event::{AckId, AskId};
use crate::model::json::Json;
use crate::model::placeholder::without_strays;
use crate::protocol::engineio::MESSAGE;
use crate::protocol::{Packet, push_error, push_text};

/// What stands for an argument that is nothing but bytes.
const FIRST_ATTACHMENT: &str = r#"{"_placeholder":true,"num":0}"#;

/// The event that tells a client why its visit ends. No plugin emits one of that name.
const CLOSE: &str = "$close";

/// A packet's type: without attachments, and with some.
type PacketType = (char, char);
const EVENT: PacketType = ('2', '5');
const ANSWER: PacketType = ('3', '6');

/// Tells a client that it is connected to a namespace.
pub fn connected(namespace: &str, sid: &str) -> Packet {
    let mut out = begin('0', namespace);
    out.push_str(r#"{"sid":"#);
    push_text(&mut out, sid);
    out.push('}');
    out.into()
}

/// Tells a client that it is connected to a namespace, and by which `pid` it may come back to it.
pub fn connected_for(namespace: &str, sid: &str, pid: &str) -> Packet {
    inserted(&connected(namespace, sid), '}', &format!(r#","pid":"{pid}""#))
}

/// Gives an event its offset, by which a client says how far it got: clients that may come back look for it in the last
/// argument.
pub fn with_offset(event: &Packet, offset: u64) -> Packet {
    inserted(event, ']', &format!(r#","{offset}""#))
}

/// The offset of an event in this namespace; none where the packet is no event that has one.
pub fn offset_of<'a>(namespace: &str, packet: &'a Packet) -> Option<&'a str> {
    let text = packet.text.as_str().strip_prefix(MESSAGE)?;
    let rest = text.strip_prefix(EVENT.0).or_else(|| Some(text.strip_prefix(EVENT.1)?.split_once('-')?.1))?;
    let rest = if namespace == DEFAULT_NAMESPACE { rest } else { rest.strip_prefix(namespace)?.strip_prefix(',')? };
    let (_, offset) = rest.strip_prefix('[')?.strip_suffix("\"]")?.rsplit_once(",\"")?;
    (!offset.is_empty() && offset.bytes().all(|digit| digit.is_ascii_digit())).then_some(offset)
}

/// A packet with something more before its last character.
fn inserted(packet: &Packet, last: char, more: &str) -> Packet {
    let text = packet.text.as_str();
    let text = format!("{}{more}{last}", text.strip_suffix(last).unwrap_or(text));
    Packet { text: text.into(), ..packet.clone() }
}

/// Tells a client that it may not connect to a namespace, with the status that HTTP would have for it.
pub fn refused(namespace: &str, message: &str, status: Option<u16>) -> Packet {
    let mut out = begin('4', namespace);
    out.push_str(r#"{"message":"#);
    push_text(&mut out, message);
    if let Some(status) = status {
        out.push_str(&format!(r#","data":{{"status":{status}}}"#));
    }
    out.push('}');
    out.into()
}

/// Tells a client that it has left a namespace.
pub fn disconnected(namespace: &str) -> Packet {
    begin('1', namespace).into()
}

/// Tells a client that is about to leave a namespace why: Socket.IO's packet for that has no place for it.
pub fn closed(namespace: &str, code: u16, reason: &str) -> Packet {
    let data = Json::of(&serde_json::json!({ "code": code, "reason": reason }));
    array(EVENT, namespace, None, Some(CLOSE), Some(&Body::of(Payload::Json(data))))
}

/// Encodes an emit, once for all receivers that know the namespace by this name. With `ask`, the client is to answer with that
/// number.
///
/// A name that Socket.IO clients keep for themselves gets a `$` before it: their parser takes it for a broken packet.
pub fn event(namespace: &str, name: &str, body: &Body, ask: Option<AskId>) -> Packet {
    let name = if is_reserved(name) { Cow::Owned(format!("${name}")) } else { Cow::Borrowed(name) };
    array(EVENT, namespace, ask, Some(&name), Some(body))
}

/// Answers a client's event with what its handler answered.
pub fn answer(namespace: &str, id: AckId, body: Option<&Body>) -> Packet {
    array(ANSWER, namespace, Some(id), None, body)
}

/// Answers a client's event with why it failed, and with the message where the client may have it.
pub fn failure(namespace: &str, id: AckId, code: &str, message: Option<&str>) -> Packet {
    let mut out = begin('3', namespace);
    out.push_str(&id.to_string());
    out.push_str(r#"[{"error":"#);
    push_error(&mut out, code, message);
    out.push_str("}]");
    out.into()
}

fn begin(kind: char, namespace: &str) -> String {
    let mut out = String::from(MESSAGE);
    out.push(kind);
    push_namespace(&mut out, namespace);
    out
}

fn push_namespace(out: &mut String, namespace: &str) {
    if namespace != DEFAULT_NAMESPACE {
        out.push_str(namespace);
        out.push(',');
    }
}

/// Encodes a packet whose data is an array: the name of an event, and arguments.
fn array(kind: PacketType, namespace: &str, id: Option<u64>, name: Option<&str>, body: Option<&Body>) -> Packet {
    let attachments = match body {
        Some(Body { data: Payload::Binary(bytes), .. }) => vec![Bytes::copy_from_slice(bytes)],
        Some(Body { attachments, .. }) => attachments.clone(),
        None => Vec::new(),
    };
    let arguments = body.map_or(Cow::Borrowed(""), |body| arguments(body, attachments.len()));
    let mut out = String::with_capacity(arguments.len() + name.map_or(0, str::len) + namespace.len() + 32);
    out.push(MESSAGE);
    if attachments.is_empty() {
        out.push(kind.0);
    } else {
        out.push(kind.1);
        out.push_str(&attachments.len().to_string());
        out.push('-');
    }
    push_namespace(&mut out, namespace);
    if let Some(id) = id {
        out.push_str(&id.to_string());
    }
    out.push('[');
    if let Some(name) = name {
        push_text(&mut out, name);
        if !arguments.is_empty() {
            out.push(',');
        }
    }
    out.push_str(&arguments);
    out.push(']');
    Packet::new(out, attachments)
}

/// The arguments of a packet, with commas between them. Beside attachments none is a stray placeholder: a client that gets one
/// relayed through a plugin would take the packet for a broken one, and end its connection.
fn arguments(body: &Body, attachments: usize) -> Cow<'_, str> {
    let json = match &body.data {
        Payload::Binary(_) => return Cow::Borrowed(FIRST_ATTACHMENT),
        Payload::Json(json) => json.text().trim(),
    };
    let elements = json.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).filter(|_| body.is_spread);
    let json = elements.map_or(json, str::trim);
    if attachments == 0 { Cow::Borrowed(json) } else { without_strays(json, attachments) }
}

#[cfg(test)]
mod tests;
