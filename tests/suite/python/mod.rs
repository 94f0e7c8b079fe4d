//! Plugins in Python: what of the language a room has, what authors read when something goes wrong, and their projects.

mod faults;
mod library;
mod page;
mod projects;

use crate::harness::{Builder, Client, Server, Value, json, toolchains};

/// Whether this machine leaves Python out.
fn left_out() -> bool {
    toolchains::is_left_out("python")
}

/// A server of the guest with one event for each fault.
fn faulty(limits: &str) -> Builder {
    let guest = toolchains::built("tests/guests/python/faults", "faults");
    Server::builder().file("faults.wasm", guest).config(&format!("[limits]\n{limits}"))
}

/// Sends an event that is acknowledged; answers the data of the acknowledgement.
async fn request(client: &mut Client, event: &str, data: Value) -> Value {
    let frame = json!({ "type": event, "data": data, "id": 1 });
    client.send_text(&frame.to_string()).await;
    loop {
        let frame: Value = serde_json::from_str(&client.frame().await).expect("a frame");
        if frame["type"] == "ack" {
            return frame["data"].clone();
        }
        assert_ne!(frame["data"]["type"], "error", "{frame}");
    }
}
