//! A version that fails in a room is left again, and nothing is lost by that.

use super::{deploy, moved, say, server, state};
use crate::harness::{Server, guest, json};

/// The plugin's current version, by the file.
async fn current(server: &Server) -> String {
    server.plugin("default", "swap").await["version"].as_str().expect("a version").to_owned()
}

#[tokio::test]
async fn a_version_that_cannot_take_the_state_gives_it_back() {
    let server = server("swap_one", "");
    let before = current(&server).await;
    let mut client = server.enter("/swap").await;
    say(&mut client, 1).await;
    deploy(&server, "swap_bad_resume").await;
    let line = server.wait_for_log(&["goes back to the version before", "$resume"]).await;
    assert!(line.contains("ERROR"), "{line}");
    let said = say(&mut client, 2).await;
    assert_eq!((&said["version"], &said["seq"]), (&json!("one"), &json!(2)));
    assert_eq!(state(&mut client).await["resumed"], true);
    // It was the only room: the plugin goes back as well, and so does its file.
    server.wait_for_log(&["the plugin goes back"]).await;
    while current(&server).await != before {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    let file = server.folder().join("plugins/swap.wasm");
    assert!(std::fs::read(file).expect("a file") == guest("swap_one"));
}

#[tokio::test]
async fn an_event_that_a_new_version_traps_in_is_given_to_the_old_one() {
    let server = server("swap_one", "");
    let mut client = server.enter("/swap").await;
    say(&mut client, 1).await;
    deploy(&server, "swap_trap").await;
    moved(&mut client, "trap").await;
    let said = say(&mut client, 2).await;
    assert_eq!(said["version"], "one");
    client.expect_silence().await;
}

/// What neither version can take says nothing of the new one: no client has a good version taken back by it.
#[tokio::test]
async fn an_event_that_both_versions_fault_in_condemns_none() {
    let server = server("swap_one", "[limits]\nclient-slow-ms = 0");
    let mut client = server.enter("/swap").await;
    say(&mut client, 1).await;
    let deployed = deploy(&server, "swap_two").await;
    moved(&mut client, "two").await;
    client.send("slow", json!({ "ms": 600_000 })).await;
    server.wait_for_log(&["goes back to the version before", "slow"]).await;
    server.wait_for_log(&["turn failed", "deadline"]).await;
    assert_eq!(state(&mut client).await["version"], "one");
    assert_eq!(current(&server).await, deployed["version"]);
    // The room tries the version again when somebody comes in.
    let mut other = server.enter("/swap").await;
    moved(&mut other, "two").await;
    assert!(!server.log().iter().any(|line| line.contains("the plugin goes back")));
}

#[tokio::test]
async fn one_room_that_fails_keeps_no_other_from_moving() {
    // Twelve rooms: it takes five to judge a version.
    let server = server("swap_one", "[limits]\nswap-trial-turns = 3");
    let mut clients = Vec::new();
    for room in 0..12 {
        let mut client = server.enter(&format!("/swap?room=r{room}")).await;
        say(&mut client, 1).await;
        clients.push(client);
    }
    let uploaded = deploy(&server, "swap_trap").await;
    for client in &mut clients {
        moved(client, "trap").await;
    }
    // The first room meets the trap, the others do not.
    assert_eq!(say(&mut clients[0], 2).await["version"], "one");
    for client in &mut clients[1..] {
        assert_eq!(state(client).await["version"], "trap");
    }
    assert_eq!(server.plugin("default", "swap").await["version"], uploaded["version"]);
    // The room does not try the same version again, whoever comes in.
    let mut other = server.enter("/swap?room=r0").await;
    assert_eq!(state(&mut other).await["version"], "one");
    // Deployed once more on purpose, it is tried once more: what made it fail may be mended.
    assert_eq!(deploy(&server, "swap_trap").await["unchanged"], true);
    moved(&mut other, "trap").await;
}
