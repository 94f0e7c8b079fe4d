//! Rooms in which nothing happens give up their instance; sockets and all else stay, and the next event wakes them.

use std::time::Duration;

use super::{say, server, state};
use crate::harness::{Server, json};

/// Rooms sleep as soon as they are looked at.
pub const SLEEPY: &str = "[limits]\nroom-sleep-ms = 1";

pub async fn is_awake(server: &Server, room: &str) -> bool {
    let plugin = server.plugin("default", "swap").await;
    let rooms = plugin["rooms"].as_array().expect("rooms");
    let found = rooms.iter().find(|entry| entry["room"] == room).expect("an open room");
    found["awake"].as_bool().expect("a truth")
}

pub async fn asleep(server: &Server, room: &str) {
    let slept = async {
        while is_awake(server, room).await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), slept).await.expect("the room sleeps");
}

#[tokio::test]
async fn a_room_wakes_with_what_it_handed_over() {
    let server = server("swap_one", SLEEPY);
    let mut client = server.enter("/swap?in=default,extra").await;
    say(&mut client, 1).await;
    asleep(&server, "default").await;
    assert_eq!(say(&mut client, 2).await["seq"], 2);
    assert_eq!(state(&mut client).await["resumed"], true);
}

#[tokio::test]
async fn a_plugin_without_state_is_told_that_it_woke() {
    let server = server("swap_plain", SLEEPY);
    let mut client = server.enter("/swap").await;
    say(&mut client, 1).await;
    asleep(&server, "default").await;
    let state = state(&mut client).await;
    assert_eq!((&state["restored"], &state["seq"]), (&json!("wake"), &json!(0)));
}

#[tokio::test]
async fn keepalives_and_what_nobody_wants_wake_no_room() {
    let server = server("swap_one", SLEEPY);
    let mut client = server.enter("/swap").await;
    asleep(&server, "default").await;
    client.send_bare("ping").await;
    assert!(client.frame().await.contains("pong"));
    client.send("nobody-asked-for-this", json!(1)).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!is_awake(&server, "default").await);
}

#[tokio::test]
async fn a_timer_wakes_its_room() {
    let server = server("swap_one", SLEEPY);
    let mut client = server.enter("/swap").await;
    client.send("set-timer", json!({ "name": "t", "ms": 1_500 })).await;
    client.expect("timer-set").await;
    asleep(&server, "default").await;
    assert_eq!(client.expect("timer").await["version"], "one");
}

#[tokio::test]
async fn past_the_bound_the_longest_idle_sleeps() {
    let server = server("swap_one", "[limits]\nawake-rooms-per-tenant = 2");
    let mut first = server.enter("/swap?room=first").await;
    say(&mut first, 1).await;
    tokio::time::sleep(Duration::from_millis(700)).await;
    let mut second = server.enter("/swap?room=second").await;
    say(&mut second, 1).await;
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    let mut third = server.enter("/swap?room=third").await;
    assert_eq!(say(&mut third, 1).await["seq"], 1);
    assert!(!is_awake(&server, "first").await && is_awake(&server, "second").await);
    // And back: no room is lost.
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    assert_eq!(say(&mut first, 2).await["seq"], 2);
}
