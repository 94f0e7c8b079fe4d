//! Lines that are cut at random, half-open ones included, while the room sleeps, moves to new code and crashes: everything
//! comes once and in order.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::proxy::CuttingProxy;
use super::session::Session;
use super::{lines, watcher};
use crate::harness::{Request, Server, guest, json};

/// Bounds that a storm of lines and crashes of one address does not meet.
const STORM: &str = "[limits]
upgrades-per-address-per-second = 100000
upgrades-per-address-burst = 100000
frames-per-second = 100000
frames-burst = 100000
room-sleep-ms = 1
swap-trial-turns = 1
room-faults = 1000
room-faults-window-ms = 1000
client-faults = 1000
address-faults = 1000
client-slow-ms = 0
room-backoff-ms = 1";
/// Numbered frames of each client.
const FRAMES: u64 = 400;
const CLIENTS: usize = 8;
/// How many frames a client sends ahead of what it heard of them.
const AHEAD: u64 = 16;

/// The plugin once more, in a version of its own: a section of nothing but a name comes behind it.
fn version(number: u8) -> Vec<u8> {
    let mut bytes = guest("lines");
    bytes.extend([0, 3, 1, b'v', number]);
    bytes
}

pub async fn deploy(server: &Server, number: u8) {
    let put = server.request("PUT", "/_parlor/api/plugins/default/lines").operator();
    let put = put.body("application/wasm", version(number)).send().await;
    assert!(put.status == 200 || put.status == 201, "{put:?}");
}

/// Sends its numbers over lines that break, and checks all that it hears.
async fn talk(mut session: Session, proxy: SocketAddr) -> u64 {
    let mut unheard: VecDeque<u64> = VecDeque::new();
    let (mut next, mut taken, mut told, mut heard, mut lines) = (0, 0, None, 0, 0);
    let mut check = |frame: &serde_json::Value, taken: &mut u64| {
        let n = frame["data"]["n"].as_u64();
        match frame["data"]["type"].as_str() {
            Some("took") => {
                assert_eq!(n, Some(*taken), "each once and in order");
                *taken += 1;
            }
            Some("told") => {
                assert!(told.is_none_or(|last| n == Some(last + 1)), "{told:?} is followed by {n:?}");
                told = n;
            }
            _ => {}
        }
    };
    while taken < FRAMES {
        let request = Request::new(proxy, "GET", &session.wish());
        let Some(back) = session.come_back_by(request, &mut |frame| check(frame, &mut taken)).await else { continue };
        assert!(back.resumed, "{back:?}");
        lines += 1;
        while heard < back.heard {
            unheard.pop_front().expect("what is taken was sent");
            heard += 1;
        }
        for n in &unheard {
            session.line().send("number", json!(n)).await;
        }
        while taken < FRAMES {
            while next < FRAMES && next < taken + AHEAD {
                unheard.push_back(next);
                session.line().send("number", json!(next)).await;
                next += 1;
            }
            let Some(frame) = session.frame().await else { break };
            check(&frame, &mut taken);
        }
    }
    lines
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_comes_once_and_in_order_over_lines_that_are_cut_at_random() {
    let server = lines(STORM);
    let mut watcher = watcher(&server).await;
    let proxy = CuttingProxy::start(server.address(), 6_000).await;
    let mut talks = tokio::task::JoinSet::new();
    for n in 0..CLIENTS {
        let mut session = Session::begin(&server, &format!("/lines?user=user{n}")).await;
        session.cut();
        talks.spawn(talk(session, proxy.address));
    }
    let (mut number, mut version, mut lines) = (0, 1, 0);
    while !talks.is_empty() {
        watcher.send("tell", json!(number)).await;
        watcher.next_event("told").await;
        number += 1;
        match number % 40 {
            0 => {
                deploy(&server, version).await;
                version = version.wrapping_add(1);
            }
            20 => watcher.send("crash", json!(null)).await,
            _ => tokio::time::sleep(Duration::from_millis(5)).await,
        }
        while let Some(talked) = talks.try_join_next() {
            lines += talked.expect("a client that heard everything once");
        }
    }
    let cuts = proxy.cuts.load(Ordering::Relaxed);
    assert!(cuts > 50 && lines > 50, "{cuts} cuts, {lines} lines");
}
