//! A plugin that crashes over and over: its room closes for a while, then its version is taken out of service. Whoever
//! uses another room, or another tenant's plugin, does not notice.

use super::{fail, failing, member, stranger};
use crate::harness::{Client, Closed, Server, json, soon};

/// Makes a room crash until it closes; answers how its socket was closed.
async fn crash(server: &Server, room: &str, times: usize) -> Closed {
    let mut client = member(server, "evil", room).await;
    for _ in 0..times {
        fail(&mut client, "panic").await;
    }
    client.closed().await
}

/// Someone in a room of the tenant `evil`, as soon as it may be entered.
async fn when_open(server: &Server, room: &str) -> Client {
    let path = format!("/t/evil/turns?room={room}");
    soon("the room to open", async {
        loop {
            if let Ok(client) = server.connect(&path).await {
                return client;
            }
        }
    })
    .await
}

#[tokio::test]
async fn a_room_in_a_crash_loop_closes_and_opens_again_later() {
    let server = failing(
        "room-faults = 3\nroom-backoff-ms = 1\nroom-closed-ms = 700\nclient-faults = 1000\naddress-faults = 1000\nclient-slow-ms = 0",
    );
    let mut beside = member(&server, "evil", "beside").await;
    let mut good = member(&server, "good", "a").await;
    let closed = crash(&server, "a", 3).await;
    assert_eq!((closed.code, &*closed.reason), (1013, "the room failed too often: room-faults"));
    let refused = server.refused("/t/evil/turns?room=a").await;
    assert_eq!((refused.status, &*refused.body), (503, "the room failed too often: room-faults"));
    assert!(refused.header("retry-after").is_some_and(|seconds| seconds.parse::<u64>().is_ok()), "{refused:?}");
    // Another room of the plugin, and another tenant's, go on.
    beside.expect_silence().await;
    good.expect_silence().await;
    let line = server.wait_for_log(&["the room crashed and closes"]).await;
    for word in ["tenant=\"evil\"", "plugin=\"turns\"", "room=\"a\"", "sockets=1", "trapped"] {
        assert!(line.contains(word), "{word}: {line}");
    }
    let mut again = when_open(&server, "a").await;
    again.expect_silence().await;
}

/// What a handler returns is a client's bad data as often as not.
#[tokio::test]
async fn returned_failures_never_close_a_room() {
    let server = failing("room-faults = 2\nroom-backoff-ms = 1");
    let mut client = member(&server, "evil", "a").await;
    for _ in 0..20 {
        fail(&mut client, "error").await;
    }
    assert_eq!(client.sync().await.len(), 20);
}

#[tokio::test]
async fn every_further_fault_waits_longer_and_loses_nothing() {
    let server = failing(
        "room-faults = 4\nroom-backoff-ms = 300\nclient-faults = 1000\naddress-faults = 1000\nclient-slow-ms = 0",
    );
    let mut client = member(&server, "evil", "a").await;
    let start = std::time::Instant::now();
    for _ in 0..3 {
        fail(&mut client, "panic").await;
    }
    // `$restore` and `$error` of each, in order, and then what was sent meanwhile.
    assert_eq!(client.sync().await.len(), 6);
    // Nothing after the first, 300 ms after the second, 600 ms after the third.
    assert!(start.elapsed().as_millis() >= 900, "{:?}", start.elapsed());
}

/// Puts the version of the tenant `evil` into quarantine: five rooms crash, each of a client that is in no other.
async fn quarantine(server: &Server) {
    for number in 10..15 {
        let mut client = stranger(server, "evil", &format!("crashed-{number}"), number).await;
        fail(&mut client, "panic").await;
        client.closed().await;
    }
    server.wait_for_log(&["the version is quarantined"]).await;
}

#[tokio::test]
async fn a_version_whose_rooms_crash_is_quarantined() {
    let server = failing("room-faults = 1\nroom-closed-ms = 0");
    let mut beside = [member(&server, "evil", "one").await, member(&server, "evil", "two").await];
    let mut good = member(&server, "good", "a").await;
    quarantine(&server).await;
    // Five of seven rooms crashed: the two that did not are closed too.
    for client in &mut beside {
        let closed = client.closed().await;
        assert_eq!((closed.code, &*closed.reason), (1013, "the plugin is out of service: quarantined"));
    }
    let refused = server.refused("/t/evil/turns?room=novel").await;
    assert_eq!((refused.status, &*refused.body), (503, "the plugin is out of service: quarantined"));
    let seconds: u64 = refused.header("retry-after").expect("a time").parse().expect("seconds");
    assert!((20..=40).contains(&seconds), "{seconds}");
    server.wait_for_log(&["quarantined for 30s", "5 of 7 rooms crashed"]).await;
    good.expect_silence().await;
    member(&server, "good", "b").await;
}

