//! Sockets that outlive their lines: whoever is back in time misses nothing, in either direction.

mod bounds;
mod cuts;
mod proxy;
mod secrets;
mod session;

use std::time::Duration;

use self::session::Session;
use crate::harness::{Client, Server, json};
use crate::swap::sleep::SLEEPY;

fn lines(config: &str) -> Server {
    Server::builder().guest("lines").config(config).start()
}

/// Somebody who hears what becomes of others' lines, and whose own never breaks.
async fn watcher(server: &Server) -> Client {
    server.enter("/lines?user=watcher&in=default,watchers").await
}

/// Has everybody told these numbers.
async fn tell(watcher: &mut Client, numbers: std::ops::Range<u64>) {
    for n in numbers {
        watcher.send("tell", json!(n)).await;
        assert_eq!(watcher.next_event("told").await["n"], n);
    }
}

#[tokio::test]
async fn what_comes_while_the_line_is_gone_comes_over_the_next() {
    let server = lines("");
    let mut watcher = watcher(&server).await;
    let mut ana = Session::begin(&server, "/lines?user=ana").await;
    ana.enter().await;
    ana.cut();
    watcher.expect("lost").await;
    let listed =
        server.request("GET", "/_parlor/api/rooms/default/lines/default/sockets").operator().send().await.json();
    let detached = listed["sockets"].as_array().expect("sockets").iter().map(|socket| &socket["detached"]);
    assert_eq!(detached.collect::<Vec<_>>(), [&json!(false), &json!(true)], "{listed}");
    tell(&mut watcher, 0..3).await;
    let back = ana.come_back(&server).await;
    assert_eq!((back.resumed, back.told), (true, vec![0, 1, 2]));
    assert_eq!(watcher.expect("back").await["user"], "ana");
    // And it goes on as ever.
    tell(&mut watcher, 3..4).await;
    assert_eq!(ana.event().await.expect("a line")["n"], 3);
    assert_eq!(server.room("default/lines/default").await["sockets"], 2);
}

#[tokio::test]
async fn what_was_sent_and_did_not_arrive_is_sent_again() {
    let server = lines("");
    let mut watcher = watcher(&server).await;
    let mut ana = Session::begin(&server, "/lines?user=ana").await;
    ana.enter().await;
    tell(&mut watcher, 0..5).await;
    for n in 0..2 {
        assert_eq!(ana.event().await.expect("a line")["n"], n);
    }
    // The others are on their way to a client that never reads them.
    ana.cut();
    assert_eq!(ana.come_back(&server).await.told, [2, 3, 4]);
    // Once more, and nobody has read anything since.
    ana.cut();
    let back = ana.come_back(&server).await;
    assert_eq!((back.resumed, back.told), (true, vec![]));
}

#[tokio::test]
async fn what_the_room_took_is_not_taken_again() {
    let server = lines("");
    let mut ana = Session::begin(&server, "/lines?user=ana").await;
    ana.enter().await;
    // A frame that is none counts as well, and a ping does not.
    ana.line().send_text("no frame").await;
    ana.sent += 1;
    ana.line().send_bare("ping").await;
    for n in 0..50 {
        ana.send("number", json!(n)).await;
    }
    ana.cut();
    let back = ana.come_back(&server).await;
    assert!(back.resumed && back.heard >= 1, "{back:?}");
    // `enter` was one, and the bad frame another.
    let from = back.heard.saturating_sub(2);
    for n in from..50 {
        ana.line().send("number", json!(n)).await;
    }
    let mut took = back.took;
    while took.len() < 50 {
        took.extend(ana.event().await.expect("a line")["n"].as_u64());
    }
    assert_eq!(took, (0..50).collect::<Vec<u64>>());
}

#[tokio::test]
async fn who_does_not_come_back_leaves_when_the_time_is_up() {
    let server = lines("[limits]\nresume-ms = 200");
    let mut watcher = watcher(&server).await;
    let mut ana = Session::begin(&server, "/lines?user=ana").await;
    ana.enter().await;
    ana.cut();
    watcher.expect("lost").await;
    assert_eq!(watcher.expect("gone").await["code"], 1006);
    let back = ana.come_back(&server).await;
    assert!(!back.resumed);
}

