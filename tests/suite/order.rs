//! Order: a room does one thing after the other, all of its sockets see it in one order, and nobody's own events
//! overtake each other.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::task::JoinSet;

use crate::harness::{Client, Server, Value, json};

/// Messages of each socket. All of them for one receiver stay within its outbound queue, whatever the speed.
const MESSAGES: u64 = 60;

/// What one socket heard: who said which number, in which turn of the room.
type Heard = Vec<(String, u64, u64)>;

/// Says its numbers as fast as it can, and hears everything that the room's sockets say.
async fn talk(mut client: Client, in_all: usize) -> Heard {
    for n in 0..MESSAGES {
        client.send("say", json!({ "n": n })).await;
    }
    let mut heard = Vec::new();
    while heard.len() < in_all {
        let said = client.expect("said").await;
        let number = |key: &str| said[key].as_u64().expect("a number");
        heard.push((said["from"].as_str().expect("a user").to_owned(), number("n"), number("turn")));
    }
    heard
}

#[tokio::test]
async fn all_sockets_of_a_room_see_one_order_and_each_senders_own() {
    const ROOMS: usize = 3;
    const SOCKETS: usize = 8;
    let server = Arc::new(Server::with_guest("relay"));
    let mut rooms = Vec::new();
    for room in 0..ROOMS {
        let mut clients = Vec::new();
        for user in 0..SOCKETS {
            clients.push(server.enter(&format!("/relay?room=r{room}&user=u{user}")).await);
        }
        rooms.push(clients);
    }
    let mut talks = JoinSet::new();
    for (room, clients) in rooms.into_iter().enumerate() {
        for client in clients {
            talks.spawn(async move { (room, talk(client, SOCKETS * MESSAGES as usize).await) });
        }
    }
    let mut orders: BTreeMap<usize, Heard> = BTreeMap::new();
    while let Some(talked) = talks.join_next().await {
        let (room, heard) = talked.expect("a client that heard everything");
        let order = orders.entry(room).or_insert_with(|| heard.clone());
        assert_eq!(*order, heard, "two sockets of the room r{room} heard different orders");
    }
    for order in orders.values() {
        let turns: Vec<u64> = order.iter().map(|(_, _, turn)| *turn).collect();
        let in_order: Vec<u64> = (1..=SOCKETS as u64 * MESSAGES).collect();
        assert_eq!(turns, in_order);
        let mut next: BTreeMap<&str, u64> = BTreeMap::new();
        for (from, n, _) in order {
            let expected = next.entry(from).or_default();
            assert_eq!(n, expected, "{from} was overtaken by itself");
            *expected += 1;
        }
    }
}

#[tokio::test]
async fn a_flood_of_one_socket_is_neither_lost_nor_reordered() {
    // Far more than the 64 events that may wait: the socket is not read until there is room.
    const FLOOD: u64 = 1_500;
    let server = Server::with_guest("relay");
    let mut client = server.enter("/relay?user=ada").await;
    let mut frames = Vec::new();
    for n in 0..FLOOD {
        // Many frames arrive in one read; the last bytes of one write may be half a frame.
        frames.extend(masked(&json!({ "type": "say", "data": { "n": n } }).to_string()));
    }
    client.send_bytes(&frames).await;
    for n in 0..FLOOD {
        let said = client.expect("said").await;
        assert_eq!((&said["n"], &said["turn"]), (&json!(n), &json!(n + 1)));
    }
    client.expect_silence().await;
}

/// A text frame of up to 125 bytes as a client sends it, with a mask of zeros.
fn masked(text: &str) -> Vec<u8> {
    let length = u8::try_from(text.len()).expect("a short text");
    assert!(length <= 125);
    [&[0x81, 0x80 | length, 0, 0, 0, 0], text.as_bytes()].concat()
}

#[tokio::test]
async fn connect_comes_before_the_sockets_own_first_event() {
    let server = Arc::new(Server::with_guest("greeter"));
    let mut clients = JoinSet::new();
    for n in 0..30 {
        let server = Arc::clone(&server);
        clients.spawn(async move {
            let mut client = server.join(&format!("/greeter?room=r{}", n % 3)).await;
            client.send("hi", json!({ "n": n })).await;
            let (first, second) = (client.event().await, client.event().await);
            (n, first, second)
        });
    }
    while let Some(joined) = clients.join_next().await {
        let (n, first, second) = joined.expect("a client");
        assert_eq!(first, json!({ "type": "connected" }));
        assert_eq!(second, json!({ "type": "hi", "n": n, "greeted": true }));
    }
}

#[tokio::test]
async fn emits_of_one_turn_keep_their_order_whoever_they_are_for() {
    let server = Server::with_guest("members");
    let mut ada = server.enter("/members?user=ada").await;
    let mut bob = server.enter("/members?user=bob").await;
    ada.send("join.count", json!("red")).await;
    // `others` is for others in the channel, `left` and `before` for nobody.
    ada.expect("joined").await;
    assert_eq!(ada.expect("counts").await["data"], json!([0, 1, 0, 0]));
    bob.expect_silence().await;
}

/// The events of a list of frames.
fn names(frames: &[String]) -> Vec<String> {
    let name = |frame: &String| {
        let frame: Value = serde_json::from_str(frame).expect("a frame");
        frame["data"]["type"].as_str().expect("an event's name").to_owned()
    };
    frames.iter().map(name).collect()
}

#[tokio::test]
async fn a_close_comes_after_what_was_said_before_it() {
    let server = Server::with_guest("members");
    let mut bob = server.enter("/members?user=bob").await;
    for (code, reason) in [(1000, ""), (1008, "rules"), (3000, "a reason"), (4999, "é".repeat(61).as_str())] {
        let mut ada = server.enter("/members?user=ada").await;
        ada.send("close", json!({ "code": code, "reason": reason })).await;
        // What is sent after it is heard by nobody.
        ada.send("to", json!("default")).await;
        let (frames, closed) = ada.frames_until_closed().await;
        assert_eq!(names(&frames), ["before the close", "still here"]);
        assert_eq!((closed.code, closed.reason.as_str()), (code, reason));
        // Bob is there, and of Ada's sockets there was one before the call and none after it.
        assert_eq!(bob.expect("closed one").await["data"], json!([2, 1, 1, 0]));
        bob.expect("gone").await;
        bob.expect_silence().await;
    }
}
