//! How many sockets may be without a line, and a server that keeps no sessions.

use super::{lines, session::Session, watcher};
use crate::harness::{Client, Server, Value};
use crate::metrics::{figure, scrape};

/// Two sockets lose their lines: the first may come back, the second is gone at once.
async fn assert_one_fits(server: &Server, watcher: &mut Client, why: &str) {
    let mut sessions = Vec::new();
    for user in ["ana", "ben"] {
        let mut session = Session::begin(server, &format!("/lines?user={user}")).await;
        session.enter().await;
        sessions.push(session);
    }
    sessions[0].cut();
    assert_eq!(watcher.expect("lost").await["user"], "ana");
    sessions[1].cut();
    let gone = watcher.expect("gone").await;
    assert_eq!((&gone["user"], &gone["code"]), (&"ben".into(), &1006.into()));
    assert!(sessions[0].come_back(server).await.resumed);
    watcher.expect("back").await;
    let figures = scrape(server).await;
    let outcome = format!("parlor_resumes_total{{tenant=\"default\",plugin=\"lines\",outcome=\"{why}\"}}");
    assert_eq!(figure(&figures, &outcome), 1.0);
    assert_eq!(figure(&figures, "parlor_tenant_detached_sockets{tenant=\"default\"}"), 0.0);
    // The place is free again.
    sessions[0].cut();
    watcher.expect("lost").await;
}

#[tokio::test]
async fn a_tenant_has_so_many_sockets_without_a_line() {
    let server = lines("[limits]\ndetached-per-tenant = 1");
    let mut watcher = watcher(&server).await;
    assert_one_fits(&server, &mut watcher, "detached-per-tenant").await;
}

#[tokio::test]
async fn an_address_has_so_many_sockets_without_a_line() {
    // The proxy's own connections are not bounded, and each of its clients has a place of its own.
    let server = lines("[limits]\nsockets-per-address = 3");
    let mut watcher = server.request("GET", "/lines?user=watcher&in=default,watchers");
    watcher = watcher.coming_from_loopback(9);
    let mut watcher = watcher.websocket().upgrade().await.expect("a socket");
    watcher.expect_silence().await;
    let mut sessions = Vec::new();
    for n in 0..3 {
        let mut session = Session::begin(&server, &format!("/lines?user=user{n}")).await;
        session.enter().await;
        sessions.push(session);
    }
    for session in &mut sessions {
        session.cut();
        watcher.expect("lost").await;
    }
    // Whoever has no line has given its connection's place back: there are three of each.
    let mut fourth = Session::begin(&server, "/lines?user=fourth").await;
    fourth.enter().await;
    fourth.cut();
    assert_eq!(watcher.expect("gone").await["user"], "fourth");
    for session in &mut sessions {
        assert!(session.come_back(&server).await.resumed);
        watcher.expect("back").await;
    }
}

/// One address takes all that it may, and more: others notice nothing.
#[tokio::test]
async fn an_address_that_loses_its_lines_all_the_time_takes_nothing_from_others() {
    const LOST: usize = 100;
    let server = Server::builder()
        .guest("lines")
        .guest_as("lines", "other/lines")
        .config("[limits]\nsockets-per-address = 20\nupgrades-per-address-per-second = 10_000\nupgrades-per-address-burst = 10_000")
        .start();
    let mut other = Session::begin(&server, "/t/other/lines?user=other").await;
    other.enter().await;
    other.cut();
    // From an address of its own.
    let from_afar = async |path: &str| {
        let request = server.request("GET", path).coming_from_loopback(9);
        request.websocket().upgrade().await.expect("a socket")
    };
    let mut watcher = from_afar("/lines?user=watcher&in=default,watchers").await;
    watcher.expect_silence().await;
    let (mut lost, mut gone) = (0, 0);
    for n in 0..LOST {
        let mut session = Session::begin(&server, &format!("/lines?user=user{n}")).await;
        session.enter().await;
        session.cut();
        let frame: Value = serde_json::from_str(&watcher.frame().await).expect("JSON");
        match frame["data"]["type"].as_str() {
            Some("lost") => lost += 1,
            Some("gone") => gone += 1,
            _ => panic!("{frame}"),
        }
    }
    // The other tenant's is of the same address, and is one of its 20.
    assert_eq!((lost, gone), (19, LOST - 19));
    let figures = scrape(&server).await;
    assert_eq!(figure(&figures, "parlor_tenant_detached_sockets{tenant=\"default\"}"), 19.0);
    assert!(other.come_back(&server).await.resumed);
    let mut afar = from_afar("/lines?user=afar&resume").await;
    assert!(afar.frame().await.contains(r#""resumed":false"#));
}

#[tokio::test]
async fn who_is_too_slow_to_come_back_for_what_waits_is_gone() {
    let server = lines("[limits]\noutbound-frames = 4");
    let mut watcher = watcher(&server).await;
    let mut ana = Session::begin(&server, "/lines?user=ana").await;
    ana.enter().await;
    ana.cut();
    watcher.expect("lost").await;
    super::tell(&mut watcher, 0..4).await;
    watcher.send("tell", 4.into()).await;
    assert_eq!(watcher.next_event("gone").await["code"], 1008);
    assert!(!ana.come_back(&server).await.resumed);
}

#[tokio::test]
async fn a_server_without_sessions_says_so_to_who_had_one() {
    let server = lines("[limits]\nresume-ms = 0");
    let mut watcher = watcher(&server).await;
    let mut plain = server.enter("/lines?user=ana&resume").await;
    plain.expect_silence().await;
    let mut old = server.join("/lines?user=ben&resume=0123456789ab&got=7").await;
    assert_eq!(old.frame().await, r#"{"type":"session","resumed":false}"#);
    old.expect_silence().await;
    plain.break_off();
    assert_eq!(watcher.expect("gone").await["user"], "ana");
}

#[tokio::test]
async fn who_does_not_ask_has_no_session() {
    let server = lines("");
    let mut watcher = watcher(&server).await;
    let plain = server.enter("/lines?user=ana").await;
    plain.break_off();
    assert_eq!(watcher.expect("gone").await["user"], "ana");
}
