//! `/_parlor/health`: an event goes through every worker, and nobody sees that.

use crate::harness::{Server, json};

#[tokio::test]
async fn an_event_gets_through_and_leaves_no_trace_in_what_is_told() {
    let server = Server::builder().guest("plain").without_token().start();
    for _ in 0..20 {
        let health = server.request("GET", "/_parlor/health").send().await;
        assert_eq!((health.status, health.body.as_str()), (200, "ok\n"));
    }
    server.join("/plain").await.expect("hello").await;
    assert_eq!(server.refused("/probe").await.status, 404);
    assert_eq!(server.refused("/t/-host/probe").await.status, 404);

    let server = Server::with_guest("plain");
    let asked = async |path: &str| server.request("GET", path).operator().send().await;
    assert_eq!(asked("/_parlor/health").await.status, 200);
    for path in ["/_parlor/api/plugins", "/_parlor/api/tenants", "/_parlor/metrics"] {
        let answer = asked(path).await;
        assert!(answer.status == 200 && !answer.body.contains("-host"), "{path}: {answer:?}");
    }
    assert_eq!(asked("/_parlor/api/rooms/-host/probe").await.status, 400);
    let list = asked("/_parlor/api/plugins").await.json();
    assert_eq!(list["plugins"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn tenants_that_use_every_instance_make_the_server_no_less_healthy() {
    // Two are the probes'.
    let server = Server::builder().guest("plain").config("threads = 2\n[limits]\ninstances-of-host = 64").start();
    let mut clients = Vec::new();
    for room in 0..62 {
        clients.push(server.enter_after(&format!("/plain?room=r{room}"), "hello").await);
    }
    // An idle one sleeps for it, and none of the probes.
    clients.push(server.enter_after("/plain?room=one-more", "hello").await);
    assert_eq!(server.request("GET", "/_parlor/health").send().await.status, 200);
    clients[0].send("say", json!({ "n": 1 })).await;
    clients[0].expect("said").await;
}
