//! Many messages, with many collections of garbage, in one instance: nothing breaks, and the memory stays flat.

use crate::harness::{Client, Value, json};
use crate::language::{GO, request};

/// How many messages the test sends; the variable `PARLOR_GO_MESSAGES` says another number.
const MESSAGES: u64 = 5_000;

async fn usage(client: &mut Client) -> (u64, u64) {
    let answered = request(client, "usage", Value::Null).await;
    let number = |key: &str| answered["data"][key].as_u64().expect("a number");
    (number("collections"), number("system"))
}

#[tokio::test]
async fn collections_of_garbage_break_nothing_and_the_memory_stays_flat() {
    if GO.is_left_out() {
        return;
    }
    let asked = std::env::var("PARLOR_GO_MESSAGES").ok().and_then(|number| number.parse().ok());
    let messages: u64 = asked.unwrap_or(MESSAGES);
    let server = GO.faulty("turn-cpu-ms = 2_000\nframes-per-second = 1_000_000").start();
    let mut ada = server.join("/go-faults").await;
    let part = json!({ "text": "words of some length, of which there are many", "numbers": [1, 2.5, null], "deep": { "a": [{}] } });
    let data = json!({ "name": "thing", "parts": vec![part; 8] });
    let mut after_a_tenth = (0, 0);
    for number in 1..=messages {
        ada.send("garbage", data.clone()).await;
        let heard = ada.next_event("garbage").await;
        assert_eq!(heard["parts"].as_array().map(Vec::len), Some(8), "message {number}");
        if number == messages / 10 {
            after_a_tenth = usage(&mut ada).await;
        }
    }
    let (collections, system) = usage(&mut ada).await;
    println!("{messages} messages, {collections} collections, memory {} -> {system}", after_a_tenth.1);
    assert!(collections > messages / 500, "{collections} collections");
    assert!(system <= after_a_tenth.1 + (1 << 20), "{after_a_tenth:?}, and then {system}");
    assert!(!server.log().iter().any(|line| line.contains("turn failed")));
}
