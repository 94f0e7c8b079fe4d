//! Whoever is told that it is connected is in the room's order before anything that is said afterwards. The 101 used to leave
//! before the arrival was in the room's mailbox: on a busy machine a client missed what was said right after it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::harness::{Server, json};

const ARRIVALS: u64 = 1_000;

/// Keeps every core busy until it is dropped.
struct BusyMachine(Arc<AtomicBool>);

impl BusyMachine {
    fn start() -> Self {
        let ends = Arc::new(AtomicBool::new(false));
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        for _ in 0..cores {
            let ends = Arc::clone(&ends);
            std::thread::spawn(move || {
                while !ends.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            });
        }
        Self(ends)
    }
}

impl Drop for BusyMachine {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A thousand clients arrive one after the other; a member speaks as soon as each of them is told that it is connected.
async fn nobody_misses_anything(guest: &str, path: &str) {
    let server = Server::builder().guest_as(guest, "room").start();
    let mut speaker = server.enter(path).await;
    let _busy = BusyMachine::start();
    for n in 0..ARRIVALS {
        let mut newcomer = server.join(path).await;
        speaker.send("say", json!({ "n": n })).await;
        assert_eq!(newcomer.expect("said").await["n"], n);
        assert_eq!(speaker.expect("said").await["n"], n);
    }
}

#[tokio::test]
async fn a_client_hears_all_that_is_said_after_its_101_in_a_room_of_rust() {
    nobody_misses_anything("relay", "/relay").await;
}

#[tokio::test]
async fn a_client_hears_all_that_is_said_after_its_101_in_a_room_of_typescript() {
    nobody_misses_anything("script/swap", "/swap").await;
}

/// The room may say why before the client is served at all.
#[tokio::test]
async fn a_connect_that_fails_still_closes_with_1011() {
    let config = "[tenants.default.plugins.hooks.config]\nhook = \"$connect\"\nway = \"error\"";
    let server = Server::builder().guest_as("fault_hooks", "hooks").config(config).start();
    for _ in 0..20 {
        let closed = server.join("/hooks?user=unlucky").await.closed().await;
        assert_eq!((closed.code, &*closed.reason), (1011, "the plugin failed in $connect"));
    }
}
