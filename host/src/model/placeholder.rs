//! Placeholders: the objects that stand in JSON for bytes, which travel beside it.
//!
//! `{"_placeholder":true,"num":0}` names the first attachment. As with Socket.IO's own parser, any object whose `_placeholder` is
//! `true` is one, whatever else it has, and of a key that comes twice the last one counts.

use std::borrow::Cow;
use std::ops::Range;

use bytes::Bytes;

use super::base64;
use super::json::{Json, unquoted};

/// An object that says that it stands for bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placeholder {
    /// The attachment that it names. None where its `num` is no whole number, or is not there.
    pub number: Option<usize>,
    /// How many arrays and objects it lies in.
    pub depth: usize,
    pub object: Range<usize>,
    /// The `true` that makes it one.
    pub mark: Range<usize>,
}

/// The placeholders of a text that somebody found to be a JSON value, or several with commas between, in the order of their
/// ends.
pub struct Placeholders<'a> {
    json: &'a str,
    at: usize,
    levels: Vec<Level>,
}

/// An array or object that has begun and not ended.
#[derive(Debug, Default)]
struct Level {
    start: usize,
    /// The last text or number: before a colon it is a key.
    word: Range<usize>,
    /// Whose value comes next. None where a key comes next, and in arrays.
    key: Option<PlaceholderKey>,
    mark: Option<Range<usize>>,
    number: Option<usize>,
}

#[derive(Debug, Clone, Copy)]
enum PlaceholderKey {
    Mark,
    Number,
    Other,
}

impl<'a> Placeholders<'a> {
    pub fn of(json: &'a str) -> Self {
        Self { json, at: 0, levels: Vec::new() }
    }

    fn text(&self, range: &Range<usize>) -> &'a str {
        self.json.get(range.clone()).unwrap_or_default()
    }

    /// The next bracket, comma, colon, text, number or name.
    fn token(&mut self) -> Option<Range<usize>> {
        let rest = self.json.as_bytes().get(self.at..)?;
        let start = self.at + rest.iter().position(|byte| !byte.is_ascii_whitespace())?;
        let token = self.json.as_bytes().get(start..)?;
        let length = match token.first()? {
            b'"' => text_length(token),
            b'[' | b']' | b'{' | b'}' | b',' | b':' => 1,
            _ => token.iter().position(|byte| b" \t\r\n,]}".contains(byte)).unwrap_or(token.len()),
        };
        self.at = start + length;
        Some(start..self.at)
    }

    /// Takes the last word for a key, whose value comes next.
    fn begin_value(&mut self) {
        let json = self.json;
        let Some(level) = self.levels.last_mut() else { return };
        level.key = Some(match unquoted(json.get(level.word.clone()).unwrap_or_default()).as_deref() {
            Some("_placeholder") => PlaceholderKey::Mark,
            Some("num") => PlaceholderKey::Number,
            _ => PlaceholderKey::Other,
        });
    }

    fn end_value(&mut self) {
        if let Some(level) = self.levels.last_mut() {
            level.key = None;
        }
    }

    /// Takes a token that is a key, a value, or the beginning of one.
    fn take_word(&mut self, word: Range<usize>) {
        let text = self.text(&word);
        let Some(level) = self.levels.last_mut() else { return };
        match level.key {
            None => level.word = word,
            Some(PlaceholderKey::Mark) => level.mark = (text == "true").then_some(word),
            Some(PlaceholderKey::Number) => level.number = text.parse().ok(),
            Some(PlaceholderKey::Other) => {}
        }
    }
}

/// The bytes of a text from its quote to the quote that ends it.
fn text_length(token: &[u8]) -> usize {
    let mut escaped = false;
    let ends = token.iter().skip(1).position(|byte| {
        let is_end = *byte == b'"' && !escaped;
        escaped = *byte == b'\\' && !escaped;
        is_end
    });
    ends.map_or(token.len(), |end| end + 2)
}

