//! Rooms: the places of those that are awake, and the disk that all of them write to.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::charged;
use crate::harness::{Client, Server, json, soon};

/// Turns of the greedy tenant that are under way at once in each of its rooms.
const DEPTH: usize = 32;

async fn add(client: &mut Client, id: &str) {
    client.send("add", json!({ "id": id, "amount": 1 })).await;
}

/// Eight rooms of one tenant have as much to write at all times as they may; a room of another's writes all the same.
#[tokio::test]
async fn commits_of_one_tenant_keep_no_other_waiting_and_are_charged() {
    let server = Server::builder().guest_as("ledger", "greedy/ledger").guest_as("ledger", "good/ledger").start();
    // Each was charged the same for compiling its plugin, more or less, which would hide what eight rooms cost.
    let compiled = (charged(&server, "greedy").await, charged(&server, "good").await);
    let (is_over, written) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let mut writers = Vec::new();
    for room in 0..8 {
        let mut client = server.enter(&format!("/t/greedy/ledger?room=r{room}")).await;
        let (is_over, written) = (Arc::clone(&is_over), Arc::clone(&written));
        writers.push(tokio::spawn(async move {
            for number in 0.. {
                add(&mut client, &number.to_string()).await;
                // The first answers are waited for once so many turns are under way.
                if number >= DEPTH {
                    client.next_event("added").await;
                    written.fetch_add(1, Ordering::Relaxed);
                }
                if is_over.load(Ordering::Relaxed) {
                    return;
                }
            }
        }));
    }
    let mut good = server.enter("/t/good/ledger").await;
    for number in 0..20 {
        let before = written.load(Ordering::Relaxed);
        add(&mut good, &number.to_string()).await;
        assert_eq!(good.next_event("added").await["count"], number + 1);
        // The other goes on meanwhile.
        soon("the greedy tenant to write", async {
            while written.load(Ordering::Relaxed) == before {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }
    is_over.store(true, Ordering::Relaxed);
    let (greedy, good) = (charged(&server, "greedy").await - compiled.0, charged(&server, "good").await - compiled.1);
    assert!(greedy > good, "{greedy:?} and {good:?}");
    for writer in writers {
        writer.await.expect("the greedy tenant loses nothing either");
    }
}

/// A tenant that has as many rooms awake as it may sends its own to sleep for a new one, and no other's.
#[tokio::test]
async fn rooms_that_one_tenant_sends_to_sleep_are_its_own() {
    let server = Server::builder()
        .guest_as("swap_one", "greedy/swap")
        .guest_as("swap_one", "good/swap")
        .config("[limits]\nawake-rooms-per-tenant = 3")
        .start();
    let say = async |client: &mut Client, number: u64| {
        client.send("say", json!({ "n": number })).await;
        client.next_event("said").await
    };
    let mut good = server.enter("/t/good/swap?room=good").await;
    say(&mut good, 1).await;
    let mut greedy = Vec::new();
    for room in 0..6 {
        let entered = soon("a place for the next room", async {
            loop {
                // Where none of its rooms is quiet yet, who comes is told to come again.
                if let Ok(client) = server.connect(&format!("/t/greedy/swap?room=r{room}")).await {
                    return client;
                }
            }
        });
        let mut client = entered.await;
        say(&mut client, 1).await;
        greedy.push(client);
    }
    let awake = async |tenant: &str| {
        let plugin = server.plugin(tenant, "swap").await;
        plugin["rooms"].as_array().expect("rooms").iter().filter(|room| room["awake"] == true).count()
    };
    assert_eq!(awake("good").await, 1, "the good tenant's room was quiet for longest, and is awake");
    assert!(awake("greedy").await <= 3);
    // Those that sleep have lost nothing.
    assert_eq!(say(&mut greedy[0], 2).await["seq"], 2);
    assert_eq!(say(&mut good, 2).await["seq"], 2);
}
