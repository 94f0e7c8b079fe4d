//! The blocks of Go: each is a file, and compiles as one, with the SDK as authors have it.

use std::fs;
use std::process::Command;

use super::blocks::blocks_of;
use crate::harness::command::said;
use crate::harness::folder::Folder;
use crate::harness::{root, toolchains};

/// What a project of an author has beside its code.
fn module() -> String {
    let sdk = root().join("guest-sdk/go");
    format!("module room/page\n\ngo 1.27\n\nrequire parlor v0.0.0\n\nreplace parlor => {}\n", sdk.display())
}

#[test]
fn every_block_of_go_compiles() {
    if toolchains::is_left_out("go") {
        return;
    }
    let folder = Folder::new();
    fs::write(folder.path().join("go.mod"), module()).expect("a file");
    let blocks = blocks_of("go");
    assert!(blocks.len() >= 5, "only {} blocks were found", blocks.len());
    for (number, block) in blocks.iter().enumerate() {
        let package = folder.path().join(format!("block{number}"));
        fs::create_dir(&package).expect("a folder");
        let is_test = block.text.contains("\t\"testing\"");
        let name = if is_test { "page_test.go" } else { "page.go" };
        fs::write(package.join(name), &block.text).expect("a file");
    }
    let mut vet = Command::new(toolchains::program("go"));
    vet.args(["vet", "./..."]).env("GOTOOLCHAIN", "local").env("GOFLAGS", "-mod=mod");
    let said = said(vet, folder.path());
    let places: Vec<String> =
        blocks.iter().enumerate().map(|(n, block)| format!("block{n}: {}", block.place())).collect();
    assert!(said.success, "{}\n{}", said.err, places.join("\n"));
}
