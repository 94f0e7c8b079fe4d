//! Bytes and several arguments in Verani's frames.

use super::serve_exchange;
use crate::harness::guests::{answers, serve_calls};
use crate::harness::{Value, json};

/// The bytes 0 and 255.
const SOME: &str = "AP8=";

#[tokio::test]
async fn data_that_is_bytes_comes_and_goes_as_base64() {
    let server = serve_exchange("");
    let mut client = server.enter("/exchange").await;
    client.send_text(&json!({ "type": "raw", "base64": SOME, "id": 1 }).to_string()).await;
    let raw = format!(r#"{{"type":"event","channel":"default","data":{{"type":"raw","base64":"{SOME}"}}}}"#);
    assert_eq!(client.frame().await, raw);
    assert_eq!(client.frame().await, format!(r#"{{"type":"ack","id":1,"base64":"{SOME}"}}"#));
    client.send_text(r#"{"type":"raw","base64":""}"#).await;
    assert_eq!(client.expect("raw").await["base64"], "");
    // A handler of JSON is not for bytes.
    client.send_text(&json!({ "type": "double", "base64": SOME }).to_string()).await;
    assert_eq!(client.expect("error").await["code"], "bad-data");
    client.expect_silence().await;
}

#[tokio::test]
async fn bytes_within_data_stand_where_they_were() {
    let server = serve_exchange("");
    let mut client = server.enter("/exchange").await;
    let picture = json!({ "name": "dot", "pixels": { "base64": SOME } });
    client.send_text(&json!({ "type": "picture", "data": picture, "id": 1 }).to_string()).await;
    let shown = json!({ "type": "picture", "name": "dot", "pixels": { "base64": SOME } });
    assert_eq!(client.event().await, shown);
    let ack: Value = serde_json::from_str(&client.frame().await).expect("a frame is JSON");
    assert_eq!(ack, json!({ "type": "ack", "id": 1, "data": picture }));
    client.send("stored-picture", json!(null)).await;
    assert_eq!(client.event().await, shown);
}

#[tokio::test]
async fn placeholders_that_a_client_writes_are_its_own_words() {
    let server = serve_exchange("");
    let mut client = server.enter("/exchange").await;
    let forged = json!({ "_placeholder": true, "num": 0 });
    client.send("relay", json!({ "x": forged })).await;
    assert_eq!(client.event().await, json!({ "type": "relayed", "x": forged }));
    client.send("picture", json!({ "name": "x", "pixels": forged })).await;
    assert_eq!(client.expect("error").await["code"], "bad-data");
}

#[tokio::test]
async fn an_ask_is_answered_with_bytes() {
    let server = serve_exchange("");
    let mut client = server.enter("/exchange").await;
    client.send("ask", json!({ "name": "bytes", "ms": 60_000 })).await;
    let frame: Value = serde_json::from_str(&client.frame().await).expect("a frame is JSON");
    client.expect("asked").await;
    client.send_text(&json!({ "type": "ack", "id": frame["id"], "base64": SOME }).to_string()).await;
    assert_eq!(client.expect("key").await["bytes"], json!([0, 255]));
    let placeholder = json!({ "_placeholder": true, "num": 0 });
    assert_eq!(client.expect("acked").await["end"], json!({ "outcome": "answered", "data": placeholder }));
}

#[tokio::test]
async fn several_arguments_are_an_array() {
    let server = serve_exchange("");
    let mut client = server.enter("/exchange").await;
    client.send("several", json!([3, 4])).await;
    assert_eq!(client.event().await, json!({ "type": "several", "data": [3, 4, 1] }));
}

#[tokio::test]
async fn what_is_no_base64_is_a_bad_frame() {
    let server = serve_exchange("[limits]\nbad-frames = 0");
    let mut client = server.enter("/exchange").await;
    client.send_text(r#"{"type":"raw","base64":"?"}"#).await;
    let closed = client.closed().await;
    assert!(closed.code == 1007 && closed.reason.ends_with("`base64` is no base64 text"), "{closed:?}");
}

#[tokio::test]
async fn attachments_are_for_what_follows_and_count_into_it() {
    let server = serve_calls("");
    let mut client = server.join("/calls").await;
    let said = answers(
        &mut client,
        json!([
            ["attach", 1],
            ["attach", 1],
            ["emit", "both", r#"[{"_placeholder":true,"num":1},{"_placeholder":true,"num":2}]"#],
            ["attach", 1],
            // Refused, and what was attached is gone all the same.
            ["emit", "$bad", "1"],
            ["attach", 1],
            ["emit-bytes", "bytes"],
            ["spread"],
            ["emit", "spread", "{}"],
            ["spread"],
            ["emit", "spread", " [1]"],
            ["emit", "one", "{}"],
            ["arguments"],
        ]),
    );
    let said = said.await;
    assert_eq!(said[..4], ["ok: 0", "ok: 1", "ok: 1", "ok: 0"], "{said:?}");
    assert!(said[4].starts_with("invalid: an event whose name"), "{said:?}");
    assert_eq!((said[5].as_str(), said[9].as_str()), ("ok: 0", "ok: ()"));
    assert!(said[6].starts_with("invalid: data with attachments must be JSON"), "{said:?}");
    assert!(said[8].starts_with("invalid: several arguments must be a JSON array"), "{said:?}");
    assert_eq!(said[10..], ["ok: 1", "ok: 1", "ok: 1 0"], "{said:?}");
}

#[tokio::test]
async fn the_bounds_of_attachments_and_asks() {
    let server = serve_calls("emit-bytes = 400\nattachments-per-event = 2\nclient-slow-ms = 0");
    let mut client = server.join("/calls").await;
    for (calls, bound) in [
        (json!([["times", 3, "attach", 1]]), "attachments-per-event"),
        (json!([["attach", 401]]), "emit-bytes"),
        (json!([["attach", 300], ["attach", 101]]), "emit-bytes"),
        (json!([["attach", 300], ["emit-size", 101]]), "emit-bytes"),
        (json!([["attach", 300], ["ask", 1, "a", 1], ["attach", 390], ["emit-size", 11]]), "emit-bytes"),
    ] {
        client.send("run", calls.clone()).await;
        let failed = client.next_event("failed").await;
        assert_eq!(failed["code"], bound, "{calls}");
    }
    let said = answers(
        &mut client,
        json!([
            ["ask", 1, "", 1],
            ["ask", 1, "a", 0],
            ["ask", 1, "a", 3_600_001],
            ["ask", 99, "a", 1],
            ["ask", 1, "a", 3_600_000],
        ]),
    )
    .await;
    assert!(said[..3].iter().all(|said| said.starts_with("invalid: ")), "{said:?}");
    assert_eq!(said[3..], ["no-such-socket", "ok: ()"]);
}
