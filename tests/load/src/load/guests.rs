//! The guests of `tests/guests`, built as the test suite builds them and in the same place.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};

/// The bytes of a guest: from a folder of plugins, or built.
pub fn read(name: &str, plugins: Option<&Path>) -> anyhow::Result<Vec<u8>> {
    let folder = match plugins {
        Some(folder) => folder.to_owned(),
        None => build(name)?,
    };
    let file = folder.join(name).with_extension("wasm");
    fs::read(&file).with_context(|| format!("read {}: give --plugins", file.display()))
}

fn build(name: &str) -> anyhow::Result<PathBuf> {
    let target = Path::new("target/guests");
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--release", "--quiet", "-p", "test-guests", "--example", name, "--features", "component"]);
    cargo.args(["--target", "wasm32-wasip2", "--target-dir"]).arg(target);
    let status = cargo.status().context("run cargo")?;
    ensure!(status.success(), "the guest could not be built: run this in the repository, or give --plugins");
    Ok(target.join("wasm32-wasip2/release/examples"))
}
