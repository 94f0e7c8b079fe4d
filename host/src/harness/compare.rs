//! Whether what came is what a step expects, and what a case of conformance expects: `tests/conformance` has this file as well.

use serde_json::{Value, json};

/// What stands for any value, and at the end of a text for any rest of it.
const ANY: &str = "<any>";

/// Whether a value is as expected: `<any>` stands for any value or rest of a text, and numbers are equal where their
/// values are.
pub fn matches(expected: &Value, found: &Value) -> bool {
    match (expected, found) {
        (Value::String(text), _) if text == ANY => true,
        (Value::String(text), Value::String(found)) => match text.strip_suffix(ANY) {
            Some(head) => found.starts_with(head),
            None => text == found,
        },
        (Value::Number(one), Value::Number(other)) => {
            one == other || ((one.is_f64() || other.is_f64()) && one.as_f64() == other.as_f64())
        }
        (Value::Array(all), Value::Array(found)) => {
            all.len() == found.len() && all.iter().zip(found).all(|(one, other)| matches(one, other))
        }
        (Value::Object(members), Value::Object(found)) => {
            members.len() == found.len()
                && members.iter().all(|(name, one)| found.get(name).is_some_and(|other| matches(one, other)))
        }
        _ => expected == found,
    }
}

/// What is wrong with a value, if something is.
pub fn differs(expected: &Value, found: &Value) -> Result<(), String> {
    if matches(expected, found) { Ok(()) } else { Err(format!("expected {expected}, found {found}")) }
}

/// A frame as `expect` writes it.
pub fn as_written(frame: Value) -> Value {
    let is_event = frame["type"] == "event" && frame.as_object().is_some_and(|members| members.len() == 3);
    match frame["channel"].as_str() {
        Some("default") if is_event => frame["data"].clone(),
        Some(channel) if is_event => json!({ "channel": channel, "data": frame["data"] }),
        _ => json!({ "frame": frame }),
    }
}

/// A stored value as a step writes it: JSON as it is, other bytes as `{"$bytes": [...]}`.
pub fn stored_as_written(value: &[u8]) -> Value {
    serde_json::from_slice(value).unwrap_or_else(|_| json!({ "$bytes": value }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_expected_holds_and_nothing_else() {
        let same = [
            (json!("<any>"), json!({ "a": 1 })),
            (json!("no such<any>"), json!("no such socket")),
            (json!({ "a": [1, "<any>"] }), json!({ "a": [1.0, null] })),
        ];
        let other = [
            (json!("no such<any>"), json!("such")),
            (json!([1]), json!([1, 2])),
            (json!({ "a": 1 }), json!({ "a": 1, "b": 2 })),
            (json!({ "a": 1, "b": 2 }), json!({ "a": 1 })),
            (json!(1), json!("1")),
            (json!(9_007_199_254_740_993_u64), json!(9_007_199_254_740_992_u64)),
            (json!(null), json!(false)),
        ];
        same.iter().for_each(|(one, found)| assert!(matches(one, found), "{one} {found}"));
        other.iter().for_each(|(one, found)| assert!(!matches(one, found), "{one} {found}"));
    }

    #[test]
    fn frames_are_written_short() {
        let event = |channel: &str| json!({ "type": "event", "channel": channel, "data": { "type": "x" } });
        assert_eq!(as_written(event("default")), json!({ "type": "x" }));
        assert_eq!(as_written(event("news")), json!({ "channel": "news", "data": { "type": "x" } }));
        assert_eq!(as_written(json!({ "type": "pong" })), json!({ "frame": { "type": "pong" } }));
    }
}
