//! The attribute `#[parlor_guest::room]`; its documentation stands there, where its examples can run.

mod arguments;
mod function;

use proc_macro::TokenStream;

/// See `parlor_guest::room`, which is this attribute.
#[proc_macro_attribute]
pub fn room(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let expanded = match syn::parse::<arguments::Arguments>(arguments) {
        Ok(arguments) => function::expand(&arguments, item.into()),
        Err(error) => Err(error),
    };
    expanded.unwrap_or_else(|error| error.to_compile_error()).into()
}
