//! The blocks of C: each is a plugin or a test of one, and compiles as one without a warning.

use std::fs;

use super::blocks::blocks_of;
use crate::harness::command::said;
use crate::harness::folder::Folder;
use crate::harness::{root, toolchains};

#[test]
fn every_block_of_c_compiles() {
    if toolchains::is_left_out("c") {
        return;
    }
    let folder = Folder::new();
    let blocks = blocks_of("c");
    assert!(blocks.len() >= 4, "only {} blocks were found", blocks.len());
    for (number, block) in blocks.iter().enumerate() {
        let file = folder.path().join(format!("block{number}.c"));
        fs::write(&file, &block.text).expect("a file");
        let mut compile = std::process::Command::new(toolchains::program("python-zig"));
        // A test is a program of this machine.
        let is_test = block.text.contains("parlor_test.h");
        compile.arg("cc").args(if is_test { &[][..] } else { &["-target", "wasm32-wasi"] });
        compile.args(["-std=gnu23", "-Wall", "-Wextra", "-Werror", "-Wno-unused-parameter", "-c", "-o"]);
        compile.arg(file.with_extension("o")).arg("-I").arg(root().join("guest-sdk/c/include")).arg(&file);
        let said = said(compile, folder.path());
        assert!(said.success, "{}:\n{}", block.place(), said.err);
    }
}
