//! Components out of text, so that seeds can be read in a review.

use std::path::Path;

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// What a core module begins with, as against a component.
const CORE_MODULE: &[u8] = b"\0asm\x01\0\0\0";

/// A component out of WebAssembly text. A core module gets the contract around it where it follows the contract's ABI. None
/// where the input is something else, such as a component.
pub fn assemble(input: &[u8]) -> Option<Vec<u8>> {
    // A text begins with a parenthesis or with a comment.
    if !matches!(input.first(), Some(b'(' | b';')) {
        return None;
    }
    let bytes = wat::parse_str(std::str::from_utf8(input).ok()?).ok()?;
    if bytes.starts_with(CORE_MODULE) { wrap(&bytes).or(Some(bytes)) } else { Some(bytes) }
}

fn wrap(module: &[u8]) -> Option<Vec<u8>> {
    let mut module = module.to_vec();
    let contract = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit");
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(contract).ok()?;
    let world = resolve.select_world(&[package], Some("plugin")).ok()?;
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8, false).ok()?;
    let mut encoder = ComponentEncoder::default();
    encoder.module(&module).ok()?;
    encoder.encode().ok()
}
