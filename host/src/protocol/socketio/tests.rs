//! Packets of clients, by tables.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::protocol::any_json::any_json;

const ATTACHMENTS_MAX: usize = 16;

fn decoded(text: &str) -> DecodedText<'_> {
    decode(text, ATTACHMENTS_MAX).unwrap_or_else(|why| panic!("{text}: {why:?}"))
}

/// The parts of an event: namespace, name, id, payload, number of arguments.
fn event_of(text: &str) -> (String, String, Option<u64>, Option<String>, u32) {
    match decoded(text).packet {
        ClientPacket { namespace, content: ClientContent::Message(ClientMessage::Event(event)) } => {
            let ClientEvent { name, channel, data, ack } = event;
            assert_eq!(channel, None);
            (namespace.into_owned(), name, ack, payload_of(&data), data.arguments)
        }
        other => panic!("{text}: {other:?}"),
    }
}

/// The parts of an answer: its id, payload, number of arguments.
fn answer_of(text: &str) -> (u64, Option<String>, u32) {
    match decoded(text).packet.content {
        ClientContent::Message(ClientMessage::Answer(ClientAnswer { ask, data })) => {
            (ask, payload_of(&data), data.arguments)
        }
        other => panic!("{text}: {other:?}"),
    }
}

fn payload_of(data: &EventData) -> Option<String> {
    assert!(data.attachments.is_empty());
    match &data.payload {
        Some(Payload::Json(json)) => Some(json.text().to_owned()),
        Some(Payload::Binary(_)) => panic!("bytes in a text"),
        None => None,
    }
}

