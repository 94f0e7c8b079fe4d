//! The room's function, and the exports that call it.

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use quote::{ToTokens as _, quote, quote_spanned};
use syn::{
    Attribute, Error, Generics, Ident, Result, Token, Type, Visibility, WhereClause,
    parse::{Parse, ParseStream},
    token::Paren,
};

use crate::arguments::Arguments;

const SHAPE: &str = "a room's function looks like `fn chat(room: &mut Room) { ... }`";

pub fn expand(arguments: &Arguments, item: TokenStream) -> Result<TokenStream> {
    let no_function = || Error::new_spanned(&item, format!("`#[room]` stands before a function: {SHAPE}"));
    let mut head: Vec<TokenTree> = item.clone().into_iter().collect();
    let Some(TokenTree::Group(body)) = head.pop() else { return Err(no_function()) };
    let head = TokenStream::from_iter(head);
    if body.delimiter() != Delimiter::Brace || !syn::parse2::<Begins>(head.clone()).is_ok_and(|begins| begins.0) {
        return Err(no_function());
    }
    let Head { name: ident, parameter } = syn::parse2(head.clone())?;
    let Body { attributes, statements } = syn::parse2(body.stream())?;
    let Arguments { name, path } = arguments;
    // The definition is part of the function, so that a test room knows name and path as well as the exports do.
    let define = quote_spanned! { parameter.span() => ::parlor_guest::Room::__define(#parameter, #name, #path); };
    let mut braces = Group::new(Delimiter::Brace, quote! { #(#attributes)* #define #statements });
    braces.set_span(body.span());
    // A name that the function's own, which may be `room` as well, does not see.
    let argument = Ident::new("room", Span::mixed_site());
    Ok(quote! {
        #head #braces

        #[cfg(target_arch = "wasm32")]
        #[allow(unsafe_code)]
        const _: () = {
            struct ParlorPlugin;
            impl ::parlor_guest::__private::Plugin for ParlorPlugin {
                fn setup(#argument: &mut ::parlor_guest::Room) -> ::parlor_guest::Result {
                    ::parlor_guest::__private::setup(#ident(#argument))
                }
            }
            ::parlor_guest::__private::bindings::export_plugin!(
                ParlorPlugin with_types_in ::parlor_guest::__private::bindings
            );
        };
    })
}

/// Whether what is before the braces begins as a function does.
struct Begins(bool);

impl Parse for Begins {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        input.call(Attribute::parse_outer)?;
        input.parse::<Visibility>()?;
        let begins = input.peek(Token![fn]) || input.peek(Token![async]) && input.peek2(Token![fn]);
        input.parse::<TokenStream>()?;
        Ok(Self(begins))
    }
}

/// A function without its body. It is read by hand: the whole of Rust's grammar would double what `syn` costs to compile.
struct Head {
    name: Ident,
    /// The name of its parameter.
    parameter: Ident,
}

impl Parse for Head {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        input.call(Attribute::parse_outer)?;
        input.parse::<Visibility>()?;
        if let Some(token) = input.parse::<Option<Token![async]>>()? {
            return Err(Error::new(token.span, "a room's function is not async: handlers run in turns, one at a time"));
        }
        input.parse::<Token![fn]>()?;
        let name = input.parse()?;
        let generics: Generics = input.parse()?;
        if !generics.params.is_empty() {
            return Err(Error::new_spanned(&generics, "a room's function has no generic parameters"));
        }
        let inside;
        let parentheses = syn::parenthesized!(inside in input);
        let parameter = parameter(&inside, parentheses)?;
        if input.parse::<Option<Token![->]>>()?.is_some() {
            input.parse::<Type>()?;
        }
        input.parse::<Option<WhereClause>>()?;
        Ok(Self { name, parameter })
    }
}

/// Reads the one parameter between the parentheses; returns its name.
fn parameter(inside: ParseStream<'_>, parentheses: Paren) -> Result<Ident> {
    let not_one = || Error::new(parentheses.span.join(), format!("it takes one parameter: {SHAPE}"));
    inside.call(Attribute::parse_outer)?;
    let is_method = inside.peek(Token![&]) || inside.peek(Token![self]) || inside.peek2(Token![self]);
    if inside.is_empty() || is_method {
        return Err(not_one());
    }
    let nameless = Error::new(inside.span(), format!("give the parameter a name: {SHAPE}"));
    inside.parse::<Option<Token![mut]>>()?;
    let name = inside.parse::<Ident>().map_err(|_| nameless.clone())?;
    inside.parse::<Token![:]>().map_err(|_| nameless)?;
    inside.parse::<Type>()?;
    inside.parse::<Option<Token![,]>>()?;
    if inside.is_empty() { Ok(name) } else { Err(not_one()) }
}

/// What is between the braces.
struct Body {
    /// `#![...]`, which must stay in front.
    attributes: Vec<TokenStream>,
    statements: TokenStream,
}

impl Parse for Body {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let attributes = input.call(Attribute::parse_inner)?;
        let attributes = attributes.iter().map(|attribute| attribute.to_token_stream()).collect();
        Ok(Self { attributes, statements: input.parse()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What becomes of a function, or why it cannot be a room's.
    fn expanded(item: &str) -> std::result::Result<String, String> {
        let arguments = syn::parse_str("name = \"chat\", path = \"/ws\"").unwrap();
        let item = item.parse().unwrap();
        expand(&arguments, item).map(|tokens| tokens.to_string()).map_err(|why| why.to_string())
    }

    #[test]
    fn a_function_keeps_all_that_it_says_and_is_defined_first() {
        for (item, beginning) in [
            (
                "fn chat(room: &mut Room) { f(); }",
                "fn chat (room : & mut Room) { :: parlor_guest :: Room :: __define (room",
            ),
            ("/// Words.\n#[inline] pub(crate) fn chat(mut r: &mut Room,) -> Result<(), Error> { Ok(()) }", "# [doc"),
            ("fn chat<>(room: &mut a::Room<'_>) -> impl Sized where Room: Sized {}", "fn chat <> ("),
            ("fn chat(#[allow(unused)] room: &mut Room) { #![allow(dead_code)] f(); }", "fn chat (# [allow (unused)]"),
        ] {
            let made = expanded(item).unwrap();
            assert!(made.starts_with(beginning), "{item}: {made}");
            assert!(made.contains("__define") && made.contains("export_plugin !"), "{item}: {made}");
        }
        let with_attribute = expanded("fn chat(room: &mut Room) { #![allow(dead_code)] f(); }").unwrap();
        let place = |words: &str| with_attribute.find(words).unwrap();
        assert!(place("dead_code") < place("__define") && place("__define") < place("f ()"), "{with_attribute}");
    }

    #[test]
    fn what_is_no_rooms_function_is_told_why() {
        for (item, words) in [
            ("struct Chat;", "stands before a function"),
            ("struct Chat {}", "stands before a function"),
            ("mod chat {}", "stands before a function"),
            ("async fn chat(room: &mut Room) {}", "not async"),
            ("fn chat<T>(room: &mut Room) {}", "no generic parameters"),
            ("fn chat() {}", "it takes one parameter"),
            ("fn chat(&self) {}", "it takes one parameter"),
            ("fn chat(mut self) {}", "it takes one parameter"),
            ("fn chat(room: &mut Room, more: u32) {}", "it takes one parameter"),
            ("fn chat(_: &mut Room) {}", "give the parameter a name"),
            ("fn chat(Room { x }: &mut Room) {}", "give the parameter a name"),
        ] {
            let why = expanded(item).unwrap_err();
            assert!(why.contains(words), "{item}: {why}");
        }
    }
}
