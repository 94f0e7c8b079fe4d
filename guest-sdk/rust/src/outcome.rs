//! The types that handlers and set-up functions may return.

use serde::Serialize;

use crate::{Error, Result, message::Message};

/// An answer for a client that waits for one; made by [`answer`].
///
/// ```
/// use parlor_guest::prelude::*;
///
/// fn sum(_: &Ctx, numbers: Vec<i64>) -> Result<Answer> {
///     answer(&numbers.iter().sum::<i64>())
/// }
/// ```
#[derive(Debug)]
pub struct Answer(pub(crate) Message);

/// Answers the client's acknowledgement with any value: `room.on("sum", |_, n: Vec<i64>| answer(&n.len()))`.
///
/// It leaves when the turn has committed, behind the turn's emits: who has it knows that the turn's writes are safe. Clients
/// that wait for none never see it. Where several handlers of one event answer, the first answer counts. Fails with the code `json` where the value cannot be written as JSON.
///
/// ```
/// use parlor_guest::{prelude::*, testing::TestRoom};
///
/// let room = TestRoom::new(|room: &mut Room| {
///     room.on("sum", |_, numbers: Vec<i64>| answer(&numbers.iter().sum::<i64>()));
/// });
/// let alice = room.connect("/ws");
/// assert_eq!(alice.request("sum", json!([1, 2, 3])), Ok(Some(json!(6))));
/// ```
pub fn answer<T: Serialize + ?Sized>(value: &T) -> Result<Answer> {
    Ok(Answer(Message::of(value)?))
}

/// What a handler may return: `()`, the count of an emit, an [`Answer`], a [`Result`] of one of these, or an
/// [`Error`] as it is. You never write this trait's name.
///
/// ```
/// use parlor_guest::prelude::*;
///
/// fn chat(room: &mut Room) {
///     room.on("nothing", |_, _: Value| {});
///     room.on("emit", |ctx, _: Value| ctx.emit("count", 1));
///     room.on("question", |_, _: Value| {
///         let number: i32 = "12".parse()?;
///         println!("{number}");
///         Ok(())
///     });
///     room.on("refuse", |_, _: Value| reject("never", "not here"));
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "a handler cannot return `{Self}`",
    label = "this handler returns `{Self}`",
    note = "a handler returns nothing, what an emit returned, `answer(&value)`, or `parlor_guest::Result` of these; \
            end it with `;` or with `Ok(())`",
    note = "errors of other types become `parlor_guest::Error` through `?`"
)]
pub trait Outcome {
    #[doc(hidden)]
    fn into_handled(self) -> Handled;
}

/// What stands in the `Ok` of a handler's result: `()`, the count of an emit, or an [`Answer`].
///
/// ```
/// use parlor_guest::prelude::*;
///
/// fn relay(ctx: &Ctx, data: Value) -> Result<u32> {
///     ctx.actor().emit("relayed", data)
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "a handler cannot return `Ok` of `{Self}`",
    label = "this handler returns `Ok` of `{Self}`",
    note = "end it with `Ok(())`, with an emit, or with `answer(&value)` to answer the client"
)]
pub trait Reply {
    #[doc(hidden)]
    fn into_message(self) -> Option<Message>;
}

/// What a set-up function may return: `()`, or a [`Result`] whose error refuses the plugin.
///
/// ```
/// use parlor_guest::{Error, Result, Room, config};
///
/// fn chat(room: &mut Room) -> Result {
///     let greeting = config("greeting").ok_or_else(|| Error::msg("set `greeting` in the configuration"))?;
///     room.on_connect(move |ctx| ctx.emit("welcome", &greeting));
///     Ok(())
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "a room's function cannot return `{Self}`",
    label = "this room's function returns `{Self}`",
    note = "it returns nothing, or `parlor_guest::Result` to refuse to start"
)]
pub trait Setup {
    #[doc(hidden)]
    fn into_result(self) -> Result;
}

/// What a handled event comes to.
#[doc(hidden)]
pub type Handled = Result<Option<Message>>;

impl Outcome for () {
    fn into_handled(self) -> Handled {
        Ok(None)
    }
}

impl Outcome for u32 {
    fn into_handled(self) -> Handled {
        Ok(None)
    }
}

impl Outcome for Answer {
    fn into_handled(self) -> Handled {
        Ok(Some(self.0))
    }
}

impl Outcome for Error {
    fn into_handled(self) -> Handled {
        Err(self)
    }
}

impl<T: Reply> Outcome for Result<T, Error> {
    fn into_handled(self) -> Handled {
        self.map(Reply::into_message)
    }
}

impl Reply for () {
    fn into_message(self) -> Option<Message> {
        None
    }
}

impl Reply for u32 {
    fn into_message(self) -> Option<Message> {
        None
    }
}

impl Reply for Answer {
    fn into_message(self) -> Option<Message> {
        Some(self.0)
    }
}

impl Setup for () {
    fn into_result(self) -> Result {
        Ok(())
    }
}

impl Setup for Result<(), Error> {
    fn into_result(self) -> Result {
        self
    }
}
