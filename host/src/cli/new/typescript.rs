//! A new plugin in TypeScript.

use super::{NewLanguage, TemplateFile};
use crate::cli::sdk;

pub const LANGUAGE: NewLanguage = NewLanguage {
    called: "TypeScript",
    test: "npm ci && npm test",
    files: &FILES,
    check_name: |_| Ok(()),
    finish: |folder, name| {
        sdk::write_typescript(&folder.join(sdk::FOLDER).join("typescript"))?;
        sdk::write(folder, &[("package-lock.json", &sdk::typescript_lock_of(name.as_str(), FIRST_VERSION)?)])
    },
};

const FILES: [TemplateFile; 6] = [
    ("package.json", include_str!("templates/typescript/package.json.txt")),
    ("tsconfig.json", include_str!("templates/typescript/tsconfig.json.txt")),
    ("README.md", include_str!("templates/typescript/README.md")),
    (".gitignore", include_str!("templates/typescript/gitignore")),
    ("src/index.ts", include_str!("templates/typescript/src/index.ts")),
    ("test/room.test.ts", include_str!("templates/typescript/test/room.test.ts")),
];

/// The version in the templates.
const FIRST_VERSION: &str = "0.1.0";
