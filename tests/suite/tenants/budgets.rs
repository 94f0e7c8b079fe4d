//! What a tenant may use of the server, and that the others do not notice when one wants more.

use std::time::{Duration, Instant};

use super::{fail, failing, member};
use crate::harness::{Server, Value, json};

/// One turn of 300 ms at a tenth of a core is paid back in some three seconds; what waits for that is not lost, and the
/// other tenant, on the same thread, is served as ever.
#[tokio::test]
async fn a_tenant_over_its_cpu_waits_and_others_do_not() {
    let server = Server::builder()
        .guest_as("fault_turns", "evil/turns")
        .guest_as("fault_turns", "good/turns")
        .config(
            "threads = 1\n[limits]\nturn-cpu-ms = 300\n
            [tenants.evil.limits]\ntenant-cpu-percent = 10\ntenant-cpu-burst-ms = 10",
        )
        .start();
    let mut good = member(&server, "good", "a").await;
    let mut evil = member(&server, "evil", "a").await;
    // From here on its share pays, while it spins as well, which takes long on a busy machine.
    let spun = Instant::now();
    fail(&mut evil, "spin").await;
    evil.expect("restored").await;
    evil.expect("failed").await;
    let start = Instant::now();
    let (waited, rounds) = tokio::join!(
        async {
            evil.expect_silence().await;
            spun.elapsed()
        },
        async {
            let mut rounds = 0;
            while start.elapsed() < Duration::from_secs(1) {
                good.expect_silence().await;
                rounds += 1;
            }
            rounds
        }
    );
    assert!(waited >= Duration::from_secs(2), "300 ms at a tenth of a core: {waited:?}");
    assert!(rounds > 50, "the other tenant was served {rounds} times in a second");
}

/// All rooms of a tenant that spin get one slice a round together, not one each.
#[tokio::test]
async fn many_spinning_rooms_of_a_tenant_are_as_one() {
    let server = Server::builder()
        .guest_as("fault_turns", "evil/turns")
        .guest_as("fault_turns", "good/turns")
        .config("threads = 1\n[limits]\nturn-cpu-ms = 600_000\ncall-wall-ms = 600_000")
        .start();
    let mut good = member(&server, "good", "a").await;
    let mut spinning = Vec::new();
    for room in 0..8 {
        let mut client = server.join(&format!("/t/evil/turns?room=r{room}")).await;
        fail(&mut client, "spin").await;
        spinning.push(client);
    }
    for _ in 0..50 {
        good.expect_silence().await;
    }
    member(&server, "good", "novel").await;
}

