//! What the documents say exists, exists.

use super::{Source, assert_tidy, root};

const DOCUMENTS: [&str; 3] = ["README.md", "ARCHITECTURE.md", "SECURITY.md"];

/// What stands in backticks outside of code blocks.
fn quoted(text: &str) -> Vec<&str> {
    let mut quoted = Vec::new();
    let mut in_block = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            in_block = !in_block;
        } else if !in_block {
            quoted.extend(line.split('`').skip(1).step_by(2));
        }
    }
    quoted
}

/// Whether a quoted text is a path of this repository: it says so by its first folder.
fn is_path(quoted: &str, is_folder: impl Fn(&str) -> bool) -> bool {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "._-/".contains(letter);
    let first = quoted.split_once('/').map(|(first, _)| first);
    quoted.chars().all(plain) && first.is_some_and(|first| !first.is_empty() && first != "target" && is_folder(first))
}

/// The paths that a document names and nobody finds: from the root, or from the host's modules.
fn check(document: &Source, exists: impl Fn(&str) -> bool) -> Vec<String> {
    let somewhere = |path: &str| {
        let path = path.trim_end_matches('/');
        ["", "host/", "host/src/", "guest-sdk/rust/", "guest-sdk/rust/src/", "guest-sdk/typescript/", "tests/"]
            .iter()
            .any(|base| exists(&format!("{base}{path}")) || exists(&format!("{base}{path}.rs")))
    };
    let paths = quoted(&document.text).into_iter().filter(|text| is_path(text, somewhere));
    let missing = paths.filter(|path| !somewhere(path));
    missing.map(|path| format!("{}: `{path}` does not exist", document.path)).collect()
}

#[test]
fn documents_name_only_what_exists() {
    for path in DOCUMENTS {
        let document = Source::read(path).unwrap_or_else(|| panic!("{path} is missing"));
        assert_tidy(&check(&document, |path| root().join(path).exists()));
        for (number, line) in document.text.lines().enumerate() {
            assert!(!line.contains("TODO"), "{path}:{}: {line}", number + 1);
        }
    }
}

#[test]
fn a_path_that_leads_nowhere_is_found() {
    let exists = |path: &str| ["host", "host/src", "host/src/room", "host/src/room/actor.rs"].contains(&path);
    let bad = Source::sample(
        "A.md",
        "See `host/src/gone.rs`, `room/actor`, `room/gone` and `text/plain`.\n```\n`host/in/a/block`\n```\n",
    );
    let found = check(&bad, exists);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].contains("host/src/gone.rs") && found[1].contains("room/gone"), "{found:?}");
}
