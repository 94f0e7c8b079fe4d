//! A taped life with another component: what that does differently, turn by turn.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use hostile_guests::bare;

use super::{recorded, tapes_of};
use crate::harness::command::{Said, parlor};
use crate::harness::guests::saying;
use crate::harness::{Server, Value, json};

fn with(server: &Server, tape: &Path, component: &[u8]) -> Said {
    fs::write(server.folder().join("new.wasm"), component).expect("a file");
    parlor(server.folder(), &["replay", tape.to_str().expect("text"), "--with", "new.wasm"])
}

#[tokio::test]
async fn the_effects_that_differ_are_told_and_a_turn_that_fails_fails_it() {
    let server = Server::builder().file("bare.wasm", saying("hello")).config(&recorded("bare", "all")).start();
    let path = server.plugin("default", "bare").await["path"].as_str().expect("a path").to_owned();
    let mut ada = server.join(&path).await;
    for _ in 0..3 {
        ada.send("say", json!({})).await;
        ada.next_event("hello").await;
    }
    drop(ada);
    server.signal_end();
    let tape = tapes_of(&server, "bare", 1).await.remove(0);

    let same = with(&server, &tape, &saying("hello"));
    assert!(same.success && same.out.contains("3 turns with the other component, 0 of them differ"), "{same:?}");
    let other = with(&server, &tape, &saying("other"));
    assert!(other.success && other.out.contains("3 turns with the other component, 3 of them differ"), "{other:?}");
    let lines: Vec<&str> = other.out.lines().map(str::trim).collect();
    let at = lines.iter().position(|line| *line == "turn 2, say").expect("a turn");
    assert!(lines[at + 1].starts_with("- outbox.") && lines[at + 1].contains("\"hello\""), "{other:?}");
    assert!(lines[at + 2].starts_with("+ outbox.") && lines[at + 2].contains("\"other\""), "{other:?}");
    let broken = with(&server, &tape, &bare(&[("in handle", "unreachable")]));
    assert!(!broken.success && broken.err.contains("1 turns fail with it, the first is turn 1"), "{broken:?}");
    assert!(broken.out.contains("+ trap: trapped: "), "{broken:?}");
}

#[tokio::test]
async fn answers_come_from_the_room_as_it_was() {
    let server = Server::builder().guest_as("fault_turns", "turns").config(&recorded("turns", "failures")).start();
    let mut ana = server.enter("/turns?room=lobby&user=ana").await;
    for _ in 0..3 {
        ana.send("state", json!({})).await;
        ana.expect("state").await;
    }
    ana.send("attempt", json!({ "how": "panic" })).await;
    let tape = tapes_of(&server, "turns", 1).await.remove(0);
    // Members, storage and time are what they were: the same code does the same, and fails again.
    let same = with(&server, &tape, &crate::harness::guest("fault_turns"));
    assert!(same.out.contains("5 turns with the other component, 0 of them differ"), "{same:?}");
    assert!(!same.success && same.err.contains("1 turns fail with it, the first is turn 5"), "{same:?}");
}

#[tokio::test]
async fn what_the_room_stored_before_is_on_the_tape() {
    let config =
        format!("{}\n[tenants.default.plugins.coupons.config]\nshop-token = \"spring\"", recorded("coupons", "all"));
    let server = Server::builder().guest("coupons").config(&config).start();
    let mut ana = server.join("/coupons?room=lobby").await;
    ana.send("keep", json!({})).await;
    ana.next_event("kept").await;
    // Its instance is lost, and another one begins where this one ended.
    ana.send("redeem", json!({ "coupon": "spring-4711-qx", "times": 0 })).await;
    ana.send("keep", json!({})).await;
    ana.next_event("kept").await;
    drop(ana);
    server.signal_end();
    let mut stored = BTreeMap::new();
    for tape in tapes_of(&server, "coupons", 3).await {
        let dumped = parlor(server.folder(), &["replay", tape.to_str().expect("text"), "--dump"]);
        let first = dumped.out.lines().next().expect("a base");
        let base = serde_json::from_str::<Value>(first).expect("JSON")["base"].take();
        stored.insert(base["reason"].as_str().expect("a reason").to_owned(), base["storage"].clone());
    }
    let expected = [("crash", json!({ "spring": "true" })), ("open", json!({}))];
    assert_eq!(stored, expected.map(|(reason, stored)| (reason.to_owned(), stored)).into());
}