/// Idle rooms sleep for others; where all are busy, who comes is told to come again.
#[tokio::test]
async fn memory_of_all_instances_of_a_tenant() {
    // Room for two instances of somewhat over a MiB, and not for a third.
    let bounds = "memory-tenant-bytes = 3_000_000\ninstance-wait-ms = 100\nroom-linger-ms = 600_000";
    let server = failing(&format!("{bounds}\nturn-cpu-ms = 600_000\ncall-wall-ms = 600_000"));
    let mut first = member(&server, "evil", "a").await;
    let mut second = member(&server, "evil", "b").await;
    member(&server, "evil", "c").await;
    for client in [&mut first, &mut second] {
        // It may have slept for another.
        client.sync().await;
        fail(client, "spin").await;
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    let refused = server.refused("/t/evil/turns?room=d").await;
    assert_eq!(refused.status, 503);
    assert!(refused.header("retry-after").is_some());
    server.wait_for_log(&["memory-tenant-bytes", "tenant=\"evil\""]).await;
    // The other tenant has its own.
    member(&server, "good", "a").await;
}

/// The pool is full of rooms that are busy: who comes waits, and is told to come again.
#[tokio::test]
async fn places_of_the_host() {
    // Two places are the health check's.
    let limits = "instances-of-host = 5\ninstance-wait-ms = 200\nroom-linger-ms = 600_000\nturn-cpu-ms = 1_500";
    let builder = Server::builder().guest_as("fault_turns", "evil/turns").guest_as("fault_turns", "good/turns");
    let server = builder.config(&format!("threads = 2\n[limits]\n{limits}")).start();
    let mut busy = Vec::new();
    for room in ["a", "b", "c"] {
        let mut client = member(&server, "evil", room).await;
        fail(&mut client, "spin").await;
        busy.push(client);
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    let refused = server.refused("/t/good/turns?room=a").await;
    assert_eq!((refused.status, refused.header("retry-after").is_some()), (503, true), "{refused:?}");
    let mut good = loop {
        if let Ok(client) = server.connect("/t/good/turns?room=a").await {
            break client;
        }
    };
    // Its place for `authorize` is free again, its room's place may have to be waited for.
    good.send("sync", json!({ "sync": 1 })).await;
    good.expect("synced").await;
}

#[tokio::test]
async fn storage_of_all_rooms_of_a_tenant() {
    let server = Server::builder()
        .guest_as("limit_calls", "calls")
        .guest_as("limit_calls", "other/calls")
        .config("[limits]\nstorage-tenant-bytes = 25")
        .start();
    let put = json!([["put", "k", 9], ["put", "l", 9], ["put", "m", 9]]);
    let answers = async |path: &str| -> Vec<String> {
        let mut client = server.join(path).await;
        client.send("run", put.clone()).await;
        serde_json::from_value(client.expect("ran").await["answers"].clone()).expect("a list of answers")
    };
    let refused = "limit-exceeded: storage-tenant-bytes";
    assert_eq!(answers("/calls?room=a").await, ["ok: ()", "ok: ()", refused]);
    // Another room shares the bound, and another tenant has one of its own.
    assert_eq!(answers("/calls?room=b").await, [refused; 3]);
    assert_eq!(answers("/t/other/calls?room=a").await, ["ok: ()", "ok: ()", refused]);
    // What is written over takes nothing more.
    assert_eq!(answers("/calls?room=a").await, ["ok: ()", "ok: ()", refused]);
}

/// Whoever leaves its frames lying pays for the tenant's full queue, not who reads.
#[tokio::test]
async fn queues_of_all_sockets_of_a_tenant() {
    let server = Server::builder()
        .guest_as("end_watch", "watch")
        .config("[limits]\noutbound-bytes = 100_000_000\noutbound-tenant-bytes = 4_000_000")
        .start();
    let mut watcher = server.enter_after("/watch?user=watcher", "welcome").await;
    let mut slow = server.enter_after("/watch?user=slow", "welcome").await;
    for _ in 0..60 {
        watcher.send("flood-user", json!("slow")).await;
        watcher.sync().await;
    }
    let closed = slow.closed().await;
    assert_eq!((closed.code, &*closed.reason), (1008, "slow consumer: outbound-tenant-bytes"));
    watcher.sync().await;
}

/// A tenant's table, and a plugin's in it, count before the server's.
#[tokio::test]
async fn bounds_of_a_tenant_and_of_a_plugin() {
    let server = Server::builder()
        .guest_as("limit_calls", "acme/calls")
        .guest_as("limit_calls", "other/calls")
        .config(
            "[limits]\nrandom-bytes = 4\n[tenants.acme.limits]\nrandom-bytes = 8\n
            [tenants.acme.plugins.calls.limits]\nrandom-bytes = 16",
        )
        .start();
    for (path, max) in [("/t/acme/calls", 16), ("/t/other/calls", 4)] {
        let mut client = server.join(path).await;
        client.send("run", json!([["random", max], ["random", max + 1]])).await;
        let answers: Value = client.expect("ran").await["answers"].clone();
        assert_eq!(answers, json!([format!("ok: {max}"), "limit-exceeded: random-bytes"]), "{path}");
    }
}
