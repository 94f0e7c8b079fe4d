//! A new plugin in Go.

use super::{NewLanguage, TemplateFile};
use crate::cli::sdk;

pub const LANGUAGE: NewLanguage = NewLanguage {
    called: "Go",
    test: "go test",
    files: &FILES,
    check_name: |_| Ok(()),
    finish: |folder, _| sdk::write_go(&folder.join(sdk::FOLDER)),
};

const FILES: [TemplateFile; 6] = [
    ("go.mod", include_str!("templates/go/go.mod.txt")),
    ("plugin.toml", include_str!("templates/go/plugin.toml")),
    ("README.md", include_str!("templates/go/README.md")),
    (".gitignore", include_str!("templates/go/gitignore")),
    ("main.go", include_str!("templates/go/main.go.txt")),
    ("main_test.go", include_str!("templates/go/main_test.go.txt")),
];
