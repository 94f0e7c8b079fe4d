//! Acknowledgements: a client gives an event a number, and hears what became of it.

use super::serve_exchange;
use crate::harness::{Client, Value, json};
use crate::swap::server;
use crate::swap::sleep::{SLEEPY, asleep, is_awake};

/// Sends an event that waits for an acknowledgement; answers that, and the events that came before it.
async fn request(client: &mut Client, id: u64, event: &str, data: Value) -> (Vec<Value>, Value) {
    client.send_text(&json!({ "type": event, "data": data, "id": id }).to_string()).await;
    let mut before = Vec::new();
    loop {
        let mut frame: Value = serde_json::from_str(&client.frame().await).expect("a frame is JSON");
        if frame["type"] == "ack" {
            assert_eq!(frame["id"], id);
            return (before, frame);
        }
        before.push(frame["data"].take());
    }
}

/// The acknowledgement of an event that had no effect, and what came before it.
async fn refusal(client: &mut Client, event: &str, data: Value) -> (Vec<Value>, Value) {
    let (before, mut ack) = request(client, 7, event, data).await;
    let error = ack["error"].take();
    assert_eq!(ack, json!({ "type": "ack", "id": 7, "error": null }));
    (before, error)
}

#[tokio::test]
async fn an_answer_comes_behind_what_its_turn_said() {
    let server = serve_exchange("");
    let mut client = server.enter("/exchange").await;
    let (before, ack) = request(&mut client, 0, "double", json!(21)).await;
    assert_eq!(before, [json!({ "type": "doubling", "wanted": true })]);
    assert_eq!(ack, json!({ "type": "ack", "id": 0, "data": 42 }));
    let (before, ack) = request(&mut client, 9_007_199_254_740_991, "put", json!([1])).await;
    assert_eq!(before, [json!({ "type": "stored", "data": [1] })]);
    assert_eq!(ack["data"], json!({ "stored": [1] }));
    // No answer is an acknowledgement as well.
    let (before, ack) = request(&mut client, 5, "silent", json!(null)).await;
    assert_eq!((before.len(), ack), (1, json!({ "type": "ack", "id": 5 })));
    client.expect_silence().await;
}

#[tokio::test]
async fn who_is_told_of_a_failure_by_its_acknowledgement_hears_no_error_on_top() {
    let server = serve_exchange("[limits]\nclient-slow-ms = 0");
    let mut client = server.enter("/exchange").await;
    let rejected = json!({ "code": "refused", "message": "not today" });
    assert_eq!(refusal(&mut client, "refuse", json!(null)).await, (vec![], rejected));
    // What the plugin keeps for itself stays there: the code alone is told.
    assert_eq!(refusal(&mut client, "fail", json!(null)).await, (vec![], json!({ "code": "failed.inside" })));
    assert_eq!(client.expect("failed").await["event"], "fail");
    assert_eq!(refusal(&mut client, "trap", json!(null)).await, (vec![], json!({ "code": "trap" })));
    assert_eq!(client.expect("failed").await["event"], "trap");
    let (_, unfit) = refusal(&mut client, "double", json!("many")).await;
    assert_eq!(unfit["code"], "bad-data");
    assert_eq!(refusal(&mut client, "nobody-wants-this", json!(1)).await, (vec![], json!({ "code": "no-handler" })));
    client.expect_silence().await;
}

#[tokio::test]
async fn an_answer_has_the_bound_of_an_emit() {
    let server = serve_exchange("[limits]\nemit-bytes = 100");
    let mut client = server.enter("/exchange").await;
    let (_, ack) = request(&mut client, 1, "large", json!(98)).await;
    assert_eq!(ack["data"].as_str().map(str::len), Some(98));
    let words = "large was not handled: its turn passed the bound emit-bytes";
    let (_, error) = refusal(&mut client, "large", json!(99)).await;
    assert_eq!(error, json!({ "code": "limit-exceeded", "message": words }));
    // Nobody keeps what nobody waits for.
    client.expect("failed").await;
    client.send("large", json!(99)).await;
    client.expect_silence().await;
}

#[tokio::test]
async fn an_answer_comes_before_its_turn_closes_the_socket() {
    let server = serve_exchange("");
    let mut client = server.enter("/exchange").await;
    client.send_text(r#"{"type":"leave","id":3}"#).await;
    let (frames, closed) = client.frames_until_closed().await;
    let leaving = r#"{"type":"event","channel":"default","data":{"type":"leaving"}}"#;
    assert_eq!(frames, [leaving, r#"{"type":"ack","id":3,"data":"bye"}"#]);
    assert_eq!(closed.code, 4000);
}

#[tokio::test]
async fn who_waits_for_nothing_sees_no_change() {
    let server = serve_exchange("");
    let mut client = server.enter("/exchange").await;
    for no_id in ["", r#","id":null"#, r#","id":"""#] {
        client.send_text(&format!(r#"{{"type":"double","data":21{no_id}}}"#)).await;
        assert_eq!(client.expect("doubling").await["wanted"], false, "{no_id}");
    }
    client.send("refuse", json!(null)).await;
    let rejected = json!({ "type": "error", "code": "refused", "message": "not today" });
    assert_eq!(client.event().await, rejected);
    client.send("nobody-wants-this", json!(1)).await;
    // An application's own event of this name, which nobody handles.
    client.send("ack", json!(1)).await;
    client.expect_silence().await;
}

#[tokio::test]
async fn an_id_that_is_none_is_a_bad_frame() {
    let server = serve_exchange("[limits]\nbad-frames = 0");
    let mut client = server.enter("/exchange").await;
    client.send_text(r#"{"type":"double","data":1,"id":-1}"#).await;
    let closed = client.closed().await;
    assert_eq!(closed.code, 1007);
    assert!(closed.reason.ends_with("`id` is no integer from 0 to 2^53-1"), "{closed:?}");
}

/// A room that sleeps knows from the plugin's start what nobody handles, and sleeps on.
#[tokio::test]
async fn what_nobody_handles_is_answered_without_waking_the_room() {
    let server = server("exchange", SLEEPY);
    let mut client = server.enter("/exchange").await;
    asleep(&server, "default").await;
    assert_eq!(refusal(&mut client, "nobody-wants-this", json!(1)).await.1["code"], "no-handler");
    assert!(!is_awake(&server, "default").await);
    assert_eq!(request(&mut client, 1, "double", json!(4)).await.1["data"], 8);
}
