//! A new plugin in Python.

use super::{NewLanguage, TemplateFile};
use crate::cli::sdk;

pub const LANGUAGE: NewLanguage = NewLanguage {
    called: "Python",
    test: "python3 -m unittest",
    files: &FILES,
    check_name: |_| Ok(()),
    finish: |folder, _| sdk::write_python(&folder.join(sdk::FOLDER).join("python")),
};

const FILES: [TemplateFile; 6] = [
    ("pyproject.toml", include_str!("templates/python/pyproject.toml.txt")),
    ("README.md", include_str!("templates/python/README.md")),
    (".gitignore", include_str!("templates/python/gitignore")),
    ("src/room.py", include_str!("templates/python/src/room.py")),
    ("tests/__init__.py", include_str!("templates/python/tests/__init__.py")),
    ("tests/test_room.py", include_str!("templates/python/tests/test_room.py")),
];