#[tokio::test]
async fn a_goodbye_is_one() {
    let server = lines("");
    let mut watcher = watcher(&server).await;
    for code in [1000, 1001, 4_000] {
        let mut ana = Session::begin(&server, "/lines?user=ana").await;
        ana.enter().await;
        ana.line().close(code, "").await;
        assert_eq!(watcher.expect("gone").await["code"], code);
    }
    let mut ana = Session::begin(&server, "/lines?user=ana").await;
    ana.enter().await;
    watcher.send("kick", json!("ana")).await;
    assert_eq!(ana.line().closed().await.code, 4_003);
    assert_eq!(watcher.expect("gone").await["code"], 4_003);
    assert!(!ana.come_back(&server).await.resumed);
}

#[tokio::test]
async fn who_is_closed_while_the_line_is_gone_is_gone() {
    let server = lines("");
    let mut watcher = watcher(&server).await;
    let mut ana = Session::begin(&server, "/lines?user=ana").await;
    ana.enter().await;
    ana.cut();
    watcher.expect("lost").await;
    watcher.send("kick", json!("ana")).await;
    assert_eq!(watcher.expect("gone").await["code"], 4_003);
    assert!(!ana.come_back(&server).await.resumed);
}

#[tokio::test]
async fn a_next_line_takes_over_from_one_that_seems_alive() {
    let server = lines("");
    let mut watcher = watcher(&server).await;
    let mut ana = Session::begin(&server, "/lines?user=ana").await;
    ana.enter().await;
    let mut old = ana.leave_line();
    tell(&mut watcher, 0..2).await;
    let back = ana.come_back(&server).await;
    assert_eq!((back.resumed, back.told), (true, vec![0, 1]));
    let closed = old.closed().await;
    assert_eq!((closed.code, closed.reason.as_str()), (1012, "the socket goes on over another line"));
    ana.enter().await;
    watcher.expect_silence().await;
}

#[tokio::test]
async fn it_outlives_sleep_a_swap_and_a_crash() {
    let server = lines(SLEEPY);
    let mut watcher = watcher(&server).await;
    let mut ana = Session::begin(&server, "/lines?user=ana").await;
    ana.enter().await;
    ana.cut();
    watcher.expect("lost").await;
    while server.plugin("default", "lines").await["rooms"][0]["awake"] != false {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    tell(&mut watcher, 0..1).await;
    cuts::deploy(&server, 1).await;
    tell(&mut watcher, 1..2).await;
    watcher.send("crash", json!(null)).await;
    tell(&mut watcher, 2..3).await;
    let back = ana.come_back(&server).await;
    assert_eq!((back.resumed, back.told), (true, vec![0, 1, 2]));
}

#[tokio::test]
async fn what_is_asked_is_answered_over_the_next_line() {
    let server = lines("");
    let mut watcher = watcher(&server).await;
    let mut ana = Session::begin(&server, "/lines?user=ana").await;
    ana.enter().await;
    ana.line().send_text(r#"{"type":"add","data":[2,3],"id":9}"#).await;
    watcher.send("ask", json!("ana")).await;
    watcher.expect_silence().await;
    ana.cut();
    watcher.expect("lost").await;
    let back = ana.come_back(&server).await;
    assert!(back.resumed, "{back:?}");
    if back.heard == 1 {
        ana.line().send_text(r#"{"type":"add","data":[2,3],"id":9}"#).await;
    }
    let mut missed = back.frames;
    while missed.len() < 2 {
        missed.push(ana.frame().await.expect("a line"));
    }
    let of = |kind: &str| missed.iter().find(|frame| frame["type"] == kind).unwrap_or_else(|| panic!("{missed:?}"));
    assert_eq!(*of("ack"), json!({ "type": "ack", "id": 9, "data": 5 }));
    let ask = json!({ "type": "ack", "id": of("event")["id"], "data": "over the next line" });
    ana.line().send_text(&ask.to_string()).await;
    watcher.expect("back").await;
    assert_eq!(watcher.expect("answered").await["answer"], "over the next line");
}
