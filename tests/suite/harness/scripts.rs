//! Test guests in TypeScript, each a module of `tests/guests/scripts`, built by the SDK's own command.

use std::collections::HashMap;
use std::path::Path;
use std::process::Command;
use std::sync::{Mutex, OnceLock, PoisonError};

use super::build::{root, target};

/// What a build came to: one that failed is not tried again by each test.
type Built = Result<Vec<u8>, String>;

/// The bytes of one of them; it is built once a run.
pub fn script(name: &str) -> Vec<u8> {
    static BUILT: OnceLock<Mutex<HashMap<String, Built>>> = OnceLock::new();
    let mut built = BUILT.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
    let bytes = built.entry(name.to_owned()).or_insert_with(|| build(name));
    bytes.clone().unwrap_or_else(|why| panic!("{why}"))
}

fn build(name: &str) -> Built {
    let sdk = root().join("guest-sdk/typescript");
    if !sdk.join("node_modules/esbuild").is_dir() {
        run(Command::new("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(&sdk))?;
    }
    let out = target().join("scripts").join(name).with_extension("wasm");
    let folder = out.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(|why| format!("{}: {why}", folder.display()))?;
    let entry = root().join("tests/guests/scripts").join(name).with_extension("ts");
    let mut build = Command::new("node");
    build.arg(sdk.join("build/cli.mjs")).args(["build", "--name", name, "--entry"]).arg(entry).arg("--out").arg(&out);
    run(&mut build)?;
    std::fs::read(&out).map_err(|why| format!("{}: {why}", out.display()))
}

fn run(command: &mut Command) -> Result<(), String> {
    let output =
        command.output().map_err(|why| format!("{command:?}: {why}; scripts need Node 20 or newer, and npm"))?;
    let said = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes)).concat();
    if output.status.success() { Ok(()) } else { Err(format!("{command:?} failed:\n{said}")) }
}
