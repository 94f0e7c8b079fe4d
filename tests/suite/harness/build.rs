//! The components under test, built once a run and only where something changed.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use super::{scripts, toolchains};

/// The bytes of a test guest, an example of the packages `test-guests` and `conformance-rust`; a plugin's name has dashes
/// where that has underscores. `script/NAME` is one in TypeScript.
pub fn guest(name: &str) -> Vec<u8> {
    if let Some(name) = name.strip_prefix("script/") {
        return scripts::guest(name);
    }
    static FOLDER: OnceLock<Built> = OnceLock::new();
    let folder = FOLDER.get_or_init(build_guests);
    read(folder, &name.replace('-', "_"))
}

/// The bytes of an example plugin, of the folder `plugins`.
pub fn plugin(name: &str) -> Vec<u8> {
    static FOLDER: OnceLock<Built> = OnceLock::new();
    let folder = FOLDER.get_or_init(build_plugins);
    read(folder, name)
}

/// The repository.
pub fn root() -> &'static Path {
    let host = Path::new(env!("CARGO_MANIFEST_DIR"));
    host.parent().expect("the package `parlor` lies in the repository")
}

/// Cargo's target folder, which `CARGO_TARGET_TMPDIR` is a part of.
pub fn target() -> &'static Path {
    let tmp = Path::new(env!("CARGO_TARGET_TMPDIR"));
    tmp.parent().expect("Cargo's temporary folder lies in its target folder")
}

/// The target folder of the command's own builds, with what all guests share in it.
pub fn target_with_guests() -> &'static Path {
    plugin("chat");
    target()
}

/// The folder of the guests' components, in Rust.
pub fn guests() -> PathBuf {
    guest("plain");
    target().join("guests/wasm32-wasip2/release/examples")
}

/// Where the components are, or why they are not: what failed once is not tried again by each test.
type Built = Result<PathBuf, String>;

fn read(folder: &Built, name: &str) -> Vec<u8> {
    let folder = folder.as_ref().unwrap_or_else(|why| panic!("{why}"));
    let file = folder.join(name).with_extension("wasm");
    std::fs::read(&file).unwrap_or_else(|why| panic!("{}: {why}", file.display()))
}

/// As users build theirs: with the command. The plugins of a language that is left out are built where its compiler is there.
fn build_plugins() -> Built {
    let out = target().join("test-plugins");
    let mut build = Command::new(env!("CARGO_BIN_EXE_parlor"));
    build.current_dir(root()).args(["build", "plugins", "--out"]).arg(&out);
    build.env("PATH", toolchains::path()).env("XDG_CACHE_HOME", toolchains::cache());
    let built = run(build, out.clone());
    if toolchains::LANGUAGES.iter().any(|language| toolchains::is_left_out(language)) { Ok(out) } else { built }
}

/// The folder of the command's own builds serves here too, so that the SDK is compiled once.
fn build_guests() -> Built {
    // The command adds the wasm target where it is missing.
    build_plugins()?;
    let folder = target().join("guests");
    let mut build = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    build
        .current_dir(root())
        .args(["build", "--release", "--quiet", "-p", "test-guests", "-p", "conformance-rust", "--examples"])
        .args([
            "--features",
            "test-guests/component,conformance-rust/component",
            "--target",
            "wasm32-wasip2",
            "--target-dir",
        ])
        .arg(&folder);
    run(build, folder.join("wasm32-wasip2/release/examples"))
}

fn run(mut command: Command, folder: PathBuf) -> Built {
    match command.status() {
        Ok(status) if status.success() => Ok(folder),
        other => Err(format!("{command:?} failed: {other:?}; its words are above")),
    }
}
