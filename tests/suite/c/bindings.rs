//! The bindings are written by hand: here they are held against the contract. What a component imports is checked where it is
//! made; that the SDK has all of the contract is checked here, and that its header has words and an example for all.

use std::collections::BTreeSet;
use std::fs;

use wit_parser::{Resolve, WorldItem};

use crate::harness::root;

fn text(file: &str) -> String {
    let path = root().join("guest-sdk/c").join(file);
    fs::read_to_string(&path).unwrap_or_else(|why| panic!("{}: {why}", path.display()))
}

#[test]
fn every_function_of_the_contract_has_a_binding_and_no_other_does() {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(root().join("wit")).expect("the contract");
    let world = resolve.select_world(&[package], Some("plugin")).expect("its world");
    let mut wanted = BTreeSet::new();
    for item in resolve.worlds[world].imports.values() {
        let WorldItem::Interface { id, .. } = item else { continue };
        let interface = &resolve.interfaces[*id];
        let name = interface.name.as_deref().expect("a name");
        wanted.extend(interface.functions.keys().map(|function| format!("(\"{name}\", \"{function}\")")));
    }
    let header = text("src/host.h");
    let declared = header.lines().filter_map(|line| line.strip_prefix("HOST(")).filter(|line| line.starts_with('"'));
    let bound: BTreeSet<String> =
        declared.map(|line| format!("({})", line.split(')').next().unwrap_or_default())).collect();
    assert_eq!(bound, wanted);
}

/// What the comment above a line says; empty where there is none.
fn words_above(lines: &[&str], at: usize) -> String {
    let above = &lines[..at];
    if !above.last().is_some_and(|line| line.ends_with("*/")) {
        return String::new();
    }
    let start = above.iter().rposition(|line| line.starts_with("/*")).unwrap_or(at);
    above[start..].join("\n")
}

#[test]
fn every_public_function_has_words_and_an_example() {
    let mut complaints = Vec::new();
    let mut count = 0;
    for file in ["parlor.h", "parlor_json.h", "parlor_room.h", "parlor_state.h"] {
        let text = text(&format!("include/{file}"));
        let lines: Vec<&str> = text.lines().collect();
        for (at, line) in lines.iter().enumerate() {
            // A function's declaration, at the beginning of a line.
            let is_function = line.ends_with(';') && line.contains("pl_") && line.contains('(');
            if !is_function || line.starts_with(' ') || line.starts_with("typedef") {
                continue;
            }
            count += 1;
            // What PL_ROOM defines, and what a macro above stands for, has its words there.
            let is_behind = line.contains("pl_room(void)") || line.contains("pl_object_of");
            if !is_behind && !words_above(&lines, at).contains(" *     ") {
                complaints.push(format!("{file}:{}: {line}", at + 1));
            }
        }
    }
    assert!(complaints.is_empty(), "no words or no example:\n{}", complaints.join("\n"));
    assert!(count > 60, "only {count} functions were found");
}
