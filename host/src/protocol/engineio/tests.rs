//! Packets and bodies, by tables and beside another reader and writer of the protocol.

use engineioxide_core::payload::decoder;
use engineioxide_core::{OpenPacket, Packet as OtherPacket, ProtocolVersion, TransportType};
use futures_util::{FutureExt, StreamExt};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

/// The packets of a body, to the first bad one.
fn packets(body: &str) -> Result<Vec<String>, BadEnginePacket> {
    let mut body = PollingBody::new(Bytes::copy_from_slice(body.as_bytes()), 1000, 10)?;
    let mut packets = Vec::new();
    while let Some(packet) = body.next_packet() {
        packets.push(format!("{:?}", packet?));
    }
    Ok(packets)
}

#[test]
fn what_a_client_may_send_is_taken() {
    for (packet, expected) in [
        ("1", EnginePacket::Close),
        ("2probe", EnginePacket::Probe),
        ("3", EnginePacket::Pong),
        ("4", EnginePacket::Message("")),
        ("4hellö", EnginePacket::Message("hellö")),
        ("42[\"a\"]", EnginePacket::Message("2[\"a\"]")),
        ("b", EnginePacket::Bytes(Bytes::new())),
        ("bAQIDBA==", EnginePacket::Bytes(vec![1, 2, 3, 4].into())),
        ("b4OHi", EnginePacket::Bytes(vec![0xe0, 0xe1, 0xe2].into())),
        ("5", EnginePacket::Upgrade),
        ("6", EnginePacket::Noop),
    ] {
        assert_eq!(decode(packet), Ok(expected), "{packet}");
    }
}

#[test]
fn what_a_client_may_not_send_is_named() {
    let mut met = vec![BadEnginePacket::NotUtf8, BadEnginePacket::BodyTooLarge, BadEnginePacket::TooManyPackets];
    for (packet, why, words) in [
        ("", BadEnginePacket::Empty, "is empty"),
        ("7", BadEnginePacket::UnknownType, "no type of Engine.IO 4"),
        ("abc", BadEnginePacket::UnknownType, "0 to 6, or b"),
        ("é4", BadEnginePacket::UnknownType, "no type"),
        (" 4a", BadEnginePacket::UnknownType, "no type"),
        ("0{}", BadEnginePacket::FromServer, "only a server"),
        ("2", BadEnginePacket::FromServer, "an open packet or a ping"),
        ("2prob", BadEnginePacket::FromServer, "only a server"),
        ("1x", BadEnginePacket::TrailingData, "carries no data"),
        ("3probe", BadEnginePacket::TrailingData, "carries no data"),
        ("5é", BadEnginePacket::TrailingData, "carries no data"),
        ("66", BadEnginePacket::TrailingData, "carries no data"),
        ("bAQIDBA", BadEnginePacket::NotBase64, "not base64 with padding"),
        ("bAQID BA==", BadEnginePacket::NotBase64, "not base64"),
        ("b_-__", BadEnginePacket::NotBase64, "not base64"),
        ("bé", BadEnginePacket::NotBase64, "not base64"),
        ("b+AA=+a0A", BadEnginePacket::NotBase64, "not base64"),
    ] {
        assert_eq!(decode(packet), Err(why), "{packet}");
        assert!(why.words().contains(words), "{packet}: {}", why.words());
        met.push(why);
    }
    for why in BadEnginePacket::ALL {
        assert!(met.contains(&why), "{why:?} is in no table");
    }
}

#[test]
fn a_body_is_its_packets_in_their_order() {
    assert_eq!(packets("4a"), Ok(vec!["Message(\"a\")".to_owned()]));
    let several = packets("4hé\u{1e}bAQ==\u{1e}1").unwrap();
    assert_eq!(several, ["Message(\"hé\")", "Bytes(b\"\\x01\")", "Close"]);
    for body in ["", "4a\u{1e}", "\u{1e}4a", "4a\u{1e}\u{1e}4b"] {
        assert_eq!(packets(body), Err(BadEnginePacket::Empty), "{body:?}");
    }
    assert_eq!(packets("4a\u{1e}7"), Err(BadEnginePacket::UnknownType));
}

#[test]
fn a_body_past_its_bounds_is_refused_as_a_whole() {
    let body = |bytes: &'static [u8], bytes_max, packets_max| {
        PollingBody::new(Bytes::from_static(bytes), bytes_max, packets_max).map(|_| ())
    };
    assert_eq!(body(b"4a\x1e4b", 5, 2), Ok(()));
    assert_eq!(body(b"4a\x1e4b", 4, 2), Err(BadEnginePacket::BodyTooLarge));
    assert_eq!(body(b"4a\x1e4b", 5, 1), Err(BadEnginePacket::TooManyPackets));
    assert_eq!(body(b"4a\xff", 5, 1), Err(BadEnginePacket::NotUtf8));
    assert_eq!(BadEnginePacket::BodyTooLarge.words(), "the body is larger than maxPayload");
    assert_eq!(BadEnginePacket::TooManyPackets.words(), "the body has too many packets");
    assert_eq!(BadEnginePacket::NotUtf8.words(), "the body is not UTF-8");
}

