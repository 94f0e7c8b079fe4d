//! `$disconnect` comes once to each socket whose `$connect` committed, however the socket ended.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;

use crate::harness::{Client, Server, Value, json, soon};

fn watch() -> Server {
    Server::builder().guest_as("end_watch", "watch").start()
}

/// Someone who sees how others end.
async fn watcher(server: &Server) -> Client {
    let mut client = server.join("/watch?user=watcher").await;
    client.expect("welcome").await;
    client
}

async fn guest_of(server: &Server, user: &str) -> Client {
    let mut client = server.join(&format!("/watch?user={user}")).await;
    client.expect("welcome").await;
    client
}

/// The watcher hears once how this user ended, with all that is true of a `$disconnect`.
async fn assert_gone(watcher: &mut Client, user: &str, code: u16) -> Value {
    let gone = watcher.next_event("gone").await;
    let expected = json!({
        "type": "gone", "user": user, "code": code, "reason": gone["reason"], "ends": 1,
        // What was can still be read ...
        "channels": ["default", "watchers"], "fields": { "seat": 7 },
        // ... but it counts no more, and hears no more.
        "sockets": 1, "users": ["watcher"], "to_itself": 0, "to_channel": 1,
    });
    assert_eq!(gone, expected);
    watcher.expect_silence().await;
    gone["reason"].clone()
}

/// A connection of bare bytes, past its handshake.
pub async fn raw_socket(server: &Server, path: &str) -> TcpStream {
    let mut stream = TcpStream::connect(server.address()).await.expect("the server listens");
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        server.address()
    );
    stream.write_all(request.as_bytes()).await.expect("the server reads");
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(soon("the handshake", stream.read_u8()).await.expect("an answer"));
    }
    assert!(head.starts_with(b"HTTP/1.1 101 "), "{:?}", String::from_utf8_lossy(&head));
    stream
}

/// A client's frame, with a mask of zeroes.
fn frame(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let length = u8::try_from(payload.len()).expect("a short frame");
    [&[0x80 | opcode, 0x80 | length, 0, 0, 0, 0], payload].concat()
}

#[tokio::test]
async fn a_client_that_says_goodbye() {
    let server = watch();
    let mut watcher = watcher(&server).await;
    for (user, code, reason) in [("a", 1000, "bye"), ("b", 4003, "ünwell"), ("c", 1001, "")] {
        let mut leaves = guest_of(&server, user).await;
        leaves.close(code, reason).await;
        assert_eq!(assert_gone(&mut watcher, user, code).await, reason);
    }
}

#[tokio::test]
async fn a_goodbye_without_a_code() {
    let server = watch();
    let mut watcher = watcher(&server).await;
    let mut leaves = guest_of(&server, "a").await;
    leaves.send_message(Message::Close(None)).await;
    leaves.closed().await;
    assert_gone(&mut watcher, "a", 1005).await;
}

#[tokio::test]
async fn a_connection_that_is_reset() {
    let server = watch();
    let mut watcher = watcher(&server).await;
    let stream = raw_socket(&server, "/watch?user=a").await;
    // What was sent to it and not read makes the end a reset.
    soon("its welcome", stream.readable()).await.expect("a connection");
    stream.set_zero_linger().expect("a socket's option");
    drop(stream);
    assert_gone(&mut watcher, "a", 1006).await;
}

#[tokio::test]
async fn a_connection_that_just_ends() {
    let server = watch();
    let mut watcher = watcher(&server).await;
    guest_of(&server, "a").await.break_off();
    assert_gone(&mut watcher, "a", 1006).await;
}

#[tokio::test]
async fn a_client_that_only_stops_sending() {
    let server = watch();
    let mut watcher = watcher(&server).await;
    let mut stream = raw_socket(&server, "/watch?user=a").await;
    stream.shutdown().await.expect("half a close");
    assert_gone(&mut watcher, "a", 1006).await;
    let mut rest = Vec::new();
    soon("the server's end of it", stream.read_to_end(&mut rest)).await.expect("an orderly end");
}

