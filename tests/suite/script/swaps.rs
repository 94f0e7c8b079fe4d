//! A plugin changes its language under live sockets, and its rooms take along what they know.

use crate::harness::{guest, json};
use crate::swap::sleep::{SLEEPY, asleep};
use crate::swap::{deploy, moved, say, server, state};

#[tokio::test]
async fn a_room_goes_from_rust_to_typescript_and_back() {
    let server = server("swap_one", "");
    let mut client = server.enter("/swap?in=default,extra").await;
    say(&mut client, 1).await;
    for (seq, (file, version)) in (2..).zip([("script/swap", "script"), ("swap_two", "two"), ("script/swap", "script")])
    {
        deploy(&server, file).await;
        moved(&mut client, version).await;
        let said = say(&mut client, seq).await;
        assert_eq!((&said["version"], &said["seq"]), (&json!(version), &json!(seq)));
        let state = state(&mut client).await;
        assert_eq!((&state["resumed"], &state["restored"]), (&json!(true), &json!(null)), "{state}");
    }
    // The socket is the same that came in at the beginning.
    client.expect_silence().await;
}

#[tokio::test]
async fn a_script_that_throws_on_the_state_gives_it_back() {
    let server = server("swap_one", "[tenants.default.plugins.swap.config]\nresume = \"refuse\"");
    let mut client = server.enter("/swap").await;
    say(&mut client, 1).await;
    deploy(&server, "script/swap").await;
    server.wait_for_log(&["goes back to the version before", "$resume", "refused on purpose"]).await;
    let said = say(&mut client, 2).await;
    assert_eq!((&said["version"], &said["seq"]), (&json!("one"), &json!(2)));
    // It was the only room: the plugin goes back as well.
    server.wait_for_log(&["the plugin goes back"]).await;
    let file = server.folder().join("plugins/swap.wasm");
    while std::fs::read(&file).expect("a file") != guest("swap_one") {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_script_sleeps_and_wakes_with_its_state_its_timers_and_its_sockets() {
    let server = server("script/swap", SLEEPY);
    let mut client = server.enter("/swap?in=default,extra").await;
    say(&mut client, 1).await;
    client.send("set-timer", json!({ "name": "t", "ms": 1_500 })).await;
    client.expect("timer-set").await;
    asleep(&server, "default").await;
    let timer = client.expect("timer").await;
    assert_eq!((&timer["seq"], &timer["version"]), (&json!(2), &json!("script")));
    asleep(&server, "default").await;
    assert_eq!(say(&mut client, 2).await["seq"], 3);
    let state = state(&mut client).await;
    assert_eq!((&state["resumed"], &state["restored"]), (&json!(true), &json!(null)), "{state}");
}