#[test]
fn a_reply_joins_its_packets() {
    let mut reply = PollingReply::default();
    assert!(reply.is_empty());
    reply.push(&PING);
    reply.push("4é");
    reply.push_bytes(&[1, 2, 3, 4]);
    reply.push_bytes(&[]);
    assert_eq!(reply.len(), 1 + 1 + 3 + 1 + 9 + 1 + 1);
    assert_eq!(reply.into_text(), "2\u{1e}4é\u{1e}bAQIDBA==\u{1e}b");
}

#[test]
fn the_open_packet_has_exactly_its_five_keys() {
    let terms = SessionTerms {
        sid: "AA9AAA0AAzAAAAHs",
        may_upgrade: true,
        ping_interval_ms: 300,
        ping_timeout_ms: 200,
        max_payload: 1_000_000,
    };
    let packet = open(terms);
    let data: Value = serde_json::from_str(packet.as_str().strip_prefix('0').unwrap()).unwrap();
    let expected = json!({
        "sid": "AA9AAA0AAzAAAAHs", "upgrades": ["websocket"], "pingInterval": 300, "pingTimeout": 200, "maxPayload": 1_000_000,
    });
    assert_eq!(data, expected);
    let theirs: OpenPacket = serde_json::from_value(data).unwrap();
    assert_eq!(String::from(OtherPacket::Open(theirs)), packet.as_str());
    let without = open(SessionTerms { may_upgrade: false, ..terms });
    assert!(without.as_str().contains(r#""upgrades":[],"#), "{without}");
}

#[test]
fn the_servers_own_packets_are_what_others_send() {
    for (ours, theirs) in [
        (PING, OtherPacket::Ping),
        (PROBED, OtherPacket::PongUpgrade),
        (NOOP, OtherPacket::Noop),
        (CLOSE, OtherPacket::Close),
    ] {
        assert_eq!(ours.as_str(), String::from(theirs));
    }
    assert_eq!(String::from(OtherPacket::Message("x".into())), format!("{MESSAGE}x"));
    assert_eq!(TransportType::Websocket, "websocket".parse().unwrap());
}

/// Texts that are packets, or almost.
fn packet_like() -> impl Strategy<Value = String> {
    prop_oneof![
        "[0-7b][a-zA-Z0-9+/=]{0,9}",
        "[0-7](probe)?",
        "b[AQgw]{4}[A-Za-z+/]{2}[AQgw=]=",
        "4[^\u{1e}]{0,12}",
        any::<String>(),
    ]
}

/// A packet of ours as the other reader has it.
fn as_theirs(packet: EnginePacket<'_>) -> OtherPacket {
    match packet {
        EnginePacket::Close => OtherPacket::Close,
        EnginePacket::Probe => OtherPacket::PingUpgrade,
        EnginePacket::Pong => OtherPacket::Pong,
        EnginePacket::Message(text) => OtherPacket::Message(text.to_owned().into()),
        EnginePacket::Bytes(bytes) => OtherPacket::Binary(bytes),
        EnginePacket::Upgrade => OtherPacket::Upgrade,
        EnginePacket::Noop => OtherPacket::Noop,
    }
}

proptest! {
    #[test]
    fn a_packet_is_read_as_others_read_it(text in packet_like()) {
        let theirs = OtherPacket::parse(ProtocolVersion::V4, text.clone());
        match decode(&text) {
            Ok(packet) => prop_assert_eq!(theirs.unwrap(), as_theirs(packet)),
            // They let data behind any digit pass, and do not ask who may send a packet.
            Err(BadEnginePacket::TrailingData) => prop_assert!(text.len() > 1 && theirs.is_ok()),
            Err(BadEnginePacket::FromServer) => prop_assert!(text.starts_with(['0', '2']) && text != "2probe"),
            Err(_) => prop_assert!(theirs.is_err()),
        }
    }

    #[test]
    fn a_body_is_read_as_others_read_it(texts in prop::collection::vec("4[^\u{1e}]{0,9}|1|3|bAQ==", 1..9)) {
        let body = texts.join("\u{1e}");
        let stream = decoder(body.clone(), None, ProtocolVersion::V4, 1000);
        let theirs: Vec<_> = stream.map(Result::unwrap).collect().now_or_never().unwrap();
        let mut ours = PollingBody::new(body.into(), 1000, texts.len()).unwrap();
        for packet in theirs {
            prop_assert_eq!(as_theirs(ours.next_packet().unwrap().unwrap()), packet);
        }
        prop_assert!(ours.next_packet().is_none());
    }

    #[test]
    fn a_reply_is_read_as_it_was_written(
        messages in prop::collection::vec(prop_oneof![
            "[^\u{1e}]{0,9}".prop_map(Ok),
            prop::collection::vec(any::<u8>(), 0..9).prop_map(Err),
        ], 1..9),
    ) {
        let mut reply = PollingReply::default();
        for message in &messages {
            match message {
                Ok(text) => reply.push(&format!("{MESSAGE}{text}")),
                Err(bytes) => reply.push_bytes(bytes),
            }
        }
        let mut body = PollingBody::new(reply.into_text().into(), 10_000, messages.len()).unwrap();
        for message in &messages {
            let expected = match message {
                Ok(text) => EnginePacket::Message(text),
                Err(bytes) => EnginePacket::Bytes(bytes.clone().into()),
            };
            prop_assert_eq!(body.next_packet().unwrap().unwrap(), expected);
        }
        prop_assert!(body.next_packet().is_none());
    }
}
