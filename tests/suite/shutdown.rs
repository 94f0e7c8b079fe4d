//! How a server ends: everyone is told, everything is handled, within a bound.

use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

use crate::harness::{Client, Server, soon};

async fn guest_of(server: &Server, room: &str, user: &str) -> Client {
    let mut client = server.join(&format!("/watch?room={room}&user={user}")).await;
    client.expect("welcome").await;
    client
}

async fn assert_drains(server: &mut Server, end: impl Fn(&Server)) {
    let mut clients =
        [guest_of(server, "a", "ana").await, guest_of(server, "a", "bo").await, guest_of(server, "b", "cy").await];
    end(server);
    for client in &mut clients {
        let closed = client.closed().await;
        assert_eq!((closed.code, &*closed.reason), (1012, "the server restarts"));
    }
    assert!(server.exited().await.success());
    let log = server.log();
    for user in ["ana", "bo", "cy"] {
        let line = format!("gone {user} 1012");
        assert_eq!(log.iter().filter(|other| other.contains(&line)).count(), 1, "{line}: {log:#?}");
    }
    assert!(log.last().is_some_and(|line| line.contains("drained")), "{log:#?}");
}

fn watch() -> Server {
    Server::builder().guest_as("end_watch", "watch").start()
}

#[tokio::test]
async fn sigterm_drains() {
    assert_drains(&mut watch(), Server::signal_end).await;
}

#[tokio::test]
async fn ctrl_c_drains() {
    assert_drains(&mut watch(), Server::signal_interrupt).await;
}

#[tokio::test]
async fn a_server_without_sockets_ends_at_once() {
    let mut server = Server::builder().guest_as("end_watch", "watch").config("[limits]\ndrain-ms = 600_000").start();
    // A room that lingers without sockets holds nothing up either.
    guest_of(&server, "a", "ana").await.close(1000, "").await;
    server.wait_for_log(&["gone ana"]).await;
    assert!(server.terminate().await.success());
}

#[tokio::test]
async fn a_client_that_does_not_answer_holds_nothing_up() {
    let mut server = Server::builder().guest_as("end_watch", "watch").config("[limits]\ndrain-ms = 600_000").start();
    let mut silent = crate::disconnect::raw_socket(&server, "/watch?user=silent").await;
    // It is in its room once it was welcomed; before that no `$disconnect` is owed to it.
    let mut read = Vec::new();
    while !String::from_utf8_lossy(&read).contains("welcome") {
        soon("its welcome", silent.read_buf(&mut read)).await.expect("a connection");
    }
    server.signal_end();
    assert!(server.exited().await.success());
    assert!(server.log().iter().any(|line| line.contains("gone silent 1012")));
    drop(silent);
}

/// A server whose guest runs for a minute in the `$disconnect` of the user `spinner`, and nothing cuts it off but the
/// bound of the drain.
fn held_up_by_its_guest(drain_ms: &str) -> Server {
    let config = format!(
        "[limits]
        drain-ms = {drain_ms}
        turn-cpu-ms = 600_000
        call-wall-ms = 600_000
        [tenants.default.plugins.watch.config]
        spin = \"spinner\""
    );
    Server::builder().guest_as("end_watch", "watch").config(&config).start()
}

/// A guest that would run for a minute, beside a bound of a third of a second.
#[tokio::test]
async fn a_guest_cannot_hold_the_end_up() {
    let mut server = held_up_by_its_guest("300");
    let _spinner = guest_of(&server, "a", "spinner").await;
    let _waits_behind = guest_of(&server, "a", "ana").await;
    let mut elsewhere = guest_of(&server, "b", "bo").await;
    server.signal_end();
    assert_eq!(elsewhere.closed().await.code, 1012);
    assert!(server.exited().await.success());
    let log = server.log();
    assert!(log.iter().any(|line| line.contains("gone bo 1012")), "{log:#?}");
    let left = log.iter().find(|line| line.contains("drain-ms is over"));
    assert!(left.is_some_and(|line| line.contains("rooms=1")), "{log:#?}");
}

#[tokio::test]
async fn nobody_comes_in_during_the_drain() {
    // A drain that lasts for as long as the test: the guest holds it up.
    let server = held_up_by_its_guest("600_000");
    let _spinner = guest_of(&server, "a", "spinner").await;
    server.signal_end();
    server.wait_for_log(&["SIGTERM: draining"]).await;
    // The listener closes right behind that line.
    let closed = async { while TcpStream::connect(server.address()).await.is_ok() {} };
    soon("the listener's end", closed).await;
    assert!(!server.log().iter().any(|line| line.contains("drained") || line.contains("drain-ms is over")));
}
