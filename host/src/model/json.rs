//! JSON as text. The host checks it once, where it comes in, and never parses it again.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

/// How deep a value may nest. The parsers of some guests recurse, and serde_json does not bound the depth of what it
/// skips.
pub const DEPTH_MAX: usize = 128;

/// One JSON value, as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Json {
    text: String,
    shape: Shape,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// An object. Frames have a `type` of their own, so an emit leaves out the data's member `type`.
    Object {
        has_type: bool,
        empty: bool,
    },
    Other,
    /// Nobody looked: the value came from a client, and goes to a guest.
    Unknown,
}

/// Why the host refuses a text as JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BadJson {
    Syntax(String),
    TooDeep,
}

impl fmt::Display for BadJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax(why) => write!(f, "not one JSON value: {why}"),
            Self::TooDeep => write!(f, "JSON nested deeper than {DEPTH_MAX} levels"),
        }
    }
}

impl Json {
    /// Accepts a text that is exactly one JSON value and nests at most [`DEPTH_MAX`] levels.
    pub fn parse(text: String) -> Result<Self, BadJson> {
        if is_deeper_than(&text, DEPTH_MAX) {
            return Err(BadJson::TooDeep);
        }
        let shape = if text.trim_start().starts_with('{') {
            serde_json::from_str::<EnvelopeFacts>(&text).map(|m| Shape::Object { has_type: m.has_type, empty: m.empty })
        } else {
            serde_json::from_str::<IgnoredAny>(&text).map(|_| Shape::Other)
        };
        match shape {
            Ok(shape) => Ok(Self { text, shape }),
            Err(why) => Err(BadJson::Syntax(why.to_string())),
        }
    }

    /// Wraps a value that serde already found to be JSON. Whoever parsed the text around it checked the depth.
    pub fn of_raw(raw: &RawValue) -> Self {
        Self::of_checked(raw.get().to_owned())
    }

    /// Wraps a text that the caller knows to be one JSON value, because it is made of those that serde found.
    pub fn of_checked(text: String) -> Self {
        Self { text, shape: Shape::Unknown }
    }

    /// Serialises a value that the host made.
    pub fn of(value: &serde_json::Value) -> Self {
        let shape = match value {
            serde_json::Value::Object(map) => {
                Shape::Object { has_type: map.contains_key("type"), empty: map.is_empty() }
            }
            _ => Shape::Other,
        };
        Self { text: value.to_string(), shape }
    }

    /// An object of members whose values are JSON texts.
    pub fn of_members<'a>(members: impl IntoIterator<Item = (&'static str, &'a str)>) -> Self {
        let members = members.into_iter().map(|(name, value)| format!("\"{name}\":{value}"));
        let text = format!("{{{}}}", members.collect::<Vec<_>>().join(","));
        Self { text, shape: Shape::Unknown }
    }

    /// The same value with another text, which still is JSON, and an object or an array where this is one.
    pub fn with_text(&self, text: String) -> Self {
        Self { text, shape: self.shape }
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    pub fn into_text(self) -> String {
        self.text
    }

    pub fn is_object(&self) -> bool {
        match self.shape {
            Shape::Object { .. } => true,
            Shape::Other => false,
            Shape::Unknown => self.text.trim_start().starts_with('{'),
        }
    }

    pub fn is_array(&self) -> bool {
        self.text.trim_start().starts_with('[')
    }

    /// Appends the members of an object, each behind a comma, except a member `type`. Appends nothing and returns false
    /// where the value is no object.
    pub fn push_members(&self, out: &mut String) -> bool {
        match self.shape {
            _ if !self.is_object() => return false,
            Shape::Other | Shape::Object { empty: true, .. } => {}
            Shape::Object { has_type: false, .. } => {
                // The text was parsed, so it begins and ends with a brace.
                out.push(',');
                out.push_str(&self.text.trim()[1..]);
                out.pop();
            }
            Shape::Object { has_type: true, .. } | Shape::Unknown => {
                if let Ok(WithoutType(members)) = serde_json::from_str(&self.text) {
                    out.push_str(&members);
                }
            }
        }
        true
    }
}

/// Whether brackets nest deeper than `max`. Brackets in strings do not count.
pub fn is_deeper_than(text: &str, max: usize) -> bool {
    // A level needs two brackets, so a shorter text cannot be JSON that nests deeper.
    if text.len() <= 2 * max {
        return false;
    }
    let mut depth = 0usize;
    let mut in_string = false;
    let mut escaped = false;
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'[' | b'{' => {
                depth += 1;
                if depth > max {
                    return true;
                }
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}

/// What a JSON string is, borrowed where it holds no escape. None where it holds half of a surrogate pair, or is no string.
pub fn unquoted(json: &str) -> Option<Cow<'_, str>> {
    if json.contains('\\') {
        return serde_json::from_str(json).ok().map(Cow::Owned);
    }
    json.strip_prefix('"')?.strip_suffix('"').map(Cow::Borrowed)
}

