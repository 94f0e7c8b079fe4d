//! A plugin project: what its manifest says, and how it becomes a component.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, ensure};
use serde::Deserialize;

use crate::model::names::PluginName;
use crate::plugin::folder::{is_project, write_whole};

/// The target of Rust guests: cargo's own output for it is a component.
const RUST_TARGET: &str = "wasm32-wasip2";

/// What is known of a project before it is built.
#[derive(Debug, Clone)]
pub struct Project {
    /// The plugin's name, which is the package's.
    pub name: PluginName,
    /// What `parlor dev` configures for the plugin: `[package.metadata.parlor.config]` of its Cargo.toml.
    pub dev_config: BTreeMap<String, String>,
    /// The folders of the packages that it is made of: its own, and those of its path dependencies.
    pub packages: BTreeSet<PathBuf>,
    /// The folder of the workspace, which may be the project's own.
    pub workspace: PathBuf,
    manifest: PathBuf,
    target: PathBuf,
    /// What cargo makes.
    built: PathBuf,
}

/// The part of `cargo metadata` that we read.
#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    target_directory: PathBuf,
    workspace_root: PathBuf,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    manifest_path: PathBuf,
    targets: Vec<Target>,
    dependencies: Vec<Dependency>,
    /// `[package.metadata]`: `null` where there is none.
    metadata: Option<PackageMetadata>,
}

#[derive(Deserialize)]
struct Dependency {
    /// Where it lies, if it is a path.
    path: Option<PathBuf>,
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

/// The projects of a folder, or the folder itself where it is one, in the order of their names.
pub fn folders(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
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
pub fn require_target() -> anyhow::Result<()> {
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

impl Project {
    /// Asks cargo what the project is.
    pub fn read(folder: &Path) -> anyhow::Result<Self> {
        let manifest = folder.join("Cargo.toml");
        let manifest = manifest.canonicalize().with_context(|| format!("cannot read {}", manifest.display()))?;
        let metadata = metadata(&manifest)?;
        let package = metadata.packages.iter().find(|package| package.manifest_path == manifest);
        let package = package.with_context(|| format!("{} describes no package", manifest.display()))?;
        let name = PluginName::new(&package.name).with_context(|| format!("the package of {}", manifest.display()))?;
        let library = package.targets.iter().find(|target| target.crate_types.iter().any(|kind| kind == "cdylib"));
        let library = library
            .with_context(|| format!("{} needs `[lib] crate-type = [\"cdylib\", \"rlib\"]`", manifest.display()))?;
        // A folder of its own: guests and host never wait for each other's lock, nor undo each other's builds.
        let target = metadata.target_directory.join("guests");
        let file = format!("{}.wasm", library.name.replace('-', "_"));
        Ok(Self {
            name,
            dev_config: package.metadata.as_ref().map(|metadata| metadata.parlor.config.clone()).unwrap_or_default(),
            packages: packages(package, &metadata.packages),
            built: target.join(RUST_TARGET).join("release").join(file),
            workspace: metadata.workspace_root.clone(),
            manifest,
            target,
        })
    }

    pub fn manifest(&self) -> &Path {
        &self.manifest
    }

    /// Where cargo puts all that it makes.
    pub fn target(&self) -> &Path {
        &self.target
    }

    /// What builds it.
    pub fn cargo(&self) -> Command {
        let mut cargo = Command::new("cargo");
        cargo
            .args(["build", "--release", "--lib", "--target", RUST_TARGET, "--manifest-path"])
            .arg(&self.manifest)
            .arg("--target-dir")
            .arg(&self.target);
        cargo
    }

    /// What was built.
    pub fn component(&self) -> anyhow::Result<Vec<u8>> {
        std::fs::read(&self.built).with_context(|| format!("cannot read {}", self.built.display()))
    }

    /// Puts what was built in its place as a whole, and only where it changed: a server that watches sees one change a
    /// build.
    pub fn install(&self, component: &[u8], out: &Path) -> anyhow::Result<()> {
        let place = out.join(format!("{}.wasm", self.name));
        if std::fs::read(&place).is_ok_and(|old| old == component) {
            return Ok(());
        }
        write_whole(&place, component)
    }

    /// The files that the last build read, those of other packages of the workspace included, as cargo wrote them down.
    pub fn read_by_the_build(&self) -> Vec<PathBuf> {
        let list = std::fs::read_to_string(self.built.with_extension("d")).unwrap_or_default();
        let files = list.split_once(": ").map_or("", |(_, files)| files.trim_end());
        // A space within a name has a backslash before it.
        let names = files.replace("\\ ", "\0");
        names.split(' ').filter(|name| !name.is_empty()).map(|name| PathBuf::from(name.replace('\0', " "))).collect()
    }
}

fn metadata(manifest: &Path) -> anyhow::Result<Metadata> {
    let output = Command::new("cargo")
        .args(["metadata", "--format-version", "1", "--no-deps", "--manifest-path"])
        .arg(manifest)
        .stdin(Stdio::null())
        .output()
        .context("cannot run cargo; Rust plugins need Rust")?;
    let words = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "cargo does not understand {}: {}", manifest.display(), words.trim());
    serde_json::from_slice(&output.stdout)
        .with_context(|| format!("{}: [package.metadata.parlor] is not what it must be", manifest.display()))
}

/// The folders of a package and of those that it rests on by path, as far as the workspace knows them.
fn packages(package: &Package, all: &[Package]) -> BTreeSet<PathBuf> {
    let mut folders: BTreeSet<PathBuf> = package.manifest_path.parent().map(Path::to_owned).into_iter().collect();
    let mut open: Vec<&Package> = vec![package];
    while let Some(package) = open.pop() {
        for folder in package.dependencies.iter().filter_map(|dependency| dependency.path.as_ref()) {
            if folders.insert(folder.clone()) {
                open.extend(all.iter().find(|other| other.manifest_path.parent() == Some(folder)));
            }
        }
    }
    folders
}
