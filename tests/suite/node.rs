//! What node runs: the pages in a real browser (`tests/browser`, which starts the real server by itself), and the tests of what
//! is written in TypeScript.

use std::path::Path;
use std::process::Command;

use crate::harness::{
    guests, root,
    scripts::{install, sdk},
    toolchains,
};

/// Runs the tests of a folder, and answers what they said.
fn npm_test(folder: &Path) -> Result<String, String> {
    let output = Command::new("npm")
        .arg("test")
        .current_dir(folder)
        .env("PARLOR_BIN", env!("CARGO_BIN_EXE_parlor"))
        .env("PARLOR_GUESTS", guests())
        // `parlor dev` builds all examples, in whatever language.
        .env("PATH", toolchains::path())
        .output()
        .map_err(|why| format!("cannot run npm: {why}; these tests need Node 20 or newer with npm"))?;
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    if output.status.success() { Ok(said) } else { Err(said) }
}

/// Installs what a folder depends on, and runs its tests.
fn test(folder: &Path) {
    let name = folder.display();
    install(folder).unwrap_or_else(|why| panic!("{name}: {why}"));
    let said = npm_test(folder).unwrap_or_else(|why| panic!("the tests of {name} failed:\n{why}"));
    // A test that was skipped saw nothing.
    assert!(said.contains(" skipped 0"), "{name}: {said}");
}

#[test]
fn the_pages_work_in_a_browser() {
    // The pages of the examples can use Socket.IO's client.
    install(&root().join("plugins")).unwrap_or_else(|why| panic!("{why}"));
    test(&root().join("tests/browser"));
}

#[test]
fn the_typescript_sdk_passes_its_own_tests() {
    test(sdk());
}

#[test]
fn packages_of_npm_do_in_a_room_what_they_do_elsewhere() {
    sdk();
    test(&root().join("tests/npm"));
}

#[test]
fn the_plugins_in_typescript_pass_their_tests() {
    sdk();
    let folders = std::fs::read_dir(root().join("plugins")).expect("the plugins");
    for folder in folders.map(|entry| entry.expect("an entry").path()).filter(|it| it.join("package.json").is_file()) {
        test(&folder);
    }
}
