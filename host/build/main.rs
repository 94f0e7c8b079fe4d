//! Makes what the program carries: the text of the SDKs, the browser client, the component of the health check, the adapter
//! for core modules of Go and C, and the engine of plugins in TypeScript.

mod client;
mod engine;
mod preview1;
mod probe;
mod sdk;

use std::env;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

fn main() -> anyhow::Result<()> {
    let host = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let root = host.parent().context("the package lies in the repository")?;
    println!("cargo::rerun-if-changed={}", host.join("build").display());
    sdk::write(root, &out)?;
    client::write(&host.join("pages"), &out.join("client.js"))?;
    preview1::write(&out.join("preview1.wasm"))?;
    probe::write(root, &out.join("probe.wasm"))?;
    engine::write(root, &out)
}

/// Reads a file of the repository; a change of it runs this script again.
fn read(file: &Path) -> anyhow::Result<String> {
    println!("cargo::rerun-if-changed={}", file.display());
    std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))
}
