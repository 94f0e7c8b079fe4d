//! Scripts that fail: an error that nobody catches fails its turn and keeps the instance, what the engine cannot bear ends
//! it. The log names the author's file and line.

use crate::faults::turns::{BOUNDS, assert_untouched, attempt_at, two_at};
use crate::harness::{Server, json};

fn server() -> Server {
    Server::builder().guest_as("script/turns", "turns").config(BOUNDS).start()
}

/// The number of the line of the guest that has this.
fn line_of(code: &str) -> usize {
    let source = include_str!("../../guests/scripts/turns.ts");
    source.lines().position(|line| line.contains(code)).expect("a line of the guest") + 1
}

#[tokio::test]
async fn what_is_thrown_or_rejected_fails_the_turn_alone() {
    let server = server();
    let cases = [
        ("error", "fault.error", "failed on purpose", "new RoomError(\"fault.error\""),
        ("throw", "error", "TypeError: thrown on purpose", "new TypeError("),
        ("recurse", "error", "RangeError: Maximum call stack size exceeded", "return recurse(depth + 1)"),
        ("rejection", "error", "a promise was rejected on purpose", "Promise.reject("),
    ];
    for (how, code, message, source) in cases {
        let (mut ana, mut bo) = two_at(&server, "/scripted", how).await;
        for attempts in 1..=2 {
            ana.send("attempt", json!({ "how": how })).await;
            let failed = json!({ "type": "failed", "event": "attempt", "code": code, "message": message });
            assert_eq!(ana.expect("failed").await, failed, "{how}");
            assert_untouched(&mut ana, attempts, None).await;
        }
        bo.expect_silence().await;
        let room = format!("room=\"{how}\"");
        server.wait_for_log(&["turn failed", message, &room]).await;
        server.wait_for_log(&["guest", &room, &format!("turns.ts:{}) ", line_of(source))]).await;
    }
}

#[tokio::test]
async fn a_rejection_is_for_its_sender_and_no_failure() {
    let server = server();
    let (mut ana, mut bo) = two_at(&server, "/scripted", "a").await;
    ana.send("attempt", json!({ "how": "reject" })).await;
    let error = json!({ "type": "error", "code": "fault.reject", "message": "rejected on purpose" });
    assert_eq!(ana.expect("error").await, error);
    assert_untouched(&mut ana, 1, None).await;
    bo.expect_silence().await;
    assert_eq!(server.plugin("default", "turns").await["failures"], 0);
}

#[tokio::test]
async fn a_rejection_that_nobody_handles_is_in_the_log() {
    let server = server();
    let (mut ana, _bo) = two_at(&server, "/scripted", "a").await;
    ana.send("attempt", json!({ "how": "unawaited" })).await;
    server.wait_for_log(&["guest", "nobody waits for this", "room=\"a\""]).await;
    server.wait_for_log(&["guest", &format!("turns.ts:{} ", line_of("nobody waits for this"))]).await;
}

#[tokio::test]
async fn a_promise_that_never_settles_fails_the_turn() {
    let server = server();
    let (mut ana, _bo) = two_at(&server, "/scripted", "a").await;
    ana.send("attempt", json!({ "how": "never" })).await;
    assert_eq!(ana.expect("failed").await["code"], "never-settled");
    assert_untouched(&mut ana, 1, None).await;
}

#[tokio::test]
async fn an_endless_loop_is_cut_off() {
    attempt_at(&server(), "/scripted", "spin", "deadline").await;
}

/// The engine bears that the host refuses it memory, and throws: the line is known, and the instance stays.
#[tokio::test]
async fn a_memory_bomb_meets_the_bound_of_the_instance() {
    let server = server();
    let (mut ana, mut bo) = two_at(&server, "/scripted", "a").await;
    for attempts in 1..=3 {
        ana.send("attempt", json!({ "how": "grow" })).await;
        assert_eq!(ana.expect("failed").await["message"], "InternalError: out of memory");
        assert_untouched(&mut ana, attempts, None).await;
    }
    bo.expect_silence().await;
    server.wait_for_log(&["guest", &format!("at grow (turns.ts:{}) ", line_of("kept.push("))]).await;
}

#[tokio::test]
async fn a_bound_of_the_turn_cannot_be_passed() {
    let config = format!("{BOUNDS}\nemits-per-turn = 10");
    let server = Server::builder().guest_as("script/turns", "turns").config(&config).start();
    let (mut ana, mut bo) = two_at(&server, "/scripted", "a").await;
    ana.send("attempt", json!({ "how": "emits" })).await;
    assert_eq!(ana.expect("failed").await["code"], "emits-per-turn");
    assert_untouched(&mut ana, 1, None).await;
    bo.expect_silence().await;
}

/// One thread serves both, and one of them spins for longer than the test is patient.
#[tokio::test]
async fn a_script_that_spins_stops_no_other_tenant() {
    let config = "threads = 1\n[limits]\nturn-cpu-ms = 600_000\ncall-wall-ms = 600_000";
    let server = Server::builder()
        .guest_as("script/turns", "spinner/turns")
        .guest_as("fault_turns", "good/turns")
        .config(config)
        .start();
    let mut spinner = server.join("/t/spinner/scripted?user=ana").await;
    let mut good = server.join("/t/good/turns?user=ana").await;
    spinner.send("attempt", json!({ "how": "spin" })).await;
    for _ in 0..20 {
        good.expect_silence().await;
    }
}
