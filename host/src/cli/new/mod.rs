//! `parlor new`: a plugin project that builds, with tests that pass.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};

use super::arguments::{NewArgs, PluginLanguage};
use super::print::print;
use super::sdk;
use crate::model::names::PluginName;

/// A file of a template: where it goes, and its text with `{{name}}` and `{{crate}}` in it.
type TemplateFile = (&'static str, &'static str);

const RUST: [TemplateFile; 5] = [
    ("Cargo.toml", include_str!("templates/rust/Cargo.toml.txt")),
    ("README.md", include_str!("templates/rust/README.md")),
    (".gitignore", include_str!("templates/rust/gitignore")),
    ("src/lib.rs", include_str!("templates/rust/src/lib.rs")),
    ("tests/room.rs", include_str!("templates/rust/tests/room.rs")),
];

const TYPESCRIPT: [TemplateFile; 6] = [
    ("package.json", include_str!("templates/typescript/package.json.txt")),
    ("tsconfig.json", include_str!("templates/typescript/tsconfig.json.txt")),
    ("README.md", include_str!("templates/typescript/README.md")),
    (".gitignore", include_str!("templates/typescript/gitignore")),
    ("src/index.ts", include_str!("templates/typescript/src/index.ts")),
    ("test/room.test.ts", include_str!("templates/typescript/test/room.test.ts")),
];

/// The version in the templates.
const FIRST_VERSION: &str = "0.1.0";

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

pub(super) fn new(args: &NewArgs) -> anyhow::Result<()> {
    let name = PluginName::new(&args.name).with_context(|| format!("{:?} cannot be the name", args.name))?;
    if args.lang == PluginLanguage::Rust {
        check_crate(name.as_str())?;
    }
    let folder = args.dir.clone().unwrap_or_else(|| PathBuf::from(name.as_str()));
    if let Some(above) = folder.parent().filter(|above| !above.as_os_str().is_empty()) {
        fs::create_dir_all(above).with_context(|| format!("cannot make the folder {}", above.display()))?;
    }
    match fs::create_dir(&folder) {
        Err(why) if why.kind() == ErrorKind::AlreadyExists => {
            bail!("{} is there already; name another folder: `parlor new {name} --lang ... DIR`", folder.display())
        }
        made => made.with_context(|| format!("cannot make the folder {}", folder.display()))?,
    }
    write(&folder, args.lang, &name).inspect_err(|_| drop(fs::remove_dir_all(&folder)))?;
    print(&next(&folder, args.lang, &name))
}

fn check_crate(name: &str) -> anyhow::Result<()> {
    ensure!(
        !name.starts_with(|first: char| first.is_ascii_digit()),
        "a crate's name begins with a letter, not as {name}"
    );
    ensure!(!NO_CRATES.contains(&name), "{name} cannot be a crate's name: the word means something else to Rust");
    Ok(())
}

fn write(folder: &Path, lang: PluginLanguage, name: &PluginName) -> anyhow::Result<()> {
    let files: &[TemplateFile] = match lang {
        PluginLanguage::Rust => &RUST,
        PluginLanguage::TypeScript => &TYPESCRIPT,
    };
    for (file, text) in files {
        let text = text.replace("{{name}}", name.as_str()).replace("{{crate}}", &name.as_str().replace('-', "_"));
        sdk::write(folder, &[(file, &text)])?;
    }
    let sdk = folder.join(sdk::FOLDER);
    match lang {
        PluginLanguage::Rust => {
            sdk::write_rust(&sdk)?;
            // cargo takes out what this project does not need.
            sdk::write(folder, &[("Cargo.lock", sdk::RUST_LOCK)])
        }
        PluginLanguage::TypeScript => {
            sdk::write_typescript(&sdk.join("typescript"))?;
            sdk::write(folder, &[("package-lock.json", &sdk::typescript_lock_of(name.as_str(), FIRST_VERSION)?)])
        }
    }
}

/// Tells the user what to do next.
fn next(folder: &Path, lang: PluginLanguage, name: &PluginName) -> String {
    let (language, test) = match lang {
        PluginLanguage::Rust => ("Rust", "cargo test"),
        PluginLanguage::TypeScript => ("TypeScript", "npm ci && npm test"),
    };
    let rows = [
        (format!("cd {}", folder.display()), ""),
        ("parlor dev".to_owned(), "build and serve it, again at each save; open the page that it names"),
        (test.to_owned(), "its tests, without a server"),
        ("parlor build --out dist".to_owned(), "a component for a server's folder of plugins"),
    ];
    let mut text = format!("made {name}, a plugin in {language}. Next:\n");
    for (command, what) in rows {
        let line = format!("  {command:<24}{}{what}", if what.is_empty() { "" } else { " # " });
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}
