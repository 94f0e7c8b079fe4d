//! Frames in, frames out.

use bytes::Bytes;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::protocol::any_json::any_json;

fn event(text: &str) -> ClientEvent {
    match decode(text) {
        Ok(Inbound::Message(ClientMessage::Event(event))) => event,
        other => panic!("{text}: {other:?}"),
    }
}

fn answer(text: &str) -> ClientAnswer {
    match decode(text) {
        Ok(Inbound::Message(ClientMessage::Answer(answer))) => answer,
        other => panic!("{text}: {other:?}"),
    }
}

fn data_text(event: &ClientEvent) -> Option<&str> {
    match &event.data.payload {
        Some(Payload::Json(json)) => Some(json.text()),
        Some(Payload::Binary(_)) => panic!("bytes in a text frame"),
        None => None,
    }
}

#[test]
fn what_is_valid_is_taken() {
    let full = event(r#"{"type":"chat.message","channel":"a","data":{"text":"hi"},"other":[1]}"#);
    assert_eq!((full.name.as_str(), full.channel.as_deref()), ("chat.message", Some("a")));
    assert_eq!(data_text(&full), Some(r#"{"text":"hi"}"#));
    assert_eq!(data_text(&event(r#"{"type":"x"}"#)), None);
    for value in ["0", "\"\"", "false", "null", "[]"] {
        assert_eq!(data_text(&event(&format!(r#"{{"data":{value},"type":"x"}}"#))), Some(value));
    }
    assert_eq!(event(r#"{"type":"a","type":"b"}"#).name, "b");
    assert_eq!(event(r#"{"type":"caf\u00e9"}"#).name, "café");
    assert_eq!(event(r#"{"\ud83d":1,"t\u0079pe":"x"}"#).name, "x");
}

#[test]
fn a_field_that_is_not_set_may_be_written_as_null_or_empty() {
    for unset in ["null", "\"\""] {
        let frame = event(&format!(r#"{{"type":"x","channel":{unset},"data":{{}},"id":null,"ack":{unset}}}"#));
        assert_eq!((frame.channel.as_deref(), data_text(&frame)), (None, Some("{}")));
    }
    // The last of several counts, as with `JSON.parse`.
    assert_eq!(event(r#"{"type":"x","channel":"a","channel":null}"#).channel, None);
    assert_eq!(event(r#"{"type":null,"type":"x","channel":7,"channel":"a"}"#).channel.as_deref(), Some("a"));
    // Data is what it is.
    assert_eq!(data_text(&event(r#"{"type":"x","data":null}"#)), Some("null"));
}

#[test]
fn a_bare_ping_is_a_keepalive() {
    for ping in [
        r#"{"type":"ping"}"#,
        r#" {"ts":1,"type":"ping"}"#,
        r#"{"type":"ping","data":null}"#,
        r#"{"type":"ping","channel":null,"data": null }"#,
        r#"{"type":"ping","channel":"","id":null}"#,
    ] {
        assert_eq!(decode(ping), Ok(Inbound::Ping), "{ping}");
    }
    for event_like in
        [r#"{"type":"ping","data":{}}"#, r#"{"type":"ping","data":0}"#, r#"{"type":"ping","channel":"a"}"#]
    {
        assert_eq!(event(event_like).name, "ping");
    }
}

#[test]
fn a_name_is_only_a_name() {
    for name in ["*", "__proto__", "constructor", "toString", "then", "error", "connect", "pong", "event"] {
        assert_eq!(event(&format!(r#"{{"type":"{name}"}}"#)).name, name);
    }
}

#[test]
fn what_is_invalid_is_named() {
    for bad in ["", "ping", "{", r#"{"type":"a"} x"#, r#"{"type":"a","data":NaN}"#, r#"{"type":a}"#, r#"{'type':"a"}"#]
    {
        assert_eq!(decode(bad), Err(BadFrame::NotJson), "{bad}");
    }
    for bad in ["[]", "\"x\"", "null", "7", " true "] {
        assert_eq!(decode(bad), Err(BadFrame::NotAnObject), "{bad}");
    }
    for bad in ["{}", r#"{"Type":"a"}"#, r#"{"data":{"type":"a"}}"#] {
        assert_eq!(decode(bad), Err(BadFrame::NoType), "{bad}");
    }
    // Half of a surrogate pair is no text in UTF-8.
    for bad in ["null", "1", "-0.5", "true", "[\"a\"]", r#"{"name":"a"}"#, r#""\ud83d""#] {
        assert_eq!(decode(&format!(r#"{{"type":{bad}}}"#)), Err(BadFrame::TypeNotText), "{bad}");
        if bad != "null" {
            let frame = format!(r#"{{"type":"a","channel":{bad}}}"#);
            assert_eq!(decode(&frame), Err(BadFrame::ChannelNotText), "{bad}");
        }
    }
    assert_eq!(decode(r#"{"type":"$connect"}"#), Err(BadFrame::TypeReserved));
    assert_eq!(decode(r#"{"type":"\u0024connect"}"#), Err(BadFrame::TypeReserved));
    assert_eq!(decode(r#"{"type":""}"#), Err(BadFrame::TypeLength));
    let long = "x".repeat(129);
    assert_eq!(decode(&format!(r#"{{"type":"{long}"}}"#)), Err(BadFrame::TypeLength));
    assert_eq!(decode(&format!(r#"{{"type":"a","channel":"{long}"}}"#)), Err(BadFrame::ChannelLength));
    let deep = format!(r#"{{"type":"a","data":{}{}}}"#, "[".repeat(10_000), "]".repeat(10_000));
    assert_eq!(decode(&deep), Err(BadFrame::TooDeep));
}

fn encoded(channel: &str, name: &str, data: &Value) -> String {
    encode(channel, name, &body(data), None, None).as_str().to_owned()
}

fn body(data: &Value) -> Body {
    Body::of(Payload::Json(Json::parse(data.to_string()).unwrap()))
}

fn attached(data: &Value, attachments: &[&'static [u8]]) -> Body {
    Body { attachments: attachments.iter().map(|bytes| Bytes::from_static(bytes)).collect(), ..body(data) }
}

#[test]
fn an_emit_is_an_envelope_in_a_fixed_order() {
    assert_eq!(encoded("a", "e", &json!({})), r#"{"type":"event","channel":"a","data":{"type":"e"}}"#);
    assert_eq!(encoded("a", "e", &json!({"x": 1})), r#"{"type":"event","channel":"a","data":{"type":"e","x":1}}"#);
    assert_eq!(
        encoded("a", "e", &json!({"type": "forged", "x": 1})),
        r#"{"type":"event","channel":"a","data":{"type":"e","x":1}}"#
    );
    for value in [json!(0), json!(""), json!(false), json!(null), json!([1])] {
        let expected = format!(r#"{{"type":"event","channel":"a","data":{{"type":"e","data":{value}}}}}"#);
        assert_eq!(encoded("a", "e", &value), expected);
    }
}

#[test]
fn who_waits_for_an_acknowledgement_gives_a_number() {
    for (id, expected) in [("0", Some(0)), ("9007199254740991", Some(ACK_ID_MAX)), ("null", None), ("\"\"", None)] {
        assert_eq!(event(&format!(r#"{{"type":"x","id":{id}}}"#)).ack, expected, "{id}");
    }
    for bad in ["-1", "9007199254740992", "1.0", "1e3", "\"7\"", "true", "[]", "{}"] {
        assert_eq!(decode(&format!(r#"{{"type":"x","id":{bad}}}"#)), Err(BadFrame::Id), "{bad}");
    }
    // A keepalive wants its pong and nothing else.
    assert_eq!(event(r#"{"type":"ping","id":1}"#).ack, Some(1));
    assert_eq!(ack(7, None).as_str(), r#"{"type":"ack","id":7}"#);
    assert_eq!(ack(7, Some(&body(&json!({"type": 1})))).as_str(), r#"{"type":"ack","id":7,"data":{"type":1}}"#);
    assert_eq!(nack(7, "no-handler", None).as_str(), r#"{"type":"ack","id":7,"error":{"code":"no-handler"}}"#);
    assert_eq!(
        nack(0, "a\"b", Some("words")).as_str(),
        r#"{"type":"ack","id":0,"error":{"code":"a\"b","message":"words"}}"#
    );
}

#[test]
fn an_answer_to_an_ask_names_it() {
    let full = answer(r#"{"type":"ack","id":3,"data":[1],"channel":"a"}"#);
    assert_eq!(full.ask, 3);
    assert!(matches!(full.data.payload, Some(Payload::Json(json)) if json.text() == "[1]"));
    assert_eq!(answer(r#"{"id":3,"type":"ack"}"#).data, EventData::default());
    // Without a number it is an event that an application calls so.
    assert_eq!(event(r#"{"type":"ack","data":1}"#).name, "ack");
    let nested =
        |levels: usize| format!(r#"{{"type":"ack","id":3,"data":{}{}}}"#, "[".repeat(levels), "]".repeat(levels));
    answer(&nested(DEPTH_MAX - 1));
    assert_eq!(decode(&nested(DEPTH_MAX)), Err(BadFrame::TooDeep));
    let asks = encode("a", "e", &body(&json!({"x": 1})), Some(3), None);
    assert_eq!(asks.as_str(), r#"{"type":"event","channel":"a","data":{"type":"e","x":1},"id":3}"#);
}

#[test]
fn bytes_travel_as_base64() {
    let binary = |text: &str| event(text).data.payload;
    assert_eq!(binary(r#"{"type":"x","base64":"AP8="}"#), Some(Payload::Binary(vec![0, 255])));
    assert_eq!(binary(r#"{"type":"x","data":null,"base64":"AP8="}"#), Some(Payload::Binary(vec![0, 255])));
    assert_eq!(binary(r#"{"type":"ping","base64":""}"#), Some(Payload::Binary(Vec::new())));
    assert_eq!(answer(r#"{"type":"ack","id":0,"base64":"AP8="}"#).data.payload, Some(Payload::Binary(vec![0, 255])));
    // Beside data it is one of the keys that mean nothing.
    assert_eq!(data_text(&event(r#"{"type":"x","data":1,"base64":"?"}"#)), Some("1"));
    assert_eq!(event(r#"{"type":"x","base64":null}"#).data, EventData::default());
    for bad in [r#""AQ==Ag==""#, r#""AP8""#, r#""A P8=""#, r#""_-8=""#, "7", "[]"] {
        assert_eq!(decode(&format!(r#"{{"type":"x","base64":{bad}}}"#)), Err(BadFrame::Base64), "{bad}");
    }
    let bytes = Body::of(Payload::Binary(vec![0, 255]));
    let out = encode("a", "e", &bytes, None, None);
    assert_eq!(out.as_str(), r#"{"type":"event","channel":"a","data":{"type":"e","base64":"AP8="}}"#);
    assert_eq!(ack(1, Some(&bytes)).as_str(), r#"{"type":"ack","id":1,"base64":"AP8="}"#);
}

#[test]
fn attachments_stand_where_their_placeholders_were() {
    let place = |number: u32| json!({ "_placeholder": true, "num": number });
    let some = attached(&json!({ "x": [place(1), place(2)], "type": place(0) }), &[b"a", b"b"]);
    let out: Value = serde_json::from_str(&encode("a", "e", &some, None, None)).unwrap();
    assert_eq!(out["data"], json!({ "type": "e", "x": [{ "base64": "Yg==" }, place(2)] }));
    let whole = attached(&place(0), &[b"a"]);
    assert_eq!(ack(1, Some(&whole)).as_str(), r#"{"type":"ack","id":1,"data":{"base64":"YQ=="}}"#);
    // Without attachments nobody forges any.
    assert_eq!(encoded("a", "e", &json!([place(0)])).matches("_placeholder").count(), 1);
}

proptest! {
    #[test]
    fn any_text_is_decoded_or_refused(text in any::<String>()) {
        let _ = decode(&text);
    }

    #[test]
    fn a_frame_is_read_as_json_reads_it(
        name in "[a-z$.]{1,12}",
        channel in proptest::option::of("\\PC{1,30}"),
        data in proptest::option::of(any_json()),
    ) {
        let mut frame = json!({ "type": name });
        if let Some(channel) = &channel {
            frame["channel"] = json!(channel);
        }
        if let Some(data) = &data {
            frame["data"] = data.clone();
        }
        match decode(&frame.to_string()) {
            Ok(Inbound::Message(ClientMessage::Event(event))) => {
                prop_assert_eq!(&event.name, &name);
                prop_assert_eq!(&event.channel, &channel);
                let decoded = data_text(&event).map(|text| serde_json::from_str::<Value>(text).unwrap());
                prop_assert_eq!(decoded, data);
            }
            Ok(Inbound::Ping) => {
                prop_assert!(name == "ping" && channel.is_none() && data.is_none_or(|data| data.is_null()));
            }
            Err(BadFrame::TypeReserved) => prop_assert!(name.starts_with('$')),
            other => prop_assert!(false, "{:?}", other),
        }
    }

    #[test]
    fn an_envelope_holds_the_data_and_the_event_only(
        channel in "\\PC{1,30}",
        name in "\\PC{1,30}",
        data in any_json(),
    ) {
        let frame: Value = serde_json::from_str(&encoded(&channel, &name, &data)).unwrap();
        let mut expected = match data {
            Value::Object(map) => Value::Object(map),
            other => json!({ "data": other }),
        };
        expected["type"] = json!(name);
        prop_assert_eq!(frame, json!({ "type": "event", "channel": channel, "data": expected }));
    }
}
