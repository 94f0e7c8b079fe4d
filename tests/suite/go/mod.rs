//! Plugins in Go: what authors read when something goes wrong, what garbage collection does to a room, the bindings, and
//! projects.

mod bindings;
mod faults;
mod garbage;
mod projects;

use crate::harness::{Builder, Client, Server, Value, json, toolchains};

/// Whether this machine leaves Go out.
fn left_out() -> bool {
    toolchains::is_left_out("go")
}

/// A server of the guest with one event for each fault.
fn faulty(limits: &str) -> Builder {
    let guest = toolchains::built("tests/guests/go/faults", "go-faults");
    Server::builder().file("go-faults.wasm", guest).config(&format!("[limits]\n{limits}")).log("warn,guest=debug")
}

/// Sends an event that is acknowledged; answers the acknowledgement.
async fn request(client: &mut Client, event: &str, data: Value) -> Value {
    client.send_text(&json!({ "type": event, "data": data, "id": 1 }).to_string()).await;
    loop {
        let frame: Value = serde_json::from_str(&client.frame().await).expect("a frame");
        if frame["type"] == "ack" {
            return frame;
        }
    }
}
