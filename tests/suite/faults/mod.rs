//! What fails stays where it failed: nothing of the turn is seen, the room's sockets stay, other rooms do not notice.

mod bounds;
mod bytes;
mod hooks;
pub mod turns;

use crate::harness::Value;

/// The `data` of an event's frame.
fn data_of(frame: &str) -> Value {
    let mut frame: Value = serde_json::from_str(frame).unwrap_or_else(|why| panic!("{why}: {frame}"));
    frame["data"].take()
}

/// The names of events, in order.
fn names(frames: &[String]) -> Vec<String> {
    let name = |frame: &String| data_of(frame)["type"].as_str().unwrap_or_default().to_owned();
    frames.iter().map(name).collect()
}
