//! What a machine can check about the repository itself, read as plain text. Each check is a function from files to
//! complaints, and each is shown a bad sample, so that a check that sees nothing cannot pass for a clean tree.

mod arrows;
mod bindings;
mod circles;
mod documents;
mod features;
mod hazards;
mod names;
mod sizes;
mod wit;

use std::path::{Path, PathBuf};

/// A text file of the repository.
struct Source {
    /// From the root, with `/`.
    path: String,
    text: String,
}

impl Source {
    #[cfg(test)]
    fn sample(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned() }
    }

    fn read(path: &str) -> Option<Self> {
        let text = std::fs::read_to_string(root().join(path)).ok()?;
        Some(Self { path: path.to_owned(), text })
    }
}

/// The repository's root.
fn root() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().expect("the package lies in the repository").to_owned()
}

/// The files of these folders with these extensions, without what tools make.
fn sources(folders: &[&str], extensions: &[&str]) -> Vec<Source> {
    let mut found = Vec::new();
    for folder in folders {
        collect(folder, extensions, &mut found);
    }
    assert!(!found.is_empty(), "nothing to check in {folders:?}");
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

fn collect(folder: &str, extensions: &[&str], found: &mut Vec<Source>) {
    let entries = std::fs::read_dir(root().join(folder)).unwrap_or_else(|why| panic!("{folder}: {why}"));
    for entry in entries.map(|entry| entry.expect("an entry of a folder")) {
        let name = entry.file_name().into_string().expect("file names are UTF-8");
        let path = format!("{folder}/{name}");
        let kind = entry.file_type().expect("an entry has a type");
        if name.starts_with('.') || name == "target" || name == "node_modules" {
            continue;
        }
        if kind.is_dir() {
            collect(&path, extensions, found);
        } else if extensions.iter().any(|extension| name.ends_with(extension)) {
            found.extend(Source::read(&path));
        }
    }
}

/// The code of a line, without its comment. A `//` within a text is taken for one as well, which only hides what
/// follows it on that line.
fn without_comment(line: &str) -> &str {
    line.split("//").next().unwrap_or_default()
}

#[track_caller]
fn assert_tidy(complaints: &[String]) {
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}
