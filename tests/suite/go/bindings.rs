//! The bindings are written by hand: here they are held against the contract.

use std::collections::BTreeSet;
use std::fs;

use wit_parser::{Resolve, WorldItem};

use crate::harness::root;

/// The names that comments of this kind declare in a file: `MODULE NAME`, or `NAME`.
fn declared(file: &str, comment: &str) -> BTreeSet<String> {
    let path = root().join("guest-sdk/go/internal/host").join(file);
    let text = fs::read_to_string(&path).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
    text.lines().filter_map(|line| line.strip_prefix(comment)).map(str::to_owned).collect()
}

/// Signatures are checked where a component is made: one that does not fit the contract is refused.
#[test]
fn every_function_of_the_contract_has_a_binding_and_no_other_does() {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(root().join("wit")).expect("the contract");
    let world = resolve.select_world(&[package], Some("plugin")).expect("its world");
    let functions = |items: Vec<&WorldItem>, between: &str| -> BTreeSet<String> {
        let interfaces = items.into_iter().filter_map(|item| match item {
            WorldItem::Interface { id, .. } => Some(*id),
            _ => None,
        });
        let names = interfaces.flat_map(|id| {
            let module = resolve.id_of(id).expect("a name");
            let functions = resolve.interfaces[id].functions.keys();
            functions.map(|name| format!("{module}{between}{name}")).collect::<Vec<_>>()
        });
        names.collect()
    };
    let world = &resolve.worlds[world];
    assert_eq!(declared("imports_wasm.go", "//go:wasmimport "), functions(world.imports.values().collect(), " "));
    assert_eq!(declared("exports_wasm.go", "//go:wasmexport "), functions(world.exports.values().collect(), "#"));
}
