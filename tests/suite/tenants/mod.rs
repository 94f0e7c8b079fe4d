//! One tenant's fault is that tenant's alone: crashes, budgets, and what a tenant's bounds hold.

mod budgets;
mod crashes;
mod hostile;
mod scripts;
mod shared;

use crate::harness::{Client, Server, json};

/// A server of the plugin that fails in every way, for two tenants.
pub fn failing(limits: &str) -> Server {
    Server::builder()
        .guest_as("fault_turns", "evil/turns")
        .guest_as("fault_turns", "good/turns")
        .config(&format!("[limits]\n{limits}"))
        .start()
}

/// Someone in a room of the tenant's.
pub async fn member(server: &Server, tenant: &str, room: &str) -> Client {
    let mut client = server.join(&format!("/t/{tenant}/turns?room={room}")).await;
    client.expect_silence().await;
    client
}

/// Someone in a room who has neither the user nor the address in common with any other number.
pub async fn stranger(server: &Server, tenant: &str, room: &str, number: u8) -> Client {
    let path = format!("/t/{tenant}/turns?room={room}&user=stranger-{number}");
    let entered = server.request("GET", &path).coming_from_loopback(number).websocket().upgrade().await;
    let mut client = entered.expect("a socket");
    client.expect_silence().await;
    client
}

pub async fn fail(client: &mut Client, how: &str) {
    client.send("attempt", json!({ "how": how })).await;
}
