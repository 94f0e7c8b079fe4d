//! Plugins in TypeScript, built by the SDK's own program.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use super::{root, target};

/// The bytes of a plugin whose entry is this file of the repository.
pub fn script(entry: &str, name: &str) -> Vec<u8> {
    let out = target().join("test-scripts").join(name).with_extension("wasm");
    let built = sdk().clone().and_then(|sdk| build(&sdk, entry, name, &out));
    built.unwrap_or_else(|why| panic!("{entry}: {why}"));
    std::fs::read(&out).unwrap_or_else(|why| panic!("{}: {why}", out.display()))
}

/// The folder of the SDK with what it depends on, installed once a run.
fn sdk() -> &'static Result<PathBuf, String> {
    static SDK: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    SDK.get_or_init(|| {
        let sdk = root().join("guest-sdk/typescript");
        if !sdk.join("node_modules").is_dir() {
            run(Command::new("npm").args(["ci", "--no-audit", "--no-fund", "--silent"]).current_dir(&sdk))?;
        }
        Ok(sdk)
    })
}

fn build(sdk: &Path, entry: &str, name: &str, out: &Path) -> Result<(), String> {
    let folder = out.parent().expect("a file lies in a folder");
    std::fs::create_dir_all(folder).map_err(|why| format!("{}: {why}", folder.display()))?;
    let mut command = Command::new("node");
    command.arg(sdk.join("build/cli.mjs")).args(["build", "--entry", entry, "--name", name, "--out"]).arg(out);
    run(command.current_dir(root()))
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|why| {
        format!("cannot run {command:?}: {why}; plugins in TypeScript need Node 20 or newer with npm")
    })?;
    let said = String::from_utf8_lossy(&output.stderr);
    if output.status.success() { Ok(()) } else { Err(format!("{command:?} failed:\n{said}")) }
}
