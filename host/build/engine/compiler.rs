//! The compiler of C to wasm: a zig of the version that the suite is run with, which is here already or fetched by pip.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail, ensure};

use crate::read;

const TARGET: [&str; 3] = ["-target", "wasm32-wasi", "-mexec-model=reactor"];
/// Zig's package of pip, and what stands before its version.
const PACKAGE: &str = "ziglang==";

pub(super) struct Compiler {
    program: PathBuf,
    pub version: String,
    cache: PathBuf,
}

impl Compiler {
    /// The version that the repository names.
    pub fn wanted(root: &Path) -> anyhow::Result<String> {
        let list = read(&root.join("tests/toolchains.txt"))?;
        let version = list.lines().find_map(|line| line.strip_prefix(PACKAGE));
        Ok(version.context("tests/toolchains.txt names no zig")?.trim().to_owned())
    }

    /// One of this version that is here already, or else the one that pip has. An error says why there is none.
    pub fn find(target: &Path, version: &str) -> anyhow::Result<Self> {
        let (cache, fetched) = (target.join("zig-cache"), target.join("engine-tools"));
        let own = [target.join("toolchains"), fetched.clone()].map(|folder| folder.join("bin/python-zig"));
        let candidates = [PathBuf::from("zig"), PathBuf::from("python-zig")].into_iter().chain(own.clone());
        let of = |program| Self { program, version: version.to_owned(), cache: cache.clone() };
        let is_it = |program: &PathBuf| version_of(program).is_some_and(|its| its == version);
        if let Some(found) = candidates.into_iter().find(is_it) {
            return Ok(of(found));
        }
        let zig = format!("{PACKAGE}{version}");
        let advice = || format!("zig {version} is missing, and pip did not fetch it (`pip install {zig}`)");
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&fetched)).with_context(advice)?;
        let python = fetched.join("bin/python");
        run(Command::new(python).args(["-m", "pip", "install", "--quiet", &zig])).with_context(advice)?;
        let [_, program] = own;
        ensure!(is_it(&program), "{} is no zig {version}", program.display());
        println!(
            "cargo::warning=fetched {zig} by pip into {} (once), which compiles the engine of TypeScript plugins",
            fetched.display()
        );
        Ok(of(program))
    }

    pub fn command(&self) -> Command {
        let mut zig = self.tool("cc");
        zig.args(TARGET);
        zig
    }

    /// One of zig's programs.
    pub fn tool(&self, name: &str) -> Command {
        let mut zig = Command::new(&self.program);
        zig.arg(name).env("ZIG_GLOBAL_CACHE_DIR", &self.cache).env("ZIG_LOCAL_CACHE_DIR", &self.cache);
        zig
    }
}

/// What a zig says of itself; none where there is none.
fn version_of(zig: &Path) -> Option<String> {
    let output = Command::new(zig).arg("version").output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

pub(super) fn run(command: &mut Command) -> anyhow::Result<()> {
    let output = command.output().with_context(|| format!("cannot run {command:?}"))?;
    if !output.status.success() {
        bail!("{command:?} failed: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}
