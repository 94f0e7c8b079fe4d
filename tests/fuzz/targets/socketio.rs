//! What Socket.IO clients send: a body of packets is read to its end or to the first bad one; what is read stands in the text, and
//! can be written so that it is read again. And what a plugin sends: the packet of any JSON is one that a client reads.
#![no_main]

use libfuzzer_sys::fuzz_target;
use parlor::model::body::{Body, EventData, Payload};
use parlor::model::event::{ACK_ID_MAX, ClientAnswer, ClientEvent, ClientMessage};
use parlor::model::json::{DEPTH_MAX, Json};
use parlor::protocol::Packet;
use parlor::protocol::engineio::{EnginePacket, PollingBody, PollingReply};
use parlor::protocol::socketio::encode::{answer, event};
use parlor::protocol::socketio::reader::PacketReader;
use parlor::protocol::socketio::{BadPacket, ClientContent, ClientPacket, is_reserved};
use parlor_fuzz::frames::{depth, is_json};
use serde_json::value::RawValue;

const ATTACHMENTS_MAX: usize = 16;
const BYTES_MAX: usize = 1 << 16;
const PACKETS_MAX: usize = 64;
/// A name's bytes.
const NAME_BYTES_MAX: usize = 128;

fuzz_target!(|input: &[u8]| {
    if let Ok(mut body) = PollingBody::new(input.to_vec().into(), BYTES_MAX, PACKETS_MAX) {
        read_body(&mut body);
    }
    if let Some(json) = std::str::from_utf8(input).ok().and_then(|text| Json::parse(text.to_owned()).ok()) {
        write_anything(&json);
    }
});

fn read_body(body: &mut PollingBody) {
    let mut reader = PacketReader::new(ATTACHMENTS_MAX, BYTES_MAX);
    let mut header = String::new();
    while let Some(Ok(packet)) = body.next_packet() {
        let read = match packet {
            EnginePacket::Message(text) => {
                header = text.to_owned();
                reader.read_text(text).map(|packet| packet.map(ClientPacket::into_owned))
            }
            EnginePacket::Bytes(bytes) => reader.read_bytes(bytes.into()),
            _ => continue,
        };
        match read {
            Ok(Some(packet)) => assert_read(&header, packet),
            Ok(None) => assert!(reader.is_waiting(), "nothing is missing: {header}"),
            Err(_) => return,
        }
    }
}

/// What was read is what stands in the text, and written again it is read again.
fn assert_read(header: &str, packet: ClientPacket<'_>) {
    let (namespace, rest) = namespace_of(header);
    assert_eq!(packet.namespace, namespace, "{header}");
    assert!(namespace.starts_with('/') && namespace.len() <= NAME_BYTES_MAX, "{header}");
    let digits = rest.len() - rest.trim_start_matches(|letter: char| letter.is_ascii_digit()).len();
    let (id, data) = rest.split_at(digits);
    match packet.content {
        ClientContent::Connect(None) | ClientContent::Disconnect => assert_eq!(rest, "", "{header}"),
        ClientContent::Connect(Some(json)) => {
            assert!(is_json(json.text()) && json.is_object() && depth(json.text()) <= DEPTH_MAX, "{header}");
            assert_eq!(json.text(), rest.trim_end(), "{header}");
        }
        ClientContent::Message(ClientMessage::Event(event)) => {
            let ClientEvent { name, channel, data: read, ack } = event;
            assert_eq!((channel, ack), (None, id.parse().ok()), "{header}");
            assert!(ack.is_none_or(|id| id <= ACK_ID_MAX), "{header}");
            assert!(!name.is_empty() && name.len() <= NAME_BYTES_MAX, "{header}");
            assert!(!name.starts_with('$') && !is_reserved(&name), "{header}");
            let mut elements = elements(data);
            assert_eq!(serde_json::from_str::<String>(&elements.remove(0)).ok().as_deref(), Some(&*name), "{header}");
            assert_data(header, &elements, &read);
            assert_read_again(namespace, &event_again(namespace, &name, &read, ack), &name, &read);
        }
        ClientContent::Message(ClientMessage::Answer(ClientAnswer { ask, data: read })) => {
            assert_eq!(id.parse().ok(), Some(ask), "{header}");
            assert!(ask <= ACK_ID_MAX, "{header}");
            assert_data(header, &elements(data), &read);
            assert_read_again(namespace, &answer(namespace, ask, body_of(&read).as_ref()), "", &read);
        }
    }
}

/// The namespace of a packet, and what follows it.
fn namespace_of(header: &str) -> (&str, &str) {
    let kind = header.as_bytes()[0];
    let rest = if matches!(kind, b'5' | b'6') { header.split_once('-').unwrap().1 } else { &header[1..] };
    if !rest.starts_with('/') {
        return ("/", rest);
    }
    let (namespace, rest) = rest.split_once(',').unwrap_or((rest, ""));
    (namespace.split('?').next().unwrap(), rest)
}

