//! New code under live sockets, and rooms that sleep.

mod back;
mod moving;
pub mod sleep;
mod storm;

use crate::harness::{Client, Server, Value, guest, json};

/// A server with this guest as the plugin `swap`.
pub fn server(first: &str, config: &str) -> Server {
    Server::builder().guest_as(first, "swap").config(config).start()
}

/// Replaces the plugin `swap`; answers what the API says.
pub async fn deploy(server: &Server, version: &str) -> Value {
    let put = server
        .request("PUT", "/_parlor/api/plugins/default/swap")
        .operator()
        .body("application/wasm", guest(version))
        .send()
        .await;
    assert!(put.status == 200 || put.status == 201, "{put:?}");
    put.json()
}

pub async fn say(client: &mut Client, n: u64) -> Value {
    client.send("say", json!({ "n": n })).await;
    let said = client.expect("said").await;
    assert_eq!(said["n"], n);
    said
}

pub async fn state(client: &mut Client) -> Value {
    client.send("state", json!(null)).await;
    client.expect("state").await
}

/// Waits until the room says something by this version.
pub async fn moved(client: &mut Client, version: &str) {
    while state(client).await["version"] != version {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}
