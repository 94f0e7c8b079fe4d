//! Asks: a room asks a client, and hears once how that ended.

use super::serve_exchange;
use crate::harness::{Client, Value, json};
use crate::swap::sleep::{SLEEPY, asleep};
use crate::swap::{deploy, moved, server};

/// Longer than any test takes.
const LONG: u64 = 600_000;

/// Reads the ask of the socket itself; answers its number.
async fn asked(client: &mut Client) -> u64 {
    let frame: Value = serde_json::from_str(&client.frame().await).expect("a frame is JSON");
    let id = frame["id"].as_u64().unwrap_or_else(|| panic!("{frame} asks nothing"));
    let about = frame["data"]["about"].clone();
    assert_eq!(
        frame,
        json!({ "type": "event", "channel": "default", "data": { "type": "question", "about": about }, "id": id })
    );
    id
}

/// Has the room ask the socket itself; answers the number of the ask.
async fn ask(client: &mut Client, name: &str, ms: u64) -> u64 {
    client.send("ask", json!({ "name": name, "ms": ms })).await;
    let id = asked(client).await;
    client.expect("asked").await;
    id
}

async fn answer(client: &mut Client, id: u64, data: Value) {
    client.send_text(&json!({ "type": "ack", "id": id, "data": data }).to_string()).await;
}

#[tokio::test]
async fn an_answer_is_heard_once() {
    let server = serve_exchange("");
    let mut client = server.enter("/exchange").await;
    let (first, second) = (ask(&mut client, "a", LONG).await, ask(&mut client, "b", LONG).await);
    assert_ne!(first, second);
    answer(&mut client, second, json!({ "x": [1] })).await;
    let acked = client.expect("acked").await;
    assert_eq!((&acked["name"], &acked["end"]), (&json!("b"), &json!({ "outcome": "answered", "data": { "x": [1] } })));
    // It is over, and what nobody asked was never anything.
    answer(&mut client, second, json!(2)).await;
    answer(&mut client, 999, json!(2)).await;
    client.expect_silence().await;
    client.send_text(&format!(r#"{{"type":"ack","id":{first}}}"#)).await;
    assert_eq!(client.expect("acked").await["end"], json!({ "outcome": "answered" }));
}

#[tokio::test]
async fn nobody_answers_for_another() {
    let server = serve_exchange("");
    let (mut ada, mut bob) = (server.enter("/exchange").await, server.enter("/exchange").await);
    let id = ask(&mut ada, "a", LONG).await;
    answer(&mut bob, id, json!("forged")).await;
    bob.expect_silence().await;
    answer(&mut ada, id, json!("real")).await;
    let acked = bob.expect("acked").await;
    assert_eq!(acked["end"]["data"], "real");
    assert_eq!(ada.expect("acked").await, acked);
}

#[tokio::test]
async fn who_does_not_answer_in_time_is_told_of_and_its_answer_comes_too_late() {
    let server = serve_exchange("");
    let mut client = server.enter("/exchange").await;
    let late = ask(&mut client, "late", 900).await;
    let early = ask(&mut client, "early", 300).await;
    for name in ["early", "late"] {
        let acked = client.expect("acked").await;
        assert_eq!((&acked["name"], &acked["end"]), (&json!(name), &json!({ "outcome": "timeout" })));
    }
    answer(&mut client, early, json!(1)).await;
    answer(&mut client, late, json!(1)).await;
    client.expect_silence().await;
}

#[tokio::test]
async fn who_leaves_answers_nothing() {
    let server = serve_exchange("");
    let (mut ada, mut bob) = (server.enter("/exchange").await, server.enter("/exchange").await);
    ada.send("who", json!(null)).await;
    let socket = ada.expect("you").await["socket"].clone();
    for name in ["a", "b"] {
        bob.send("ask", json!({ "name": name, "ms": LONG, "socket": socket })).await;
        bob.expect("asked").await;
    }
    ada.close(1000, "").await;
    for name in ["a", "b"] {
        let expected = json!({ "type": "acked", "name": name, "end": { "outcome": "gone" }, "socket": socket });
        assert_eq!(bob.event().await, expected);
    }
    bob.send("ask", json!({ "name": "c", "ms": LONG, "socket": socket })).await;
    assert_eq!(bob.expect("not-asked").await["code"], "no-such-socket");
}

#[tokio::test]
async fn a_failed_turn_asked_nobody_and_a_failed_end_is_no_second_one() {
    let server = serve_exchange("");
    let mut client = server.enter("/exchange").await;
    client.send("ask-and-fail", json!({ "name": "a", "ms": 1 })).await;
    assert_eq!(client.expect("failed").await["event"], "ask-and-fail");
    let id = ask(&mut client, "fail", LONG).await;
    answer(&mut client, id, json!(1)).await;
    assert_eq!(client.expect("failed").await["event"], "fail");
    answer(&mut client, id, json!(1)).await;
    client.expect_silence().await;
}

#[tokio::test]
async fn what_was_asked_survives_sleep_and_a_swap() {
    let server = server("swap_one", SLEEPY);
    let mut client = server.enter("/swap").await;
    let mut ids = Vec::new();
    for name in ["slept", "swapped"] {
        client.send("ask", json!({ "name": name, "ms": LONG })).await;
        let frame: Value = serde_json::from_str(&client.frame().await).expect("a frame is JSON");
        ids.push(frame["id"].as_u64().expect("a number"));
    }
    asleep(&server, "default").await;
    answer(&mut client, ids[0], json!(1)).await;
    let acked = client.expect("acked").await;
    assert_eq!((&acked["name"], &acked["version"], &acked["end"]["data"]), (&json!("slept"), &json!("one"), &json!(1)));
    deploy(&server, "swap_two").await;
    moved(&mut client, "two").await;
    answer(&mut client, ids[1], json!(2)).await;
    let acked = client.next_event("acked").await;
    assert_eq!((&acked["name"], &acked["version"]), (&json!("swapped"), &json!("two")));
}

#[tokio::test]
async fn a_sleeping_room_wakes_for_a_timeout() {
    let server = server("swap_one", SLEEPY);
    let mut client = server.enter("/swap").await;
    client.send("ask", json!({ "name": "t", "ms": 1_500 })).await;
    client.expect("t").await;
    asleep(&server, "default").await;
    assert_eq!(client.expect("acked").await["end"], json!({ "outcome": "timeout" }));
}

#[tokio::test]
async fn so_many_asks_of_a_room_and_of_a_socket() {
    let server = serve_exchange("[limits]\nasks-per-room = 3\nasks-per-socket = 2");
    let (mut ada, mut bob) = (server.enter("/exchange").await, server.enter("/exchange").await);
    let first = ask(&mut ada, "a", LONG).await;
    ask(&mut ada, "b", LONG).await;
    let refused = async |client: &mut Client| {
        client.send("ask", json!({ "name": "c", "ms": LONG })).await;
        client.expect("not-asked").await["message"].clone()
    };
    assert_eq!(refused(&mut ada).await, "the bound asks-per-socket would be passed");
    ask(&mut bob, "a", LONG).await;
    assert_eq!(refused(&mut bob).await, "the bound asks-per-room would be passed");
    answer(&mut ada, first, json!(1)).await;
    bob.expect("acked").await;
    ask(&mut bob, "c", LONG).await;
}
