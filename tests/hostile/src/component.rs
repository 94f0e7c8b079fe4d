//! From text to a component: the smallest plugin with mischief in it, and what can be glued to a component from outside.

use std::path::{Path, PathBuf};

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// The smallest plugin: see its markers.
const BARE: &str = include_str!("../../guests/wat/bare.wat");
/// What hostile guests may import beyond the contract.
const WASI: &str = include_str!("../wit/wasi.wit");

/// A section of a component that holds a core module, and one that holds core instances.
const CORE_MODULE_SECTION: u8 = 1;
const CORE_INSTANCE_SECTION: u8 = 2;
/// A component's magic and version.
const HEADER_BYTES: usize = 8;

/// The smallest plugin, with mischief put where its markers stand: `(; in handle ;)` and the like.
///
/// # Panics
/// Where there is no such marker, or the text is no component.
pub fn bare(mischief: &[(&str, &str)]) -> Vec<u8> {
    let mut text = bare_text().to_owned();
    for (marker, code) in mischief {
        let marker = format!("(; {marker} ;)");
        assert!(text.contains(&marker), "bare.wat has no {marker}");
        text = text.replace(&marker, code);
    }
    component_of(&text)
}

/// The text of the smallest plugin, for those who change more than its markers.
pub fn bare_text() -> &'static str {
    BARE
}

/// Makes a component of a core module that follows the contract's ABI.
///
/// # Panics
/// Where it does not, or is no module.
pub fn component_of(wat: &str) -> Vec<u8> {
    let mut module = wat::parse_str(wat).unwrap_or_else(|why| panic!("{why}"));
    let mut resolve = Resolve::default();
    resolve.push_dir(contract()).expect("the contract parses");
    let package = resolve.push_str("wasi.wit", WASI).expect("the part of WASI parses");
    let world = resolve.select_world(&[package], Some("guest")).expect("the world of hostile guests");
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8, false).expect("a module");
    let mut encoder = ComponentEncoder::default();
    encoder.validate(true).module(&module).expect("a module that follows the contract");
    encoder.encode().expect("a component")
}

/// The folder of the contract.
fn contract() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit")
}

/// Adds a core module to a component and makes `count` instances of it, which nobody uses.
pub fn with_core_instances(component: &[u8], module: &str, count: usize) -> Vec<u8> {
    let module = wat::parse_str(module).unwrap_or_else(|why| panic!("{why}"));
    let index = sections(component).filter(|(id, _)| *id == CORE_MODULE_SECTION).count();
    let mut bytes = component.to_vec();
    put_section(&mut bytes, CORE_MODULE_SECTION, &module);
    let mut instances = Vec::new();
    put_number(&mut instances, count);
    for _ in 0..count {
        // An instance of a module, without arguments.
        instances.push(0);
        put_number(&mut instances, index);
        put_number(&mut instances, 0);
    }
    put_section(&mut bytes, CORE_INSTANCE_SECTION, &instances);
    bytes
}

/// The outermost sections of a component: their kinds and bodies.
fn sections(component: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    let mut rest = component.get(HEADER_BYTES..).unwrap_or_default();
    std::iter::from_fn(move || {
        let (&id, behind) = rest.split_first()?;
        let (length, behind) = take_number(behind)?;
        let (body, behind) = behind.split_at_checked(length)?;
        rest = behind;
        Some((id, body))
    })
}

fn put_section(bytes: &mut Vec<u8>, id: u8, body: &[u8]) {
    bytes.push(id);
    put_number(bytes, body.len());
    bytes.extend_from_slice(body);
}

/// LEB128, as all numbers of WebAssembly.
fn put_number(bytes: &mut Vec<u8>, mut number: usize) {
    while number > 0x7F {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn take_number(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let length = bytes.iter().position(|byte| byte & 0x80 == 0)? + 1;
    let (digits, rest) = bytes.split_at(length);
    let number = digits.iter().rev().fold(0, |number, byte| number << 7 | usize::from(byte & 0x7F));
    Some((number, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instances_are_added_to_a_component() {
        let component = bare(&[]);
        let before = sections(&component).count();
        let more = with_core_instances(&component, "(module)", 200);
        let added: Vec<(u8, &[u8])> = sections(&more).skip(before).collect();
        assert_eq!(added.len(), 2);
        assert_eq!(added[0].0, CORE_MODULE_SECTION);
        assert_eq!(take_number(added[1].1).map(|(count, _)| count), Some(200));
    }
}