#[tokio::test]
async fn a_close_by_the_plugin() {
    let server = watch();
    let mut watcher = watcher(&server).await;
    let mut leaves = guest_of(&server, "a").await;
    leaves.send("close", json!({ "code": 4002, "reason": "enough" })).await;
    // What was emitted before goes before.
    leaves.expect("goodbye").await;
    let closed = leaves.closed().await;
    assert_eq!((closed.code, &*closed.reason), (4002, "enough"));
    assert_eq!(assert_gone(&mut watcher, "a", 4002).await, "enough");
}

#[tokio::test]
async fn a_close_within_connect_comes_after_its_commit() {
    let server = watch();
    let mut watcher = watcher(&server).await;
    let (frames, closed) = server.join("/watch?user=brief").await.frames_until_closed().await;
    // It had left already when the plugin said its welcome.
    assert!(frames.is_empty(), "{frames:?}");
    assert_eq!((closed.code, &*closed.reason), (4001, "that was all"));
    assert_gone(&mut watcher, "brief", 4001).await;
}

#[tokio::test]
async fn a_frame_that_is_too_large() {
    let server = watch();
    let mut watcher = watcher(&server).await;
    let mut leaves = guest_of(&server, "a").await;
    leaves.send("say", json!("x".repeat(70_000))).await;
    assert_eq!(leaves.closed().await.code, 1009);
    assert_gone(&mut watcher, "a", 1009).await;
}

#[tokio::test]
async fn frames_that_are_none() {
    let server = watch();
    let mut watcher = watcher(&server).await;
    for (user, code, frame) in
        [("text", 1007, Message::text("nonsense")), ("binary", 1008, Message::binary(vec![1, 2]))]
    {
        let mut leaves = guest_of(&server, user).await;
        for _ in 0..20 {
            leaves.send_message(frame.clone()).await;
        }
        assert_eq!(leaves.closed().await.code, code);
        assert_gone(&mut watcher, user, code).await;
    }
}

#[tokio::test]
async fn bytes_that_are_no_websocket() {
    let server = watch();
    let mut watcher = watcher(&server).await;
    let unmasked = vec![0x81, 0x02, b'{', b'}'];
    for (user, code, bytes) in
        [("utf8", 1007, frame(1, &[0xff, 0xfe])), ("unmasked", 1002, unmasked), ("opcode", 1002, frame(7, b"x"))]
    {
        let mut leaves = guest_of(&server, user).await;
        leaves.send_bytes(&bytes).await;
        assert_eq!(leaves.closed().await.code, code, "{user}");
        assert_gone(&mut watcher, user, code).await;
    }
}

#[tokio::test]
async fn none_follows_a_failed_connect() {
    let server = watch();
    let mut watcher = watcher(&server).await;
    let mut unwelcome = server.join("/watch?user=unwelcome").await;
    unwelcome.send("say", json!("heard by nobody")).await;
    let (frames, closed) = unwelcome.frames_until_closed().await;
    assert_eq!((frames, closed.code), (Vec::new(), 1011));
    drop(unwelcome);
    // Whatever the room was to be told of it, it was told before this one came and went.
    guest_of(&server, "b").await.close(1000, "").await;
    assert_gone(&mut watcher, "b", 1000).await;
}

#[tokio::test]
async fn what_was_sent_before_the_end_is_handled_before_it() {
    let server = watch();
    let mut watcher = watcher(&server).await;
    let mut leaves = guest_of(&server, "a").await;
    for count in 0..200 {
        leaves.send("say", json!(count.to_string())).await;
    }
    // The goodbye stands behind two hundred frames, more than a mailbox takes of one socket at once.
    leaves.close(1000, "").await;
    for count in 0..200 {
        assert_eq!(watcher.expect("said").await["text"], json!(count.to_string()));
    }
    watcher.expect("seen").await;
    assert_gone(&mut watcher, "a", 1000).await;
}

#[tokio::test]
async fn what_is_sent_before_connect_is_done_waits_for_it() {
    let server = watch();
    let mut early = server.join("/watch?user=slow").await;
    early.send("say", json!("early")).await;
    early.expect("welcome").await;
    assert_eq!(early.expect("said").await["text"], "early");
}

/// A client may be gone before its `$connect` has run: it is told of both, in that order.
#[tokio::test]
async fn a_client_that_leaves_during_its_connect() {
    let server = watch();
    let mut watcher = watcher(&server).await;
    server.join("/watch?user=slow").await.break_off();
    assert_gone(&mut watcher, "slow", 1006).await;
}
