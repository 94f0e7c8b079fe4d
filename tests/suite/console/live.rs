//! The stream of what happens.

use super::{ACME, OTHER, logged_in, of_page, operator, tenants};
use crate::harness::guests::{answers, serve_calls};
use crate::harness::{Events, Server, json, soon};

async fn listen(server: &Server, query: &str, authorization: &str) -> Events {
    let path = format!("/_parlor/api/live?{query}");
    let events = server.request("GET", &path).header("authorization", authorization).listen().await;
    assert!(events.head.starts_with("HTTP/1.1 200") && events.head.contains("text/event-stream"), "{}", events.head);
    events
}

/// Has the plugin `members` log a line: it logs who left.
async fn leave(server: &Server, path: &str, user: &str) {
    let client = server.enter(&format!("{path}?room=lobby&user={user}")).await;
    drop(client);
}

#[tokio::test]
async fn lines_failures_and_versions_come_as_they_happen() {
    let server = Server::builder().guest("members").guest_as("fault_turns", "turns").config(&tenants()).start();
    let mut events = listen(&server, "topics=log,failures,deploys", &operator()).await;
    leave(&server, "/members", "ana").await;
    let line = events.next("log").await;
    assert_eq!((&line["plugin"], &line["room"], &line["from"]), (&json!("members"), &json!("lobby"), &json!("plugin")));
    assert!(line["line"].as_str().is_some_and(|line| line.contains("gone") && line.contains("ana")), "{line}");

    let mut client = server.enter("/turns?room=r").await;
    client.send("attempt", json!({ "how": "panic" })).await;
    let failure = events.next("failures").await;
    assert_eq!(
        (&failure["plugin"], &failure["room"], &failure["event"]),
        (&json!("turns"), &json!("r"), &json!("attempt"))
    );

    let upload = server.request("PUT", "/_parlor/api/plugins/default/more").operator();
    let bytes = crate::harness::guest("plain");
    assert_eq!(upload.body("application/wasm", bytes).send().await.status, 201);
    let deployed = events.next("deploys").await;
    assert_eq!((&deployed["plugin"], &deployed["what"]), (&json!("more"), &json!("deployed")));
}

#[tokio::test]
async fn figures_come_each_second_with_those_of_the_last_minutes_before() {
    let server = Server::builder().guest_as("plain", "acme/mine").config(&tenants()).start();
    let mut events = listen(&server, "topics=figures&tenant=acme&plugin=mine&room=lobby", &operator()).await;
    assert_eq!(events.next("past").await["seconds"], 600);
    let mut client = server.enter_after("/t/acme/plain?room=lobby", "hello").await;
    client.send("say", json!({})).await;
    let seen = async {
        let mut turns = 0;
        loop {
            let figures = events.next("figures").await;
            turns += figures["now"]["turns"].as_u64().expect("a number");
            let (plugin, room) = (&figures["plugins"][0], &figures["room"]);
            if turns >= 2 && plugin["sockets"] == 1 && room["sockets"] == 1 {
                return (plugin["rooms"].clone(), room["awake"].clone());
            }
        }
    };
    assert_eq!(soon("figures of two turns", seen).await, (json!(1), json!(true)));
}

#[tokio::test]
async fn a_tenant_hears_nothing_of_another() {
    let server = Server::builder()
        .guest_as("members", "acme/mine")
        .guest_as("members", "other/theirs")
        .config(&tenants())
        .start();
    let [acme, other] = [ACME, OTHER].map(|token| format!("Bearer {token}"));
    let mut mine = listen(&server, "topics=log,figures", &acme).await;
    let mut theirs = listen(&server, "topics=log", &other).await;
    leave(&server, "/t/other/members", "ben").await;
    assert_eq!(theirs.next("log").await["tenant"], "other");
    leave(&server, "/t/acme/members", "ana").await;
    assert!(mine.next("log").await["line"].to_string().contains("ana"), "the first line that comes is its own");
    let figures = mine.next("figures").await;
    assert!(!figures.to_string().contains("other"), "{figures}");
    let asked = server.request("GET", "/_parlor/api/live?tenant=other").header("authorization", &acme).send().await;
    assert_eq!(asked.status, 404);
    for bad in ["topics=figures,secrets", "room=lobby", "tenant=acme&room=lobby", "tenant=A", "novel=1"] {
        let path = format!("/_parlor/api/live?{bad}");
        let asked = server.request("GET", &path).header("authorization", &acme).send().await;
        assert_eq!(asked.status, 400, "{bad}");
    }
}

#[tokio::test]
async fn sixteen_streams_are_open_at_once_and_one_that_ends_makes_a_place() {
    let server = Server::builder().guest("plain").config(&tenants()).start();
    let mut open = Vec::new();
    for _ in 0..16 {
        open.push(listen(&server, "topics=figures", &operator()).await);
    }
    let again = || server.request("GET", "/_parlor/api/live?topics=figures").operator().listen();
    let refused = again().await;
    assert!(refused.head.starts_with("HTTP/1.1 503") && refused.head.contains("retry-after"), "{}", refused.head);
    let words = server.request("GET", "/_parlor/api/live?topics=figures").operator().send().await;
    let expected = "as many live streams are open as may be: 16, of which tenants have 12, and one tenant 4";
    assert_eq!(words.json(), json!({ "error": expected }));
    open.pop();
    let found = async { while !again().await.head.starts_with("HTTP/1.1 200") {} };
    soon("a place for another stream", found).await;
}

/// More lines than the buffers of a connection and a reader's queue hold, however large the system makes the former.
#[tokio::test]
async fn a_reader_that_is_slow_loses_lines_and_is_told_how_many() {
    const TURNS: usize = 150;
    const LINES: usize = 60;
    let server = serve_calls("turn-cpu-ms = 2000");
    let stream = server.request("GET", "/_parlor/api/live?topics=log&tenant=default&plugin=calls").operator();
    let mut events = stream.with_little_room().listen().await;
    let mut client = server.join("/calls?room=r").await;
    for turn in 0..TURNS {
        answers(&mut client, json!([["times", LINES, "log", "x".repeat(900), turn]])).await;
    }
    let (mut heard, mut lost, mut told) = (0, 0, 0);
    while heard + lost < TURNS * LINES {
        match events.next_either("log", "lost").await {
            Ok(line) if line["from"] == "plugin" => heard += 1,
            Ok(_) => {}
            Err(words) => (lost, told) = (lost + words["lines"].as_u64().expect("a number") as usize, told + 1),
        }
    }
    assert_eq!(heard + lost, TURNS * LINES, "{heard} lines, and {told} times it was told of {lost}");
    assert!(heard >= 256 && lost > 1_000 && told < 20, "{heard} lines, and {told} times it was told of {lost}");
    // It goes on from there.
    answers(&mut client, json!([["log", "once more"]])).await;
    assert!(events.next("log").await["line"].to_string().contains("once more"));
}

#[tokio::test]
async fn a_stream_ends_with_its_login() {
    let server = Server::builder().guest("plain").config(&tenants()).start();
    let cookie = logged_in(&server, ACME).await;
    let path = "/_parlor/api/live?topics=figures";
    let mut events = server.request("GET", path).header("cookie", &cookie).listen().await;
    events.next("figures").await;
    let out = of_page(server.request("DELETE", "/_parlor/api/session").header("cookie", &cookie)).send().await;
    assert_eq!(out.status, 200);
    while events.next_or_end("figures").await.is_some() {}
}
