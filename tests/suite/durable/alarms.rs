//! The alarm: one a room, durable, rings at least once.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::harness::{Client, Server, json};

async fn alarm(config: &str) -> (Server, Client) {
    let server = Server::builder().guest("alarm").config(config).start();
    let client = server.enter("/alarm").await;
    (server, client)
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("a time after 1970").as_secs_f64() * 1e3
}

async fn set(client: &mut Client, in_ms: u64) -> f64 {
    client.send("set", json!({ "in_ms": in_ms })).await;
    client.expect("set").await["due"].as_f64().expect("a time")
}

async fn rings(client: &mut Client) -> u64 {
    client.send("rings", json!(null)).await;
    // The alarm may ring meanwhile, and says so as well.
    client.next_event("rings").await["count"].as_u64().expect("a number")
}

#[tokio::test]
async fn it_rings_when_it_is_due_and_is_gone_then() {
    let (_server, mut client) = alarm("").await;
    let due = set(&mut client, 80).await;
    let rang = client.expect("alarm").await;
    assert!(now() + 1.0 >= due, "{} before {due}", now());
    assert_eq!((rang["due"].as_f64(), &rang["attempt"]), (Some(due), &json!(1)));
    client.send("get", json!(null)).await;
    assert!(client.expect("alarm").await["due"].is_null());
    assert_eq!(rings(&mut client).await, 1);
}

#[tokio::test]
async fn a_past_time_rings_at_once_and_a_later_setting_replaces_an_earlier_one() {
    let (_server, mut client) = alarm("").await;
    set(&mut client, 60_000).await;
    set(&mut client, 0).await;
    client.expect("alarm").await;
    set(&mut client, 30).await;
    client.send("cancel", json!(null)).await;
    tokio::time::sleep(Duration::from_millis(80)).await;
    client.expect_silence().await;
}

#[tokio::test]
async fn a_failed_turn_sets_none() {
    let (_server, mut client) = alarm("").await;
    client.send("set-and-fail", json!({ "in_ms": 0 })).await;
    client.expect("failed").await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    client.expect_silence().await;
    assert_eq!(rings(&mut client).await, 0);
}

#[tokio::test]
async fn it_rings_again_later_and_later_until_its_turn_commits() {
    let (_server, mut client) = alarm("[limits]\nalarm-retry-ms = 40\nalarm-retry-max-ms = 100").await;
    client.send("fail", json!({ "attempts": 3 })).await;
    let start = Instant::now();
    let due = set(&mut client, 0).await;
    for _ in 0..3 {
        assert_eq!(client.expect("failed").await["code"], "alarm.failed");
    }
    let rang = client.expect("alarm").await;
    assert_eq!((rang["due"].as_f64(), &rang["attempt"]), (Some(due), &json!(4)));
    // 40, 80 and 100 ms.
    assert!(start.elapsed() >= Duration::from_millis(220), "{:?}", start.elapsed());
    assert_eq!(rings(&mut client).await, 1);
}

#[tokio::test]
async fn it_may_set_itself_anew() {
    let (_server, mut client) = alarm("").await;
    client.send("repeat", json!({ "in_ms": 10 })).await;
    set(&mut client, 0).await;
    for _ in 0..5 {
        assert_eq!(client.expect("alarm").await["attempt"], 1);
    }
}

#[tokio::test]
async fn it_wakes_a_room_that_nobody_is_in() {
    let (server, mut client) = alarm("[limits]\nroom-linger-ms = 0").await;
    set(&mut client, 200).await;
    client.close(1000, "").await;
    server.rooms_ended("default/alarm").await;
    server.wait_for_log(&["restored after wake"]).await;
    server.rooms_ended("default/alarm").await;
    assert_eq!(rings(&mut server.enter("/alarm").await).await, 1);
}

#[tokio::test]
async fn it_survives_a_crash_of_the_server_and_rings_late_rather_than_never() {
    let (mut server, mut client) = alarm("").await;
    let due = set(&mut client, 100).await;
    server.kill();
    tokio::time::sleep(Duration::from_millis(150)).await;
    server.start_again();
    assert!(now() > due);
    let mut client = server.join("/alarm").await;
    client.sync().await;
    let counted = async {
        while rings(&mut client).await == 0 {
            client.sync().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), counted).await.expect("the alarm rings");
    assert_eq!(rings(&mut client).await, 1);
}

/// Alarms of one tenant that set themselves into the past for ever keep no other tenant's waiting.
#[tokio::test]
async fn a_tenant_whose_alarms_never_end_keeps_no_other_waiting() {
    let server = Server::builder()
        .guest_as("alarm", "greedy/alarm")
        .guest_as("alarm", "good/alarm")
        .config("[limits]\nupgrades-per-address-burst = 1000\nsockets-per-address = 1000")
        .start();
    let mut rooms = Vec::new();
    for room in 0..150 {
        let mut client = server.enter(&format!("/t/greedy/alarm?room=r{room}")).await;
        client.send("repeat", json!({ "in_ms": 0 })).await;
        client.send("set", json!({ "in_ms": 0 })).await;
        rooms.push(client);
    }
    let mut good = server.enter("/t/good/alarm").await;
    for _ in 0..5 {
        set(&mut good, 50).await;
        good.expect("alarm").await;
    }
    // All of the greedy tenant's ring as well, in turn.
    for client in &mut rooms {
        client.expect("set").await;
        client.expect("alarm").await;
    }
}
