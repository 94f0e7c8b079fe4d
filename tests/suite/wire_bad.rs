//! What is no frame, and what is no WebSocket: dropped and counted, or the end of the connection with its code.

use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use crate::harness::{Client, Server, json};

/// Bad frames that a socket may send with all defaults.
const BAD_FRAMES: usize = 10;

async fn bad_frames(server: &Server) -> u64 {
    let entry = server.plugin("default", "echo").await;
    entry["bad_frames"].as_u64().expect("a count")
}

/// A frame whose data is nested so deep.
fn nested(levels: usize) -> String {
    format!(r#"{{"type":"x","data":{}{}}}"#, "[".repeat(levels), "]".repeat(levels))
}

#[tokio::test]
async fn what_is_no_frame_is_dropped_and_counted() {
    let server = Server::builder().guest("echo").config("[limits]\nbad-frames = 100").start();
    let mut client = server.enter("/echo").await;
    let too_long = "x".repeat(129);
    let bad = [
        "".to_owned(),
        "hello".to_owned(),
        "null".to_owned(),
        "[]".to_owned(),
        r#""echo""#.to_owned(),
        "{}".to_owned(),
        r#"{"data":1}"#.to_owned(),
        r#"{"type":1}"#.to_owned(),
        r#"{"type":null}"#.to_owned(),
        r#"{"type":"x","channel":1}"#.to_owned(),
        r#"{"type":"x"} {"type":"x"}"#.to_owned(),
        r#"{"type":"x""#.to_owned(),
        r#"{"type":"x","data":}"#.to_owned(),
        r#"{"type":"x","data":01}"#.to_owned(),
        r#"{"type":"x","data":NaN}"#.to_owned(),
        r#"{"type":""}"#.to_owned(),
        r#"{"type":"$connect"}"#.to_owned(),
        r#"{"type":"$disconnect","data":{"code":1000,"reason":""}}"#.to_owned(),
        r#"{"type":"\u0024message"}"#.to_owned(),
        format!(r#"{{"type":"{too_long}"}}"#),
        format!(r#"{{"type":"x","channel":"{too_long}"}}"#),
        nested(129),
        nested(10_000),
        format!(r#"{{"type":"x","other":{}{}}}"#, "[".repeat(10_000), "]".repeat(10_000)),
    ];
    for (sent, bad) in bad.iter().enumerate() {
        client.send_text(bad).await;
        client.expect_silence().await;
        assert_eq!(bad_frames(&server).await, sent as u64 + 1, "{bad}");
    }
    let mut other = server.enter("/echo").await;
    other.send_message(Message::binary(vec![1, 2, 3])).await;
    other.expect_silence().await;
    assert_eq!(bad_frames(&server).await, bad.len() as u64 + 1);
}

#[tokio::test]
async fn past_the_budget_of_bad_frames_the_socket_is_closed() {
    let server = Server::builder().guest("echo").config("[limits]\nbad-frames-per-minute = 1").start();
    let mut bystander = server.enter("/echo").await;
    let bad = [(Message::text("{"), 1007), (Message::binary(vec![0]), 1008)];
    for (bad, code) in bad {
        let mut client = server.enter("/echo").await;
        for _ in 0..BAD_FRAMES {
            client.send_message(bad.clone()).await;
        }
        client.expect_silence().await;
        client.send_message(bad).await;
        let closed = client.closed().await;
        assert_eq!(closed.code, code);
        // The two syncs, as it came in and now, are frames as well.
        let number = BAD_FRAMES + 3;
        assert!(closed.reason.contains(&format!("bad-frames; frame {number} was not taken: it is ")), "{closed:?}");
    }
    bystander.expect_silence().await;
}

/// A keepalive that is no Verani frame, now and then, does no harm.
#[tokio::test]
async fn the_budget_of_bad_frames_fills_up_again() {
    // One in ten milliseconds.
    let limits = "[limits]\nbad-frames = 2\nbad-frames-per-minute = 6_000";
    let server = Server::builder().guest("echo").config(limits).start();
    let mut client = server.enter("/echo").await;
    for _ in 0..20 {
        client.send_text("ping").await;
        tokio::time::sleep(std::time::Duration::from_millis(30)).await;
    }
    client.expect_silence().await;
}

#[tokio::test]
async fn the_reason_of_the_close_says_what_the_bad_frame_was() {
    let server = Server::builder().guest("echo").config("[limits]\nbad-frames = 0").start();
    let long = "x".repeat(129);
    for (bad, words) in [
        ("ping".to_owned(), "it is not JSON"),
        ("[1]".to_owned(), "it is no JSON object"),
        (r#"{"event":"x"}"#.to_owned(), "it has no `type`"),
        (r#"{"type":null}"#.to_owned(), "`type` is no string"),
        (r#"{"type":42,"data":{}}"#.to_owned(), "`type` is no string"),
        (r#"{"type":"$connect"}"#.to_owned(), "`type` begins with $"),
        (format!(r#"{{"type":"{long}"}}"#), "`type` must be 1 to 128 bytes"),
        (r#"{"type":"x","channel":["a"]}"#.to_owned(), "`channel` is no string"),
        (format!(r#"{{"type":"x","channel":"{long}"}}"#), "`channel` is over 128 bytes"),
        (nested(200), "it nests deeper than 128 levels"),
    ] {
        let mut client = server.join("/echo").await;
        client.send("echo", json!({})).await;
        client.send_text(&bad).await;
        let (frames, closed) = client.frames_until_closed().await;
        let reason = format!("too many bad frames: bad-frames; frame 2 was not taken: {words}");
        assert_eq!((frames.len(), closed.code, closed.reason), (1, 1007, reason), "{bad}");
    }
}

/// The room handles what came before the frame that ends a connection, and the client gets the answers first.
#[tokio::test]
async fn what_came_before_a_frame_that_ends_the_connection_is_answered() {
    let server =
        Server::builder().guest_as("end_watch", "watch").config("[limits]\nbad-frames = 0\nframe-bytes = 200").start();
    let enders = [
        (b"\x81\x81\0\0\0\0{".to_vec(), 1007, "too many bad frames: bad-frames"),
        (b"\x82\x81\0\0\0\0x".to_vec(), 1008, "too many bad frames: bad-frames"),
        (b"\x81\x82\0\0\0\0\xc3\x28".to_vec(), 1007, "a text frame is not UTF-8"),
        (b"\x81\xfe\x01\x00\0\0\0\0".to_vec(), 1009, "a frame is larger than frame-bytes"),
        (b"\xf1\x80\0\0\0\0".to_vec(), 1002, "not the WebSocket protocol"),
    ];
    for (bytes, code, words) in enders {
        let mut client = server.join("/watch?user=a").await;
        for number in 0..10 {
            client.send("work", json!({ "ms": 5 + number })).await;
        }
        client.send_bytes(&bytes).await;
        let (frames, closed) = client.frames_until_closed().await;
        assert_eq!(closed.code, code, "{closed:?}");
        assert!(closed.reason.starts_with(&format!("{words}; frame 11 was not taken")), "{closed:?}");
        let worked = |number: usize| format!(r#""type":"worked","ms":{}}}"#, 5 + number);
        let answers: Vec<_> = frames.iter().filter(|frame| frame.contains("worked")).collect();
        assert_eq!(answers.len(), 10, "{closed:?} behind {frames:?}");
        assert!(answers.iter().enumerate().all(|(number, frame)| frame.contains(&worked(number))), "{answers:?}");
    }
}

/// An answer that waits for a disk comes before the close as well.
#[tokio::test]
async fn what_was_written_before_a_bad_frame_is_answered() {
    let server = Server::builder().guest("ledger").config("[limits]\nbad-frames = 0").start();
    let mut client = server.join("/ledger").await;
    for number in 0..20 {
        client.send("add", json!({ "id": number.to_string(), "amount": 1 })).await;
    }
    client.send_text("bad").await;
    let (frames, closed) = client.frames_until_closed().await;
    let added = frames.iter().filter(|frame| frame.contains("added")).count();
    assert_eq!((added, closed.code), (20, 1007), "{closed:?} behind {frames:?}");
    assert!(closed.reason.contains("frame 21 was not taken"), "{closed:?}");
}

/// A room that never answers does not keep a connection open that is over.
#[tokio::test]
async fn a_room_that_does_not_answer_does_not_hold_up_the_close() {
    let server = Server::builder()
        .guest_as("end_watch", "watch")
        .config("[limits]\nbad-frames = 0\nturn-cpu-ms = 60_000\ncall-wall-ms = 60_000");
    let server = server.start();
    let mut client = server.join("/watch?user=a").await;
    client.send("work", json!({ "ms": 40_000 })).await;
    client.send_text("bad").await;
    assert_eq!(client.closed().await.code, 1007);
}

/// What stands around the text in a frame for the guest `measure`.
const AROUND: usize = r#"{"type":"size","data":""}"#.len();

/// A frame of exactly so many bytes, for the guest `measure`.
fn frame_of(bytes: usize) -> String {
    format!(r#"{{"type":"size","data":"{}"}}"#, "x".repeat(bytes - AROUND))
}

#[tokio::test]
async fn a_frame_of_64_kib_is_taken_and_a_larger_one_closes_the_socket() {
    let server = Server::with_guest("measure");
    let mut client = server.enter("/measure").await;
    client.send_text(&frame_of(64 << 10)).await;
    assert_eq!(client.expect("size").await["data"], (64 << 10) - AROUND);
    client.send_text(&frame_of((64 << 10) + 1)).await;
    let closed = client.closed().await;
    let reason = "a frame is larger than frame-bytes; frame 3 was not taken";
    assert_eq!((closed.code, closed.reason.as_str()), (1009, reason));
}

#[tokio::test]
async fn the_bound_of_a_frame_counts_its_fragments_together() {
    let server = Server::builder().guest("measure").config("[limits]\nframe-bytes = 1000").start();
    let mut client = server.enter("/measure").await;
    client.send_text(&frame_of(1000)).await;
    client.expect("size").await;
    let too_large = frame_of(1001);
    let (first, second) = too_large.split_at(600);
    send_fragment(&mut client, first, Data::Text, false).await;
    send_fragment(&mut client, second, Data::Continue, true).await;
    assert_eq!(client.closed().await.code, 1009);
}

async fn send_fragment(client: &mut Client, text: &str, kind: Data, is_final: bool) {
    let frame = Frame::message(text.to_owned().into_bytes(), OpCode::Data(kind), is_final);
    client.send_message(Message::Frame(frame)).await;
}

#[tokio::test]
async fn a_frame_in_fragments_is_one_frame() {
    let server = Server::with_guest("echo");
    let mut client = server.enter("/echo").await;
    send_fragment(&mut client, r#"{"type":"echo","#, Data::Text, false).await;
    send_fragment(&mut client, r#""data":"a"#, Data::Continue, false).await;
    // A ping may stand between them.
    client.send_message(Message::Ping(vec![7].into())).await;
    send_fragment(&mut client, r#"b"}"#, Data::Continue, true).await;
    assert_eq!(client.message().await, Message::Pong(vec![7].into()));
    assert_eq!(client.expect("echo").await["data"], "ab");
}

#[tokio::test]
async fn a_websocket_ping_is_answered_with_its_payload() {
    let server = Server::with_guest("echo");
    let mut client = server.enter("/echo").await;
    client.send_message(Message::Ping(b"are you there".to_vec().into())).await;
    assert_eq!(client.message().await, Message::Pong(b"are you there".to_vec().into()));
}

#[tokio::test]
async fn what_is_not_the_websocket_protocol_closes_with_1002() {
    let server = Server::with_guest("echo");
    let unmasked = [&[0x81, 14][..], br#"{"type":"sync"}"#].concat();
    let reserved_bits = vec![0xf1, 0x80, 0, 0, 0, 0];
    let unknown_opcode = vec![0x83, 0x80, 0, 0, 0, 0];
    let lone_continuation = vec![0x80, 0x80, 0, 0, 0, 0];
    let fragmented_ping = vec![0x09, 0x80, 0, 0, 0, 0];
    for bytes in [unmasked, reserved_bits, unknown_opcode, lone_continuation, fragmented_ping] {
        let mut client = server.enter("/echo").await;
        client.send_bytes(&bytes).await;
        assert_eq!(client.closed().await.code, 1002, "{bytes:x?}");
    }
}

/// Fragments count as frames do, however little is in them.
#[tokio::test]
async fn endless_fragments_close_with_1008() {
    let config = "[limits]\nframes-per-second = 100\nframes-burst = 200";
    let server = Server::builder().guest("echo").config(config).start();
    let empty = vec![0x00, 0x80, 0, 0, 0, 0];
    let one_byte = vec![0x00, 0x81, 0, 0, 0, 0, b' '];
    for (name, fragment) in [("empty", empty), ("one byte", one_byte)] {
        let mut client = server.enter("/echo").await;
        let text = br#"{"type":"echo"}"#;
        // The whole message within one burst of what is read: it is not too large, and it is valid.
        let begin = [&[0x01, 0x80 | text.len() as u8, 0, 0, 0, 0][..], text].concat();
        client.send_bytes(&[begin, fragment.repeat(20_000), vec![0x80, 0x80, 0, 0, 0, 0]].concat()).await;
        let (frames, closed) = client.frames_until_closed().await;
        assert_eq!((closed.code, frames.len()), (1008, 0), "{name}: {closed:?}");
        assert!(closed.reason.contains("frames-per-second"), "{name}: {closed:?}");
    }
    // A message in a few parts is one message.
    let mut client = server.enter("/echo").await;
    for part in [
        &[0x01, 0x88, 0, 0, 0, 0][..],
        b"{\"type\":",
        &[0x00, 0x80, 0, 0, 0, 0],
        &[0x80, 0x87, 0, 0, 0, 0],
        b"\"echo\"}",
    ] {
        client.send_bytes(part).await;
    }
    client.expect("echo").await;
}

#[tokio::test]
async fn a_text_that_is_not_utf_8_closes_with_1007() {
    let server = Server::with_guest("echo");
    let mut client = server.enter("/echo").await;
    client.send_bytes(&[0x81, 0x82, 0, 0, 0, 0, 0xc3, 0x28]).await;
    assert_eq!(client.closed().await.code, 1007);
}

#[tokio::test]
async fn a_clients_goodbye_is_answered() {
    let server = Server::with_guest("echo");
    for code in [1000, 1001, 3000, 4999] {
        let mut client = server.enter("/echo").await;
        client.send("echo", json!({ "last": true })).await;
        client.expect("echo").await;
        let goodbye = tokio_tungstenite::tungstenite::protocol::CloseFrame { code: code.into(), reason: "bye".into() };
        client.send_message(Message::Close(Some(goodbye))).await;
        assert_eq!(client.closed().await.code, code);
    }
}
