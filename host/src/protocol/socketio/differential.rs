//! Packets of clients beside another reader and writer of the protocol: the same packet in, the same parts out.

use proptest::prelude::*;
use serde_json::{Value, json};
use socketioxide_core::packet::{Packet as OtherPacket, PacketData};
use socketioxide_core::parser::{Parse, ParseConfig, ParseError, ParserState};
use socketioxide_core::{Str, Value as OtherValue};
use socketioxide_parser_common::CommonParser;

use super::*;
use crate::protocol::any_json::any_json;

/// What a packet says, as either reader has it.
#[derive(Debug, PartialEq)]
struct Parts {
    kind: &'static str,
    namespace: String,
    id: Option<u64>,
    /// None for a packet without data.
    data: Option<Value>,
    attachments: usize,
}

fn read_by_us(text: &str) -> Result<Parts, BadPacket> {
    let DecodedText { packet, attachments, .. } = decode(text, 16)?;
    let (kind, id, data) = match packet.content {
        ClientContent::Connect(auth) => ("connect", None, auth.map(|json| value(json.text()))),
        ClientContent::Disconnect => ("disconnect", None, None),
        ClientContent::Message(ClientMessage::Event(ClientEvent { name, data, ack, .. })) => {
            let array = [json!(name)].into_iter().chain(arguments(&data)).collect();
            ("event", ack, Some(array))
        }
        ClientContent::Message(ClientMessage::Answer(ClientAnswer { ask, data })) => {
            ("answer", Some(ask), Some(arguments(&data).into()))
        }
    };
    Ok(Parts { kind, namespace: packet.namespace.into_owned(), id, data, attachments })
}

/// The arguments that the payload stands for.
fn arguments(data: &EventData) -> Vec<Value> {
    let payload = match &data.payload {
        None => Value::Array(Vec::new()),
        Some(Payload::Json(json)) if data.arguments == 1 => json!([value(json.text())]),
        Some(Payload::Json(json)) => value(json.text()),
        Some(Payload::Binary(_)) => panic!("bytes in a text"),
    };
    let Value::Array(arguments) = payload else { panic!("several arguments are an array: {payload}") };
    assert_eq!(arguments.len(), data.arguments as usize);
    arguments
}

fn value(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn read_by_others(text: &str) -> Result<Parts, ParseError> {
    let config = ParseConfig { max_incoming_binaries: 16, ..ParseConfig::default() };
    let state = ParserState::default();
    let (packet, attachments) = match CommonParser.decode_str(&config, &state, text.to_owned().into()) {
        Err(ParseError::NeedsMoreBinaryData) => {
            let partial = state.partial_bin_packet.lock().unwrap().take().unwrap();
            (partial.packet, state.incoming_binary_cnt.into_inner())
        }
        read => (read?, 0),
    };
    let text = |value: OtherValue| self::value(value.as_str().unwrap());
    let (kind, id, data) = match packet.inner {
        PacketData::Connect(auth) => ("connect", None, auth.map(text)),
        PacketData::Disconnect => ("disconnect", None, None),
        PacketData::Event(data, id) | PacketData::BinaryEvent(data, id) => ("event", id, Some(text(data))),
        PacketData::EventAck(data, id) | PacketData::BinaryAck(data, id) => ("answer", Some(id), Some(text(data))),
        PacketData::ConnectError(_) => panic!("they read none"),
    };
    let namespace = packet.ns.split('?').next().unwrap_or_default().to_owned();
    Ok(Parts { kind, namespace, id: id.map(|id| id as u64), data, attachments })
}

/// Texts that are packets, or almost: parts in their order, each of which may be missing or wrong.
fn packet_like() -> impl Strategy<Value = String> {
    let placeholder = (0..3u32).prop_map(|number| json!({ "_placeholder": true, "num": number }));
    let argument = prop_oneof![any_json(), placeholder];
    let array = (any_name(), prop::collection::vec(argument, 0..3))
        .prop_map(|(name, arguments)| Value::from([vec![json!(name)], arguments].concat()).to_string());
    let data = prop_oneof![
        6 => array,
        1 => any_json().prop_map(|json| json.to_string()),
        1 => "[\\[\\]{}\", a]{0,8}",
    ];
    let attachments = prop_oneof![3 => Just(String::new()), 2 => "[12]-", 1 => "[0-9.]{0,2}-"];
    let namespace = prop_oneof![2 => Just(String::new()), 2 => "/[a-zé]{0,4},", 1 => "/[a-z?=/]{0,5},?"];
    let id = prop_oneof![2 => Just(String::new()), 2 => "[0-9]{1,3}", 1 => "[0-9]{14,20}"];
    ("[0-7]", attachments, namespace, id, data)
        .prop_map(|(kind, attachments, namespace, id, data)| format!("{kind}{attachments}{namespace}{id}{data}"))
}

fn any_name() -> impl Strategy<Value = String> {
    prop_oneof![4 => "[a-z]{1,5}", 1 => Just("connect".to_owned()), 1 => any::<String>()]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn what_we_take_others_read_alike(text in packet_like()) {
        if let Ok(ours) = read_by_us(&text) {
            prop_assert_eq!(ours, read_by_others(&text).unwrap());
        }
    }

    #[test]
    fn what_others_refuse_we_refuse(text in "[0-9]{0,3}(-|/[a-z]{0,2},)?[0-9]{0,2}[a-z\\[\"{\\]]{0,5}") {
        if read_by_others_without_data(&text).is_err() {
            prop_assert!(read_by_us(&text).is_err());
        }
    }

    #[test]
    fn what_others_write_we_read(
        namespace in "/[a-z]{0,4}",
        name in "[a-z]{1,5}_",
        data in any_json(),
        bytes in prop::option::of(prop::collection::vec(any::<u8>(), 0..9)),
        id in prop::option::of(0..1000u64),
    ) {
        let value = match &bytes {
            Some(bytes) => CommonParser.encode_value(&bytes::Bytes::from(bytes.clone()), Some(&name)).unwrap(),
            None => CommonParser.encode_value(&data, Some(&name)).unwrap(),
        };
        let mut packet = OtherPacket::event(Str::from(namespace.clone()), value);
        if let Some(id) = id {
            packet.inner.set_ack_id(id as i64);
        }
        let OtherValue::Str(text, _) = CommonParser.encode(packet) else { panic!("a text is a text") };
        let argument = if bytes.is_some() { json!({ "_placeholder": true, "num": 0 }) } else { data };
        let expected = Parts {
            kind: "event",
            namespace,
            id,
            data: Some(json!([name, argument])),
            attachments: bytes.is_some().into(),
        };
        prop_assert_eq!(read_by_us(&text).unwrap(), expected);
    }
}

/// Whether the other reader takes a packet. It does not look at the data.
fn read_by_others_without_data(text: &str) -> Result<(), ParseError> {
    let state = ParserState::default();
    match CommonParser.decode_str(&ParseConfig::default(), &state, text.to_owned().into()) {
        Ok(_) | Err(ParseError::NeedsMoreBinaryData) => Ok(()),
        Err(why) => Err(why),
    }
}