/// The name of an object's member, as it was written: JSON can write half of a surrogate pair, which no Rust text can hold.
pub struct Key<'de>(&'de RawValue);

impl<'de> Key<'de> {
    /// The name as it was written, with its quotes.
    fn quoted(&self) -> &'de str {
        self.0.get()
    }

    /// What the name is, borrowed where it holds no escape. None where it holds half of a surrogate pair.
    pub fn text(&self) -> Option<Cow<'de, str>> {
        unquoted(self.quoted())
    }

    fn is_type(&self) -> bool {
        self.text().is_some_and(|name| name == "type")
    }
}

impl<'de> serde::Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <&RawValue>::deserialize(deserializer).map(Key)
    }
}

/// What a frame's envelope must know of an object.
struct EnvelopeFacts {
    has_type: bool,
    empty: bool,
}

impl<'de> serde::Deserialize<'de> for EnvelopeFacts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct EnvelopeFactsVisitor;
        impl<'de> Visitor<'de> for EnvelopeFactsVisitor {
            type Value = EnvelopeFacts;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<EnvelopeFacts, A::Error> {
                let mut members = EnvelopeFacts { has_type: false, empty: true };
                while let Some((key, IgnoredAny)) = map.next_entry::<Key<'de>, _>()? {
                    members.has_type |= key.is_type();
                    members.empty = false;
                }
                Ok(members)
            }
        }
        deserializer.deserialize_map(EnvelopeFactsVisitor)
    }
}

/// The members of an object as text, each behind a comma, without `type`.
struct WithoutType(String);

impl<'de> serde::Deserialize<'de> for WithoutType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MemberTexts;
        impl<'de> Visitor<'de> for MemberTexts {
            type Value = WithoutType;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<WithoutType, A::Error> {
                let mut out = String::new();
                while let Some((key, value)) = map.next_entry::<Key<'de>, &'de RawValue>()? {
                    if !key.is_type() {
                        out.push(',');
                        out.push_str(key.quoted());
                        out.push(':');
                        out.push_str(value.get());
                    }
                }
                Ok(WithoutType(out))
            }
        }
        deserializer.deserialize_map(MemberTexts)
    }
}

/// Appends a text as a quoted and escaped JSON string.
pub fn push_string(out: &mut String, text: &str) -> serde_json::Result<()> {
    out.push_str(&serde_json::to_string(text)?);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members(text: &str) -> String {
        let mut out = String::new();
        assert!(Json::parse(text.to_owned()).unwrap().push_members(&mut out));
        out
    }

    #[test]
    fn exactly_one_value_is_taken() {
        for good in ["0", "\"\"", "false", "null", " [1, 2] ", "{}", " {\"a\":{\"type\":1}}\n"] {
            assert!(Json::parse(good.to_owned()).is_ok(), "{good}");
        }
        for bad in [
            "",
            "{",
            "{}{}",
            "1 2",
            "{\"a\":1}}",
            "nul",
            "{'a':1}",
            "[1,]",
            "{\"a\" 1}",
            "{\"\x01\":1}",
            "{\"type\n\":1}",
        ] {
            assert!(Json::parse(bad.to_owned()).is_err(), "{bad}");
        }
    }

    #[test]
    fn members_never_bring_a_type() {
        assert_eq!(members("{}"), "");
        assert_eq!(members(" { \"a\" : 1 } "), ", \"a\" : 1 ");
        assert_eq!(members(r#"{"type":"forged","a":{"type":2},"b":[ ]}"#), r#","a":{"type":2},"b":[ ]"#);
        assert_eq!(members(r#"{"\u0074ype":"forged","a":1}"#), r#","a":1"#);
        assert_eq!(members(r#"{"\ud83d":1,"b":"\ud83d"}"#), r#""\ud83d":1,"b":"\ud83d""#.replacen('"', ",\"", 1));
        for name in [r"a\ude00\ud83d", r"\ufffd\ufffd\ufffd", r"\u0061\n", "\u{fffd}\u{fffd}\u{fffd}"] {
            let text = format!(r#"{{"type":1,"{name}":1,"b":"\ud83d"}}"#);
            assert_eq!(members(&text), format!(r#","{name}":1,"b":"\ud83d""#));
        }
    }

    #[test]
    fn depth_counts_brackets_outside_strings() {
        let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(Json::parse(nested(DEPTH_MAX)).is_ok());
        assert_eq!(Json::parse(nested(DEPTH_MAX + 1)), Err(BadJson::TooDeep));
        assert_eq!(Json::parse(nested(100_000)), Err(BadJson::TooDeep));
        assert!(Json::parse(format!("\"\\\"{}\"", "[".repeat(1000))).is_ok());
    }
}
