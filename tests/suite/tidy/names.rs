//! Within the host a type's name means one thing: two types of one name make a reader open both to know which is meant.

use std::collections::BTreeMap;

use super::{Source, assert_tidy, sources, without_comment};

/// Names that stand for several types, and for how many: the number may only fall. Empty, and meant to stay so.
const EXCEPTIONS: [(&str, usize); 0] = [];

/// The name of the type that a line declares. A type within an `impl` is named by its trait, so that an indented `type` is
/// passed over.
fn declared(line: &str) -> Option<&str> {
    let code = without_comment(line);
    let is_indented = code.starts_with(char::is_whitespace);
    let mut words = code.split_whitespace().skip_while(|word| word.starts_with("pub") || *word == "unsafe");
    match words.next()? {
        "struct" | "enum" | "union" | "trait" => {}
        "type" if !is_indented => {}
        _ => return None,
    }
    let name = words.next()?.split(|letter: char| !letter.is_alphanumeric()).next()?;
    name.starts_with(char::is_uppercase).then_some(name)
}

/// A project's template is a program of its own.
fn is_of_the_host(source: &&Source) -> bool {
    !source.path.contains("/templates/")
}

fn check(sources: &[Source], exceptions: &[(&str, usize)]) -> Vec<String> {
    let mut places: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for source in sources.iter().filter(is_of_the_host) {
        for (number, line) in source.text.lines().enumerate() {
            if let Some(name) = declared(line) {
                places.entry(name).or_default().push(format!("{}:{}", source.path, number + 1));
            }
        }
    }
    let mut complaints = Vec::new();
    for (name, places) in &places {
        let allowed = exceptions.iter().find(|(exception, _)| exception == name).map_or(1, |(_, count)| *count);
        if places.len() > allowed {
            complaints.push(format!("`{name}` names {} types: {}", places.len(), places.join(", ")));
        }
    }
    for (name, allowed) in exceptions {
        let count = places.get(name).map_or(0, Vec::len);
        if count < *allowed {
            complaints.push(format!("`{name}` names {count} types: write that down instead of {allowed}"));
        }
    }
    complaints
}

#[test]
fn a_type_name_means_one_thing() {
    assert_tidy(&check(&sources(&["host/src"], &[".rs"]), &EXCEPTIONS));
}

#[test]
fn names_that_stand_twice_are_found_wherever_they_stand() {
    let bad = [
        Source::sample("a.rs", "pub struct Entry {\n    x: u8,\n}\nstruct Place<'a>(&'a u8);\n"),
        Source::sample("b.rs", "fn f() {\n    struct Entry;\n}\npub(super) enum Place { A }\n"),
        Source::sample("c.rs", "pub(crate) type Job = u8;\n#[cfg(test)]\nmod tests {\n    pub trait Job {}\n}\n"),
    ];
    let found = check(&bad, &[]);
    assert_eq!(found.len(), 3, "{found:#?}");
    assert!(found[0].contains("`Entry` names 2 types: a.rs:1, b.rs:2"), "{found:?}");
    assert!(found[1].contains("`Job`") && found[2].contains("`Place`"), "{found:?}");
}

#[test]
fn what_declares_no_type_of_the_host_is_passed_over() {
    let good = [
        Source::sample("a.rs", "impl Visitor for A {\n    type Value = u8;\n}\n// struct Value\npub struct Value;\n"),
        Source::sample("b.rs", "impl Visitor for B {\n    type Value = u8;\n}\npub use a::Value;\nlet kind = Value;\n"),
        Source::sample("cli/new/templates/rust/src/lib.rs", "struct Value;\n"),
    ];
    assert_tidy(&check(&good, &[]));
}

#[test]
fn exceptions_may_only_shrink() {
    let twice = [Source::sample("a.rs", "struct A;\n"), Source::sample("b.rs", "struct A;\n")];
    assert!(check(&twice, &[("A", 2)]).is_empty());
    assert_eq!(check(&twice, &[("A", 3)]).len(), 1);
    assert_eq!(check(&twice[..1], &[("A", 2)]).len(), 1);
}
