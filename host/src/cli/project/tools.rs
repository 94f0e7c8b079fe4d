//! The tools that a build needs: whether each is installed, and what to do where one is not.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use anyhow::{Context as _, bail, ensure};

use super::step::BuildStep;
use crate::cli::child::output;

/// The target of Rust guests: cargo's own output for it is a component.
pub const RUST_TARGET: &str = "wasm32-wasip2";

pub const NO_CARGO: &str = "cargo is missing: plugins in Rust need Rust 1.95 or newer, which rustup installs";

/// The oldest Node that the SDK's tools run on.
const NODE_MAJOR: u32 = 20;

const INSTALL_ZIG: &str =
    "plugins in C need zig 0.16 or newer, which is their compiler; `pip install ziglang` installs it";

const INSTALL_NODE: &str = "plugins in TypeScript need Node 20 or newer with npm; on Debian and Ubuntu: \
     `apt-get install nodejs npm`";

/// The step that adds the wasm target; none where it is installed. `asked` says whether the step has run already.
pub fn rust_target(asked: bool) -> anyhow::Result<Option<BuildStep>> {
    static THERE: OnceLock<()> = OnceLock::new();
    if THERE.get().is_some() {
        return Ok(None);
    }
    let lib = answer_of(Command::new("rustc").args(["--print", "target-libdir", "--target", RUST_TARGET]));
    let lib = lib.context("rustc is missing: plugins in Rust need Rust 1.95 or newer, which rustup installs")?;
    // The folder exists only where the standard library is in it.
    if !lib.is_empty() && Path::new(&lib).is_dir() {
        let _ = THERE.set(());
        return Ok(None);
    }
    let to_do = format!("the Rust target {RUST_TARGET} is missing: `rustup target add {RUST_TARGET}` adds it");
    ensure!(!asked, "{to_do}, and did not");
    ensure!(is_in_path("rustup"), "{to_do}, but rustup is missing as well");
    let mut add = Command::new("rustup");
    add.args(["target", "add", RUST_TARGET]);
    Ok(Some(BuildStep { says: Some(format!("adding the Rust target {RUST_TARGET}")), ..BuildStep::new(add) }))
}

/// Makes sure that there is a Node that is new enough.
pub fn require_node() -> anyhow::Result<()> {
    static THERE: OnceLock<()> = OnceLock::new();
    if THERE.get().is_some() {
        return Ok(());
    }
    let Ok(version) = answer_of(Command::new("node").arg("--version")) else {
        bail!("node is missing: {INSTALL_NODE}");
    };
    let major = version.trim_start_matches('v').split('.').next().and_then(|major| major.parse::<u32>().ok());
    ensure!(major.is_some_and(|major| major >= NODE_MAJOR), "node is {version}, which is too old: {INSTALL_NODE}");
    let _ = THERE.set(());
    Ok(())
}

/// The command that installs the packages of a folder: `ci` follows its lock file, `install` does not. A project's build needs what
/// is for development as well, which npm leaves out by itself where `NODE_ENV` is "production".
pub fn npm(folder: &Path, how: &str) -> anyhow::Result<Command> {
    ensure!(is_in_path("npm"), "npm is missing: {INSTALL_NODE}");
    let mut npm = Command::new("npm");
    npm.args([how, "--include=dev", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel", "error"]);
    npm.current_dir(folder).stdout(Stdio::null());
    Ok(npm)
}

/// The command that runs zig, which may be a program by itself or a module of Python.
pub fn zig() -> anyhow::Result<Command> {
    for program in ["zig", "python-zig"] {
        if is_in_path(program) {
            return Ok(Command::new(program));
        }
    }
    static IS_MODULE: OnceLock<bool> = OnceLock::new();
    let is_module = IS_MODULE.get_or_init(|| {
        let ask = ["-c", "import importlib.util as u; print(u.find_spec('ziglang') is not None)"];
        answer_of(Command::new("python3").args(ask)).is_ok_and(|answer| answer == "True")
    });
    ensure!(*is_module, "zig is missing: {INSTALL_ZIG}");
    let mut python = Command::new("python3");
    python.args(["-m", "ziglang"]);
    Ok(python)
}

/// What a program prints on standard output, trimmed; empty where it fails. An error means that it cannot be run.
fn answer_of(command: &mut Command) -> std::io::Result<String> {
    let output = output(command)?;
    Ok(if output.status.success() { String::from_utf8_lossy(&output.stdout).trim().to_owned() } else { String::new() })
}

pub fn is_in_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}
