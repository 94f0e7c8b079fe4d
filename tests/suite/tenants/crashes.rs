//! A plugin that crashes over and over: its room closes for a while, then its version is taken out of service. Whoever
//! uses another room, or another tenant's plugin, does not notice.

use super::{fail, failing, member};
use crate::harness::{Client, Closed, Server, json, soon};

/// Makes a room crash until it closes; answers how its socket was closed.
async fn crash(server: &Server, room: &str, times: usize) -> Closed {
    let mut client = member(server, "evil", room).await;
    for _ in 0..times {
        fail(&mut client, "panic").await;
    }
    client.closed().await
}

#[tokio::test]
async fn a_room_in_a_crash_loop_closes_and_opens_again_later() {
    let server = failing("room-faults = 3\nroom-backoff-ms = 1\nroom-closed-ms = 700");
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
    let mut again = soon("the room to open again", async {
        loop {
            if let Ok(client) = server.connect("/t/evil/turns?room=a").await {
                return client;
            }
        }
    })
    .await;
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
    let server = failing("room-faults = 4\nroom-backoff-ms = 300");
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

#[tokio::test]
async fn a_version_whose_rooms_crash_is_quarantined() {
    let server = failing("room-faults = 1\nroom-closed-ms = 0");
    let mut beside = [member(&server, "evil", "one").await, member(&server, "evil", "two").await];
    let mut good = member(&server, "good", "a").await;
    for room in ["a", "b", "c", "d", "e"] {
        crash(&server, room, 1).await;
    }
    // Five of seven rooms crashed: the two that did not are closed too.
    for client in &mut beside {
        let closed = client.closed().await;
        assert_eq!((closed.code, &*closed.reason), (1013, "the plugin is out of service: quarantined"));
    }
    let refused = server.refused("/t/evil/turns?room=novel").await;
    assert_eq!((refused.status, &*refused.body), (503, "the plugin is out of service: quarantined"));
    assert!(refused.header("retry-after").is_some());
    server.wait_for_log(&["quarantined", "5 of 7 rooms crashed"]).await;
    good.expect_silence().await;
    member(&server, "good", "b").await;
}

/// A few rooms that crash may have met a client that knows how to crash them.
#[tokio::test]
async fn four_rooms_that_crash_are_no_reason_for_a_quarantine() {
    let server = failing("room-faults = 1\nroom-closed-ms = 0");
    for room in ["a", "b", "c", "d", "a", "b"] {
        crash(&server, room, 1).await;
    }
    member(&server, "evil", "e").await;
}

/// `$restore` has no client in it: a version that fails there, fails by itself.
#[tokio::test]
async fn a_version_that_fails_without_a_client_is_quarantined() {
    let config = "[limits]\nroom-faults = 5\nroom-backoff-ms = 1\nroom-closed-ms = 0
        [tenants.default.plugins.hooks.config]\nhook = \"$restore\"\nway = \"panic\"";
    let server = Server::builder().guest_as("fault_hooks", "hooks").config(config).start();
    // One event fails in each room, and `$restore` after it, so that no room has too many faults of its own.
    let mut rooms = Vec::new();
    for room in 0..5 {
        let mut client = server.join(&format!("/hooks?room=r{room}")).await;
        client.send("fail-anyway", json!("panic")).await;
        rooms.push(client);
    }
    for client in &mut rooms {
        assert_eq!(&*client.closed().await.reason, "the plugin is out of service: quarantined");
    }
    assert_eq!(&*server.refused("/hooks?room=novel").await.body, "the plugin is out of service: quarantined");
    server.wait_for_log(&["quarantined", "faults that no client caused", "$restore trapped"]).await;
}

/// Its other sockets, their meta and their channels stay where one event fails.
#[tokio::test]
async fn single_failures_keep_every_socket() {
    let server = failing("room-backoff-ms = 1");
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
