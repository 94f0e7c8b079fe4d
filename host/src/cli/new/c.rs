//! A new plugin in C.

use super::{NewLanguage, TemplateFile};
use crate::cli::sdk;

pub const LANGUAGE: NewLanguage = NewLanguage {
    called: "C",
    test: "make test",
    files: &FILES,
    check_name: |_| Ok(()),
    finish: |folder, _| sdk::write(&folder.join(sdk::FOLDER).join("c"), sdk::C),
};

const FILES: [TemplateFile; 6] = [
    ("plugin.toml", include_str!("templates/c/plugin.toml")),
    ("Makefile", include_str!("templates/c/Makefile.txt")),
    ("README.md", include_str!("templates/c/README.md")),
    (".gitignore", include_str!("templates/c/gitignore")),
    ("src/room.c", include_str!("templates/c/src/room.c")),
    ("test/room_test.c", include_str!("templates/c/test/room_test.c")),
];
