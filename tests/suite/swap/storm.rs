//! The promise as a whole: many sockets talk at full rate while the plugin is replaced again and again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::{deploy, server};
use crate::harness::{Client, json};

const ROOMS: u64 = 20;
const SOCKETS_OF_A_ROOM: u64 = 10;
const SWAPS: usize = 50;

/// What one client saw.
#[derive(Debug, Default)]
struct Seen {
    answers: u64,
    versions: [u64; 2],
    /// The longest time that nothing came.
    longest: Duration,
}

/// Says one number after the other and reads everything that the room says. The room counts its turns in memory that goes
/// from version to version: a turn that is lost, run twice or out of order breaks the count.
async fn talk(mut client: Client, number: u64, ends: Arc<AtomicBool>) -> Seen {
    let mut seen = Seen::default();
    let mut last_seq = None;
    let mut last_came = Instant::now();
    let mut next = 0;
    while !ends.load(Ordering::Relaxed) {
        let mine = number * 1_000_000 + next;
        next += 1;
        client.send("say", json!({ "n": mine })).await;
        loop {
            let said = client.expect("said").await;
            seen.longest = seen.longest.max(last_came.elapsed());
            last_came = Instant::now();
            let seq = said["seq"].as_u64().expect("a count");
            assert!(last_seq.is_none_or(|last| seq == last + 1), "{seq} behind {last_seq:?}: {said}");
            last_seq = Some(seq);
            let version = ["one", "two"].iter().position(|version| said["version"] == *version);
            seen.versions[version.expect("a version that was current")] += 1;
            let n = said["n"].as_u64().expect("a number");
            if n / 1_000_000 == number {
                assert_eq!(n, mine, "an answer was lost, doubled or out of order");
                seen.answers += 1;
                break;
            }
        }
    }
    seen
}

#[tokio::test]
async fn two_hundred_sockets_and_fifty_versions() {
    let server = server("swap_one", "");
    let ends = Arc::new(AtomicBool::new(false));
    let mut clients = Vec::new();
    for number in 0..ROOMS * SOCKETS_OF_A_ROOM {
        clients.push(server.enter(&format!("/swap?room=r{}", number % ROOMS)).await);
    }
    let talks: Vec<_> = clients
        .into_iter()
        .zip(0..)
        .map(|(client, number)| tokio::spawn(talk(client, number, Arc::clone(&ends))))
        .collect();
    for swap in 0..SWAPS {
        tokio::time::sleep(Duration::from_millis(50)).await;
        deploy(&server, ["swap_two", "swap_one"][swap % 2]).await;
    }
    ends.store(true, Ordering::Relaxed);
    let mut longest = Vec::new();
    for talk in talks {
        let seen = talk.await.expect("a client that saw what it should");
        assert!(seen.answers > 0 && seen.versions.iter().all(|count| *count > 0), "{seen:?}");
        longest.push(seen.longest);
    }
    longest.sort_unstable();
    println!("the longest gap of a client: median {:?}, the most {:?}", longest[longest.len() / 2], longest.last());
    // Nothing of it was told as a failure.
    assert!(!server.log().iter().any(|line| line.contains("ERROR") || line.contains("goes back")));
}
