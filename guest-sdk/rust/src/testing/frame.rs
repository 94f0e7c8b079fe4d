//! Frames as the test room's clients get them.

use serde_json::{Map, Value, json};

/// An emit as clients see it on the wire.
pub(crate) fn frame(channel: &str, event: &str, data: Value) -> Value {
    let mut body = Map::new();
    match data {
        Value::Object(members) => body.extend(members),
        other => drop(body.insert("data".to_owned(), other)),
    }
    body.insert("type".to_owned(), json!(event));
    json!({ "type": "event", "channel": channel, "data": body })
}
