//! `parlor build`: from plugin projects to components.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail, ensure};
use serde::Deserialize;

use crate::model::names::PluginName;
use crate::plugin::folder::{is_project, write_whole};

/// The target of Rust guests: cargo's own output for it is a component.
const RUST_TARGET: &str = "wasm32-wasip2";

/// A plugin project that was built.
#[derive(Debug)]
pub struct Project {
    /// The plugin's name, which is the package's.
    pub name: PluginName,
    pub folder: PathBuf,
    /// What `parlor dev` configures for the plugin: `[package.metadata.parlor.config]` of its Cargo.toml.
    pub dev_config: BTreeMap<String, String>,
}

/// Builds every project of a folder, or the folder itself where it is one, and puts the components into `out`.
pub fn build(folder: &Path, out: &Path) -> anyhow::Result<Vec<Project>> {
    let folders = projects(folder)?;
    ensure!(!folders.is_empty(), "there is no plugin project in {}: no folder with a Cargo.toml", folder.display());
    require_target()?;
    std::fs::create_dir_all(out).with_context(|| format!("cannot make the folder {}", out.display()))?;
    let mut built = Vec::new();
    for (index, folder) in folders.iter().enumerate() {
        eprintln!("building {} ({} of {})", folder.display(), index + 1, folders.len());
        built.push(build_rust(folder, out)?);
    }
    Ok(built)
}

fn projects(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    if is_project(folder) {
        return Ok(vec![folder.to_owned()]);
    }
    let entries = std::fs::read_dir(folder).with_context(|| format!("cannot read the folder {}", folder.display()))?;
    let mut folders = Vec::new();
    for entry in entries {
        let path = entry.with_context(|| format!("cannot read the folder {}", folder.display()))?.path();
        if path.join("Cargo.toml").is_file() {
            folders.push(path);
        }
    }
    folders.sort();
    Ok(folders)
}

/// Adds the wasm target where it is missing, or says how to.
fn require_target() -> anyhow::Result<()> {
    let lib = Command::new("rustc")
        .args(["--print", "target-libdir", "--target", RUST_TARGET])
        .stderr(Stdio::null())
        .output()
        .context("cannot run rustc; Rust plugins need Rust")?;
    let lib = String::from_utf8_lossy(&lib.stdout).trim().to_owned();
    // The folder is there with the standard library in it, or not at all.
    if Path::new(&lib).is_dir() && !lib.is_empty() {
        return Ok(());
    }
    eprintln!("adding the target {RUST_TARGET}");
    let added = Command::new("rustup").args(["target", "add", RUST_TARGET]).status();
    ensure!(
        added.is_ok_and(|status| status.success()),
        "the Rust target {RUST_TARGET} is missing and could not be added; run `rustup target add {RUST_TARGET}`"
    );
    Ok(())
}

/// The part of `cargo metadata` that we read.
#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    target_directory: PathBuf,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    manifest_path: PathBuf,
    targets: Vec<Target>,
    /// `[package.metadata]`: `null` where there is none.
    metadata: Option<PackageMetadata>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct PackageMetadata {
    parlor: ParlorMetadata,
}

#[derive(Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
struct ParlorMetadata {
    config: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    crate_types: Vec<String>,
}

fn build_rust(folder: &Path, out: &Path) -> anyhow::Result<Project> {
    let manifest = folder.join("Cargo.toml");
    let manifest = manifest.canonicalize().with_context(|| format!("cannot read {}", manifest.display()))?;
    let metadata = metadata(&manifest)?;
    let package = metadata.packages.iter().find(|package| package.manifest_path == manifest);
    let package = package.with_context(|| format!("{} describes no package", manifest.display()))?;
    let name = PluginName::new(&package.name).with_context(|| format!("the package of {}", manifest.display()))?;
    let library = package.targets.iter().find(|target| target.crate_types.iter().any(|kind| kind == "cdylib"));
    let library =
        library.with_context(|| format!("{} needs `[lib] crate-type = [\"cdylib\", \"rlib\"]`", manifest.display()))?;

    // A folder of its own: guests and host never wait for each other's lock, nor undo each other's builds.
    let target = metadata.target_directory.join("guests");
    let status = Command::new("cargo")
        .args(["build", "--release", "--lib", "--target", RUST_TARGET, "--manifest-path"])
        .arg(&manifest)
        .arg("--target-dir")
        .arg(&target)
        .status()
        .context("cannot run cargo")?;
    if !status.success() {
        bail!("{} did not build; the compiler's words are above", manifest.display());
    }
    let file = format!("{}.wasm", library.name.replace('-', "_"));
    let component = target.join(RUST_TARGET).join("release").join(file);
    install(&component, &out.join(format!("{name}.wasm")))?;
    let dev_config = package.metadata.as_ref().map(|metadata| metadata.parlor.config.clone()).unwrap_or_default();
    Ok(Project { name, folder: folder.to_owned(), dev_config })
}

fn metadata(manifest: &Path) -> anyhow::Result<Metadata> {
    let output = Command::new("cargo")
        .args(["metadata", "--format-version", "1", "--no-deps", "--manifest-path"])
        .arg(manifest)
        .stderr(Stdio::inherit())
        .output()
        .context("cannot run cargo; Rust plugins need Rust")?;
    ensure!(output.status.success(), "cargo does not understand {}", manifest.display());
    serde_json::from_slice(&output.stdout)
        .with_context(|| format!("{}: [package.metadata.parlor] is not what it must be", manifest.display()))
}

/// Puts a file in its place as a whole, and only where it changed: a server that watches sees one change a build.
fn install(from: &Path, to: &Path) -> anyhow::Result<()> {
    let new = std::fs::read(from).with_context(|| format!("cannot read {}", from.display()))?;
    if std::fs::read(to).is_ok_and(|old| old == new) {
        return Ok(());
    }
    write_whole(to, &new)
}
