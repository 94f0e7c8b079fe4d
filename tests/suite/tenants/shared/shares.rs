//! Shares of the CPU, judged by what is charged: a tenant has its part while others want all they can get, and everything while
//! nobody does.

use std::time::Duration;

use super::super::{fail, member};
use super::{charged, figure};
use crate::harness::{Client, Server};

/// So much is used together before a test looks at who had how much. By then 2 ms more or less are nothing.
const ENOUGH: Duration = Duration::from_millis(1_500);

/// A server with one thread of either kind, whose turns may spin for as long as they like.
fn served(settings: &str) -> Server {
    let server = Server::builder().guest_as("fault_turns", "evil/turns").guest_as("fault_turns", "good/turns");
    let raised = "turn-cpu-ms = 600_000\ncall-wall-ms = 600_000\nupgrades-per-address-burst = 1_000";
    server.config(&format!("threads = 1\n[limits]\n{raised}\n{settings}")).start()
}

/// So many rooms of a tenant that spin.
async fn spin(server: &Server, tenant: &str, rooms: usize) -> Vec<Client> {
    let mut spinning = Vec::new();
    for room in 0..rooms {
        let mut client = server.join(&format!("/t/{tenant}/turns?room=spin-{room}")).await;
        fail(&mut client, "spin").await;
        spinning.push(client);
    }
    spinning
}

async fn both(server: &Server) -> [f64; 2] {
    [charged(server, "evil").await.as_secs_f64(), charged(server, "good").await.as_secs_f64()]
}

/// The part of the CPU time that the good tenant is charged of what both are.
async fn part_of_good(server: &Server) -> f64 {
    let before = both(server).await;
    loop {
        let now = both(server).await;
        let [evil, good] = [now[0] - before[0], now[1] - before[1]];
        if evil + good > ENOUGH.as_secs_f64() {
            return good / (evil + good);
        }
        // Asking for the figures is work as well.
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// How long a tenant's work waited for tenants that had less than their share.
async fn waited(server: &Server, tenant: &str) -> f64 {
    figure(server, &format!("parlor_tenant_cpu_waited_seconds_total{{tenant=\"{tenant}\"}}")).await
}

#[tokio::test]
async fn forty_rooms_that_spin_leave_another_tenant_its_half() {
    let server = served("");
    let _evil = spin(&server, "evil", 40).await;
    let _good = spin(&server, "good", 1).await;
    let part = part_of_good(&server).await;
    assert!((0.45..=0.55).contains(&part), "{part}");
    assert!(waited(&server, "evil").await > 0.0);
}

#[tokio::test]
async fn shares_are_in_proportion_to_the_weights_of_tenants() {
    let server = served("[tenants.good.limits]\ntenant-cpu-weight = 3");
    let _evil = spin(&server, "evil", 8).await;
    let _good = spin(&server, "good", 2).await;
    let part = part_of_good(&server).await;
    assert!((0.7..=0.8).contains(&part), "{part}");
}

/// Whatever the other's weight is: it wants nothing, and now and then a little.
#[tokio::test]
async fn a_tenant_that_is_alone_waits_for_nobody() {
    let server = served("[tenants.good.limits]\ntenant-cpu-weight = 1000");
    let mut good = member(&server, "good", "a").await;
    let before = waited(&server, "evil").await;
    let _evil = spin(&server, "evil", 8).await;
    let part = part_of_good(&server).await;
    assert!(part < 0.05, "{part}");
    let waited = waited(&server, "evil").await - before;
    assert!(waited < 0.1 * ENOUGH.as_secs_f64(), "it waited {waited} s");
    for _ in 0..10 {
        good.expect_silence().await;
    }
}
