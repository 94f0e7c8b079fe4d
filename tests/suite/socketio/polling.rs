//! Polling: one GET and one POST at a time.

use std::time::Duration;

use super::{Poller, QUICK, sid_of};
use crate::harness::{Response, Server, soon};

fn server() -> Server {
    Server::builder().guest("echo").start()
}

#[tokio::test]
async fn events_go_both_ways() {
    let server = server();
    let poller = Poller::open(&server).await;
    poller.say("40/echo,").await;
    let welcome = poller.packets().await;
    assert!(welcome[0].starts_with("40/echo,{\"sid\":"), "{welcome:?}");
    // Two packets in one body, and both answers in order.
    poller.say("42/echo,[\"echo\",{\"n\":1}]\u{1e}42/echo,[\"echo\",\"two\"]").await;
    let mut echoes = poller.packets().await;
    while echoes.len() < 2 {
        echoes.extend(poller.packets().await);
    }
    assert_eq!(echoes, ["42/echo,[\"echo\",{\"n\":1}]", "42/echo,[\"echo\",\"two\"]"]);
}

#[tokio::test]
async fn of_two_polls_at_a_time_the_first_ends_and_the_second_is_refused() {
    let server = server();
    let poller = Poller::open(&server).await;
    let (first, second) = (poller.get(), poller.get());
    // Which of them is the first is not certain: each is on a connection of its own.
    let (one, other) = tokio::join!(first, second);
    let (ended, refused) = if one.status == 200 { (one, other) } else { (other, one) };
    assert_eq!((ended.status, ended.body.as_str(), refused.status), (200, "1", 400), "{refused:?}");
    assert_eq!(poller.get().await.status, 400);
}

#[tokio::test]
async fn a_client_that_closes_has_its_poll_answered_with_a_noop() {
    let server = server();
    let poller = Poller::open(&server).await;
    let close = async {
        // The poll waits by the time the POST is here, or asks right after the close and finds no session.
        poller.say("1").await;
    };
    let (polled, ()) = tokio::join!(poller.get(), close);
    assert!((polled.status, polled.body.as_str()) == (200, "6") || polled.status == 400, "{polled:?}");
    assert_eq!(poller.get().await.status, 400);
}

#[tokio::test]
async fn a_poll_that_the_client_gives_up_ends_the_session() {
    let server = server();
    let poller = Poller::in_echo(&server).await;
    assert_eq!(server.room("default/echo/default").await["sockets"], 1);
    // Nothing is said, so that the poll waits until its client hangs up.
    let given_up = tokio::time::timeout(Duration::from_millis(300), poller.request("GET").send()).await;
    assert!(given_up.is_err());
    let gone = async {
        while server.room("default/echo/default").await["sockets"] != 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    soon("the end of the session", gone).await;
    assert_eq!(poller.get().await.status, 400);
}

#[tokio::test]
async fn a_body_that_is_too_large_or_never_ends_is_refused() {
    let server = Server::builder().guest("echo").config("[limits]\nhandshake-ms = 500\nframe-bytes = 1000").start();
    let poller = Poller::open(&server).await;
    let large = poller.post(&format!("4{}", "x".repeat(1_000))).await;
    assert_eq!(large.status, 413);
    assert!(large.body.contains("frame-bytes"), "{}", large.body);
    let poller = Poller::open(&server).await;
    let endless = poller.request("POST").header("content-length", "100").send().await;
    assert_eq!(endless.status, 408);
    assert!(endless.body.contains("handshake-ms"), "{}", endless.body);
}

/// The answer to the first session that is one too many, where there may be five of something.
async fn one_too_many(limit: &str) -> Response {
    let server = Server::builder().guest("echo").config(&format!("[limits]\n{limit} = 5")).start();
    for _ in 0..8 {
        let answer = server.request("GET", super::POLLING).send().await;
        if answer.status != 200 {
            return answer;
        }
        sid_of(&answer.body);
    }
    panic!("{limit} refuses no session")
}

#[tokio::test]
async fn sessions_that_poll_count_as_connections_of_their_address() {
    let refused = one_too_many("sockets-per-address").await;
    assert_eq!(refused.status, 429);
    assert!(refused.body.contains("sockets-per-address"), "{}", refused.body);
}

#[tokio::test]
async fn sessions_that_poll_count_as_sockets_of_their_tenant() {
    let refused = one_too_many("sockets-per-tenant").await;
    assert_eq!(refused.status, 503);
    assert!(refused.body.contains("sockets-per-tenant"), "{}", refused.body);
}

#[tokio::test]
async fn bytes_are_polled_as_base64() {
    let server = Server::builder().guest_as("script/mirror", "mirror").config(QUICK).start();
    let poller = Poller::open(&server).await;
    poller.say("40/mirror,").await;
    poller.packets().await;
    poller.say("451-/mirror,[\"mirror\",{\"_placeholder\":true,\"num\":0}]\u{1e}bAQID").await;
    let mut packets = Vec::new();
    while packets.len() < 2 {
        packets.extend(poller.packets().await.into_iter().filter(|packet| packet != "2"));
    }
    assert_eq!(packets, ["451-/mirror,[\"mirror\",{\"_placeholder\":true,\"num\":0}]", "bAQID"]);
}
