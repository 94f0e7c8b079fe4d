//! Guests that lie at the level of bytes, and ones that spin where no handler runs: in a start function, in an
//! allocation that the host asks for.

use hostile_guests::bare;

use crate::harness::{Server, json};

/// Lets the handler misbehave for a payload of 1,001 bytes, which no other message of these tests has.
fn in_handle(mischief: &str) -> Vec<u8> {
    let code = format!("(if (i32.eq (local.get $payload-len) (i32.const 1001)) (then {mischief}))");
    bare(&[("in handle", &code)])
}

/// Serves it beside another tenant's; the misbehaving turn fails as this code, and both rooms go on.
async fn assert_turn_fails(component: Vec<u8>, payload_bytes: usize, code: &str) {
    let server = Server::builder()
        .file("bare.wasm", component)
        .file("good/bare.wasm", bare(&[]))
        .config("[limits]\nturn-cpu-ms = 100")
        .start();
    let (mut client, mut other) = (server.join("/bare").await, server.join("/bare").await);
    let mut good = server.join("/t/good/bare").await;
    client.send("say", json!("x".repeat(payload_bytes - 2))).await;
    server.wait_for_log(&["turn failed", "event=\"say\"", &format!("code=\"{code}\"")]).await;
    for client in [&mut client, &mut other, &mut good] {
        client.send("say", json!(1)).await;
        assert_eq!(client.expect("say").await, json!({ "type": "say", "data": 1 }));
    }
}

/// Calls `to-socket` with these arguments behind the socket: the event's place and length, the payload's tag, place
/// and length, and where the answer goes.
fn emit(arguments: [&str; 6]) -> String {
    let arguments = arguments.map(|argument| format!("(i32.const {argument})")).join(" ");
    format!("(call $to-socket (local.get $socket) {arguments})")
}

#[tokio::test]
async fn text_that_is_no_utf8_is_a_trap() {
    let mischief =
        format!("(i32.store8 (i32.const 700) (i32.const 255)) {}", emit(["700", "1", "0", "16", "3", "512"]));
    assert_turn_fails(in_handle(&mischief), 1_001, "trap").await;
}

#[tokio::test]
async fn a_text_outside_of_memory_is_a_trap() {
    for (place, length) in [("131070", "8"), ("-8", "16"), ("0", "-1"), ("0", "100000000")] {
        let component = in_handle(&emit(["16", "3", "0", place, length, "512"]));
        assert_turn_fails(component, 1_001, "trap").await;
    }
}

#[tokio::test]
async fn a_case_that_does_not_exist_is_a_trap() {
    assert_turn_fails(in_handle(&emit(["16", "3", "7", "16", "3", "512"])), 1_001, "trap").await;
}

#[tokio::test]
async fn an_answer_that_has_no_place_is_a_trap() {
    // Outside of memory, and not aligned.
    for place in ["131071", "513"] {
        let component = in_handle(&emit(["16", "3", "0", "32", "5", place]));
        assert_turn_fails(component, 1_001, "trap").await;
    }
    assert_turn_fails(in_handle("(return (i32.const 131071))"), 1_001, "trap").await;
}

#[tokio::test]
async fn an_allocation_that_never_ends_is_cut_off() {
    let spin = "(if (i32.eq (local.get $size) (i32.const 7777)) (then (loop $again (br $again))))";
    assert_turn_fails(bare(&[("in realloc", spin)]), 7_777, "deadline").await;
}

#[tokio::test]
async fn an_allocation_that_overlaps_the_end_of_memory_is_a_trap() {
    let lie = "(if (i32.eq (local.get $size) (i32.const 7777)) (then (return (i32.const 131000))))";
    assert_turn_fails(bare(&[("in realloc", lie)]), 7_777, "trap").await;
}

#[tokio::test]
async fn a_start_function_that_never_ends_refuses_the_plugin() {
    let spin = "(func $spin (loop $again (br $again))) (start $spin)";
    let server = Server::builder()
        .file("spins.wasm", bare(&[("at the end", spin)]))
        .guest("echo")
        .config("[limits]\ninit-cpu-ms = 100")
        .start();
    server.wait_for_log(&["plugins/spins.wasm is not served", "CPU time"]).await;
    server.join("/echo").await.expect_silence().await;
}

#[tokio::test]
async fn authorize_that_never_ends_is_a_500_and_others_come_in() {
    let server = Server::builder()
        .file("bare.wasm", bare(&[("in authorize", "(loop $again (br $again))")]))
        .guest("echo")
        .config("[limits]\nturn-cpu-ms = 100")
        .start();
    assert_eq!(server.refused("/bare").await.status, 500);
    server.join("/echo").await.expect_silence().await;
}