/// The elements of an array, each as it was written.
fn elements(array: &str) -> Vec<String> {
    let elements: Vec<Box<RawValue>> = serde_json::from_str(array).unwrap_or_else(|why| panic!("{array}: {why}"));
    elements.into_iter().map(|raw| raw.get().to_owned()).collect()
}

fn assert_data(header: &str, arguments: &[String], data: &EventData) {
    assert_eq!(data.arguments as usize, arguments.len(), "{header}");
    assert!(data.attachments.len() <= ATTACHMENTS_MAX, "{header}");
    match (&data.payload, arguments) {
        (None, []) => assert!(data.attachments.is_empty(), "{header}"),
        (Some(Payload::Binary(_)), [placeholder]) => {
            assert!(data.attachments.is_empty() && placeholder.starts_with('{'), "{header}");
        }
        (Some(Payload::Json(json)), [argument]) => assert_eq!(json.text(), argument, "{header}"),
        (Some(Payload::Json(json)), several) => {
            assert!(depth(json.text()) <= DEPTH_MAX, "{header}");
            assert_eq!(elements(json.text()), several, "{header}");
        }
        other => panic!("{header}: {other:?}"),
    }
}

/// What an event or an answer said, for sending it.
fn body_of(data: &EventData) -> Option<Body> {
    let attachments = data.attachments.clone();
    Some(Body { data: data.payload.clone()?, attachments, is_spread: data.arguments > 1 })
}

fn event_again(namespace: &str, name: &str, data: &EventData, ack: Option<u64>) -> Packet {
    let nothing = || Body { is_spread: true, ..Body::of(Payload::Json(Json::parse("[]".to_owned()).unwrap())) };
    event(namespace, name, &body_of(data).unwrap_or_else(nothing), ack)
}

/// Reads a packet to a client as if a client had sent it, by the way of a poll.
fn read_again(packet: &Packet) -> Result<ClientPacket<'static>, BadPacket> {
    let mut reply = PollingReply::default();
    reply.push(&packet.text);
    for attachment in packet.attachments() {
        reply.push_bytes(attachment);
    }
    let packets = 1 + packet.attachments().len();
    let mut body = PollingBody::new(reply.into_text().into(), usize::MAX, packets).unwrap();
    let mut reader = PacketReader::new(ATTACHMENTS_MAX, usize::MAX);
    let mut whole = None;
    while let Some(packet) = body.next_packet() {
        assert!(whole.is_none(), "more than one packet");
        whole = match packet.unwrap() {
            EnginePacket::Message(text) => reader.read_text(text)?.map(ClientPacket::into_owned),
            EnginePacket::Bytes(bytes) => reader.read_bytes(bytes.into())?,
            other => panic!("{other:?}"),
        };
    }
    Ok(whole.expect("a whole packet"))
}

fn assert_read_again(namespace: &str, packet: &Packet, name: &str, data: &EventData) {
    let text = &packet.text;
    let again = read_again(packet).unwrap_or_else(|why| panic!("{text}: {why:?}"));
    assert_eq!(again.namespace, namespace, "{text}");
    let read = match again.content {
        ClientContent::Message(ClientMessage::Event(event)) => {
            assert_eq!(event.name, name, "{text}");
            event.data
        }
        ClientContent::Message(ClientMessage::Answer(answer)) => answer.data,
        other => panic!("{text}: {other:?}"),
    };
    assert_eq!((read.arguments, &read.attachments), (data.arguments, &data.attachments), "{text}");
    match (&read.payload, &data.payload) {
        (Some(Payload::Json(read)), Some(Payload::Json(data))) if data.text().starts_with('[') => {
            assert_eq!(elements(read.text()), elements(data.text()), "{text}");
        }
        (read, data) => assert_eq!(read, data, "{text}"),
    }
}

/// Whatever a plugin sends, a client reads a packet, beside attachments as well as without.
fn write_anything(json: &Json) {
    let attachments = vec![b"first".to_vec().into(), b"second".to_vec().into()];
    for is_spread in [false, true] {
        let body = Body { is_spread, ..Body::of(Payload::Json(json.clone())) };
        let both = Body { attachments: attachments.clone(), ..body.clone() };
        for packet in
            [event("/a", "name", &body, Some(1)), event("/", "name", &both, None), answer("/", 1, Some(&both))]
        {
            // Each attachment may have its placeholder or not. The packet's array, and an answer, nest a little deeper.
            match read_again(&packet) {
                Ok(_) | Err(BadPacket::AttachmentWithoutPlaceholder) => {}
                Err(BadPacket::TooDeep) => assert!(depth(json.text()) + 2 > DEPTH_MAX, "{}", packet.text),
                Err(why) => panic!("{}: {why:?}", packet.text),
            }
        }
    }
}