impl Iterator for Placeholders<'_> {
    type Item = Placeholder;

    fn next(&mut self) -> Option<Placeholder> {
        while let Some(token) = self.token() {
            match self.text(&token) {
                "[" | "{" => {
                    let start = token.start;
                    self.take_word(token);
                    self.levels.push(Level { start, ..Level::default() });
                }
                "]" | "}" => {
                    let ended = self.levels.pop()?;
                    if let Some(mark) = ended.mark {
                        let object = ended.start..token.end;
                        return Some(Placeholder { number: ended.number, depth: self.levels.len(), object, mark });
                    }
                }
                ":" => self.begin_value(),
                "," => self.end_value(),
                _ => self.take_word(token),
            }
        }
        None
    }
}

/// The placeholders of a text that stand for one of `count` attachments, and those that do not. Each attachment is for the first
/// one that names it, so that what is filled cannot grow beyond the attachments.
fn shared_out(json: &str, count: usize) -> (Vec<Placeholder>, Vec<Placeholder>) {
    let mut found: Vec<_> = Placeholders::of(json).collect();
    found.sort_by_key(|placeholder| placeholder.object.start);
    let mut is_open = vec![true; count];
    let mut takes = |number| is_open.get_mut(number).is_some_and(std::mem::take);
    found.into_iter().partition(|placeholder| placeholder.number.is_some_and(&mut takes))
}

/// Copies a JSON text. Where the text has a placeholder for one of `count` attachments, `put` writes what stands there instead.
/// Other placeholders stay what they are: nobody attached anything to them.
fn fill(json: &str, count: usize, put: impl FnMut(&mut String, usize)) -> String {
    let (attached, _) = shared_out(json, count);
    let places = attached.into_iter().filter_map(|placeholder| Some((placeholder.object, placeholder.number?)));
    rewritten(json, places.collect(), put)
}

/// The data with its attachments in the place of its placeholders: `{"base64":TEXT}` each, as plain JSON has bytes.
pub fn filled(data: &Json, attachments: &[Bytes]) -> Json {
    data.with_text(fill(data.text(), attachments.len(), |out, number| {
        out.push_str(r#"{"base64":"#);
        base64::push_text(out, attachments.get(number).map(|bytes| &**bytes).unwrap_or_default());
        out.push('}');
    }))
}

/// JSON whose placeholders all stand for one of `count` attachments. A stray one gets `false` for its `true`.
pub fn without_strays(json: &str, count: usize) -> Cow<'_, str> {
    let (_, strays) = shared_out(json, count);
    if strays.is_empty() {
        return Cow::Borrowed(json);
    }
    rewritten(json, strays.into_iter().map(|stray| (stray.mark, "false")).collect(), String::push_str).into()
}

