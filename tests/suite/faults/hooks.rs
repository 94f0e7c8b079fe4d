//! A plugin that fails in each of its hooks, one after the other: the room's other sockets stay, and where the
//! instance is lost, a fresh one is restored before anything else.

use super::names;
use crate::harness::{Client, Server, json};

fn failing(hook: &str, way: &str) -> crate::harness::Builder {
    let config = format!(
        "[limits]\nturn-cpu-ms = 100\ninit-cpu-ms = 300\ncall-wall-ms = 15_000\n[tenants.default.plugins.hooks.config]\nhook = \"{hook}\"\nway = \"{way}\""
    );
    Server::builder().guest_as("fault_hooks", "hooks").config(&config)
}

async fn lucky(server: &Server) -> Client {
    member(server, "lucky").await
}

/// Someone who is in the room by now.
async fn member(server: &Server, user: &str) -> Client {
    let mut client = server.join(&format!("/hooks?user={user}")).await;
    client.expect_silence().await;
    client
}

/// The next events are `$restore`'s and `$error`'s, as everyone in the room sees them.
async fn expect_recovery(client: &mut Client, users: &[&str], event: &str, code: &str) {
    let restored = client.expect("restored").await;
    assert_eq!(restored, json!({ "type": "restored", "reason": "crash", "users": users }));
    let failed = client.expect("failed").await;
    assert_eq!((&failed["event"], &failed["code"]), (&json!(event), &json!(code)), "{failed}");
}

/// What the room's instance was called for since it was made.
async fn calls(client: &mut Client) -> Vec<String> {
    client.send("calls", json!({})).await;
    let calls = client.expect("calls").await;
    serde_json::from_value(calls["calls"].clone()).expect("a list of names")
}

/// Who fails `$connect` was never in the room: it is in no count that `$restore` sees, and no `$disconnect` follows.
#[tokio::test]
async fn a_fault_in_connect_turns_one_socket_away() {
    for (way, code) in [("panic", "trap"), ("spin", "deadline")] {
        let server = failing("$connect", way).start();
        let mut stays = lucky(&server).await;
        let closed = server.join("/hooks?user=unlucky").await.closed().await;
        assert_eq!((closed.code, &*closed.reason), (1011, "the plugin failed in $connect"));
        expect_recovery(&mut stays, &["lucky"], "$connect", code).await;
        assert_eq!(calls(&mut stays).await, ["$restore", "$error"]);
        stays.expect_silence().await;
        assert_eq!(server.room("default/hooks/default").await, json!({ "sockets": 1, "users": ["lucky"] }));
    }
}

#[tokio::test]
async fn a_failed_connect_keeps_the_instance_and_turns_one_socket_away() {
    let server = failing("$connect", "error").start();
    let mut stays = lucky(&server).await;
    assert_eq!(server.join("/hooks?user=unlucky").await.closed().await.code, 1011);
    assert_eq!(stays.expect("failed").await["code"], "hook.error");
    assert_eq!(calls(&mut stays).await, ["$connect", "$connect", "$error"]);
    stays.expect_silence().await;
}

#[tokio::test]
async fn a_fault_in_a_handler_leaves_both_sockets() {
    for (way, code) in [("panic", "trap"), ("spin", "deadline")] {
        let server = failing("event", way).start();
        let (mut stays, mut fails) = (lucky(&server).await, member(&server, "unlucky").await);
        fails.send("fail", json!({})).await;
        expect_recovery(&mut fails, &["lucky", "unlucky"], "fail", code).await;
        expect_recovery(&mut stays, &["lucky", "unlucky"], "fail", code).await;
        fails.expect_silence().await;
        stays.expect_silence().await;
    }
}

#[tokio::test]
async fn a_fault_in_the_fallback_leaves_both_sockets() {
    let server = failing("$message", "panic").start();
    let (mut stays, mut fails) = (lucky(&server).await, member(&server, "unlucky").await);
    fails.send("nobody.asked", json!({})).await;
    expect_recovery(&mut fails, &["lucky", "unlucky"], "nobody.asked", "trap").await;
    expect_recovery(&mut stays, &["lucky", "unlucky"], "nobody.asked", "trap").await;
    fails.expect_silence().await;
}

#[tokio::test]
async fn a_fault_in_disconnect_is_that_sockets_last() {
    for (way, code) in [("panic", "trap"), ("spin", "deadline")] {
        let server = failing("$disconnect", way).start();
        let (mut stays, mut leaves) = (lucky(&server).await, member(&server, "unlucky").await);
        leaves.close(1000, "").await;
        // What `$disconnect` said before it failed is not heard.
        expect_recovery(&mut stays, &["lucky"], "$disconnect", code).await;
        assert_eq!(calls(&mut stays).await, ["$restore", "$error"]);
        stays.expect_silence().await;
        let left: Vec<String> =
            server.log().into_iter().filter(|line| line.contains("$disconnect of unlucky")).collect();
        assert_eq!(left.len(), 1, "{left:#?}");
    }
}

/// The instance is lost after the failed turn was told of: the next event must find a restored one.
#[tokio::test]
async fn a_fault_in_the_error_hook_is_followed_by_a_restore() {
    let server = failing("$error", "panic").start();
    let mut stays = lucky(&server).await;
    stays.send("fail-anyway", json!("error")).await;
    stays.send("calls", json!({})).await;
    let restored = stays.expect("restored").await;
    assert_eq!(restored, json!({ "type": "restored", "reason": "crash", "users": ["lucky"] }));
    assert_eq!(stays.expect("calls").await["calls"], json!(["$restore"]));
    stays.expect_silence().await;
}

#[tokio::test]
async fn no_error_hook_runs_for_a_failed_error_hook() {
    let server = failing("$error", "error").start();
    let mut stays = lucky(&server).await;
    stays.send("fail-anyway", json!("error")).await;
    assert_eq!(calls(&mut stays).await, ["$connect", "$error"]);
    server.wait_for_log(&["turn failed", "event=\"$error\"", "code=\"hook.error\""]).await;
}

#[tokio::test]
async fn a_fault_in_restore_does_not_end_the_room() {
    let server = failing("$restore", "panic").start();
    let mut stays = lucky(&server).await;
    for _ in 0..2 {
        stays.send("fail-anyway", json!("panic")).await;
        // The failure is told, and what `$restore` said is not.
        assert_eq!(names(&stays.sync().await), ["failed"]);
    }
    server.wait_for_log(&["turn failed", "event=\"$restore\"", "code=\"trap\""]).await;
}

#[tokio::test]
async fn a_fault_in_authorize_is_a_500_without_words() {
    for way in ["panic", "spin"] {
        let server = failing("authorize", way).start();
        let mut stays = lucky(&server).await;
        let refused = server.refused("/hooks?user=unlucky").await;
        assert_eq!((refused.status, &*refused.body), (500, ""), "{way}");
        stays.expect_silence().await;
        assert_eq!(server.plugin("default", "hooks").await["failures"], 1);
        // Whoever may come in still does.
        lucky(&server).await.expect_silence().await;
    }
}

#[tokio::test]
async fn a_fault_in_init_refuses_the_plugin() {
    for (way, words) in [("panic", "trapped"), ("spin", "CPU time"), ("error", "failed in init")] {
        let server = failing("init", way).guest("echo").start();
        server.wait_for_log(&["plugins/hooks.wasm is not served", words]).await;
        assert_eq!(server.refused("/hooks").await.status, 404);
        server.join("/echo").await.expect_silence().await;
    }
}
