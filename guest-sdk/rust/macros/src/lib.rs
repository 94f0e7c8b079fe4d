//! The attribute `#[parlor_guest::room]`; its documentation stands there, where its examples can run.

mod arguments;
mod function;

use proc_macro::TokenStream;

/// Makes a plugin of a room's function: `#[parlor_guest::room(name = "chat", path = "/ws")]`.
///
/// `name` is for display (the plugin's identity is its file name). `path` is the websocket path that the plugin
/// serves: 1 to 128 bytes of `/A-Za-z0-9._~-`, beginning with `/`, without `..`, not below `/t/`, and not `/_parlor` or
/// below it. Both are checked when the plugin is compiled.
///
/// The function takes a `&mut Room` and returns nothing, or a `parlor_guest::Result` whose error refuses the plugin. It
/// stays an ordinary function, for `TestRoom::new(chat)`. A crate holds one room.
///
/// ```
/// use parlor_guest::{prelude::*, testing::TestRoom};
///
/// #[parlor_guest::room(name = "echo", path = "/ws/echo")]
/// fn echo(room: &mut Room) {
///     room.on("echo", |ctx, data: Value| ctx.emit("echo", data));
/// }
///
/// # fn main() {
/// let room = TestRoom::new(echo);
/// let ada = room.connect("/ws/echo");
/// ada.send("echo", json!({ "text": "ho" }));
/// assert_eq!(ada.events(), [json!({ "type": "echo", "text": "ho" })]);
/// # }
/// ```
#[proc_macro_attribute]
pub fn room(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let expanded = match syn::parse::<arguments::Arguments>(arguments) {
        Ok(arguments) => function::expand(&arguments, item.into()),
        Err(error) => Err(error),
    };
    expanded.unwrap_or_else(|error| error.to_compile_error()).into()
}
