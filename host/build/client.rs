//! The browser client: its parts, modules of their own, become the one file that pages load and copy.

use std::path::Path;

use anyhow::Context as _;

use crate::read;

/// The folder of the parts, as the client imports them.
const PARTS: &str = "./client/";

/// Writes the client with each part in the place of its import.
pub fn write(pages: &Path, file: &Path) -> anyhow::Result<()> {
    let mut whole = String::new();
    for line in read(&pages.join("client.js"))?.lines() {
        match imported(line) {
            Some(part) => push_part(&mut whole, &read(&pages.join(part))?),
            None => push_line(&mut whole, line),
        }
    }
    std::fs::write(file, whole).with_context(|| format!("cannot write {}", file.display()))
}

/// The part that a line imports.
fn imported(line: &str) -> Option<&str> {
    let (_, module) = line.strip_prefix("import ")?.strip_suffix("\";")?.split_once('"')?;
    module.starts_with(PARTS).then_some(module)
}

/// Appends a part. What it imports stands before it already, and what it exports is for the client alone.
fn push_part(whole: &mut String, part: &str) {
    for line in part.lines().filter(|line| !line.starts_with("import ")) {
        push_line(whole, line.strip_prefix("export ").unwrap_or(line));
    }
    whole.push('\n');
}

fn push_line(whole: &mut String, line: &str) {
    whole.push_str(line);
    whole.push('\n');
}
