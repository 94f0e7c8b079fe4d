//! What goes wrong in a plugin, what its author reads, and what the room does.

use super::answer;
use crate::harness::{Client, json};
use crate::language::PYTHON;

/// The place of the line of the guest that has this, as authors read it.
fn place(code: &str) -> String {
    format!("(faults.py:{})", PYTHON.line(code))
}

/// The instance works.
async fn works(client: &mut Client) {
    assert_eq!(answer(client, "args", json!([1])).await, json!([[1]]));
}

#[tokio::test]
async fn an_exception_is_logged_with_its_places_and_fails_its_turn_alone() {
    if PYTHON.is_left_out() {
        return;
    }
    let server =
        PYTHON.faulty("turn-cpu-ms = 2_000\nclient-faults = 1000\naddress-faults = 1000\nclient-slow-ms = 0").start();
    let mut ana = server.join("/faults").await;
    let recursive = "return below(depth + 1)";
    for (event, words, code) in [
        ("exception", "ValueError: no b: KeyError: 'b'", "data[\"b\"]"),
        ("recursion", "RecursionError: ", recursive),
        ("library-error", "JSONDecodeError: ", "json.loads"),
        ("late-import", "ModuleNotFoundError: sqlite3 was not imported when the plugin was built", "import sqlite3"),
        ("files", "a room has no files", "open(\"/etc/passwd\")"),
        ("sleep", "a handler cannot sleep", "time.sleep(1)"),
        ("exit", "SystemExit: 3", "raise SystemExit(3)"),
        ("never", "RuntimeError: no running event loop", "await asyncio.get_running_loop()"),
    ] {
        ana.send(event, json!({})).await;
        server.wait_for_log(&["guest", words]).await;
        server.wait_for_log(&["guest", &place(code)]).await;
        server.wait_for_log(&["turn failed", &format!("event=\"{event}\""), words]).await;
        works(&mut ana).await;
    }
    ana.send("waits", json!({})).await;
    server.wait_for_log(&["turn failed", "waits awaits something that nothing in a room settles"]).await;
    works(&mut ana).await;
}

/// An endless loop has no place of its own: the bound ends it wherever it is.
#[tokio::test]
async fn an_endless_loop_is_ended_and_the_room_goes_on_in_a_new_instance() {
    if PYTHON.is_left_out() {
        return;
    }
    let server = PYTHON.faulty("turn-cpu-ms = 500\ncall-wall-ms = 15_000").start();
    let mut ana = server.join("/faults").await;
    works(&mut ana).await;
    ana.send("loop", json!({})).await;
    server.wait_for_log(&["turn failed", "event=\"loop\""]).await;
    works(&mut ana).await;
}

/// What recurses within the engine itself, such as JSON a hundred thousand lists deep, has no place: the stack ends the instance.
#[tokio::test]
async fn a_stack_of_the_engine_that_is_exhausted_ends_the_instance_and_the_room_goes_on() {
    if PYTHON.is_left_out() {
        return;
    }
    let server = PYTHON.faulty("turn-cpu-ms = 2_000").start();
    let mut ana = server.join("/faults").await;
    ana.send("deep-data", json!({})).await;
    server.wait_for_log(&["turn failed", "call stack exhausted", "event=\"deep-data\""]).await;
    works(&mut ana).await;
}

#[tokio::test]
async fn memory_past_the_bound_is_told_with_its_place() {
    if PYTHON.is_left_out() {
        return;
    }
    let server =
        PYTHON.faulty("turn-cpu-ms = 2_000\nclient-faults = 1000\naddress-faults = 1000\nclient-slow-ms = 0").start();
    let mut ana = server.join("/faults").await;
    ana.send("memory", json!({})).await;
    server.wait_for_log(&["turn failed", "memory", "MemoryError"]).await;
    server.wait_for_log(&["guest", &place("held.append(")]).await;
}
