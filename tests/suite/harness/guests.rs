//! How tests use two guests: the bare one, made of text in many forms, and `limit_calls`, which makes the calls that it
//! is told.

use hostile_guests::bare;

use super::{Client, Server, Value};

/// The bare plugin, which answers `say` with this event.
pub fn saying(event: &str) -> Vec<u8> {
    let length = event.len();
    let say = format!("(local.set $name (i32.const 64)) (local.set $name-len (i32.const {length}))");
    bare(&[("in handle", &say), ("at the end", &format!("(data (i32.const 64) \"{event}\")"))])
}

/// The bare plugin at another path of five letters.
pub fn at(path: &str) -> Vec<u8> {
    bare(&[("at the end", &format!("(data (i32.const 32) \"{path}\")"))])
}

/// Serves `limit_calls` at `/calls` with these limits, lines of TOML.
pub fn serve_calls(limits: &str) -> Server {
    Server::builder().guest_as("limit_calls", "calls").config(&format!("[limits]\n{limits}")).start()
}

/// What the host answered to each of these calls, in a turn that commits.
pub async fn answers(client: &mut Client, calls: Value) -> Vec<String> {
    client.send("run", calls).await;
    let ran = client.next_event("ran").await;
    serde_json::from_value(ran["answers"].clone()).expect("a list of answers")
}
