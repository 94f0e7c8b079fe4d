//! Packets to clients, by tables and beside another writer and reader of the protocol.

use proptest::prelude::*;
use serde_json::{Value, json};
use socketioxide_core::packet::{Packet as OtherPacket, PacketData};
use socketioxide_core::parser::{Parse, ParseConfig, ParseError, ParserState};
use socketioxide_core::{Str, Value as OtherValue};
use socketioxide_parser_common::CommonParser;

use super::*;
use crate::model::json::Json;
use crate::protocol::any_json::any_json;
use crate::protocol::socketio::RESERVED_NAMES;

fn json_body(text: &str) -> Body {
    Body::of(Payload::Json(Json::parse(text.to_owned()).unwrap()))
}

fn with_attachments(text: &str, attachments: &[&'static [u8]]) -> Body {
    let attachments = attachments.iter().map(|bytes| Bytes::from_static(bytes)).collect();
    Body { attachments, ..json_body(text) }
}

fn spread(body: Body) -> Body {
    Body { is_spread: true, ..body }
}

#[track_caller]
fn assert_packet(packet: &Packet, text: &str, attachments: &[&[u8]]) {
    assert_eq!(packet.text.as_str(), text);
    assert_eq!(packet.attachments(), attachments);
    assert_eq!(packet.bytes(), text.len() + attachments.concat().len());
}

#[test]
fn a_namespace_is_a_prefix_of_its_own() {
    for (namespace, prefix) in [("/", ""), ("/chat", "/chat,")] {
        let body = json_body("[1]");
        let bytes = Body::of(Payload::Binary(vec![7]));
        assert_packet(&connected(namespace, "abc"), &format!(r#"40{prefix}{{"sid":"abc"}}"#), &[]);
        assert_packet(&disconnected(namespace), &format!("41{prefix}"), &[]);
        assert_packet(&event(namespace, "a", &body, None), &format!(r#"42{prefix}["a",[1]]"#), &[]);
        assert_packet(&event(namespace, "a", &body, Some(12)), &format!(r#"42{prefix}12["a",[1]]"#), &[]);
        assert_packet(&answer(namespace, 3, Some(&body)), &format!("43{prefix}3[[1]]"), &[]);
        assert_packet(&answer(namespace, 0, None), &format!("43{prefix}0[]"), &[]);
        let placed = r#"{"_placeholder":true,"num":0}"#;
        assert_packet(&event(namespace, "a", &bytes, None), &format!(r#"451-{prefix}["a",{placed}]"#), &[&[7]]);
        assert_packet(&answer(namespace, 3, Some(&bytes)), &format!("461-{prefix}3[{placed}]"), &[&[7]]);
    }
}

#[test]
fn a_refusal_has_a_message_and_perhaps_a_status() {
    let unknown = refused("/random", "Invalid namespace", None);
    assert_packet(&unknown, r#"44/random,{"message":"Invalid namespace"}"#, &[]);
    let rejected = refused("/", "no \"token\"", Some(401));
    assert_packet(&rejected, r#"44{"message":"no \"token\"","data":{"status":401}}"#, &[]);
    let silent = failure("/chat", 7, "rejected", None);
    assert_packet(&silent, r#"43/chat,7[{"error":{"code":"rejected"}}]"#, &[]);
    let told = failure("/", 7, "full", Some("the room is \"full\""));
    assert_packet(&told, r#"437[{"error":{"code":"full","message":"the room is \"full\""}}]"#, &[]);
}

#[test]
fn an_array_may_be_several_arguments() {
    for (array, arguments) in [("[]", ""), (" [ ] ", ""), ("[1]", ",1"), (r#" [ 1 , "x" ] "#, r#",1 , "x""#)] {
        let body = spread(json_body(array));
        assert_packet(&event("/", "a", &body, None), &format!(r#"42["a"{arguments}]"#), &[]);
        let in_answer = arguments.trim_start_matches(',');
        assert_packet(&answer("/", 1, Some(&body)), &format!("431[{in_answer}]"), &[]);
    }
    // Whoever spreads something else gets one argument.
    assert_packet(&event("/", "a", &spread(json_body("{}")), None), r#"42["a",{}]"#, &[]);
}

#[test]
fn attachments_follow_their_text() {
    let data = r#"{"b":{"_placeholder":true,"num":1},"a":[{"_placeholder":true,"num":0}]}"#;
    let body = with_attachments(data, &[b"first", b"second"]);
    assert_packet(&event("/", "a", &body, None), &format!(r#"452-["a",{data}]"#), &[b"first", b"second"]);
    assert_packet(&answer("/c", 5, Some(&body)), &format!("462-/c,5[{data}]"), &[b"first", b"second"]);
    let several = spread(with_attachments(r#"[{"_placeholder":true,"num":0},1]"#, &[b"x"]));
    assert_packet(&event("/", "a", &several, None), r#"451-["a",{"_placeholder":true,"num":0},1]"#, &[b"x"]);
}

#[test]
fn nobody_forges_a_placeholder() {
    let relayed = r#"{"text":{"_placeholder":true,"num":7}}"#;
    assert_packet(&event("/", "a", &json_body(relayed), None), &format!(r#"42["a",{relayed}]"#), &[]);
    // Beside an attachment it would end the connection of every receiver.
    let beside = r#"[{"_placeholder":true,"num":0},{"num":7,"_placeholder":true,"x":{"_placeholder":true}}]"#;
    let harmless = r#"[{"_placeholder":true,"num":0},{"num":7,"_placeholder":false,"x":{"_placeholder":false}}]"#;
    let packet = event("/", "a", &with_attachments(beside, &[b"x"]), None);
    assert_packet(&packet, &format!(r#"451-["a",{harmless}]"#), &[b"x"]);
}

#[test]
fn names_that_clients_keep_for_themselves_get_a_dollar() {
    for name in RESERVED_NAMES {
        assert_packet(&event("/", name, &json_body("1"), None), &format!(r#"42["${name}",1]"#), &[]);
    }
    assert_packet(&event("/", "\"\\\n", &json_body("1"), None), r#"42["\"\\\n",1]"#, &[]);
}

/// What the other reader makes of a packet, with its attachments.
fn read_by_others(packet: &Packet) -> OtherPacket {
    let text = packet.text.as_str().strip_prefix('4').unwrap().to_owned();
    let (config, state) = (ParseConfig::default(), ParserState::default());
    let mut read = CommonParser.decode_str(&config, &state, text.into());
    for attachment in packet.attachments() {
        assert!(matches!(read, Err(ParseError::NeedsMoreBinaryData)), "{read:?}");
        read = CommonParser.decode_bin(&config, &state, attachment.clone());
    }
    read.unwrap()
}

/// What the other writer makes of a packet.
fn written_by_others(packet: OtherPacket) -> (String, Vec<Bytes>) {
    match CommonParser.encode(packet) {
        OtherValue::Str(text, attachments) => (format!("4{text}"), attachments.map(Vec::from).unwrap_or_default()),
        OtherValue::Bytes(_) => panic!("a text is a text"),
    }
}

#[track_caller]
fn assert_same(ours: &Packet, theirs: OtherPacket) {
    let (text, attachments) = written_by_others(theirs);
    assert_packet(ours, &text, &attachments.iter().map(|bytes| &bytes[..]).collect::<Vec<_>>());
}

#[test]
fn packets_are_what_others_write() {
    for namespace in ["/", "/chat"] {
        let sid = CommonParser.encode_default(&json!({ "sid": "abc" })).unwrap();
        assert_same(&connected(namespace, "abc"), OtherPacket::connect(namespace, Some(sid)));
        assert_same(&disconnected(namespace), OtherPacket::disconnect(namespace));
        assert_same(&refused(namespace, "no \"x\"", None), OtherPacket::connect_error(namespace, "no \"x\""));
        let error = CommonParser.encode_value(&json!({ "error": { "code": "a", "message": "b" } }), None).unwrap();
        assert_same(&failure(namespace, 9, "a", Some("b")), OtherPacket::ack(namespace, error, 9));
    }
}

/// Data with attachments that stand in it, and what it is without the names of placeholders.
fn with_bytes() -> impl Strategy<Value = (Value, Vec<Bytes>)> {
    let bytes = prop::collection::vec(any::<u8>(), 0..9).prop_map(Bytes::from);
    (any_json(), prop::collection::vec(bytes, 0..4)).prop_map(|(data, attachments)| {
        let placed = (0..attachments.len()).map(|number| json!({ "_placeholder": true, "num": number }));
        (json!({ "x": data, "y": placed.collect::<Vec<_>>() }), attachments)
    })
}

proptest! {
    #[test]
    fn an_event_is_what_others_write(
        namespace in "/[a-z]{0,4}",
        name in "[a-z\"é]{1,9}_",
        data in any_json(),
        ask in prop::option::of(0..1000u64),
    ) {
        let value = CommonParser.encode_value(&data, Some(&name)).unwrap();
        let mut theirs = OtherPacket::event(Str::from(namespace.clone()), value);
        if let Some(ask) = ask {
            theirs.inner.set_ack_id(ask as i64);
        }
        assert_same(&event(&namespace, &name, &json_body(&data.to_string()), ask), theirs);
        let value = CommonParser.encode_value(&data, None).unwrap();
        let theirs = OtherPacket::ack(Str::from(namespace.clone()), value, 7);
        assert_same(&answer(&namespace, 7, Some(&json_body(&data.to_string()))), theirs);
    }

    #[test]
    fn an_event_of_bytes_is_what_others_write(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
        let value = CommonParser.encode_value(&Bytes::from(bytes.clone()), Some("a")).unwrap();
        assert_same(&event("/", "a", &Body::of(Payload::Binary(bytes)), None), OtherPacket::event("/", value));
    }

    #[test]
    fn others_read_what_we_write(
        namespace in "/[a-z]{0,4}",
        (data, attachments) in with_bytes(),
        id in 0..1000u64,
        is_spread in any::<bool>(),
    ) {
        let data = if is_spread { json!([data, 1]) } else { data };
        let arguments = if is_spread { data.clone() } else { json!([data]) };
        let body = Body { attachments: attachments.clone(), is_spread, ..json_body(&data.to_string()) };
        for packet in [event(&namespace, "a", &body, Some(id)), answer(&namespace, id, Some(&body))] {
            let read = read_by_others(&packet);
            prop_assert_eq!(&*read.ns, &namespace);
            let (value, read_id, is_event) = match read.inner {
                PacketData::Event(value, id) | PacketData::BinaryEvent(value, id) => (value, id, true),
                PacketData::EventAck(value, id) | PacketData::BinaryAck(value, id) => (value, Some(id), false),
                other => panic!("{other:?}"),
            };
            prop_assert_eq!(read_id, Some(id as i64));
            let OtherValue::Str(text, read_attachments) = value else { panic!("bytes without a text") };
            prop_assert_eq!(read_attachments.map(Vec::from).unwrap_or_default(), attachments.clone());
            let mut array: Value = serde_json::from_str(&text).unwrap();
            if is_event {
                prop_assert_eq!(array.as_array_mut().unwrap().remove(0), json!("a"));
            }
            // Strays are only changed beside attachments.
            if attachments.is_empty() {
                prop_assert_eq!(array, arguments.clone());
            }
        }
    }
}

#[test]
fn an_offset_is_the_last_argument_of_an_event_and_found_there() {
    for (namespace, prefix) in [("/", ""), ("/chat", "/chat,")] {
        assert_packet(&connected_for(namespace, "abc", "p"), &format!(r#"40{prefix}{{"sid":"abc","pid":"p"}}"#), &[]);
        let plain = event(namespace, "a", &json_body(r#"{"n":"7"}"#), None);
        let bare = event(namespace, "a", &spread(json_body("[]")), None);
        let bytes = event(namespace, "a", &Body::of(Payload::Binary(vec![7])), None);
        assert_packet(&with_offset(&plain, 12), &format!(r#"42{prefix}["a",{{"n":"7"}},"12"]"#), &[]);
        assert_packet(&with_offset(&bare, 12), &format!(r#"42{prefix}["a","12"]"#), &[]);
        for packet in [&plain, &bare, &bytes] {
            assert_eq!(offset_of(namespace, packet), None);
            assert_eq!(offset_of(namespace, &with_offset(packet, 12)), Some("12"));
            assert_eq!(offset_of("/other", &with_offset(packet, 12)), None);
        }
        // What looks like one in an ask or an answer is none.
        let several = spread(json_body(r#"[1,"12"]"#));
        for packet in [event(namespace, "a", &several, Some(3)), answer(namespace, 3, Some(&several))] {
            assert_eq!(offset_of(namespace, &packet), None, "{packet:?}");
        }
    }
}
