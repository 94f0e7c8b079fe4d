//! A turn that fails in every way that a turn can fail, after it asked for everything that a turn can ask for.

use super::names;
use crate::harness::{Client, Server, json};

/// Bounds that are soon reached; a turn still has far more time than it needs.
pub const BOUNDS: &str = "[limits]
    turn-cpu-ms = 100
    call-wall-ms = 15_000
    memory-bytes = 16_777_216
    client-faults = 1000
    address-faults = 1000
    client-slow-ms = 0";

/// Two sockets in a room of the plugin at this path.
pub async fn two_at(server: &Server, path: &str, room: &str) -> (Client, Client) {
    let join = async |user: &str| {
        let mut client = server.join(&format!("{path}?room={room}&user={user}")).await;
        client.expect_silence().await;
        client
    };
    (join("ana").await, join("bo").await)
}

async fn two_in(server: &Server, room: &str) -> (Client, Client) {
    two_at(server, "/turns", room).await
}

/// What a room looks like where nothing of the failed turn is left.
pub async fn assert_untouched(client: &mut Client, attempts: u32, restored: Option<&str>) {
    client.send("state", json!({})).await;
    let state = client.expect("state").await;
    let untouched = json!({
        "type": "state", "channels": ["default"], "fields": {}, "stored": null, "attempts": attempts,
        "sockets": 2, "users": ["ana", "bo"], "restored": restored,
    });
    assert_eq!(state, untouched);
}

/// One attempt in a room of its own that ends the instance: `$restore` comes first, then `$error`.
async fn attempt_that_ends_the_instance(server: &Server, how: &str, code: &str) {
    attempt_at(server, "/turns", how, code).await;
}

/// The same with the plugin at this path.
pub async fn attempt_at(server: &Server, path: &str, how: &str, code: &str) {
    let (mut ana, mut bo) = two_at(server, path, how).await;
    ana.send("attempt", json!({ "how": how })).await;
    let restored = json!({ "type": "restored", "reason": "crash", "sockets": 2 });
    assert_eq!(ana.expect("restored").await, restored, "{how}");
    let failed = ana.expect("failed").await;
    assert_eq!((&failed["event"], &failed["code"]), (&json!("attempt"), &json!(code)), "{how}: {failed}");
    // The instance is a fresh one, whose memory knows of no attempt.
    assert_untouched(&mut ana, 0, Some("crash")).await;
    assert_eq!(bo.expect("restored").await, restored, "{how}");
    bo.expect_silence().await;
    let words = [&format!("room=\"{how}\""), "turn failed", &format!("code=\"{code}\"")];
    server.wait_for_log(&words).await;
}

fn turns() -> Server {
    Server::builder().guest_as("fault_turns", "turns").config(BOUNDS).start()
}

#[tokio::test]
async fn a_returned_failure_leaks_nothing_and_keeps_the_instance() {
    let server = turns();
    let (mut ana, mut bo) = two_in(&server, "a").await;
    for attempts in 1..=2 {
        ana.send("attempt", json!({ "how": "error" })).await;
        let failed = json!({
            "type": "failed", "event": "attempt", "code": "fault.error", "message": "failed on purpose",
        });
        assert_eq!(ana.expect("failed").await, failed);
        // Guest memory is no effect of a turn: it counted on.
        assert_untouched(&mut ana, attempts, None).await;
    }
    bo.expect_silence().await;
    assert_eq!(server.plugin("default", "turns").await["failures"], 2);
}

#[tokio::test]
async fn a_rejection_reaches_its_sender_alone_and_runs_no_error_hook() {
    let server = turns();
    let (mut ana, mut bo) = two_in(&server, "a").await;
    ana.send("attempt", json!({ "how": "reject" })).await;
    assert_eq!(
        ana.frame().await,
        r#"{"type":"event","channel":"default","data":{"type":"error","code":"fault.reject","message":"rejected on purpose"}}"#
    );
    assert_untouched(&mut ana, 1, None).await;
    bo.expect_silence().await;
    // To refuse a client is no failure of the plugin.
    assert_eq!(server.plugin("default", "turns").await["failures"], 0);
}

#[tokio::test]
async fn a_panic_ends_the_instance_and_nothing_else() {
    let server = turns();
    attempt_that_ends_the_instance(&server, "panic", "trap").await;
    server.wait_for_log(&["guest", "panicked on purpose", "plugin=\"turns\"", "room=\"panic\""]).await;
}

#[tokio::test]
async fn an_exit_ends_the_instance_and_nothing_else() {
    attempt_that_ends_the_instance(&turns(), "exit", "trap").await;
}

#[tokio::test]
async fn an_endless_loop_is_cut_off() {
    attempt_that_ends_the_instance(&turns(), "spin", "deadline").await;
}

#[tokio::test]
async fn a_stack_that_overflows_is_the_guests_own() {
    attempt_that_ends_the_instance(&turns(), "recurse", "trap").await;
}

#[tokio::test]
async fn memory_has_a_bound() {
    attempt_that_ends_the_instance(&turns(), "grow", "memory").await;
}

/// Waiting is not executing: what ends it is the wall time of a call.
#[tokio::test]
async fn a_guest_that_waits_is_cut_off() {
    let server = Server::builder().guest_as("fault_turns", "turns").config("[limits]\ncall-wall-ms = 500").start();
    attempt_that_ends_the_instance(&server, "sleep", "timeout").await;
}

/// One thread serves both rooms, and one of them spins for longer than the test is patient.
#[tokio::test]
async fn a_spinning_room_does_not_stop_another_tenants_room() {
    let config = "threads = 1\n[limits]\nturn-cpu-ms = 600_000\ncall-wall-ms = 600_000";
    let server = Server::builder()
        .guest_as("fault_turns", "spinner/turns")
        .guest_as("fault_turns", "good/turns")
        .config(config)
        .start();
    let mut spinner = server.join("/t/spinner/turns?user=ana").await;
    let mut good = server.join("/t/good/turns?user=ana").await;
    spinner.send("attempt", json!({ "how": "spin" })).await;
    for _ in 0..20 {
        good.expect_silence().await;
    }
    // A new socket finds its way in as well.
    server.join("/t/good/turns?user=bo").await.expect_silence().await;
}

#[tokio::test]
async fn a_sleeping_room_does_not_stop_another_tenants_room() {
    let config = "threads = 1\n[limits]\ncall-wall-ms = 600_000";
    let server = Server::builder()
        .guest_as("fault_turns", "sleeper/turns")
        .guest_as("fault_turns", "good/turns")
        .config(config)
        .start();
    let mut sleeper = server.join("/t/sleeper/turns?user=ana").await;
    let mut good = server.join("/t/good/turns?user=ana").await;
    sleeper.send("attempt", json!({ "how": "sleep" })).await;
    good.expect_silence().await;
}

/// A room that keeps failing goes on taking events, in their order.
#[tokio::test]
async fn a_room_survives_failure_after_failure() {
    let server = turns();
    let (mut ana, mut bo) = two_in(&server, "a").await;
    for _ in 0..3 {
        ana.send("attempt", json!({ "how": "panic" })).await;
        ana.send("attempt", json!({ "how": "error" })).await;
    }
    let expected = ["restored", "failed", "failed"].repeat(3);
    assert_eq!(names(&ana.sync().await), expected);
    assert_eq!(names(&bo.sync().await), ["restored"; 3]);
}
