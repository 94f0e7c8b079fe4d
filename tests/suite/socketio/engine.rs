//! Engine.IO: opening, heartbeats, and what ends a session.

use std::time::{Duration, Instant};

use super::{POLLING, Poller, QUICK, Session, WEBSOCKET};
use crate::harness::{Server, Value, json};

fn server() -> Server {
    Server::builder().guest("echo").config(QUICK).start()
}

#[tokio::test]
async fn the_open_packet_has_five_keys_with_what_is_configured() {
    let server = server();
    let polled = server.request("GET", POLLING).send().await;
    assert_eq!((polled.status, polled.header("content-type")), (200, Some("text/plain; charset=UTF-8")));
    let over_websocket = server.join(WEBSOCKET).await.frame().await;
    for (opened, upgrades) in [(polled.body, json!(["websocket"])), (over_websocket, json!([]))] {
        let mut terms: Value = serde_json::from_str(opened.strip_prefix('0').expect("an open packet")).unwrap();
        let sid = terms["sid"].take();
        assert!(sid.as_str().is_some_and(|sid| sid.len() == 20), "{sid}");
        let expected = json!({
            "sid": null, "upgrades": upgrades, "pingInterval": 300, "pingTimeout": 200, "maxPayload": 1_000_000
        });
        assert_eq!(terms, expected);
    }
}

#[tokio::test]
async fn a_request_that_is_not_engine_io_4_is_refused() {
    let server = server();
    let refused = |method: &'static str, query: &'static str| {
        let request = server.request(method, &format!("/socket.io/{query}"));
        async move {
            let answer = request.send().await;
            (answer.status, answer.json())
        }
    };
    let version = json!({ "code": 5, "message": "Unsupported protocol version" });
    let transport = json!({ "code": 0, "message": "Transport unknown" });
    for (query, why) in [
        ("?transport=polling", &version),
        ("?EIO=3&transport=polling", &version),
        ("?EIO=abc&transport=polling", &version),
        ("?EIO=4", &transport),
        ("?EIO=4&transport=abc", &transport),
    ] {
        assert_eq!(refused("GET", query).await, (400, why.clone()), "{query}");
    }
    let unknown = json!({ "code": 1, "message": "Session ID unknown" });
    assert_eq!(refused("GET", "?EIO=4&transport=polling&sid=abc").await, (400, unknown.clone()));
    assert_eq!(refused("POST", "?EIO=4&transport=polling&sid=abc").await, (400, unknown));
    let method = json!({ "code": 2, "message": "Bad handshake method" });
    assert_eq!(refused("POST", "?EIO=4&transport=polling").await, (400, method));
    // The same over a WebSocket.
    let handshake = server.request("GET", "/socket.io/?EIO=3&transport=websocket").websocket().send().await;
    assert_eq!(handshake.status, 400);
}

#[tokio::test]
async fn a_client_that_answers_pings_stays_and_one_that_does_not_is_closed() {
    let server = server();
    let (mut steady, mut silent) = (Session::open(&server).await, Session::open(&server).await);
    steady.enter("/echo", "").await;
    silent.enter("/echo", "").await;
    for _ in 0..4 {
        assert_eq!(steady.client.frame().await, "2");
        steady.send("3").await;
    }
    let (frames, closed) = silent.client.frames_until_closed().await;
    assert_eq!(frames, ["2"]);
    assert_eq!((closed.code, closed.reason.contains("engine-pong-ms")), (1008, true), "{closed:?}");
}

#[tokio::test]
async fn a_poll_is_answered_with_a_ping_after_the_interval() {
    let server = server();
    let poller = Poller::open(&server).await;
    let asked = Instant::now();
    assert_eq!(poller.packets().await, ["2"]);
    assert!(asked.elapsed() >= Duration::from_millis(200), "{:?}", asked.elapsed());
    poller.say("3").await;
    assert_eq!(poller.packets().await, ["2"]);
    // No pong follows: the session is over, and a poll says so.
    assert_eq!(poller.packets().await, ["1"]);
    assert_eq!(poller.get().await.status, 400);
}

#[tokio::test]
async fn a_wrong_packet_closes_the_session() {
    let server = Server::builder().guest("echo").start();
    for packet in ["abc", "", "2", "0{}", "4abc", "42{}", "42abc[\"x\"]", "42[\"x\"]", "45", "b!"] {
        let mut session = Session::open(&server).await;
        session.send(packet).await;
        let (_, closed) = session.client.frames_until_closed().await;
        assert_eq!(closed.code, 1007, "{packet:?}: {closed:?}");
    }
    for body in ["abc", "4abc", "2", "42[\"x\"]"] {
        let poller = Poller::open(&server).await;
        let answer = poller.post(body).await;
        assert_eq!((answer.status, answer.json()["code"].clone()), (400, json!(3)), "{body:?}");
        assert_eq!(poller.get().await.status, 400, "{body:?}");
    }
}

#[tokio::test]
async fn a_session_without_a_namespace_is_closed() {
    let server = server();
    let mut session = Session::open(&server).await;
    let begun = Instant::now();
    loop {
        match session.client.frame_or_close().await {
            Ok(packet) => {
                assert_eq!(packet, "2");
                session.send("3").await;
            }
            Err(closed) => {
                assert!(closed.reason.contains("engine-connect-ms"), "{closed:?}");
                break;
            }
        }
    }
    assert!(begun.elapsed() >= Duration::from_millis(900), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_tenant_may_do_without() {
    let server = Server::builder().guest("echo").config("[tenants.default]\nsocket-io = false").start();
    assert_eq!(server.request("GET", POLLING).send().await.status, 404);
}
