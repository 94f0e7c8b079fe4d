//! What the SDK does at the edges of what it takes: texts of a function that returned, the letter NUL, the largest sizes, several
//! arguments, many pieces of bytes.

use std::fs;

use crate::harness::folder::Folder;
use crate::harness::room::{HarnessRoom, room};
use crate::harness::{Client, Server, Value, json, toolchains};
use crate::language::C;

fn guest() -> Vec<u8> {
    toolchains::built("tests/guests/c/edges", "c-edges")
}

/// The guest's room; its folder must outlive it.
fn edges() -> (Folder, HarnessRoom) {
    let folder = Folder::new();
    let file = folder.path().join("c-edges.wasm");
    fs::write(&file, guest()).expect("a file");
    let room = HarnessRoom::start(room(&file));
    (folder, room)
}

#[track_caller]
fn does(room: &mut HarnessRoom, steps: &[Value]) {
    for step in steps {
        room.step(step).unwrap_or_else(|why| panic!("{step}: {why}"));
    }
}

fn ada() -> Value {
    json!({ "connect": { "as": "ada", "meta": { "user": "ada" } } })
}

fn send(event: &str) -> Value {
    json!({ "send": { "from": "ada", "frame": { "type": event } } })
}

#[test]
fn what_lies_in_a_function_that_returned_is_told_as_it_was() {
    if C.is_left_out() {
        return;
    }
    let (_folder, mut room) = edges();
    let error = json!({ "type": "error", "code": "edge.local", "message": "words of 5 letters" });
    let failure = json!({ "event": "fail", "code": "edge.local", "message": "words of 5 letters" });
    does(
        &mut room,
        &[
            json!({ "refused": { "path": "/c-edges", "status": 403, "body": "not before 8" } }),
            ada(),
            send("reject"),
            json!({ "expect": { "ada": [error] } }),
            send("fail"),
            json!({ "failures": [failure] }),
            json!({ "request": { "from": "ada", "frame": { "type": "answer" }, "ack": { "data": [1, 2] } } }),
        ],
    );
}

#[test]
fn the_letter_nul_cuts_no_text_and_its_two_bytes_from_outside_are_none() {
    if C.is_left_out() {
        return;
    }
    let (_folder, mut room) = edges();
    does(&mut room, &[json!({ "open": { "config": { "motto": "be\u{0}brief" } } })]);
    for (query, user) in [("ada%00x", "ada\u{0}x"), ("ada%C0%80x", "ada\u{FFFD}\u{FFFD}x"), ("ad%C3%A4", "ad\u{E4}")] {
        let texts = json!({ "type": "texts", "user": user, "motto": "be\u{0}brief" });
        does(
            &mut room,
            &[
                json!({ "connect": { "as": "ada", "path": format!("/c-edges?userId={query}") } }),
                send("texts"),
                json!({ "expect": { "ada": [texts] } }),
                json!({ "leave": { "who": "ada" } }),
            ],
        );
    }
}

#[test]
fn values_at_the_edges_are_written_read_and_compared() {
    if C.is_left_out() {
        return;
    }
    let (_folder, mut room) = edges();
    let same = [false, false, true, true];
    let values = json!({ "type": "values", "holed": [1, null, 3], "same": same, "least": true, "most": true });
    does(&mut room, &[ada(), send("values"), json!({ "expect": { "ada": [values] } })]);
}

/// A size that rounding would make a small one ends the turn.
#[test]
fn a_size_past_all_memory_ends_the_turn() {
    if C.is_left_out() {
        return;
    }
    let (_folder, mut room) = edges();
    let failure = json!({ "event": "huge", "code": "trap", "message": "<any>" });
    does(&mut room, &[ada(), send("huge"), json!({ "failures": [failure] }), json!({ "expect": {} })]);
}

#[test]
fn a_state_goes_over_after_all_handlers_were_removed_and_one_came_anew() {
    if C.is_left_out() {
        return;
    }
    let (_folder, mut room) = edges();
    does(&mut room, &[ada(), send("renew"), json!("sleep"), send("values"), json!({ "failures": [] })]);
    let frames = room.step(&json!({ "frames": "ada" })).expect("frames");
    assert_eq!(frames[0]["data"], json!({ "type": "resumed", "data": "kept" }), "{frames}");
}

/// A client of Socket.IO in the guest's namespace.
async fn session(server: &Server) -> Client {
    let mut client = server.join("/socket.io/?EIO=4&transport=websocket&userId=ada").await;
    client.frame().await;
    client.send_text("40/c-edges,").await;
    let entered = client.frame().await;
    assert!(entered.starts_with("40/c-edges,{"), "{entered}");
    client
}

#[tokio::test]
async fn an_answer_takes_the_spread_before_it_and_the_next_emit_has_none() {
    if C.is_left_out() {
        return;
    }
    let server = Server::builder().file("c-edges.wasm", guest()).start();
    let mut ada = session(&server).await;
    ada.send_text(r#"42/c-edges,7["spread"]"#).await;
    assert_eq!(ada.frame().await, r#"42/c-edges,["one",[3,4]]"#);
    assert_eq!(ada.frame().await, r#"42/c-edges,["two",3,4]"#);
    assert_eq!(ada.frame().await, "43/c-edges,7[3,4]");
}

#[tokio::test]
async fn the_first_16_pieces_of_bytes_are_attached_and_the_others_are_base64() {
    if C.is_left_out() {
        return;
    }
    let server = Server::builder().file("c-edges.wasm", guest()).start();
    let mut ada = session(&server).await;
    ada.send_text(r#"42/c-edges,["pieces"]"#).await;
    let said = ada.frame().await;
    assert!(said.starts_with(r#"4516-/c-edges,["pieces",[{"_placeholder":true,"num":0},"#), "{said}");
    assert!(said.ends_with(r#"{"_placeholder":true,"num":15},{"base64":"EA=="}]]"#), "{said}");
}
