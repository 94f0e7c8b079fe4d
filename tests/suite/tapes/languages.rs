//! A failure in each language is lived again, with its file and line.

use super::{recording, replay, tapes_of};
use crate::harness::{Builder, Server, Value, json};
use crate::language::{C, GO, PYTHON};

/// Makes a plugin fail in one of its handlers, and lives that again.
async fn fails_again(server: Builder, plugin: &str, path: &str, (event, data): (&str, Value), words: &[&str]) {
    let server = recording(server, plugin).start();
    let mut ada = server.join(path).await;
    ada.send(event, data).await;
    let tape = tapes_of(&server, plugin, 1).await.remove(0);
    let said = replay(&server, &tape, plugin, &[]);
    assert!(said.success && said.out.contains("the same outcome"), "{plugin}: {said:?}");
    for words in words {
        assert!(said.out.contains(words) || said.err.contains(words), "{plugin}, {words}: {said:?}");
    }
}

#[tokio::test]
async fn a_failure_of_a_script_is_lived_again() {
    let source = include_str!("../../guests/scripts/turns.ts");
    let line = source.lines().position(|line| line.contains("new TypeError(")).expect("a line") + 1;
    let server = Server::builder().guest_as("script/turns", "turns");
    let attempt = ("attempt", json!({ "how": "throw" }));
    fails_again(server, "turns", "/scripted", attempt, &["thrown on purpose", &format!("turns.ts:{line}")]).await;
}

#[tokio::test]
async fn a_trap_of_c_is_lived_again() {
    if C.is_left_out() {
        return;
    }
    let place = format!("src/faults.c:{}: ", C.line("first->score"));
    fails_again(C.faulty("turn-cpu-ms = 2_000"), C.faults, "/c-faults", ("null", Value::Null), &[&place, "trap"]).await;
}

#[tokio::test]
async fn a_panic_and_a_trap_of_go_are_lived_again() {
    if GO.is_left_out() {
        return;
    }
    let place = |code: &str| format!("main.go:{}", GO.line(code));
    let (nil, deadlock) = (place("first.next.name"), place("<-make(chan int)"));
    fails_again(GO.faulty("turn-cpu-ms = 2_000"), GO.faults, "/go-faults", ("nil", Value::Null), &[&nil]).await;
    fails_again(
        GO.faulty("turn-cpu-ms = 2_000"),
        GO.faults,
        "/go-faults",
        ("deadlock", Value::Null),
        &[&deadlock, "trap"],
    )
    .await;
}

#[tokio::test]
async fn an_exception_of_python_is_lived_again() {
    if PYTHON.is_left_out() {
        return;
    }
    let place = format!("(faults.py:{})", PYTHON.line("data[\"b\"]"));
    let exception = ("exception", json!({}));
    let server = PYTHON.faulty("turn-cpu-ms = 2_000");
    fails_again(server, PYTHON.faults, "/faults", exception, &["ValueError: no b", &place]).await;
}
