//! Placeholders: where a JSON value names bytes that travel beside it.

use serde::Deserialize;

/// What stands in JSON for an attachment: exactly this object, and nothing beside it.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
struct Placeholder {
    _placeholder: bool,
    num: u32,
}

/// Copies a JSON text. Where the text has a placeholder whose number is below `count`, `put` writes what stands there
/// instead, once for each number, so that a text cannot grow beyond its attachments. Other placeholders stay what they are:
/// nobody attached anything to them.
pub fn fill(text: &str, count: usize, mut put: impl FnMut(&mut String, usize)) -> String {
    let mut out = String::with_capacity(text.len());
    let (mut rest, mut is_open) = (text, vec![true; count]);
    while let Some(place) = next_object(rest) {
        let (before, object) = rest.split_at(place);
        out.push_str(before);
        let length = match placeholder(object) {
            Some((number, length)) if is_open.get_mut(number).is_some_and(std::mem::take) => {
                put(&mut out, number);
                length
            }
            _ => {
                out.push('{');
                1
            }
        };
        rest = object.get(length..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

/// Where the next object begins. Braces in strings do not count; the text may begin anywhere outside of a string.
fn next_object(text: &str) -> Option<usize> {
    let (mut in_string, mut is_escaped) = (false, false);
    text.bytes().position(|byte| {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if in_string => is_escaped = true,
            b'"' => in_string = !in_string,
            b'{' => return !in_string,
            _ => {}
        }
        false
    })
}

/// The placeholder that a text begins with: its number, and how long it is.
fn placeholder(text: &str) -> Option<(usize, usize)> {
    // Most objects are none, and need no parser to say so.
    let inside = text.strip_prefix('{')?.trim_start();
    if !["\"_placeholder\"", "\"num\""].iter().any(|key| inside.starts_with(key)) {
        return None;
    }
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<Placeholder>();
    match values.next()? {
        Ok(Placeholder { _placeholder: true, num }) => Some((num as usize, values.byte_offset())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(text: &str, count: usize) -> String {
        fill(text, count, |out, number| out.push_str(&format!("<{number}>")))
    }

    #[test]
    fn what_is_attached_takes_its_place() {
        for (text, expected) in [
            (r#"{"_placeholder":true,"num":0}"#, "<0>"),
            (r#" { "num" : 1 , "_placeholder" : true } "#, " <1> "),
            (r#"[{"_placeholder":true,"num":1},{"a":{"_placeholder":true,"num":0}}]"#, r#"[<1>,{"a":<0>}]"#),
            (r#"{"_placeholder":{"_placeholder":true,"num":0}}"#, r#"{"_placeholder":<0>}"#),
            (
                r#"[{"_placeholder":true,"num":0},{"_placeholder":true,"num":0}]"#,
                r#"[<0>,{"_placeholder":true,"num":0}]"#,
            ),
            (r#"{"{\"":"{","a":{"_placeholder":true,"num":0}}"#, r#"{"{\"":"{","a":<0>}"#),
        ] {
            assert_eq!(filled(text, 2), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_placeholder_stays() {
        for text in [
            r#"{"_placeholder":true,"num":2}"#,
            r#"{"_placeholder":false,"num":0}"#,
            r#"{"_placeholder":true,"num":0,"more":1}"#,
            r#"{"_placeholder":true,"num":0,"num":0}"#,
            r#"{"_placeholder":true}"#,
            r#"{"_placeholder":true,"num":-1}"#,
            r#"{"_placeholder":true,"num":4294967296}"#,
            r#""{\"_placeholder\":true,\"num\":0}""#,
            "[true,0,null,{}]",
        ] {
            assert_eq!(filled(text, 2), text);
        }
    }
}