/// A few rooms that crash may have met a client that knows how to crash them, and many that one client was in as well.
#[tokio::test]
async fn rooms_that_few_clients_crash_are_no_reason_for_a_quarantine() {
    let server =
        failing("room-faults = 1\nroom-closed-ms = 0\nclient-faults = 1000\naddress-faults = 1000\nclient-slow-ms = 0");
    for room in 0..25 {
        crash(&server, &format!("of-one-{room}"), 1).await;
    }
    for number in 10..13 {
        let mut client = stranger(&server, "evil", &format!("of-{number}"), number).await;
        fail(&mut client, "panic").await;
        client.closed().await;
    }
    member(&server, "evil", "novel").await;
}

#[tokio::test]
async fn a_quarantine_ends_by_itself_once_a_room_tried_the_version() {
    let server = failing("room-faults = 1\nroom-closed-ms = 0\nquarantine-ms = 400\nquarantine-trial-ms = 1000");
    quarantine(&server).await;
    let mut first = when_open(&server, "first").await;
    first.expect_silence().await;
    server.wait_for_log(&["a room tries the version", "first"]).await;
    // One room alone, until it has lasted.
    assert_eq!(&*server.refused("/t/evil/turns?room=second").await.body, "the plugin is out of service: quarantined");
    assert_eq!(server.plugin("evil", "turns").await["state"], "quarantined");
    member(&server, "evil", "first").await;
    soon("the quarantine to end", async {
        while server.connect("/t/evil/turns?room=second").await.is_err() {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    })
    .await;
    assert_eq!(server.plugin("evil", "turns").await["state"], "serving");
    first.expect_silence().await;
}

#[tokio::test]
async fn a_room_that_tries_the_version_and_crashes_makes_the_pause_longer() {
    let server = failing("room-faults = 1\nroom-closed-ms = 0\nquarantine-ms = 300\nquarantine-trial-ms = 60000");
    quarantine(&server).await;
    let mut first = when_open(&server, "first").await;
    fail(&mut first, "panic").await;
    server.wait_for_log(&["quarantined for 600ms", "the room that tried it crashed"]).await;
}

/// What a room keeps is its clients' work: rooms whose `$restore` fails are closed, and their version serves others.
#[tokio::test]
async fn rooms_whose_restore_fails_close_alone() {
    let config = "[limits]\nroom-faults = 2\nroom-backoff-ms = 1\nroom-closed-ms = 60000
        [tenants.default.plugins.hooks.config]\nhook = \"$restore\"\nway = \"panic\"";
    let server = Server::builder().guest_as("fault_hooks", "hooks").config(config).start();
    for room in 0..8 {
        // One event fails, and then `$restore`.
        let path = format!("/hooks?room=r{room}&user=eve-{room}");
        let mut client = server
            .request("GET", &path)
            .coming_from_loopback(20 + room / 2)
            .websocket()
            .upgrade()
            .await
            .expect("a socket");
        client.send("fail-anyway", json!("panic")).await;
        assert_eq!(&*client.closed().await.reason, "the room failed too often: room-faults");
    }
    let mut good = server.join("/hooks?room=novel").await;
    good.expect_silence().await;
}

/// Its other sockets, their meta and their channels stay where one event fails.
#[tokio::test]
async fn single_failures_keep_every_socket() {
    let server = failing("room-backoff-ms = 1\nclient-faults = 1000\naddress-faults = 1000\nclient-slow-ms = 0");
    let mut all: Vec<Client> = Vec::new();
    for _ in 0..10 {
        all.push(member(&server, "evil", "a").await);
    }
    for how in ["panic", "spin", "grow", "recurse"] {
        fail(&mut all[0], how).await;
    }
    for client in &mut all {
        client.sync().await;
    }
    assert_eq!(server.room("evil/turns/a").await["sockets"], 10);
}
