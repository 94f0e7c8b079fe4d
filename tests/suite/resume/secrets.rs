//! Who may come back: whoever knows the secret of now, as the same user, to the same room.

use super::{lines, session::Session, watcher};
use crate::harness::Server;
use crate::metrics::{figure, scrape};

/// A session without a line, whose secret somebody else may try.
async fn detached(server: &Server) -> Session {
    let mut ana = Session::begin(server, "/lines?user=ana").await;
    ana.enter().await;
    ana.cut();
    ana
}

/// What comes of this address: whether somebody is back.
async fn tries(server: &Server, path: &str) -> bool {
    let mut line = server.join(path).await;
    line.frame().await.contains(r#""resumed":true"#)
}

#[tokio::test]
async fn a_secret_that_nobody_gave_is_none() {
    let server = lines("");
    let mut ana = detached(&server).await;
    let mut changed = ana.secret.clone().into_bytes();
    let last = changed.last_mut().expect("a secret");
    *last = if *last == b'A' { b'E' } else { b'A' };
    let changed = String::from_utf8(changed).expect("text");
    for guess in [changed.as_str(), &ana.secret[..12], "x", "%00", &"A".repeat(36), &"A".repeat(10_000)[..1_000]] {
        assert!(!tries(&server, &format!("/lines?user=ana&resume={guess}&got=0")).await, "{guess}");
    }
    for got in ["", "&got=", "&got=-1", "&got=99999", "&got=18446744073709551616", "&got=x"] {
        // None of these ends the session.
        if got != "&got=99999" {
            assert!(!tries(&server, &format!("/lines?user=ana&resume={}{got}", ana.secret)).await, "{got}");
        }
    }
    assert!(ana.come_back(&server).await.resumed);
    let figures = scrape(&server).await;
    let outcome = |outcome| {
        figure(&figures, &format!("parlor_resumes_total{{tenant=\"default\",plugin=\"lines\",outcome=\"{outcome}\"}}"))
    };
    assert_eq!((outcome("unknown"), outcome("resumed")), (11.0, 1.0));
}

#[tokio::test]
async fn a_secret_is_of_no_use_to_another_user_or_in_another_room() {
    let server = lines("");
    let mut ana = detached(&server).await;
    assert!(!tries(&server, &format!("/lines?user=eve&resume={}&got=1", ana.secret)).await);
    assert!(!tries(&server, &format!("/lines?user=ana&room=other&resume={}&got=1", ana.secret)).await);
    assert!(ana.come_back(&server).await.resumed, "and nobody else's try ends it");
}

#[tokio::test]
async fn a_secret_is_of_no_use_once_its_successor_was_used() {
    let server = lines("");
    let mut ana = detached(&server).await;
    let first = ana.wish();
    assert!(ana.come_back(&server).await.resumed);
    let second = ana.wish();
    ana.cut();
    // The client may not have got the answer, and comes with the one before.
    assert!(tries(&server, &first).await);
    assert!(tries(&server, &second).await, "or it had the answer, and that line was one that it gave up");
    assert!(!tries(&server, &first).await);
    // Whoever sends something has the answer: the one before is of no use any more.
    let mut ana = detached(&server).await;
    let first = ana.wish();
    assert!(ana.come_back(&server).await.resumed);
    ana.enter().await;
    assert!(!tries(&server, &first).await);
    ana.enter().await;
}

#[tokio::test]
async fn frames_that_are_kept_no_longer_begin_another_session() {
    let server = lines("[limits]\nresume-frames = 2");
    let mut watcher = watcher(&server).await;
    let mut ana = Session::begin(&server, "/lines?user=ana").await;
    ana.enter().await;
    super::tell(&mut watcher, 0..3).await;
    for _ in 0..3 {
        ana.event().await.expect("a line");
    }
    ana.cut();
    watcher.expect("lost").await;
    ana.got = 1;
    assert!(!ana.come_back(&server).await.resumed, "one of three is kept no longer");
    assert_eq!(watcher.next_event("gone").await["user"], "ana");
    ana.enter().await;
}

#[tokio::test]
async fn without_an_authorize_the_secret_says_who_it_is() {
    let server = Server::builder().guest("pinged").start();
    let mut somebody = Session::begin(&server, "/pinged?").await;
    somebody.enter().await;
    somebody.cut();
    assert!(somebody.come_back(&server).await.resumed);
}

/// A client gives up an attempt and makes the next, and both arrive.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_lines_that_come_at_once_none_leaves_a_second_member() {
    const ROUNDS: usize = 20;
    const AT_ONCE: usize = 16;
    let server = lines("[limits]\nupgrades-per-address-per-second = 10_000\nupgrades-per-address-burst = 10_000");
    let mut ana = Session::begin(&server, "/lines?user=ana").await;
    ana.enter().await;
    for _ in 0..ROUNDS {
        ana.cut();
        let tries = (0..AT_ONCE).map(|_| server.request("GET", &ana.wish()).websocket().upgrade());
        let came = futures_util::future::join_all(tries).await;
        let mut lines: Vec<_> = came.into_iter().filter_map(Result::ok).collect();
        assert!(!lines.is_empty(), "one of them goes on");
        for line in &mut lines {
            // One from which a later one took over at once is told nothing.
            if let Ok(frame) = line.frame_or_close().await {
                assert!(frame.contains(r#""resumed":true"#), "{frame}");
            }
        }
        drop(lines);
        assert!(ana.come_back(&server).await.resumed);
        assert_eq!(server.room("default/lines/default").await["sockets"], 1);
    }
}

/// An attempt that the client gave up comes after the one that it uses, and takes over.
#[tokio::test]
async fn a_line_that_a_late_one_took_over_from_comes_back_by_what_it_was_told() {
    let server = lines("");
    let mut ana = detached(&server).await;
    let late = ana.wish();
    assert!(ana.come_back(&server).await.resumed);
    assert!(tries(&server, &late).await);
    assert_eq!(ana.line().closed().await.code, 1012);
    assert!(ana.come_back(&server).await.resumed);
    assert_eq!(server.room("default/lines/default").await["sockets"], 1);
}
