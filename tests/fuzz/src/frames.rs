//! How a frame must look, read with nothing of the host's own reading.

use parlor::model::body::{Body, Payload};
use parlor::model::json::Json;
use parlor::protocol::verani::encode;
use serde::de::{Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

/// What the envelope adds around an emit's data: the frame's own braces, and those of its `data`.
const ENVELOPE_DEPTH: usize = 2;

/// Whether a text is exactly one JSON value.
pub fn is_json(text: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(text).is_ok()
}

/// An object's members in their order, those that stand twice as well, each value as it was written, and so a name that holds half of
/// a surrogate pair, which is no text. None where the text is no object.
pub fn members(text: &str) -> Option<Vec<(String, String)>> {
    struct Members(Vec<(String, String)>);
    impl<'de> serde::Deserialize<'de> for Members {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct Collect;
            impl<'de> Visitor<'de> for Collect {
                type Value = Members;
                fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.write_str("an object")
                }
                fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                    let mut members = Vec::new();
                    while let Some((name, value)) =
                        map.next_entry::<Box<RawValue>, Box<RawValue>>().map_err(A::Error::custom)?
                    {
                        let name = string(name.get()).unwrap_or_else(|| name.get().to_owned());
                        members.push((name, value.get().to_owned()));
                    }
                    Ok(Members(members))
                }
            }
            deserializer.deserialize_map(Collect)
        }
    }
    serde_json::from_str::<Members>(text).ok().map(|members| members.0)
}

/// The last member of this name, as `JSON.parse` has it.
pub fn last<'a>(members: &'a [(String, String)], name: &str) -> Option<&'a str> {
    members.iter().rfind(|member| member.0 == name).map(|member| member.1.as_str())
}

/// What a JSON string stands for. None where the text is something else.
pub fn string(text: &str) -> Option<String> {
    serde_json::from_str(text).ok()
}

/// How deep a JSON value nests.
pub fn depth(json: &str) -> usize {
    let (mut depth, mut deepest, mut in_string) = (0usize, 0, false);
    let mut bytes = json.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => drop(bytes.next()),
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => depth += 1,
            b']' | b'}' if !in_string => depth -= 1,
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

/// Encodes an emit and panics where the frame is not what clients rely on: one JSON value, the three members of an event,
/// and in its `data` the event's name first and once, then the data and nothing else.
pub fn assert_well_formed(channel: &str, event: &str, data: &Json) {
    let frame = encode(channel, event, &Body::of(Payload::Json(data.clone())), None, None);
    let frame = frame.as_str();
    assert!(is_json(frame), "not one JSON value: {frame}");
    assert!(depth(frame) <= depth(data.text()) + ENVELOPE_DEPTH, "nested deeper than its data: {frame}");

    let outer = members(frame).unwrap_or_else(|| panic!("not an object: {frame}"));
    let names: Vec<&str> = outer.iter().map(|member| member.0.as_str()).collect();
    assert_eq!(names, ["type", "channel", "data"], "{frame}");
    assert_eq!(outer[0].1, r#""event""#, "{frame}");
    assert_eq!(string(&outer[1].1).as_deref(), Some(channel), "{frame}");

    let mut inner = members(&outer[2].1).unwrap_or_else(|| panic!("`data` is no object: {frame}"));
    assert!(!inner.is_empty(), "`data` is empty: {frame}");
    let (name, value) = inner.remove(0);
    assert_eq!(
        (name.as_str(), string(&value).as_deref()),
        ("type", Some(event)),
        "the event's name is not first: {frame}"
    );
    let expected = match members(data.text()) {
        Some(mut members) => {
            members.retain(|member| member.0 != "type");
            members
        }
        None => vec![("data".to_owned(), data.text().trim().to_owned())],
    };
    assert_eq!(inner, expected, "not the emit's data: {frame}");
}
