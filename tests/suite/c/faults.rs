//! What goes wrong in a plugin, what its author reads, and what the room does.

use crate::harness::{Client, Value, json};
use crate::language::C;

/// The room goes on, in a new instance that was told why.
async fn goes_on(client: &mut Client) {
    client.send("works", json!(1)).await;
    assert_eq!(client.next_event("restored").await["data"], "crash");
    assert_eq!(client.next_event("works").await["data"], 1);
}

#[tokio::test]
async fn what_is_undefined_ends_the_turn_and_names_file_and_line() {
    if C.is_left_out() {
        return;
    }
    for (event, data, code, words) in [
        ("null", Value::Null, "first->score", "an access through NULL"),
        ("past", json!(4), "list[pl_int", "an index past the array's end"),
        ("overflow", json!(100_000), "seats * seats", "a product that is too large for its type"),
        ("own-memory", Value::Null, "block[0] = 2", "an access through NULL"),
    ] {
        // A server for each: a client that made a plugin fail often is refused.
        let server = C.faulty("turn-cpu-ms = 2_000\nmemory-bytes = 33_554_432").start();
        let mut ada = server.join("/c-faults").await;
        ada.send(event, data).await;
        server.wait_for_log(&["ERROR", "guest", &format!("src/faults.c:{}: ", C.line(code)), words]).await;
        server.wait_for_log(&["turn failed", event]).await;
        goes_on(&mut ada).await;
    }
}

#[tokio::test]
async fn what_no_check_sees_names_the_functions_that_it_was_in() {
    if C.is_left_out() {
        return;
    }
    for (event, function) in [("far", "far_away"), ("abort", "gives_up"), ("recursion", "deeper")] {
        let server = C.faulty("turn-cpu-ms = 5_000").start();
        let mut ada = server.join("/c-faults").await;
        ada.send(event, Value::Null).await;
        server.wait_for_log(&[&format!("c-faults.wasm!{function}")]).await;
        server.wait_for_log(&["turn failed", event, "trap"]).await;
        goes_on(&mut ada).await;
    }
}

#[tokio::test]
async fn memory_past_the_bound_ends_the_turn() {
    if C.is_left_out() {
        return;
    }
    let server = C.faulty("turn-cpu-ms = 5_000\nmemory-bytes = 33_554_432").start();
    let mut ada = server.join("/c-faults").await;
    ada.send("memory", Value::Null).await;
    server.wait_for_log(&["turn failed", "memory"]).await;
    goes_on(&mut ada).await;
}

#[tokio::test]
async fn a_loop_without_an_end_is_stopped_and_its_function_is_named() {
    if C.is_left_out() {
        return;
    }
    let server = C.faulty("turn-cpu-ms = 300").start();
    let mut ada = server.join("/c-faults").await;
    ada.send("endless", Value::Null).await;
    server.wait_for_log(&["turn failed", "endless", "deadline"]).await;
    goes_on(&mut ada).await;
}

/// What the C library writes reaches the log, and an assertion that fails says which.
#[tokio::test]
async fn what_is_printed_and_what_is_asserted_is_in_the_log() {
    if C.is_left_out() {
        return;
    }
    let server = C.faulty("turn-cpu-ms = 2_000").start();
    let mut ada = server.join("/c-faults").await;
    ada.send("print", json!(7)).await;
    server.wait_for_log(&["guest", "printed 7"]).await;
    ada.send("assert", json!(2)).await;
    server.wait_for_log(&["guest", "pl_int(event->data) == 1"]).await;
    goes_on(&mut ada).await;
}
