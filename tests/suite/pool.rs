//! Places for instances: as many for components of many modules, such as Python's, as for small ones.

use hostile_guests::{bare, with_core_instances};

use crate::harness::{Server, json};

/// CPython and its libraries are 38 core instances.
const OF_PYTHON: usize = 38;

/// How many rooms are awake.
async fn awake(server: &Server) -> f64 {
    let answer = server.request("GET", "/_parlor/metrics").operator().send().await;
    let line = answer.body.lines().find_map(|line| line.strip_prefix("parlor_tenant_awake_rooms{tenant=\"default\"} "));
    line.and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("no figure: {answer:?}"))
}

/// No room has to sleep for another before `instances-of-host` are awake.
#[tokio::test]
async fn rooms_of_many_core_instances_are_awake_together() {
    const ROOMS: usize = 8;
    let large = with_core_instances(&bare(&[]), "(module)", OF_PYTHON - 1);
    let limits = "[limits]\ninstances-of-host = 12\nroom-linger-ms = 60_000";
    let server = Server::builder().file("bare.wasm", large).config(limits).start();
    let mut clients = Vec::new();
    for number in 0..ROOMS {
        let mut client = server.join(&format!("/bare?room=r{number}")).await;
        client.send("say", json!(number)).await;
        client.expect("say").await;
        clients.push(client);
    }
    assert_eq!(awake(&server).await, ROOMS as f64);
}
