//! The pages in a real browser: node runs `tests/browser`, which starts the real server by itself.

use std::path::Path;
use std::process::Command;

use crate::harness::root;

/// Runs a program to its end and answers what it said.
fn run(program: &str, arguments: &[&str], folder: &Path) -> Result<String, String> {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .env("PARLOR_BIN", env!("CARGO_BIN_EXE_parlor"))
        .output()
        .map_err(|why| {
            format!("cannot run {program}: {why}; the browser tests need Node 20 or newer, npm and Chromium")
        })?;
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    if output.status.success() { Ok(said) } else { Err(said) }
}

#[test]
fn the_pages_work_in_a_browser() {
    let folder = root().join("tests/browser");
    if !folder.join("node_modules/playwright-core").is_dir() {
        run("npm", &["ci", "--no-audit", "--no-fund"], &folder).unwrap_or_else(|said| panic!("npm ci failed:\n{said}"));
    }
    let said = run("npm", &["test"], &folder).unwrap_or_else(|said| panic!("the browser tests failed:\n{said}"));
    // A test that was skipped saw nothing.
    assert!(said.contains("# skipped 0"), "{said}");
}
