//! Recorded values as JSON, with text in place of bytes wherever the bytes are text.

use data_encoding::BASE64;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::data::TapedAnswer;

/// The calls that answer with numbers of sockets: all other lists of small numbers are bytes.
const OF_SOCKETS: [&str; 2] = ["sockets.present", "sockets.of_channel"];

/// The arguments of a recorded call as JSON: a list, whatever its values are.
pub fn args<T: Serialize + DeserializeOwned>(bytes: &[u8]) -> Option<Value> {
    Some(match serde_json::to_value(postcard::from_bytes::<T>(bytes).ok()?).ok()? {
        Value::Array(args) => Value::Array(args.into_iter().map(with_text).collect()),
        // A function without any.
        _ => Value::Array(Vec::new()),
    })
}

/// A recorded answer as JSON: the value, or an object that says why there is none.
pub fn answer<T: Serialize + DeserializeOwned>(name: &str, bytes: &[u8]) -> Option<Value> {
    Some(match postcard::from_bytes::<TapedAnswer<T>>(bytes).ok()? {
        TapedAnswer::Value(value) => {
            let value = serde_json::to_value(value).ok()?;
            if OF_SOCKETS.contains(&name) { value } else { with_text(value) }
        }
        TapedAnswer::Refused(refusal) => json!({ "refused": serde_json::to_value(refusal).ok()? }),
        TapedAnswer::Stopped => json!({ "stopped": true }),
    })
}

/// Puts text in place of lists of bytes.
pub fn with_text(value: Value) -> Value {
    match value {
        Value::Array(items) => match bytes_of(&items) {
            Some(bytes) => text_of(bytes),
            None => Value::Array(items.into_iter().map(with_text).collect()),
        },
        Value::Object(members) => Value::Object(members.into_iter().map(|(k, v)| (k, with_text(v))).collect()),
        other => other,
    }
}

fn bytes_of(items: &[Value]) -> Option<Vec<u8>> {
    let byte = |item: &Value| item.as_u64().and_then(|number| u8::try_from(number).ok());
    (!items.is_empty()).then(|| items.iter().map(byte).collect()).flatten()
}

/// Bytes as text, or in base64 where they are none.
pub fn text_of(bytes: Vec<u8>) -> Value {
    match String::from_utf8(bytes) {
        Ok(text) => Value::String(text),
        Err(bytes) => json!({ "base64": BASE64.encode(bytes.as_bytes()) }),
    }
}
