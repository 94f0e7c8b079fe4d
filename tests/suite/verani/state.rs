//! What a room by Verani's API keeps: metas that handlers write to, sessions, transactions, and what it says in other rooms. In
//! TypeScript alone, whose API that is.

use crate::harness::{Builder, Client, Server, Value, json};
use crate::swap::sleep::{SLEEPY, asleep};

/// By the name under which the rooms of `swap` are looked at.
fn builder() -> Builder {
    Server::builder().guest_as("script/verani-state", "swap")
}

/// What the client is shown of its meta; the room may wake for it.
async fn shown(client: &mut Client) -> Value {
    client.send("show", json!({})).await;
    client.next_event("shown").await
}

#[tokio::test]
async fn a_meta_that_was_written_to_outlives_the_instance() {
    let server = builder().config(SLEEPY).start();
    let mut ana = server.join("/state?user=ana").await;
    ana.send("status", json!("away")).await;
    // The emit of the same turn reaches the channel that the meta was given before it.
    assert_eq!(ana.expect("status").await["status"], "away");
    asleep(&server, "default").await;
    let wanted = json!({
        "type": "shown", "status": "away", "tags": ["away"], "channels": ["default", "away"], "users": ["ana away"], "own": true,
    });
    ana.send("show", json!({})).await;
    assert_eq!(ana.expect("restored").await, json!({ "type": "restored", "user": "ana", "status": "away" }));
    assert_eq!(ana.expect("shown").await, wanted);
    ana.send("trap", json!({})).await;
    // The instance is lost: whoever comes next finds the meta.
    ana.expect("restored").await;
    ana.expect("failed").await;
    assert_eq!(shown(&mut ana).await, wanted);
}

#[tokio::test]
async fn a_failed_turn_takes_back_what_it_wrote_to_a_meta() {
    let server = builder().start();
    let mut ana = server.join("/state?user=ana").await;
    ana.send("status", json!("lost")).await;
    assert_eq!(
        ana.expect("failed").await,
        json!({ "type": "failed", "message": "the turn is lost", "status": "online" })
    );
    let shown = shown(&mut ana).await;
    assert_eq!(
        (&shown["status"], &shown["tags"], &shown["channels"]),
        (&json!("online"), &json!([]), &json!(["default"]))
    );
    ana.send("status", json!("x".repeat(5_000))).await;
    assert_eq!(ana.expect("failed").await["status"], "online");
    ana.expect_silence().await;
}

#[tokio::test]
async fn a_broadcast_goes_to_some_of_a_channel() {
    let server = builder().start();
    let mut ana = server.join("/state?user=ana").await;
    let mut bo = server.join("/state?user=bo&client=one").await;
    let mut other = server.join("/state?user=bo&client=two").await;
    for (options, sent) in [
        (json!({}), 2),
        (json!({ "userIds": ["bo", "cy"] }), 2),
        (json!({ "userIds": ["bo"], "clientIds": ["two", "ana"] }), 1),
        (json!({ "userIds": [] }), 0),
    ] {
        ana.send("some", options).await;
        assert_eq!(ana.expect("sent").await, json!({ "type": "sent", "sent": sent, "one": 2 }));
    }
    for (client, heard) in [
        (&mut bo, ["some", "one", "some", "one", "one", "one"].as_slice()),
        (&mut other, ["some", "one", "some", "one", "some", "one", "one"].as_slice()),
    ] {
        for event in heard {
            client.expect(event).await;
        }
        client.expect_silence().await;
    }
}

#[tokio::test]
async fn a_transaction_that_fails_leaves_the_rest_of_its_turn() {
    let server = builder().start();
    let mut ana = server.join("/state").await;
    for (amount, done, left) in [(7, json!(3), 3), (4, json!("not enough"), 3), (3, json!(0), 0)] {
        ana.send("pay", json!(amount)).await;
        let paid = json!({ "type": "paid", "done": done, "stored": { "paid": amount, "left": left } });
        assert_eq!(ana.expect("paid").await, paid);
    }
}

#[tokio::test]
async fn what_a_turn_says_in_another_room_comes_with_its_commit() {
    let server = builder().start();
    let mut ana = server.join("/state?user=ana&room=here").await;
    let mut bo = server.join("/state?user=bo&room=there").await;
    let mut cy = server.join("/state?user=cy&room=there").await;
    ana.send("tell", json!({ "id": "there", "lost": true })).await;
    ana.expect("failed").await;
    bo.expect_silence().await;
    for id in ["there", "swap/there", "nowhere", "nothing/there"] {
        ana.send("tell", json!({ "id": id, "lost": false })).await;
        ana.expect("telling").await;
    }
    for _ in 0..2 {
        assert_eq!(bo.expect("told").await, json!({ "type": "told", "by": "ana" }));
        bo.expect("told all").await;
    }
    for client in [&mut ana, &mut bo, &mut cy] {
        client.expect_silence().await;
    }
    ana.send("tell", json!({ "id": "no room", "lost": false })).await;
    assert!(
        ana.expect("failed").await["message"]
            .as_str()
            .is_some_and(|words| words.contains("a room's id must be 1 to 128"))
    );
}

#[tokio::test]
async fn a_turn_says_nothing_in_another_tenants_room() {
    let config = "[tenants.good]\n[tenants.bad]";
    let guest = "script/verani-state";
    let server = Server::builder().guest_as(guest, "good/swap").guest_as(guest, "bad/swap").config(config).start();
    let mut ana = server.join("/t/bad/state?user=ana&room=here").await;
    let mut own = server.join("/t/bad/state?user=bo&room=there").await;
    let mut bo = server.join("/t/good/state?user=bo&room=there").await;
    ana.send("tell", json!({ "id": "there", "lost": false })).await;
    ana.expect("telling").await;
    own.expect("told").await;
    bo.expect_silence().await;
}

#[tokio::test]
async fn a_backend_speaks_to_some_of_a_room() {
    let server = builder().start();
    let mut ana = server.join("/state?user=ana&room=lobby").await;
    let mut bo = server.join("/state?user=bo&room=lobby").await;
    for (body, sent) in [
        (json!({ "users": ["ana", "bo"] }), 2),
        (json!({ "channel": "default", "user": "bo" }), 1),
        (json!({ "channel": "elsewhere", "user": "bo" }), 0),
        (json!({ "clients": ["bo", "cy"] }), 1),
    ] {
        let mut body = body;
        body["event"] = json!("news");
        let path = "/_parlor/api/rooms/default/swap/lobby/emit";
        let answer = server.request("POST", path).operator().json(&body).send().await;
        assert_eq!(answer.json(), json!({ "sent": sent }), "{body}");
    }
    ana.expect("news").await;
    for _ in 0..3 {
        bo.expect("news").await;
    }
    for client in [&mut ana, &mut bo] {
        client.expect_silence().await;
    }
}
