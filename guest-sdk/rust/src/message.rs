//! What a plugin says, on its way to the host: a value, and the bytes that stand in it.

use serde::Serialize;

use crate::{
    Result, base64,
    bytes::{self, Attach, Spread},
    host::types::{Payload, Refusal},
    payload,
};

/// How many attachments a message has at most.
const ATTACHMENTS_MAX: usize = 16;
/// How bytes begin in JSON. A quote within a string is written as `\"`, so that this stands nowhere else.
const BEGINS: &str = r#"{"base64":""#;
/// How they end.
const ENDS: &str = r#""}"#;

/// The data of an emit, an ask or an answer.
#[derive(Debug)]
#[doc(hidden)]
pub struct Message {
    payload: Payload,
    attachments: Vec<Vec<u8>>,
    attach: Option<Attach>,
    spread: Option<Spread>,
}

impl Message {
    pub(crate) fn of<T: Serialize + ?Sized>(value: &T) -> Result<Self> {
        let _ = bytes::take_spread();
        let text = serde_json::to_string(value)?;
        let (spread, attach) = (bytes::take_spread(), bytes::attach());
        let (payload, attachments) = match attach {
            Some(_) => lift(text),
            None => (Payload::Json(text), Vec::new()),
        };
        Ok(Message { payload, attachments, attach, spread })
    }

    /// A value whose bytes stay in it.
    pub(crate) fn plain<T: Serialize + ?Sized>(value: &T) -> Result<Self> {
        Ok(Message { payload: payload::json(value)?, attachments: Vec::new(), attach: None, spread: None })
    }

    /// Says it, after what belongs to it.
    pub(crate) fn say<T>(self, say: impl FnOnce(&Payload) -> Result<T, Refusal>) -> Result<T> {
        Ok(say(&self.enclose()?)?)
    }

    /// Gives the host what belongs to the payload, which must follow at once.
    pub(crate) fn enclose(self) -> Result<Payload> {
        if let Some(attach) = self.attach {
            for bytes in &self.attachments {
                attach(bytes)?;
            }
        }
        if let Some(spread) = self.spread {
            spread()?;
        }
        Ok(self.payload)
    }
}

/// Takes bytes out of a JSON text: placeholders stand for them then. A text that is bytes and nothing else is bytes.
fn lift(text: String) -> (Payload, Vec<Vec<u8>>) {
    let mut attachments = Vec::new();
    let mut out = String::new();
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once(BEGINS) {
        out.push_str(before);
        let found = after.split_once(ENDS).and_then(|(digits, behind)| Some((base64::decode(digits)?, behind)));
        rest = match found.filter(|_| attachments.len() < ATTACHMENTS_MAX) {
            Some((bytes, behind)) => {
                out.push_str(&format!(r#"{{"_placeholder":true,"num":{}}}"#, attachments.len()));
                attachments.push(bytes);
                behind
            }
            None => {
                out.push_str(BEGINS);
                after
            }
        };
    }
    let is_whole = text.starts_with(BEGINS) && rest.is_empty() && attachments.len() == 1;
    match attachments.pop() {
        Some(bytes) if is_whole => (Payload::Binary(bytes), Vec::new()),
        last => {
            attachments.extend(last);
            out.push_str(rest);
            (Payload::Json(out), attachments)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lifted(text: &str) -> (String, Vec<Vec<u8>>) {
        match lift(text.to_owned()) {
            (Payload::Json(text), attachments) => (text, attachments),
            (Payload::Binary(bytes), _) => panic!("all of it is bytes: {bytes:?}"),
        }
    }

    #[test]
    fn bytes_leave_placeholders_behind() {
        let (text, attachments) = lifted(r#"[{"base64":"YQ=="},{"x":{"base64":"Yg=="},"y":1}]"#);
        assert_eq!(text, r#"[{"_placeholder":true,"num":0},{"x":{"_placeholder":true,"num":1},"y":1}]"#);
        assert_eq!(attachments, [b"a", b"b"]);
        let whole = lift(r#"{"base64":""}"#.to_owned());
        assert!(matches!(whole, (Payload::Binary(bytes), rest) if bytes.is_empty() && rest.is_empty()));
    }

    #[test]
    fn what_is_no_bytes_stays() {
        let not_base64 = r#"{"x":{"base64":"?"},"y":{"base64":"YQ==","z":1},"t":"{\"base64\":\"YQ==\"}"}"#;
        assert_eq!(lifted(not_base64), (not_base64.to_owned(), Vec::new()));
        let many = format!("[{}]", vec![r#"{"base64":"YQ=="}"#; ATTACHMENTS_MAX + 1].join(","));
        let (text, attachments) = lifted(&many);
        assert_eq!(attachments.len(), ATTACHMENTS_MAX);
        assert!(text.ends_with(r#",{"_placeholder":true,"num":15},{"base64":"YQ=="}]"#), "{text}");
    }
}
