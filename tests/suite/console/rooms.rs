//! What handlers cost, and looking into rooms.

use crate::harness::{Server, Value, json};

async fn get(server: &Server, path: &str) -> Value {
    let answer = server.request("GET", &format!("/_parlor/api/{path}")).operator().send().await;
    assert_eq!(answer.status, 200, "{path}: {answer:?}");
    answer.json()
}

#[tokio::test]
async fn the_handler_that_executes_most_is_the_first_of_the_costs() {
    let server = Server::with_guest("busy");
    let mut client = server.enter("/busy?room=r").await;
    for _ in 0..20 {
        client.sync().await;
    }
    // Longer than all of the others together, however fast the machine is.
    client.send("work", json!({ "rounds": 30_000_000 })).await;
    client.expect("worked").await;
    let costs = get(&server, "plugins/default/busy/costs").await;
    let [work, sync] = [&costs["handlers"][0], &costs["handlers"][1]];
    assert_eq!(
        (&work["event"], &work["turns"], &work["emits"], &work["deliveries"]),
        (&json!("work"), &json!(1), &json!(1), &json!(1))
    );
    assert_eq!(sync["event"], "sync");
    assert!(sync["turns"].as_u64() >= Some(20), "{costs}");
    assert!(work["cpu_seconds"].as_f64() > sync["cpu_seconds"].as_f64(), "{costs}");
}

#[tokio::test]
async fn costs_tell_reads_writes_waits_and_failures_of_each_handler() {
    let server = Server::builder().guest("plain").guest_as("fault_turns", "turns").start();
    let mut client = server.enter_after("/plain?room=r", "hello").await;
    client.send("remember", json!("what")).await;
    client.send("recall", json!({})).await;
    client.expect("recalled").await;
    let costs = get(&server, "plugins/default/plain/costs").await;
    let of = |event: &str| {
        let handlers = costs["handlers"].as_array().expect("a list");
        handlers.iter().find(|handler| handler["event"] == event).unwrap_or_else(|| panic!("{event}: {costs}")).clone()
    };
    assert_eq!((&of("remember")["writes"], &of("remember")["reads"]), (&json!(1), &json!(0)));
    assert!(of("remember")["wait_seconds"].as_f64() > Some(0.0), "{costs}");
    assert_eq!((&of("recall")["writes"], &of("recall")["reads"]), (&json!(0), &json!(1)));
    assert_eq!(of("recall")["wait_seconds"].as_f64(), Some(0.0), "a turn that wrote nothing is not counted as waiting");

    let mut failing = server.enter("/turns?room=r").await;
    failing.send("attempt", json!({ "how": "panic" })).await;
    failing.next_event("failed").await;
    let costs = get(&server, "plugins/default/turns/costs").await;
    let attempt = costs["handlers"].as_array().expect("a list").iter().find(|handler| handler["event"] == "attempt");
    let attempt = attempt.unwrap_or_else(|| panic!("{costs}"));
    // What a turn that left no trace asked for was not done.
    assert_eq!((&attempt["failures"], &attempt["emits"], &attempt["writes"]), (&json!(1), &json!(0), &json!(0)));
}

#[tokio::test]
async fn what_an_open_room_stores_is_shown_in_pages_and_wakes_nobody() {
    let server = Server::with_guest("plain");
    assert_eq!(get(&server, "rooms/default/plain/r/storage").await["open"], false);
    let mut client = server.enter_after("/plain?room=r", "hello").await;
    client.send("remember", json!({ "a": 1 })).await;
    client.send("recall", json!({})).await;
    client.expect("recalled").await;
    let page = get(&server, "rooms/default/plain/r/storage").await;
    let entry = json!({ "key": "remembered", "bytes": 7, "text": "{\"a\":1}", "base64": null, "cut": false });
    assert_eq!((&page["open"], &page["entries"], &page["more"]), (&json!(true), &json!([entry]), &json!(false)));
    assert_eq!(get(&server, "rooms/default/plain/r/storage?key=remembered").await["entries"], json!([entry]));
    assert_eq!(get(&server, "rooms/default/plain/r/storage?prefix=other").await["entries"], json!([]));
    assert_eq!(get(&server, "rooms/default/plain/r/storage?after=remembered").await["entries"], json!([]));
    let turns = get(&server, "plugins/default/plain/costs").await;
    get(&server, "rooms/default/plain/r/storage").await;
    assert_eq!(get(&server, "plugins/default/plain/costs").await, turns, "looking is no turn");
    let bad = server.request("GET", "/_parlor/api/rooms/default/plain/r/storage?limit=0").operator().send().await;
    assert_eq!(bad.status, 400);
}

#[tokio::test]
async fn a_large_value_is_cut_in_a_page_and_whole_by_its_key() {
    let server = Server::with_guest("plain");
    let mut client = server.enter_after("/plain?room=r", "hello").await;
    client.send("remember", json!("é".repeat(5_000))).await;
    client.send("recall", json!({})).await;
    client.expect("recalled").await;
    let page = get(&server, "rooms/default/plain/r/storage").await;
    let entry = &page["entries"][0];
    assert_eq!((&entry["bytes"], &entry["cut"]), (&json!(10_002), &json!(true)));
    assert_eq!(entry["text"].as_str().map(str::len), Some(4_095), "no letter is cut in two");
    let whole = get(&server, "rooms/default/plain/r/storage?key=remembered").await;
    assert_eq!(whole["entries"][0]["text"].as_str().map(str::len), Some(10_002));
}

#[tokio::test]
async fn a_socket_that_is_kicked_is_closed_and_heard_no_more() {
    let server = Server::with_guest("plain");
    let mut client = server.enter_after("/plain?room=r", "hello").await;
    let sockets = get(&server, "rooms/default/plain/r/sockets").await;
    let socket = sockets["sockets"][0]["socket"].clone();
    assert_eq!(sockets["sockets"][0]["fields"], json!({}));
    let kick = || server.request("DELETE", &format!("/_parlor/api/rooms/default/plain/r/sockets/{socket}")).operator();
    assert_eq!(kick().send().await.json(), json!({ "kicked": true }));
    let closed = client.closed().await;
    assert_eq!(closed.code, 1008);
    assert!(closed.reason.starts_with("kicked"), "{closed:?}");
    server.rooms_ended("default/plain").await;
    assert_eq!(kick().send().await.json(), json!({ "kicked": false }));
}
