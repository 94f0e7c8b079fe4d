//! Plugins in TypeScript, built by the SDK's own command.

use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{LazyLock, Mutex, OnceLock, PoisonError};

use super::{root, target};

/// What a build came to: one that failed is not tried again by each test.
type Built = Result<Vec<u8>, String>;

/// The bytes of a test guest, a module of `tests/guests/scripts`.
pub(super) fn guest(name: &str) -> Vec<u8> {
    script(&format!("tests/guests/scripts/{name}.ts"), name)
}

/// The bytes of a plugin whose entry is this file of the repository; it is built once a run.
pub fn script(entry: &str, name: &str) -> Vec<u8> {
    static BUILT: OnceLock<Mutex<HashMap<String, Built>>> = OnceLock::new();
    let mut built = BUILT.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
    let bytes = built.entry(entry.to_owned()).or_insert_with(|| build(entry, name));
    bytes.clone().unwrap_or_else(|why| panic!("{entry}: {why}"))
}

/// The folder of the SDK with what it depends on.
pub fn sdk() -> &'static PathBuf {
    static SDK: LazyLock<Result<PathBuf, String>> = LazyLock::new(|| {
        let sdk = root().join("guest-sdk/typescript");
        install(&sdk).map(|()| sdk)
    });
    SDK.as_ref().unwrap_or_else(|why| panic!("the TypeScript SDK: {why}"))
}

/// Installs what a folder depends on, where npm did not since the lock file changed.
pub fn install(folder: &Path) -> Result<(), String> {
    let changed_at = |file: &str| std::fs::metadata(folder.join(file)).and_then(|file| file.modified()).ok();
    // npm writes its own copy of the lock file last.
    let is_outdated = || changed_at("node_modules/.package-lock.json") < changed_at("package-lock.json");
    if is_outdated() {
        // As the program does: two that install into one folder undo each other's work.
        let lock = File::open(folder).and_then(|lock| lock.lock().map(|()| lock));
        let _lock = lock.map_err(|why| format!("cannot lock {}: {why}", folder.display()))?;
        if is_outdated() {
            run(Command::new("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(folder))?;
        }
    }
    Ok(())
}

fn build(entry: &str, name: &str) -> Built {
    let sdk = sdk();
    let folder = target().join("test-scripts");
    std::fs::create_dir_all(&folder).map_err(|why| format!("{}: {why}", folder.display()))?;
    let out = folder.join(name).with_extension("wasm");
    let mut build = Command::new("node");
    build.current_dir(root()).arg(sdk.join("build/cli.mjs"));
    run(build.args(["build", "--name", name, "--entry", entry, "--out"]).arg(&out))?;
    std::fs::read(&out).map_err(|why| format!("{}: {why}", out.display()))
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = command
        .output()
        .map_err(|why| format!("{command:?}: {why}; plugins in TypeScript need Node 20 or newer, and npm"))?;
    let said = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes)).concat();
    if output.status.success() { Ok(()) } else { Err(format!("{command:?} failed:\n{said}")) }
}
