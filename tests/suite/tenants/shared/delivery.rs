//! Deliveries, openings and ends of rooms: what the host does for a tenant's sockets is the tenant's to pay.

use std::time::{Duration, Instant};

use super::Cost;
use crate::harness::{Client, Server, json};

/// The sockets of the room that hears so much.
const MEMBERS: usize = 60;

fn two_tenants(config: &str) -> Server {
    let server = Server::builder().guest_as("limit_calls", "evil/calls").guest_as("limit_calls", "good/calls");
    server.config(&format!("threads = 1\n{config}")).start()
}

/// The members of a room of the greedy tenant's, each of which reads all that comes. The first one speaks.
async fn crowd(server: &Server) -> (Client, tokio::task::JoinSet<usize>) {
    let speaker = server.join("/t/evil/calls").await;
    let mut readers = tokio::task::JoinSet::new();
    for _ in 1..MEMBERS {
        let mut reader = server.join("/t/evil/calls").await;
        readers.spawn(async move {
            let mut heard = 0;
            while let Some(event) = reader.event_or_end().await {
                heard += 1;
                if event["type"] == "last" {
                    break;
                }
            }
            heard
        });
    }
    (speaker, readers)
}

/// Has one event answered by so many broadcasts, so many times.
async fn say(speaker: &mut Client, broadcasts: usize, times: usize) {
    for _ in 0..times {
        speaker.send("run", json!([["times", broadcasts, "to-channel", "default", "said"]])).await;
        while speaker.event().await["type"] != "ran" {}
    }
    speaker.send("run", json!([["to-channel", "default", "last"]])).await;
}

#[tokio::test]
async fn what_leaves_is_charged_to_whose_sockets_hear_it() {
    let server = two_tenants("");
    let (mut speaker, readers) = crowd(&server).await;
    let before = Cost::of(&server, "evil").await;
    say(&mut speaker, 60, 60).await;
    let heard = readers.join_all().await;
    assert!(heard.iter().all(|heard| *heard == 60 * 60 + 1), "{heard:?}");
    let Cost { burnt, charged } = before.since(&server, "evil").await;
    assert!(charged.as_secs_f64() > 0.7 * burnt.as_secs_f64(), "burnt {burnt:?}, charged {charged:?}");
}

/// What one turn says goes at the tenant's pace as well, while the other tenant is served.
#[tokio::test]
async fn deliveries_wait_for_the_tenants_cpu_time() {
    let server = two_tenants(
        "[tenants.evil.limits]\ntenant-cpu-percent = 10\ntenant-cpu-burst-ms = 10\ndeliveries-per-turn = 100_000",
    );
    let mut good = server.join("/t/good/calls").await;
    let (mut speaker, readers) = crowd(&server).await;
    let (before, begun) = (Cost::of(&server, "evil").await, Instant::now());
    let (_, served) = tokio::join!(say(&mut speaker, 900, 1), async {
        let mut served = 0;
        while served < 50 {
            good.expect_silence().await;
            served += 1;
        }
        served
    });
    let heard = readers.join_all().await;
    assert!(heard.iter().all(|heard| *heard == 900 + 1), "{heard:?}");
    let (Cost { charged, .. }, took) = (before.since(&server, "evil").await, begun.elapsed());
    // The burst, a portion that is charged late on each thread, and one group of deliveries.
    let most = took / 10 + Duration::from_millis(10 + 20);
    assert!(charged <= most, "charged {charged:?} in {took:?}");
    assert_eq!(served, 50);
}

#[tokio::test]
async fn openings_and_ends_of_rooms_are_charged() {
    let server = two_tenants("[limits]\nroom-linger-ms = 0");
    let before = Cost::of(&server, "evil").await;
    for room in 0..300 {
        let mut client = server.join(&format!("/t/evil/calls?room=r{room}")).await;
        client.close(1000, "").await;
    }
    server.rooms_ended("evil/calls").await;
    let Cost { burnt, charged } = before.since(&server, "evil").await;
    assert!(charged.as_secs_f64() > 0.5 * burnt.as_secs_f64(), "burnt {burnt:?}, charged {charged:?}");
}

/// Packets that say nothing, posted by a client that asks for no namespace: only the thread that accepts has to do with them.
#[tokio::test]
async fn a_session_without_a_namespace_is_charged() {
    let limits = "frames-per-second = 100_000_000\nframes-burst = 100_000_000";
    let server = two_tenants(&format!("[limits]\n{limits}\nengine-connect-ms = 60_000"));
    let engine = "/t/evil/socket.io/?EIO=4&transport=polling";
    let opened = server.request("GET", engine).send().await;
    let (_, rest) = opened.body.split_once(r#""sid":""#).expect("an open packet");
    let (sid, _) = rest.split_once('"').expect("an id");
    let packets = ["6"; 30_000].join("\u{1e}");
    let before = Cost::of(&server, "evil").await;
    for _ in 0..100 {
        let taken =
            server.request("POST", &format!("{engine}&sid={sid}")).body("text/plain", packets.as_str()).send().await;
        assert_eq!((taken.status, taken.body.as_str()), (200, "ok"));
    }
    let Cost { burnt, charged } = before.since(&server, "evil").await;
    assert!(charged.as_secs_f64() > 0.5 * burnt.as_secs_f64(), "burnt {burnt:?}, charged {charged:?}");
}
