//! What goes wrong in a plugin, what its author reads, and what the room does.

use crate::harness::{Client, Value, json};
use crate::language::{GO, request};

/// The place of the line of the guest that has this, as authors read it.
fn place(code: &str) -> String {
    format!("main.go:{}", GO.line(code))
}

/// The instance works, and is the one that it was where no restoring was heard of.
async fn works(client: &mut Client) {
    client.send("goroutines", json!(100)).await;
    assert_eq!(client.event().await, json!({ "type": "sum", "data": 4950 }));
}

#[tokio::test]
async fn a_panic_is_a_failure_with_file_and_line_and_the_instance_goes_on() {
    if GO.is_left_out() {
        return;
    }
    let server = GO.faulty("turn-cpu-ms = 2_000").start();
    let mut ada = server.join("/go-faults").await;
    for (event, data, words, code) in [
        ("index", json!(5), "index out of range [5] with length 1", "list[at]"),
        ("nil", Value::Null, "invalid memory address or nil pointer dereference", "first.next.name"),
        ("panic", Value::Null, "the cat ate it", "panic(\"the cat"),
        ("library", Value::Null, "negative Repeat count", "strings.Repeat"),
    ] {
        ada.send(event, data).await;
        let place = place(code);
        server.wait_for_log(&["turn failed", event, "panic", words, &format!("({place}, in main.")]).await;
        // The way to it has the caller as well.
        server.wait_for_log(&["guest", "panic: ", words]).await;
        works(&mut ada).await;
    }
    // What clients learn is the code alone.
    let answered = request(&mut ada, "index", json!(7)).await;
    assert_eq!(answered["error"], json!({ "code": "panic" }));
}

/// Go's own runtime ends the program: it tells where in the log, and the next event gets a new instance.
#[tokio::test]
async fn what_go_cannot_recover_from_ends_the_instance_and_names_file_and_line() {
    if GO.is_left_out() {
        return;
    }
    for (event, words, code) in [
        ("recursion", "stack overflow", "return deeper(depth+1)"),
        ("memory", "out of memory", "kept = append(kept"),
        ("deadlock", "deadlock", "<-make(chan int)"),
    ] {
        let server = GO.faulty("turn-cpu-ms = 5_000\nmemory-bytes = 33_554_432").start();
        let mut ada = server.join("/go-faults").await;
        ada.send(event, Value::Null).await;
        server.wait_for_log(&["guest", words]).await;
        server.wait_for_log(&["guest", &place(code)]).await;
        server.wait_for_log(&["turn failed", event]).await;
        assert_eq!(ada.next_event("restored").await["data"], "crash");
        works(&mut ada).await;
    }
}

#[tokio::test]
async fn a_loop_without_an_end_is_stopped_and_its_function_is_named() {
    if GO.is_left_out() {
        return;
    }
    for event in ["loop", "sleep"] {
        let server = GO.faulty("turn-cpu-ms = 300").start();
        let mut ada = server.join("/go-faults").await;
        ada.send(event, json!(60_000)).await;
        server.wait_for_log(&["turn failed", event, "deadline"]).await;
        assert_eq!(ada.next_event("restored").await["data"], "crash");
        works(&mut ada).await;
        if event == "loop" {
            server.wait_for_log(&["stopped in main.forever"]).await;
        }
    }
}

/// A sleep that is shorter than the bound only costs CPU time.
#[tokio::test]
async fn a_short_sleep_ends() {
    if GO.is_left_out() {
        return;
    }
    let server = GO.faulty("turn-cpu-ms = 2_000").start();
    let mut ada = server.join("/go-faults").await;
    ada.send("sleep", json!(5)).await;
    assert_eq!(ada.event().await, json!({ "type": "slept", "data": 5 }));
}
