//! A room moves to a new version between two turns, with its sockets and what the old version handed over.

use std::time::Duration;

use super::{deploy, moved, say, server, state};
use crate::harness::json;

#[tokio::test]
async fn sockets_stay_and_state_goes_over() {
    let server = server("swap_one", "");
    let mut client = server.enter("/swap").await;
    assert_eq!(say(&mut client, 1).await["seq"], 1);
    let uploaded = deploy(&server, "swap_two").await;
    moved(&mut client, "two").await;
    let state = state(&mut client).await;
    assert_eq!((&state["resumed"], &state["restored"]), (&json!(true), &json!(null)), "{state}");
    let said = say(&mut client, 2).await;
    assert_eq!((&said["version"], &said["seq"]), (&json!("two"), &json!(2)));
    let plugin = server.plugin("default", "swap").await;
    assert_eq!(plugin["version"], uploaded["version"]);
    assert_eq!(plugin["rooms"][0]["version"], uploaded["version"]);
}

#[tokio::test]
async fn code_that_takes_no_state_over_is_told_to_restore() {
    let server = server("swap_one", "");
    let mut client = server.enter("/swap").await;
    say(&mut client, 1).await;
    deploy(&server, "swap_plain").await;
    moved(&mut client, "plain").await;
    let state = state(&mut client).await;
    assert_eq!((&state["restored"], &state["seq"]), (&json!("swap"), &json!(0)), "{state}");
}

#[tokio::test]
async fn timers_and_channels_stay() {
    let server = server("swap_one", "");
    let mut client = server.enter("/swap?in=default,extra").await;
    client.send("set-timer", json!({ "name": "t", "ms": 400 })).await;
    client.expect("timer-set").await;
    deploy(&server, "swap_two").await;
    moved(&mut client, "two").await;
    let timer = client.next_event("timer").await;
    assert_eq!(timer["version"], "two");
}

#[tokio::test]
async fn who_is_let_in_by_the_new_version_finds_the_room_on_it() {
    let server = server("swap_one", "");
    let mut first = server.enter("/swap").await;
    say(&mut first, 1).await;
    deploy(&server, "swap_two").await;
    let mut second = server.join("/swap").await;
    second.send("say", json!({ "n": 7 })).await;
    assert_eq!(second.next_event("said").await["version"], "two");
    assert_eq!(first.next_event("said").await["version"], "two");
}

#[tokio::test]
async fn an_old_version_that_is_stuck_is_cut_off_at_its_deadline() {
    let server = server("swap_one", "[limits]\nturn-cpu-ms = 200");
    let mut client = server.enter("/swap").await;
    client.send("slow", json!({ "ms": 60_000 })).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    deploy(&server, "swap_two").await;
    let said = say(&mut client, 1).await;
    assert_eq!(said["version"], "two");
}

#[tokio::test]
async fn a_version_with_another_path_serves_that_and_keeps_who_is_there() {
    let server = server("swap_one", "");
    let mut client = server.enter("/swap").await;
    deploy(&server, "swap_moved").await;
    moved(&mut client, "moved").await;
    assert_eq!(server.refused("/swap").await.status, 404);
    let mut other = server.join("/moved").await;
    other.send("say", json!({ "n": 1 })).await;
    assert_eq!(client.expect("said").await["version"], "moved");
}
