//! From polling to a WebSocket, without losing anything.

use super::{Poller, Session, WEBSOCKET};
use crate::harness::{Server, soon};

fn server() -> Server {
    Server::builder().guest("echo").start()
}

async fn probe(server: &Server, poller: &Poller<'_>) -> Session {
    Session { client: server.join(&format!("{WEBSOCKET}&sid={}", poller.sid)).await }
}

#[tokio::test]
async fn a_websocket_takes_a_session_over() {
    let server = server();
    let poller = Poller::in_echo(&server).await;
    let mut websocket = probe(&server, &poller).await;
    websocket.send("2probe").await;
    let (waiting, confirmed) = tokio::join!(poller.packets(), websocket.packet());
    // The poll that waits is let go, so that the client can pause.
    assert_eq!((waiting, confirmed.as_str()), (vec!["6".to_owned()], "3probe"));
    websocket.send("5").await;
    websocket.send(r#"42/echo,["echo",7]"#).await;
    websocket.expect(r#"42/echo,["echo",7]"#).await;
    assert_eq!(poller.get().await.status, 400);
}

#[tokio::test]
async fn what_was_said_before_the_switch_arrives_once() {
    let server = server();
    let poller = Poller::in_echo(&server).await;
    let mut websocket = probe(&server, &poller).await;
    websocket.send("2probe").await;
    websocket.expect("3probe").await;
    // Nobody polls: it waits for the WebSocket.
    poller.say(r#"42/echo,["echo","before"]"#).await;
    websocket.send("5").await;
    websocket.send(r#"42/echo,["echo","after"]"#).await;
    websocket.expect(r#"42/echo,["echo","before"]"#).await;
    websocket.expect(r#"42/echo,["echo","after"]"#).await;
}

#[tokio::test]
async fn a_websocket_that_says_nothing_right_leaves_the_session_polling() {
    let server = server();
    let poller = Poller::in_echo(&server).await;
    for first in ["5", "2", "42[\"x\"]", "x"] {
        let mut websocket = probe(&server, &poller).await;
        websocket.send(first).await;
        soon("the end of the probe", websocket.client.closed()).await;
        poller.say(r#"42/echo,["echo",1]"#).await;
        assert_eq!(poller.packets().await, [r#"42/echo,["echo",1]"#]);
    }
}
