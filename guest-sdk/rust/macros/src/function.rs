//! The room's function, and the exports that call it.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{Error, FnArg, ItemFn, Result, spanned::Spanned};

use crate::arguments::Arguments;

const SHAPE: &str = "a room's function looks like `fn chat(room: &mut Room) { ... }`";

pub fn expand(arguments: &Arguments, item: TokenStream) -> Result<TokenStream> {
    let mut function: ItemFn = syn::parse2(item.clone())
        .map_err(|_| Error::new_spanned(&item, format!("`#[room]` stands before a function: {SHAPE}")))?;
    let parameter = check(&function)?;
    let Arguments { name, path } = arguments;
    let (ident, statements) = (&function.sig.ident, &function.block.stmts);
    // The definition is part of the function, so that a test room knows name and path as well as the exports do.
    let define = quote_spanned! { parameter.span() => ::parlor_guest::Room::__define(#parameter, #name, #path); };
    let body = quote! {{ #define #(#statements)* }};
    // A name that the function's own, which may be `room` as well, does not see.
    let argument = syn::Ident::new("room", Span::mixed_site());
    let exports = quote! {
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
    };
    *function.block = syn::parse2(body)?;
    Ok(quote! { #function #exports })
}

/// Checks the function's shape; returns the name of its parameter.
fn check(function: &ItemFn) -> Result<syn::Ident> {
    let signature = &function.sig;
    if let Some(token) = &signature.asyncness {
        return Err(Error::new(token.span(), "a room's function is not async: handlers run in turns, one at a time"));
    }
    if !signature.generics.params.is_empty() {
        return Err(Error::new_spanned(&signature.generics, "a room's function has no generic parameters"));
    }
    let mut inputs = signature.inputs.iter();
    let (Some(FnArg::Typed(input)), None) = (inputs.next(), inputs.next()) else {
        return Err(Error::new(signature.paren_token.span.join(), format!("it takes one parameter: {SHAPE}")));
    };
    match &*input.pat {
        syn::Pat::Ident(pattern) if pattern.subpat.is_none() => Ok(pattern.ident.clone()),
        other => Err(Error::new_spanned(other, format!("give the parameter a name: {SHAPE}"))),
    }
}
