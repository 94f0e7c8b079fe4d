//! The engine's `malloc`: that of zig's own libc keeps what is free again for requests of the same size class alone, so that a room
//! whose memory was full once would have none for others. Rust's target for plugins comes with dlmalloc.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};

use super::compiler::{Compiler, run};

const TARGET: &str = "wasm32-wasip2";
/// What its libc is within the target's folder, and what `malloc` is in that.
const LIBC: &str = "self-contained/libc.a";
const MEMBER: &str = "dlmalloc.c.obj";

/// Takes the object file of dlmalloc out of that libc.
pub(super) fn allocator(objects: &Path, compiler: &Compiler, libc: &Path) -> anyhow::Result<PathBuf> {
    run(compiler.tool("ar").arg("x").arg(libc).arg(MEMBER).current_dir(objects))?;
    Ok(objects.join(MEMBER))
}

/// The libc of Rust's target, which rustup installs where it is not there. An error says why it is missing.
pub(super) fn libc() -> anyhow::Result<PathBuf> {
    let libc = place()?;
    if !libc.is_file() {
        let missing = || format!("there is no {} (`rustup target add {TARGET}`)", libc.display());
        run(Command::new("rustup").args(["target", "add", TARGET])).with_context(missing)?;
        ensure!(libc.is_file(), missing());
    }
    Ok(libc)
}

fn place() -> anyhow::Result<PathBuf> {
    let rustc = env::var_os("RUSTC").context("cargo names rustc")?;
    let output = Command::new(rustc).args(["--print", "target-libdir", "--target", TARGET]).output();
    let output = output.context("cannot run rustc")?;
    ensure!(output.status.success(), "rustc does not know {TARGET}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(Path::new(String::from_utf8_lossy(&output.stdout).trim_end()).join(LIBC))
}