/// Copies a text, and writes something else in some places. A place within another one goes with it.
fn rewritten<T>(text: &str, mut places: Vec<(Range<usize>, T)>, mut put: impl FnMut(&mut String, T)) -> String {
    places.sort_by_key(|(place, _)| place.start);
    let mut out = String::with_capacity(text.len());
    let mut copied = 0;
    for (place, what) in places {
        let Some(before) = text.get(copied..place.start) else { continue };
        out.push_str(before);
        put(&mut out, what);
        copied = place.end;
    }
    out.push_str(text.get(copied..).unwrap_or_default());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The number and the depth of each placeholder of a text.
    fn found(json: &str) -> Vec<(Option<usize>, usize)> {
        assert!(serde_json::from_str::<serde_json::Value>(json).is_ok(), "{json}");
        Placeholders::of(json)
            .inspect(|placeholder| assert_eq!(json.get(placeholder.mark.clone()), Some("true"), "{json}"))
            .map(|placeholder| (placeholder.number, placeholder.depth))
            .collect()
    }

    #[test]
    fn a_placeholder_is_found_wherever_it_stands() {
        assert_eq!(found(r#"{"_placeholder":true,"num":0}"#), [(Some(0), 0)]);
        assert_eq!(found(r#" { "num" : 12 , "_placeholder" : true } "#), [(Some(12), 0)]);
        let nested = r#"["ev",{"a":{"_placeholder":true,"num":1},"b":[[{"_placeholder":true,"num":0,"x":[1]}]]},3]"#;
        assert_eq!(found(nested), [(Some(1), 2), (Some(0), 4)]);
        assert_eq!(found(r#"{"\u005fplaceholder":true,"nu\u006d":7}"#), [(Some(7), 0)]);
        // One within another ends first.
        let within = r#"[{"_placeholder":true,"num":0,"x":{"_placeholder":true,"num":5}}]"#;
        assert_eq!(found(within), [(Some(5), 2), (Some(0), 1)]);
    }

    #[test]
    fn a_number_that_is_no_whole_one_names_nothing() {
        for number in ["-1", "0.0", "1e0", "\"0\"", "null", "[0]", "{\"num\":0}", "99999999999999999999999"] {
            assert_eq!(found(&format!(r#"[{{"_placeholder":true,"num":{number}}}]"#)), [(None, 1)], "{number}");
        }
        assert_eq!(found(r#"{"_placeholder":true}"#), [(None, 0)]);
    }

    #[test]
    fn the_last_of_a_key_counts() {
        assert_eq!(found(r#"{"_placeholder":true,"num":9,"num":1}"#), [(Some(1), 0)]);
        assert_eq!(found(r#"{"_placeholder":false,"_placeholder":true,"num":1}"#), [(Some(1), 0)]);
        assert_eq!(found(r#"{"_placeholder":true,"num":1,"_placeholder":false}"#), []);
        assert_eq!(found(r#"{"_placeholder":true,"num":1,"num":{}}"#), [(None, 0)]);
    }

    #[test]
    fn what_looks_like_one_is_none() {
        for json in [
            r#"{"_placeholder":false,"num":0}"#,
            r#"{"_placeholder":"true","num":0}"#,
            r#"{"_placeholder":[true],"num":0}"#,
            r#"{"placeholder":true,"num":0}"#,
            r#"{"a":"_placeholder","b":true,"num":0}"#,
            r#"["_placeholder",true,"num",0]"#,
            r#"["{\"_placeholder\":true,\"num\":0}","\\",":",true]"#,
            r#"{"a":"\\\"_placeholder\":true"}"#,
            r#"{"_placeholder":{"_placeholder":1},"num":0}"#,
            "true",
            "1",
            r#""_placeholder""#,
            "[]",
        ] {
            assert_eq!(found(json), [], "{json}");
        }
    }

    fn marked(text: &str, count: usize) -> String {
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
            // As for a client of Socket.IO, what lies in a placeholder goes with it.
            (r#"[{"x":{"_placeholder":true,"num":1},"_placeholder":true,"num":0},2]"#, "[<0>,2]"),
        ] {
            assert_eq!(marked(text, 2), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_placeholder_stays() {
        for text in [
            r#"{"_placeholder":true,"num":2}"#,
            r#"{"_placeholder":false,"num":0}"#,
            r#"{"_placeholder":true}"#,
            r#"{"_placeholder":true,"num":-1}"#,
            r#"{"_placeholder":true,"num":18446744073709551616}"#,
            r#""{\"_placeholder\":true,\"num\":0}""#,
            "[true,0,null,{}]",
        ] {
            assert_eq!(marked(text, 2), text);
        }
    }

    #[test]
    fn strays_are_made_harmless() {
        let stray = r#"{"a":{"_placeholder":true,"num":1},"b":[{"_placeholder":true,"num":0}]}"#;
        assert_eq!(without_strays(stray, 2), stray);
        assert_eq!(
            without_strays(stray, 1),
            r#"{"a":{"_placeholder":false,"num":1},"b":[{"_placeholder":true,"num":0}]}"#
        );
        let twice = r#"[{"_placeholder":true,"num":0},{"num":0,"_placeholder":true}]"#;
        assert_eq!(without_strays(twice, 1), r#"[{"_placeholder":true,"num":0},{"num":0,"_placeholder":false}]"#);
        let without_number = r#"1,{"x":{"_placeholder":true,"num":9},"_placeholder":true}"#;
        assert_eq!(without_strays(without_number, 1), r#"1,{"x":{"_placeholder":false,"num":9},"_placeholder":false}"#);
    }
}
