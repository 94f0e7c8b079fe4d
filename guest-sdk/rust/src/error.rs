//! The error type of handlers, and the messages of the host's refusals.

use std::{borrow::Cow, fmt};

use crate::host::types::{Failure, Refusal};

/// The result of a handler. Its error is [`Error`], unless you choose another.
///
/// ```
/// use parlor_guest::prelude::*;
///
/// fn check(text: &str) -> Result {
///     if text.is_empty() { Err(reject("chat.empty", "say something first")) } else { Ok(()) }
/// }
/// assert!(check("").is_err());
/// ```
pub type Result<T = (), E = Error> = std::result::Result<T, E>;

/// Why a handler failed its event. The turn is undone: none of its emits, writes, joins or closes happen.
///
/// `?` turns every `std::error::Error` into one. Clients do *not* see these: the host logs them, and the
/// [`Room::on_error`](crate::Room::on_error) handlers run. [`reject`] makes the other kind, which goes to the sender.
///
/// | made from | code |
/// |---|---|
/// | the host refused because of a bound | `limit-exceeded` |
/// | the socket has left | `no-such-socket` |
/// | an argument that the host does not take | `invalid` |
/// | `serde_json::Error` | `json` |
/// | any other error, and [`Error::msg`] | `error` |
///
/// ```
/// use parlor_guest::prelude::*;
///
/// fn parse(text: &str) -> Result<i32> {
///     Ok(text.parse()?)
/// }
/// let error = parse("ten").unwrap_err();
/// assert_eq!(error.code(), "error");
/// assert_eq!(error.message(), "invalid digit found in string");
/// ```
pub struct Error(Box<Inner>);

struct Inner {
    code: Cow<'static, str>,
    message: String,
    for_sender: bool,
}

/// Makes an error for the client who sent the event: the host undoes the turn and sends the client the event `error`
/// with `code` and `message`. [`Room::on_error`](crate::Room::on_error) does not run for it, and it does not count as a
/// fault.
///
/// `code` may have 128 bytes, `message` 1 KiB. The rest is cut off.
///
/// ```
/// use parlor_guest::{prelude::*, testing::TestRoom};
///
/// let room = TestRoom::new(|room: &mut Room| {
///     room.on("chat.message", |_, _: Value| reject("chat.closed", "come back tomorrow"));
/// });
/// let alice = room.connect("/ws");
/// alice.send("chat.message", json!({}));
/// assert_eq!(alice.events(), [json!({ "type": "error", "code": "chat.closed", "message": "come back tomorrow" })]);
/// ```
pub fn reject(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Error {
    Error(Box::new(Inner { code: code.into(), message: message.into(), for_sender: true }))
}

impl Error {
    /// Makes an error for the log, with a code of your own.
    ///
    /// ```
    /// let error = parlor_guest::Error::new("inventory.gone", "no such item");
    /// assert_eq!(error.code(), "inventory.gone");
    /// ```
    pub fn new(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Error(Box::new(Inner { code: code.into(), message: message.into(), for_sender: false }))
    }

    /// Makes an error for the log, with the code `error`.
    ///
    /// ```
    /// let error = parlor_guest::Error::msg("Missing userId");
    /// assert_eq!(error.to_string(), "Missing userId");
    /// ```
    pub fn msg(message: impl Into<String>) -> Self {
        Error::new("error", message)
    }

    /// The code, which programs compare.
    ///
    /// ```
    /// assert_eq!(parlor_guest::reject("chat.empty", "say something").code(), "chat.empty");
    /// ```
    pub fn code(&self) -> &str {
        &self.0.code
    }

    /// The message, for people.
    ///
    /// ```
    /// assert_eq!(parlor_guest::reject("chat.empty", "say something").message(), "say something");
    /// ```
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Whether the client who sent the event gets the error.
    ///
    /// ```
    /// use parlor_guest::{Error, reject};
    /// assert!(reject("chat.empty", "say something").is_for_sender());
    /// assert!(!Error::msg("the cat ate it").is_for_sender());
    /// ```
    pub fn is_for_sender(&self) -> bool {
        self.0.for_sender
    }

    pub(crate) fn into_failure(self) -> Failure {
        let Inner { code, message, for_sender } = *self.0;
        Failure { code: cut(code.into_owned(), 128), message: cut(message, 1024), for_sender }
    }
}

/// Cuts a text down to `max` bytes, between two characters.
fn cut(mut text: String, max: usize) -> String {
    text.truncate(text.floor_char_boundary(max));
    text
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code(), self.message())
    }
}

impl<E: std::error::Error + 'static> From<E> for Error {
    fn from(error: E) -> Self {
        let any: &(dyn std::error::Error + 'static) = &error;
        if let Some(refusal) = any.downcast_ref::<Refusal>() {
            return from_refusal(refusal);
        }
        let code = if any.is::<serde_json::Error>() { "json" } else { "error" };
        Error::new(code, with_causes(any))
    }
}

fn from_refusal(refusal: &Refusal) -> Error {
    match refusal {
        Refusal::LimitExceeded(bound) => Error::new("limit-exceeded", format!("the bound {bound} would be passed")),
        Refusal::NoSuchSocket => Error::new("no-such-socket", "no such socket in this room; it may have left"),
        Refusal::NoTurn => Error::new("no-turn", "outside a turn the room cannot be reached"),
        Refusal::Invalid(why) => Error::new("invalid", why.as_str()),
        Refusal::Other(why) => Error::new("refused", why.as_str()),
    }
}

/// An error with what caused it: `a: b: c`.
fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}
