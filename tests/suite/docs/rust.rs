//! The Rust of the pages: all of it in one crate, a module a block, which is built and tested as an author does.

use std::fs;
use std::process::Command;

use super::blocks::{Block, blocks_of};
use crate::harness::command::{parlor, said};
use crate::harness::folder::Folder;
use crate::harness::target_with_guests;

/// The modules of the crate: the name and the text of each.
fn modules(blocks: &[Block]) -> Vec<(String, String)> {
    let mut modules: Vec<(String, String)> = Vec::new();
    for block in blocks {
        // Tests stand at the end of the file whose room they test.
        if block.text.starts_with("#[cfg(test)]") {
            let (_, room) = modules.last_mut().unwrap_or_else(|| panic!("{}: tests of what?", block.place()));
            room.push_str(&block.text);
            continue;
        }
        let name: String = block.place().replace(|letter: char| !letter.is_ascii_alphanumeric(), "_").to_lowercase();
        modules.push((name, module(&block.text)));
    }
    modules
}

/// A block as a module: one that only registers handlers gets the room that it does that on.
fn module(text: &str) -> String {
    let is_part = text.lines().any(|line| line.starts_with("room."));
    if !is_part {
        return text.to_owned();
    }
    format!("use parlor_guest::prelude::*;\n\npub fn part(room: &mut Room) {{\n{text}}}\n")
}

#[test]
fn every_block_of_rust_compiles_and_its_tests_pass() {
    let folder = Folder::new();
    let made = parlor(folder.path(), &["new", "pages", "--lang", "rust"]);
    assert!(made.success, "{made:?}");
    let project = folder.path().join("pages");
    fs::remove_dir_all(project.join("tests")).expect("the new project has tests of its own");
    let modules = modules(&blocks_of("rust"));
    assert!(modules.len() >= 8, "only {} modules", modules.len());
    let mut library = String::new();
    for (name, text) in &modules {
        fs::write(project.join(format!("src/{name}.rs")), text).expect("a file");
        library.push_str(&format!("pub mod {name};\n"));
    }
    fs::write(project.join("src/lib.rs"), library).expect("a file");

    let mut test = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    test.args(["test", "--release"]).env("CARGO_TARGET_DIR", target_with_guests());
    let said = said(test, &project);
    assert!(said.success, "{}\n{}", said.out, said.err);
    let tests = modules.iter().map(|(_, text)| text.matches("#[test]").count()).sum::<usize>();
    assert!(tests > 2 && said.out.contains(&format!("{tests} passed")), "{}", said.out);
}
