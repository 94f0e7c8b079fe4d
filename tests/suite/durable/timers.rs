//! Timers: set and cancelled by turns, heard by `$timer`.

use std::time::{Duration, Instant};

use crate::harness::{Client, Server, Value, json};

async fn timers(config: &str) -> (Server, Client) {
    let server = Server::builder().guest("timers").config(config).start();
    let client = server.enter("/timers").await;
    (server, client)
}

async fn set(client: &mut Client, name: &str, ms: u64, data: Value) {
    client.send("set", json!({ "name": name, "ms": ms, "data": data })).await;
    client.expect("set").await;
}

#[tokio::test]
async fn a_timer_runs_once_with_its_data_and_no_socket() {
    let (_server, mut client) = timers("").await;
    let start = Instant::now();
    set(&mut client, "t", 60, json!({ "n": 1 })).await;
    let timer = client.expect("timer").await;
    assert!(start.elapsed() >= Duration::from_millis(60), "{:?}", start.elapsed());
    assert_eq!(timer, json!({ "type": "timer", "name": "t", "data": { "n": 1 }, "socket": false }));
    tokio::time::sleep(Duration::from_millis(100)).await;
    client.expect_silence().await;
    client.send("count", json!(null)).await;
    assert_eq!(client.expect("count").await["ran"], 1);
}

#[tokio::test]
async fn timers_run_in_the_order_of_their_times_and_a_name_stands_for_one() {
    let (_server, mut client) = timers("").await;
    set(&mut client, "late", 90, json!(1)).await;
    set(&mut client, "replaced", 60_000, json!(1)).await;
    set(&mut client, "replaced", 60, json!(2)).await;
    set(&mut client, "early", 30, json!(3)).await;
    let mut came = Vec::new();
    for _ in 0..3 {
        let timer = client.expect("timer").await;
        came.push(format!("{} {}", timer["name"].as_str().expect("a name"), timer["data"]));
    }
    assert_eq!(came, ["early 3", "replaced 2", "late 1"]);
}

#[tokio::test]
async fn a_failed_turn_sets_and_cancels_nothing() {
    let (_server, mut client) = timers("").await;
    client.send("set-and-fail", json!({ "name": "t", "ms": 10, "data": 1 })).await;
    client.expect("failed").await;
    client.send("cancel", json!({ "name": "t" })).await;
    assert_eq!(client.expect("cancelled").await["was"], false);
    set(&mut client, "kept", 100, json!(1)).await;
    client.send("cancel-and-fail", json!({ "name": "kept" })).await;
    client.expect("failed").await;
    assert_eq!(client.expect("timer").await["name"], "kept");
    set(&mut client, "gone", 20, json!(1)).await;
    client.send("cancel", json!({ "name": "gone" })).await;
    assert_eq!(client.expect("cancelled").await["was"], true);
    tokio::time::sleep(Duration::from_millis(60)).await;
    client.expect_silence().await;
}

#[tokio::test]
async fn a_timer_whose_turn_fails_is_gone_and_is_told_to_the_error_hook() {
    let (_server, mut client) = timers("").await;
    set(&mut client, "fail", 10, json!(1)).await;
    let failed = client.expect("failed").await;
    assert_eq!((&failed["event"], &failed["code"]), (&json!("fail"), &json!("timer.failed")));
    tokio::time::sleep(Duration::from_millis(60)).await;
    client.expect_silence().await;
}

#[tokio::test]
async fn timers_outlive_their_instance_and_the_last_socket() {
    let (server, mut client) = timers("[limits]\nroom-linger-ms = 10\nclient-slow-ms = 0").await;
    set(&mut client, "t", 300, json!(7)).await;
    client.send("crash", json!(null)).await;
    client.expect("failed").await;
    client.close(1000, "").await;
    // The room has nobody in it, and lives for its timer.
    tokio::time::sleep(Duration::from_millis(100)).await;
    let mut client = server.enter("/timers").await;
    let timer = client.expect("timer").await;
    assert_eq!((&timer["name"], &timer["data"]), (&json!("t"), &json!(7)));
}

#[tokio::test]
async fn so_many_timers_with_so_much_data() {
    let (_server, mut client) = timers("[limits]\ntimers-per-room = 3\ntimer-bytes = 10").await;
    client.send("fill", json!({ "count": 5, "ms": 60_000 })).await;
    let filled = client.expect("filled").await;
    assert_eq!(filled["set"], 3);
    assert!(filled["refused"].as_str().is_some_and(|why| why.contains("timers-per-room")), "{filled}");
    // One of a name that is set takes no further place.
    set(&mut client, "fill-0", 60_000, json!("12345678")).await;
    client.send("set", json!({ "name": "fill-0", "ms": 60_000, "data": "123456789" })).await;
    let refused = client.expect("refused").await;
    assert!(refused["message"].as_str().is_some_and(|why| why.contains("timer-bytes")), "{refused}");
}
