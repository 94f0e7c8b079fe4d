//! Threads: whose calls run on those of low priority, and that nobody else is kept from either kind.

use super::figure;
use crate::harness::{Client, Server, json, soon};

/// Rounds of the guest `busy` that take longer than a call may to count as short, on any machine.
const LONG: u64 = 20_000_000;
/// What calls may use, where the test is not about that.
const BOUNDS: &str = "[limits]\nturn-cpu-ms = 600_000\ncall-wall-ms = 600_000\nupgrades-per-address-burst = 1_000";

fn of_kind(name: &str, plugin: &str, kind: &str) -> String {
    format!("parlor_{name}{{tenant=\"default\",plugin=\"{plugin}\",kind=\"{kind}\"}}")
}

/// How many verdicts were passed on each kind: rooms, new rooms, openings and authorizations.
async fn verdicts(server: &Server, plugin: &str) -> [f64; 3] {
    let mut found = [0.0; 3];
    for (kind, count) in ["room", "new-rooms", "entering"].into_iter().zip(&mut found) {
        *count = figure(server, &of_kind("heavy_verdicts_total", plugin, kind)).await;
    }
    found
}

async fn work(client: &mut Client, rounds: u64) {
    client.send("work", json!({ "rounds": rounds })).await;
    client.expect("worked").await;
}

/// The rooms that the API calls heavy.
async fn heavy_rooms(server: &Server) -> Vec<String> {
    let plugin = server.plugin("default", "busy").await;
    let rooms = plugin["rooms"].as_array().expect("rooms");
    let heavy: Vec<_> = rooms.iter().filter(|room| room["heavy"] == true).collect();
    assert_eq!(plugin["rooms_heavy"], heavy.len(), "{plugin}");
    heavy.iter().map(|room| room["room"].as_str().expect("a name").to_owned()).collect()
}

#[tokio::test]
async fn a_room_whose_turns_are_long_is_heavy_alone_and_only_until_they_are_short() {
    let server = Server::builder().guest("busy").config(BOUNDS).start();
    let mut sibling = server.join("/busy?room=sibling").await;
    let mut busy = server.join("/busy?room=spins").await;
    work(&mut busy, LONG).await;
    sibling.sync().await;
    assert_eq!(verdicts(&server, "busy").await, [0.0; 3], "one long turn is nothing");
    while heavy_rooms(&server).await.is_empty() {
        work(&mut busy, LONG).await;
        sibling.sync().await;
    }
    assert_eq!(heavy_rooms(&server).await, ["spins"]);
    assert_eq!(figure(&server, &of_kind("heavy", "busy", "room")).await, 1.0);
    let told = server.wait_for_log(&["heavy: of its last calls", "spins"]).await;
    assert!(!told.contains("sibling"), "{told}");
    // A new room of the plugin is not judged by what this one does.
    server.join("/busy?room=new").await.sync().await;
    soon("short turns to end it", async {
        while !heavy_rooms(&server).await.is_empty() {
            busy.sync().await;
            work(&mut busy, 1).await;
        }
    })
    .await;
    server.wait_for_log(&["heavy no more", "spins"]).await;
    assert_eq!(figure(&server, &of_kind("heavy", "busy", "room")).await, 0.0);
    assert_eq!(verdicts(&server, "busy").await, [1.0, 0.0, 0.0]);
}

#[tokio::test]
async fn new_rooms_of_a_plugin_whose_new_rooms_spin_are_heavy_at_first_until_they_are_short() {
    let server = Server::builder().guest("busy").config(BOUNDS).start();
    let new_rooms = of_kind("heavy", "busy", "new-rooms");
    let mut opened = Vec::new();
    while figure(&server, &new_rooms).await == 0.0 {
        let mut client = server.join(&format!("/busy?room=spins-{}", opened.len())).await;
        work(&mut client, LONG).await;
        opened.push(client);
    }
    assert!(opened.len() >= 2, "more than one room");
    assert_eq!(heavy_rooms(&server).await, Vec::<String>::new(), "none of them is heavy for its one turn");
    while figure(&server, &new_rooms).await == 1.0 {
        let mut client = server.join(&format!("/busy?room=short-{}", opened.len())).await;
        client.sync().await;
        opened.push(client);
    }
    assert_eq!(verdicts(&server, "busy").await, [0.0, 1.0, 0.0]);
}

/// Opens a hundred rooms at once, each of which has its first turns at once.
async fn burst(guest: &str, path: &str) {
    let raised = "[limits]\nupgrades-per-address-burst = 1_000";
    let server = Server::builder().guest_as(guest, "burst").config(raised).start();
    let opened = (0..100).map(|room| {
        let server = &server;
        async move {
            let mut client = server.join(&format!("{path}?room=r{room}")).await;
            client.sync().await;
            client.sync().await;
        }
    });
    futures_util::future::join_all(opened).await;
    assert_eq!(verdicts(&server, "burst").await, [0.0; 3]);
}

#[tokio::test]
async fn a_burst_of_openings_makes_nobody_heavy() {
    burst("busy", "/busy").await;
}

#[tokio::test]
async fn a_burst_of_openings_of_a_script_makes_nobody_heavy() {
    burst("script/turns", "/scripted").await;
}

/// All threads of both kinds are shared: a tenant has one slice a round on each.
#[tokio::test]
async fn many_long_calls_of_a_tenant_keep_no_other_from_threads_of_low_priority() {
    let bounds = format!("threads = 1\n{BOUNDS}");
    let server = Server::builder().guest_as("busy", "evil/busy").guest_as("busy", "good/busy").config(&bounds).start();
    let mut spinning = Vec::new();
    for room in 0..12 {
        let mut client = server.join(&format!("/t/evil/busy?room=r{room}")).await;
        client.send("work", json!({ "rounds": u64::MAX })).await;
        spinning.push(client);
    }
    let evil = || async { figure(&server, "parlor_tenant_cpu_seconds_total{tenant=\"evil\"}").await };
    let used = evil().await;
    let mut good = server.join("/t/good/busy?room=a").await;
    // Short calls on the worker, long ones that move, and a room that is heavy, so that it begins aside.
    for _ in 0..8 {
        work(&mut good, LONG).await;
        good.sync().await;
    }
    server.join("/t/good/busy?room=b").await.sync().await;
    let now = evil().await;
    assert!(now > used, "what the greedy one spins is charged to it: {used} s, then {now} s");
    assert_eq!(spinning.len(), 12);
}
