//! One folder with plugins of both languages, one tenant.

use crate::harness::{Server, json};

#[tokio::test]
async fn both_are_served_from_one_folder_and_keep_what_they_store() {
    let server = Server::builder().guest_as("fault_turns", "native").guest_as("script/turns", "scripted").start();
    let mut native = server.join("/turns?user=ana").await;
    let mut scripted = server.join("/scripted?user=ana").await;
    for client in [&mut native, &mut scripted] {
        client.send("state", json!({})).await;
        let state = client.expect("state").await;
        let fresh = json!({
            "type": "state", "channels": ["default"], "fields": {}, "stored": null, "attempts": 0,
            "sockets": 1, "users": ["ana"], "restored": null,
        });
        assert_eq!(state, fresh);
    }
    for count in 1..=3 {
        scripted.send("count", json!({})).await;
        assert_eq!(scripted.expect("counted").await["count"], count);
    }
    let mut other = server.join("/scripted?room=other&user=ana").await;
    other.send("count", json!({})).await;
    assert_eq!(other.expect("counted").await["count"], 1);
}

#[tokio::test]
async fn what_a_script_stored_outlives_a_kill() {
    let mut server = Server::builder().guest_as("script/turns", "turns").start();
    let mut client = server.join("/scripted").await;
    client.send("count", json!({})).await;
    client.expect("counted").await;
    server.kill();
    server.start_again();
    let mut client = server.join("/scripted").await;
    client.send("count", json!({})).await;
    assert_eq!(client.expect("counted").await["count"], 2);
    client.send("state", json!({})).await;
    assert_eq!(client.expect("state").await["restored"], "restart");
}

/// A tenant's quota holds for its scripts:.
#[tokio::test]
async fn quotas_count_scripts_as_they_count_others() {
    let config = "[limits]\nrooms-per-tenant = 2";
    let server =
        Server::builder().guest_as("fault_turns", "native").guest_as("script/turns", "scripted").config(config).start();
    let _native = server.join("/turns?room=one").await;
    let mut scripted = server.join("/scripted?room=one").await;
    scripted.expect_silence().await;
    assert_eq!(server.refused("/scripted?room=two").await.status, 503);
    assert_eq!(server.refused("/turns?room=two").await.status, 503);
}
