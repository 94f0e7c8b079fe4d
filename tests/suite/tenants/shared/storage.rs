//! The threads and files of the storage.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::charged;
use crate::harness::guests::answers;
use crate::harness::{Client, Server, json, soon};

/// A server of the plugin that makes the calls that it is told, for two tenants.
fn served() -> Server {
    let limits = "[limits]\ncall-wall-ms = 60_000\ntenant-cpu-percent = 100\ntenant-cpu-burst-ms = 10_000";
    Server::builder().guest_as("limit_calls", "evil/calls").guest_as("limit_calls", "good/calls").config(limits).start()
}

/// CPU time that the server's threads of this name have used.
fn thread_cpu(server: &Server, name: &str) -> Duration {
    let threads = fs::read_dir(format!("/proc/{}/task", server.process())).expect("the server's threads");
    let used = |thread: &std::path::Path| -> Option<Duration> {
        let is_one = fs::read_to_string(thread.join("comm")).ok()?.starts_with(name);
        let times = fs::read_to_string(thread.join("schedstat")).ok().filter(|_| is_one)?;
        Some(Duration::from_nanos(times.split(' ').next()?.parse().ok()?))
    };
    threads.filter_map(|thread| used(&thread.ok()?.path())).sum()
}

/// Asks for more than one call may read, time and again, until it is told to stop.
async fn read_too_much(mut client: Client, stop: Arc<AtomicBool>) {
    let keys: Vec<String> = (0..64).map(|number| format!("a/{}", number % 7)).collect();
    while !stop.load(Ordering::Relaxed) {
        let said = answers(&mut client, json!([["times", 10, "get-many", keys], ["list", "", 1_000]])).await;
        assert_eq!(said[0], "limit-exceeded: storage-bytes-per-call");
        assert!(said[1].starts_with("ok: ") && said[1].contains("Some("), "a page that ends early: {said:?}");
    }
}

#[tokio::test]
async fn a_tenant_that_reads_as_much_as_it_can_pays_for_it_and_others_write_on() {
    let server = served();
    let mut filler = server.join("/t/evil/calls").await;
    for turn in 0..4 {
        let part =
            |part: usize| json!(["put-many", format!("{}/", char::from(b'a' + (turn * 4 + part) as u8)), 7, 131_072]);
        let said = answers(&mut filler, json!([part(0), part(1), part(2), part(3)])).await;
        assert_eq!(said, ["ok: ()"; 4]);
    }
    let (stop, mut good) = (Arc::new(AtomicBool::new(false)), server.join("/t/good/calls").await);
    let paid = async || charged(&server, "evil").await + charged(&server, "good").await;
    // Whatever tenants do on other threads than those of the storage, they are charged at most what these have used.
    let elsewhere = || thread_cpu(&server, "parlor-room") + thread_cpu(&server, "parlor-slow");
    let (burnt_before, elsewhere_before, paid_before) = (thread_cpu(&server, "read-"), elsewhere(), paid().await);
    let mut greedy = Vec::new();
    for _ in 0..4 {
        greedy.push(tokio::spawn(read_too_much(server.join("/t/evil/calls").await, Arc::clone(&stop))));
    }
    let mut number = 0;
    soon("the threads to read for long enough", async {
        while thread_cpu(&server, "read-") - burnt_before < Duration::from_millis(300) {
            assert_eq!(answers(&mut good, json!([["put", format!("k{number}"), 10]])).await, ["ok: ()"]);
            number += 1;
        }
    })
    .await;
    stop.store(true, Ordering::Relaxed);
    for reader in greedy {
        reader.await.expect("every answer");
    }
    let burnt = thread_cpu(&server, "read-") - burnt_before;
    let (paid, elsewhere) = (paid().await - paid_before, elsewhere() - elsewhere_before);
    // Not all of what other threads did was for tenants, so not all of the sum is paid for.
    assert!(paid > elsewhere + burnt / 3, "{paid:?}, where readers used {burnt:?} and others {elsewhere:?}");
    assert!(number > 0);
}

/// The answer to a write: whether it was kept.
async fn keeps(client: &mut Client, key: &str) -> bool {
    answers(client, json!([["put", key, 1]])).await == ["ok: ()"]
}

#[tokio::test]
async fn a_tenant_whose_file_is_removed_hears_so_and_others_write_on() {
    let mut server = served();
    let (mut evil, mut good) = (server.join("/t/evil/calls").await, server.join("/t/good/calls").await);
    assert!(keeps(&mut evil, "before").await && keeps(&mut good, "before").await);
    let mut beside = server.join("/t/evil/calls?room=beside").await;
    beside.sync().await;
    let file = server.folder().join("data/tenants/evil.redb");
    let kept_elsewhere = server.folder().join("evil.kept");
    fs::rename(&file, &kept_elsewhere).expect("the file is moved away");
    // What cannot be kept is not said to be; the sender hears that it was not, and the room ends.
    evil.send("run", json!([["put", "lost", 1]])).await;
    let told = evil.expect("error").await;
    assert_eq!(told["code"], "storage");
    assert_eq!(told["message"], "run was not handled: the turn's writes could not be made durable");
    let closed = evil.closed().await;
    assert_eq!((closed.code, &*closed.reason), (1013, "the room's storage cannot be read now"));
    server.wait_for_log(&["ERROR", "data/tenants/evil.redb was removed or replaced"]).await;
    // So does every other room of the tenant, at its next write, and no room opens on nothing.
    beside.send("run", json!([["put", "lost", 1]])).await;
    assert_eq!(beside.expect("error").await["code"], "storage");
    assert_eq!(beside.closed().await.code, 1013);
    let mut newcomer = server.join("/t/evil/calls?room=new").await;
    assert_eq!(newcomer.closed().await.code, 1013);
    assert!(!file.exists());
    assert!(keeps(&mut good, "after").await);
    // Somebody puts the file back.
    fs::copy(&kept_elsewhere, &file).expect("a copy");
    let mut evil = server.join("/t/evil/calls").await;
    let said = answers(&mut evil, json!([["list", "", 10], ["put", "after", 2]])).await;
    assert_eq!(said, ["ok: (\"before=1\", None)", "ok: ()"]);
    // Or nobody does, and the tenant begins without one when the server starts again.
    fs::remove_file(&file).expect("the file is removed");
    server.kill();
    server.start_again();
    let mut evil = server.join("/t/evil/calls").await;
    assert_eq!(answers(&mut evil, json!([["list", "", 10], ["put", "k", 1]])).await, ["ok: (\"\", None)", "ok: ()"]);
    assert!(keeps(&mut server.join("/t/good/calls").await, "again").await);
}