#[test]
fn a_client_connects_and_leaves() {
    let text = |auth: Option<Json>| auth.map(Json::into_text);
    for (packet, namespace, auth) in [
        ("0", "/", None),
        ("0{}", "/", Some("{}")),
        ("0/,", "/", None),
        ("0/chat", "/chat", None),
        ("0/chat,", "/chat", None),
        ("0/chat?token=a&b=/c", "/chat", None),
        (r#"0/chat?x,{"token": 1.50}"#, "/chat", Some(r#"{"token": 1.50}"#)),
        (r#"0/ä/b,{"a":[1]}"#, "/ä/b", Some(r#"{"a":[1]}"#)),
    ] {
        match decoded(packet).packet {
            ClientPacket { namespace: read, content: ClientContent::Connect(given) } => {
                assert_eq!((&*read, text(given).as_deref()), (namespace, auth), "{packet}");
            }
            other => panic!("{packet}: {other:?}"),
        }
    }
    for (packet, namespace) in [("1", "/"), ("1/chat,", "/chat"), ("1/chat", "/chat"), ("1/chat?x=1,", "/chat")] {
        let expected = ClientPacket { namespace: namespace.into(), content: ClientContent::Disconnect };
        assert_eq!(decoded(packet).packet, expected, "{packet}");
    }
}

#[test]
fn an_event_has_a_name_and_arguments_as_they_were_written() {
    for (packet, namespace, name, id, payload, arguments) in [
        (r#"2["a"]"#, "/", "a", None, None, 0),
        (r#"2["a",null]"#, "/", "a", None, Some("null"), 1),
        (r#"2["a",[]]"#, "/", "a", None, Some("[]"), 1),
        (r#"2["a",{"b":1.50,"a":1e400}]"#, "/", "a", None, Some(r#"{"b":1.50,"a":1e400}"#), 1),
        (r#"2["a",1,"x"]"#, "/", "a", None, Some(r#"[1,"x"]"#), 2),
        ("2[ \"a\" , 1 ,\t[ 2 ] ]\n", "/", "a", None, Some("[1 ,\t[ 2 ] ]"), 2),
        (r#"2/chat,["a,b",0]"#, "/chat", "a,b", None, Some("0"), 1),
        (r#"2/chat?q=1,12["a",0]"#, "/chat", "a", Some(12), Some("0"), 1),
        (r#"20["caf\u00e9",0]"#, "/", "café", Some(0), Some("0"), 1),
        (r#"29007199254740991["a"]"#, "/", "a", Some(ACK_ID_MAX), None, 0),
        (r#"2007["a"]"#, "/", "a", Some(7), None, 0),
        // Without attachments nothing is a placeholder.
        (r#"2["a",{"_placeholder":true,"num":0}]"#, "/", "a", None, Some(r#"{"_placeholder":true,"num":0}"#), 1),
    ] {
        let parts = event_of(packet);
        let expected = (namespace.to_owned(), name.to_owned(), id, payload.map(str::to_owned), arguments);
        assert_eq!(parts, expected, "{packet}");
    }
}

#[test]
fn an_answer_has_an_id_and_arguments() {
    for (packet, id, payload, arguments) in [
        ("30[]", 0, None, 0),
        (r#"3/chat,7[{"a": 1}]"#, 7, Some(r#"{"a": 1}"#), 1),
        ("31[1, 2] ", 1, Some("[1, 2]"), 2),
        (r#"61-7[{"_placeholder":true,"num":0}]"#, 7, Some(r#"{"_placeholder":true,"num":0}"#), 1),
    ] {
        assert_eq!(answer_of(packet), (id, payload.map(str::to_owned), arguments), "{packet}");
    }
}

#[test]
fn a_packet_says_how_many_attachments_follow() {
    let one = r#"{"_placeholder":true,"num":0}"#;
    let other = r#"{"num":1,"_placeholder":true}"#;
    for (packet, attachments, is_bytes) in [
        (format!(r#"51-["a",{one}]"#), 1, true),
        (format!(r#"51-/chat,3["a",{one}]"#), 1, true),
        (format!(r#"51-["a",{one},1]"#), 1, false),
        (format!(r#"51-["a",[{one}]]"#), 1, false),
        (format!(r#"52-["a",{{"x":{other}}},{one}]"#), 2, false),
        (format!(r#"502-["a",{one},{other}]"#), 2, false),
        (format!("61-7[{one}]"), 1, true),
        (format!("61-7[1,{one}]"), 1, false),
    ] {
        let decoded = decoded(&packet);
        assert_eq!((decoded.attachments, decoded.is_bytes), (attachments, is_bytes), "{packet}");
    }
}

/// Packets that are refused, with why, and words that say so.
const BAD: &[(&str, BadPacket, &str)] = &[
    ("", BadPacket::Empty, "empty"),
    ("7", BadPacket::UnknownPacketType, "0 to 6"),
    ("abc", BadPacket::UnknownPacketType, "no packet type"),
    (" 2[\"a\"]", BadPacket::UnknownPacketType, "no packet type"),
    ("é", BadPacket::UnknownPacketType, "no packet type"),
    ("4abc", BadPacket::ConnectError, "only a server"),
    ("4{\"message\":\"x\"}", BadPacket::ConnectError, "CONNECT_ERROR"),
    ("0[]", BadPacket::AuthNotObject, "no JSON object"),
    ("0null", BadPacket::AuthNotObject, "CONNECT"),
    ("0\"a\"", BadPacket::AuthNotObject, "CONNECT"),
    ("07{}", BadPacket::AuthNotObject, "CONNECT"),
    ("0 {}", BadPacket::AuthNotObject, "CONNECT"),
    ("0{", BadPacket::NotJson, "not JSON"),
    ("0{}{}", BadPacket::NotJson, "not JSON"),
    ("1{}", BadPacket::DisconnectWithData, "DISCONNECT"),
    ("15", BadPacket::DisconnectWithData, "DISCONNECT"),
    ("1/chat,[]", BadPacket::DisconnectWithData, "has data"),
    ("2", BadPacket::NotAnArray, "no JSON array"),
    ("2{}", BadPacket::NotAnArray, "no JSON array"),
    ("2abc[\"a\"]", BadPacket::NotAnArray, "no JSON array"),
    ("2\"a\"", BadPacket::NotAnArray, "no JSON array"),
    ("2 [\"a\"]", BadPacket::NotAnArray, "no JSON array"),
    ("2-1[\"a\"]", BadPacket::NotAnArray, "no JSON array"),
    ("2/chat[\"a\"]", BadPacket::NotAnArray, "no JSON array"),
    ("2/chat,", BadPacket::NotAnArray, "no JSON array"),
    ("21-[\"a\"]", BadPacket::NotAnArray, "no JSON array"),
    ("2[\"a\"", BadPacket::NotJson, "not JSON"),
    ("2[\"a\",]", BadPacket::NotJson, "not JSON"),
    ("2[\"a\"]x", BadPacket::NotJson, "not JSON"),
    ("2[\"a\",\"\u{1e}\"]", BadPacket::NotJson, "not JSON"),
    ("2[a]", BadPacket::NotJson, "not JSON"),
    ("2[]", BadPacket::NoName, "no name"),
    ("2[1]", BadPacket::NameNotText, "no string"),
    ("2[null,\"a\"]", BadPacket::NameNotText, "no string"),
    ("2[[\"a\"]]", BadPacket::NameNotText, "no string"),
    (r#"2["\ud800"]"#, BadPacket::NameNotText, "no string"),
    ("2[\"\"]", BadPacket::NameLength, "1 to 128 bytes"),
    ("2[\"$connect\"]", BadPacket::NameOfHost, "begins with $"),
    (r#"2["\u0024a"]"#, BadPacket::NameOfHost, "begins with $"),
    ("2[\"connect\"]", BadPacket::NameReserved, "for itself"),
    ("2[\"disconnecting\",1]", BadPacket::NameReserved, "Socket.IO"),
    ("29007199254740992[\"a\"]", BadPacket::IdTooLarge, "2^53 - 1"),
    ("2/chat,99999999999999999999999[\"a\"]", BadPacket::IdTooLarge, "2^53 - 1"),
    ("3[]", BadPacket::NoId, "no id"),
    ("3/chat,[1]", BadPacket::NoId, "no id"),
    ("37", BadPacket::NotAnArray, "no JSON array"),
    ("37{}", BadPacket::NotAnArray, "no JSON array"),
    ("37[", BadPacket::NotJson, "not JSON"),
    ("5[\"a\"]", BadPacket::NoAttachmentCount, "51-"),
    ("5-[\"a\"]", BadPacket::NoAttachmentCount, "51-"),
    ("50-[\"a\"]", BadPacket::NoAttachmentCount, "number of attachments"),
    ("51.0-[\"a\"]", BadPacket::NoAttachmentCount, "51-"),
    ("5+1-[\"a\"]", BadPacket::NoAttachmentCount, "51-"),
    ("517-[\"a\"]", BadPacket::TooManyAttachments, "attachments-per-event"),
    ("699999999999999999999999-1[]", BadPacket::TooManyAttachments, "attachments-per-event"),
    ("51-[\"a\"]", BadPacket::AttachmentWithoutPlaceholder, "has no placeholder"),
    (r#"52-["a",{"_placeholder":true,"num":1}]"#, BadPacket::AttachmentWithoutPlaceholder, "no placeholder"),
    (r#"51-["a",{"_placeholder":true,"num":1}]"#, BadPacket::PlaceholderWithoutAttachment, "names no attachment"),
    (r#"51-["a",{"_placeholder":true,"num":"0"}]"#, BadPacket::PlaceholderWithoutAttachment, "names no"),
    (r#"61-3[{"_placeholder":true,"num":-1}]"#, BadPacket::PlaceholderWithoutAttachment, "names no"),
    (
        r#"51-["a",{"_placeholder":true,"num":0},[{"_placeholder":true,"num":0}]]"#,
        BadPacket::AttachmentNamedTwice,
        "two placeholders",
    ),
];

#[test]
fn what_is_refused_is_named() {
    for (packet, why, words) in BAD.iter().copied() {
        assert_eq!(decode(packet, ATTACHMENTS_MAX), Err(why), "{packet}");
        assert!(why.words().contains(words), "{packet}: {}", why.words());
    }
    let long = "x".repeat(128);
    assert!(decode(&format!("2[\"{long}\"]"), ATTACHMENTS_MAX).is_ok());
    assert_eq!(decode(&format!("2[\"{long}x\"]"), ATTACHMENTS_MAX), Err(BadPacket::NameLength));
    assert_eq!(decode(&format!("0/{long},"), ATTACHMENTS_MAX), Err(BadPacket::NamespaceLength));
    assert_eq!(BadPacket::NamespaceLength.words(), "the namespace is over 128 bytes");
    for name in RESERVED_NAMES {
        assert_eq!(decode(&format!("2[\"{name}\"]"), ATTACHMENTS_MAX), Err(BadPacket::NameReserved));
    }
}

#[test]
fn each_error_has_a_test_and_words_of_its_own() {
    // Those that a single text cannot have are in the reader's tests, or above.
    let elsewhere = [
        BadPacket::TooDeep,
        BadPacket::NamespaceLength,
        BadPacket::BytesWithoutPacket,
        BadPacket::TextBeforeAttachments,
        BadPacket::TooLarge,
    ];
    for why in BadPacket::ALL {
        assert!(BAD.iter().any(|(_, met, _)| *met == why) != elsewhere.contains(&why), "{why:?} is in no table");
        let same = BadPacket::ALL.iter().filter(|other| other.words() == why.words());
        assert_eq!(same.count(), 1, "{}", why.words());
    }
}

#[test]
fn depth_is_bounded_with_the_array_around() {
    let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    let placed =
        |begin: &str, levels: usize, end: &str| decode(&format!("{begin}{}{end}", nested(levels)), 16).map(|_| ());
    for (begin, levels, end) in [
        ("2[\"a\",", DEPTH_MAX - 1, "]"),
        ("2[\"a\",1,", DEPTH_MAX - 1, "]"),
        ("37[", DEPTH_MAX - 2, "]"),
        ("0{\"a\":", DEPTH_MAX - 1, "}"),
        ("51-[\"a\",{\"_placeholder\":true,\"num\":0},", DEPTH_MAX - 1, "]"),
    ] {
        assert_eq!(placed(begin, levels, end), Ok(()), "{begin}");
        assert_eq!(placed(begin, levels + 1, end), Err(BadPacket::TooDeep), "{begin}");
        assert_eq!(placed(begin, 100_000, end), Err(BadPacket::TooDeep), "{begin}");
    }
    assert!(BadPacket::TooDeep.words().contains("128 levels"));
}

proptest! {
    #[test]
    fn any_text_is_decoded_or_refused(text in any::<String>(), kind in "[0-7][0-9]{0,2}-?") {
        let _ = decode(&text, ATTACHMENTS_MAX);
        let _ = decode(&format!("{kind}{text}"), ATTACHMENTS_MAX);
    }

    #[test]
    fn arguments_are_what_stands_behind_the_name(
        name in "[a-z.]{1,9}x",
        arguments in prop::collection::vec(any_json(), 0..4),
        namespace in prop::option::of("/[a-z]{0,5}"),
        id in prop::option::of(0..=ACK_ID_MAX),
    ) {
        let array: Vec<Value> = [json!(name)].into_iter().chain(arguments.iter().cloned()).collect();
        let namespace_text = namespace.as_ref().map_or_else(String::new, |namespace| format!("{namespace},"));
        let id_text = id.map_or_else(String::new, |id| id.to_string());
        let text = format!("2{namespace_text}{id_text}{}", Value::from(array));
        let (read_namespace, read_name, read_id, payload, count) = event_of(&text);
        prop_assert_eq!(read_namespace, namespace.unwrap_or_else(|| "/".to_owned()));
        prop_assert_eq!((read_name, read_id, count), (name, id, arguments.len() as u32));
        let expected = match &arguments[..] {
            [] => None,
            [one] => Some(one.to_string()),
            several => Some(Value::from(several.to_vec()).to_string()),
        };
        prop_assert_eq!(payload, expected);
    }
}
