//! Bytes in JSON as clients of Verani's protocol see them.

use serde_json::{Value, json};

use crate::{base64, host::types::Payload};

/// A payload as one JSON value: bytes, and those that placeholders name, as `{"base64": ...}`.
pub(crate) fn filled(payload: &Payload, attachments: &[Vec<u8>]) -> Result<Value, String> {
    match payload {
        Payload::Binary(bytes) => Ok(in_base64(bytes)),
        Payload::Json(text) => {
            let mut value = serde_json::from_str(text).map_err(|why| format!("not one JSON value: {why}"))?;
            if !attachments.is_empty() {
                fill(&mut value, &mut attachments.iter().map(Some).collect::<Vec<_>>());
            }
            Ok(value)
        }
    }
}

fn in_base64(bytes: &[u8]) -> Value {
    json!({ "base64": base64::encode(bytes) })
}

/// Puts each attachment where its number stands first.
fn fill(value: &mut Value, attachments: &mut [Option<&Vec<u8>>]) {
    let number = value["num"].as_u64().and_then(|number| usize::try_from(number).ok());
    if let Some(place) = number.and_then(|number| attachments.get_mut(number))
        && *value == json!({ "_placeholder": true, "num": number })
        && let Some(bytes) = place.take()
    {
        *value = in_base64(bytes);
        return;
    }
    match value {
        Value::Array(values) => values.iter_mut().for_each(|value| fill(value, attachments)),
        Value::Object(members) => members.values_mut().for_each(|value| fill(value, attachments)),
        _ => {}
    }
}
