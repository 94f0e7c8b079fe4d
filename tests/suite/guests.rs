//! The test guests themselves: none without a test.

use std::fs;
use std::path::Path;

use crate::harness::root;

/// All text of the suite.
fn suite_text(folder: &Path) -> String {
    let entries = fs::read_dir(folder).expect("a folder of tests");
    let text = |path: &Path| {
        if path.is_dir() { suite_text(path) } else { fs::read_to_string(path).expect("a file of text") }
    };
    entries.map(|entry| text(&entry.expect("an entry").path())).collect()
}

#[test]
fn every_guest_is_built_and_has_a_test() {
    let folder = root().join("tests/guests");
    let manifest = fs::read_to_string(folder.join("Cargo.toml")).expect("a manifest");
    let suite = suite_text(&root().join("tests/suite"));
    for entry in fs::read_dir(folder.join("examples")).expect("a folder of guests") {
        let path = entry.expect("an entry").path();
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name} is not in the manifest");
        let is_used = [name.replace('_', "-"), name.clone()].map(|name| suite.contains(&format!("\"{name}\"")));
        assert_ne!(is_used, [false, false], "no test uses the guest {name}");
    }
}

#[test]
fn every_script_has_a_test() {
    let suite = suite_text(&root().join("tests/suite"));
    for entry in fs::read_dir(root().join("tests/guests/scripts")).expect("a folder of guests") {
        let path = entry.expect("an entry").path();
        if path.extension().is_none_or(|extension| extension != "ts") {
            continue;
        }
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let is_used = [name.clone(), format!("script/{name}")].map(|name| suite.contains(&format!("\"{name}\"")));
        assert_ne!(is_used, [false, false], "no test uses the script {name}");
    }
}
