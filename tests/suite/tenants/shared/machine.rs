//! The server's own threads, and the memory of instances where a version is rehearsed.

use std::collections::BTreeSet;
use std::fs;

use hostile_guests::bare;

use super::super::member;
use super::{tokens, upload};
use crate::harness::guests::at;
use crate::harness::{Server, guest};

/// A tenant whose idle rooms fill its memory deploys all the same: one of them goes to sleep for the rehearsal.
#[tokio::test]
async fn a_rehearsal_puts_an_idle_room_to_sleep() {
    // Room for two instances of somewhat over a MiB, and not for a third.
    let bounds = "memory-tenant-bytes = 3_000_000\nroom-linger-ms = 600_000\nroom-sleep-ms = 600_000";
    let server = Server::builder()
        .guest_as("fault_turns", "evil/turns")
        .guest_as("fault_turns", "good/turns")
        .config(&tokens(bounds))
        .start();
    let mut good = member(&server, "good", "a").await;
    let mut members = [member(&server, "evil", "a").await, member(&server, "evil", "b").await];
    let usage = server.request("GET", "/_parlor/api/tenants/evil").operator().send().await.json()["usage"].clone();
    assert_eq!(usage["awake_rooms"]["used"], 2, "{usage}");
    let mut other = guest("fault_turns");
    // A section of its own makes it another version: id 0, two bytes, a name of one.
    other.extend([0, 2, 1, b'x']);
    let put = upload(&server, "evil", "turns", other).await;
    assert_eq!(put.status, 200, "{put:?}");
    let put = upload(&server, "evil", "another", at("/elsa")).await;
    assert_eq!(put.status, 201, "{put:?}");
    for client in members.iter_mut().chain([&mut good]) {
        client.sync().await;
    }
}

/// Each of the server's own threads is watched: its end would be an error in the log, a metric, and red health.
#[tokio::test]
async fn every_thread_that_must_run_is_watched() {
    let server = Server::builder().file("bare.wasm", bare(&[])).start();
    let metrics = server.request("GET", "/_parlor/metrics").operator().send().await.body;
    let is_watched = |task: &str| metrics.contains(&format!("parlor_task_restarts_total{{task=\"{task}\"}} 0"));
    for task in ["epoch", "worker", "slow", "aside", "beat", "folder", "accept"] {
        assert!(is_watched(task), "{task}: {metrics}");
    }
    // Whoever starts another thread has it watched, or says here why it need not be.
    let threads = fs::read_dir(format!("/proc/{}/task", server.process())).expect("a process");
    let names: BTreeSet<String> = threads
        .filter_map(|thread| fs::read_to_string(thread.ok()?.path().join("comm")).ok())
        .filter_map(|name| {
            Some(
                name.trim()
                    .strip_prefix("parlor-")?
                    .trim_end_matches(['-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9'])
                    .to_owned(),
            )
        })
        .collect();
    let known = ["aside", "epoch", "room", "slow", "watch", "words", "store"];
    assert!(names.iter().all(|name| known.contains(&name.as_str())), "{names:?}");
    assert!(["aside", "epoch", "room", "slow", "watch"].iter().all(|name| names.contains(*name)), "{names:?}");
}
