//! A new plugin in Rust.

use anyhow::ensure;

use super::{NewLanguage, TemplateFile};
use crate::cli::sdk;

pub const LANGUAGE: NewLanguage = NewLanguage {
    called: "Rust",
    test: "cargo test",
    files: &FILES,
    check_name: check_crate,
    finish: |folder, _| {
        sdk::write_rust(&folder.join(sdk::FOLDER))?;
        // cargo takes out what this project does not need.
        sdk::write(folder, &[("Cargo.lock", sdk::RUST_LOCK)])
    },
};

const FILES: [TemplateFile; 5] = [
    ("Cargo.toml", include_str!("templates/rust/Cargo.toml.txt")),
    ("README.md", include_str!("templates/rust/README.md")),
    (".gitignore", include_str!("templates/rust/gitignore")),
    ("src/lib.rs", include_str!("templates/rust/src/lib.rs")),
    ("tests/room.rs", include_str!("templates/rust/tests/room.rs")),
];

/// Names that a crate cannot have: keywords of Rust, and crates that the plugin itself uses.
const NO_CRATES: [&str; 53] = [
    "abstract",
    "alloc",
    "as",
    "async",
    "await",
    "become",
    "box",
    "break",
    "const",
    "continue",
    "core",
    "crate",
    "do",
    "dyn",
    "else",
    "enum",
    "extern",
    "false",
    "final",
    "fn",
    "for",
    "gen",
    "if",
    "impl",
    "in",
    "let",
    "loop",
    "macro",
    "match",
    "mod",
    "move",
    "mut",
    "override",
    "parlor-guest",
    "priv",
    "pub",
    "ref",
    "return",
    "self",
    "serde",
    "static",
    "std",
    "struct",
    "super",
    "test",
    "trait",
    "true",
    "try",
    "type",
    "typeof",
    "unsafe",
    "use",
    "where",
];

fn check_crate(name: &str) -> anyhow::Result<()> {
    ensure!(
        !name.starts_with(|first: char| first.is_ascii_digit()),
        "a crate's name begins with a letter, not as {name}"
    );
    ensure!(!NO_CRATES.contains(&name), "{name} cannot be a crate's name: the word means something else to Rust");
    Ok(())
}
