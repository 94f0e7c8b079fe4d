//! A storm of alarms: all of one tenant due at one moment.

use std::time::{Duration, Instant};

use super::figure;
use crate::harness::{Server, json};

const ROOMS: usize = 300;
const AWAKE: usize = 4;

/// All of the storm ring, many more than may be awake at once, and the one alarm of the other tenant rings meanwhile.
#[tokio::test]
async fn a_storm_rings_at_its_tenants_pace_to_its_end_and_keeps_no_other_waiting() {
    let server = Server::builder()
        .guest_as("alarm", "greedy/alarm")
        .guest_as("alarm", "good/alarm")
        .config(&format!("[tenants.greedy.limits]\nawake-rooms-per-tenant = {AWAKE}"))
        .start();
    let due = Instant::now() + Duration::from_secs(6);
    for room in 0..ROOMS {
        let mut client = server.enter(&format!("/t/greedy/alarm?room=r{room}")).await;
        let left = due.saturating_duration_since(Instant::now());
        client.send("set", json!({ "in_ms": left.as_millis() as u64 })).await;
        client.expect("set").await;
        client.close(1000, "").await;
    }
    let mut good = server.enter("/t/good/alarm").await;
    let rung = async {
        loop {
            good.send("set", json!({ "in_ms": 50 })).await;
            good.expect("set").await;
            good.expect("alarm").await;
            if figure(&server, "parlor_alarms").await == 0.0 {
                return;
            }
        }
    };
    let left = due.saturating_duration_since(Instant::now());
    tokio::time::timeout(left + Duration::from_secs(12), rung).await.expect("all alarms ring");
    assert_eq!(figure(&server, "parlor_tenant_alarms_late{tenant=\"greedy\"}").await, 0.0);
}
