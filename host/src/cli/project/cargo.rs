//! A crate: what cargo knows of it, and how cargo makes a component of it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, ensure};
use serde::Deserialize;

use super::{Kind, Project, Step, Talk, tools};
use crate::model::names::PluginName;

/// What a component is made of in the folder of a package. Its tests and pages, and what cargo writes there, are not.
pub const PARTS: [&str; 3] = ["Cargo.toml", "build.rs", "src"];

#[derive(Debug, Clone)]
pub struct Crate {
    /// The folders of the packages that it is made of: its own, and those of its path dependencies.
    packages: BTreeSet<PathBuf>,
    /// The folder of the workspace, which may be the project's own.
    workspace: PathBuf,
    manifest: PathBuf,
    /// Where cargo puts all that it makes.
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

impl Crate {
    /// Asks cargo what the project is.
    pub fn read(folder: &Path) -> anyhow::Result<Project> {
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
        let known = Self {
            packages: packages(package, &metadata.packages),
            built: target.join(tools::RUST_TARGET).join("release").join(file),
            workspace: metadata.workspace_root.clone(),
            manifest,
            target,
        };
        let dev_config = package.metadata.as_ref().map(|metadata| metadata.parlor.config.clone()).unwrap_or_default();
        Ok(Project { name, dev_config, kind: Kind::Crate(known) })
    }

    pub fn manifests(&self) -> Vec<PathBuf> {
        vec![self.manifest.clone(), self.workspace.join("Cargo.toml")]
    }

    pub fn parts(&self) -> Vec<PathBuf> {
        let of_packages = self.packages.iter().flat_map(|package| PARTS.map(|part| package.join(part)));
        of_packages.chain([self.workspace.join("Cargo.toml")]).collect()
    }

    pub fn steps(&self, talk: Talk) -> Steps {
        let mut cargo = Command::new("cargo");
        cargo
            .args(["build", "--release", "--lib", "--target", tools::RUST_TARGET, "--manifest-path"])
            .arg(&self.manifest)
            .arg("--target-dir")
            .arg(&self.target)
            .args(["--color", if talk.colours { "always" } else { "never" }]);
        if talk.quiet {
            cargo.arg("--quiet");
        }
        Steps { build: Some(cargo), asked_rustup: false }
    }

    pub fn built(&self) -> &Path {
        &self.built
    }

    /// Those of other packages of the workspace included, as cargo wrote them down. What a build script made lies in the
    /// target folder, and is nobody's text.
    pub fn read_by_the_build(&self) -> Vec<PathBuf> {
        let list = std::fs::read_to_string(self.built.with_extension("d")).unwrap_or_default();
        let files = list.split_once(": ").map_or("", |(_, files)| files.trim_end());
        // A space within a name has a backslash before it.
        let names = files.replace("\\ ", "\0");
        let files = names.split(' ').filter(|name| !name.is_empty()).map(|name| PathBuf::from(name.replace('\0', " ")));
        files.filter(|file| !file.starts_with(&self.target)).collect()
    }
}

/// The target where it is missing, then cargo.
#[derive(Debug)]
pub struct Steps {
    build: Option<Command>,
    asked_rustup: bool,
}

impl Steps {
    pub fn next(&mut self) -> anyhow::Result<Option<Step>> {
        if self.build.is_some()
            && let Some(step) = tools::rust_target(self.asked_rustup)?
        {
            self.asked_rustup = true;
            return Ok(Some(step));
        }
        Ok(self.build.take().map(Step::new))
    }
}

fn metadata(manifest: &Path) -> anyhow::Result<Metadata> {
    let output = Command::new("cargo")
        .args(["metadata", "--format-version", "1", "--no-deps", "--manifest-path"])
        .arg(manifest)
        .stdin(Stdio::null())
        .output()
        .context(tools::NO_CARGO)?;
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
