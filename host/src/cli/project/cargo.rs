//! A crate: what cargo knows of it, and how cargo makes a component of it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};
use serde::Deserialize;

use super::language::{BuildSteps, Finding, LanguageProject, ProjectLanguage};
use super::step::{BuildStep, BuildVoice, Described, read_built};
use super::tools;
use crate::cli::child::output;
use crate::model::names::PluginName;

/// The parts of a package's folder that its component is made of: neither its tests and pages, nor what cargo writes there.
const PARTS: [&str; 3] = ["Cargo.toml", "build.rs", "src"];

/// Plugins in Rust.
pub const LANGUAGE: ProjectLanguage = ProjectLanguage {
    manifest: "Cargo.toml",
    parts: &PARTS,
    scripts: &[],
    finds: |_| Finding::Plugin,
    read: |folder| Crate::read(folder).map(|(described, known)| (described, Box::new(known) as _)),
};

#[derive(Debug)]
struct Crate {
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
struct CargoMetadata {
    packages: Vec<CargoPackage>,
    target_directory: PathBuf,
    workspace_root: PathBuf,
}

#[derive(Deserialize)]
struct CargoPackage {
    name: String,
    manifest_path: PathBuf,
    targets: Vec<CargoTarget>,
    dependencies: Vec<CargoDependency>,
    /// `[package.metadata]`: `null` where there is none.
    metadata: Option<PackageMetadata>,
}

#[derive(Deserialize)]
struct CargoDependency {
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
struct CargoTarget {
    name: String,
    crate_types: Vec<String>,
}

impl Crate {
    /// Asks cargo what the project is.
    fn read(folder: &Path) -> anyhow::Result<(Described, Self)> {
        let manifest = folder.join("Cargo.toml");
        let manifest = manifest.canonicalize().with_context(|| format!("cannot read {}", manifest.display()))?;
        let metadata = metadata(&manifest)?;
        let package = metadata.packages.iter().find(|package| package.manifest_path == manifest);
        let package = package.with_context(|| format!("{} describes no package", manifest.display()))?;
        let name = PluginName::new(&package.name).with_context(|| format!("the package of {}", manifest.display()))?;
        let library = package.targets.iter().find(|target| target.crate_types.iter().any(|kind| kind == "cdylib"));
        let library = library
            .with_context(|| format!("{} needs `[lib] crate-type = [\"cdylib\", \"rlib\"]`", manifest.display()))?;
        // A folder of its own: builds of guests and of the host neither wait for each other's lock nor undo each other's work.
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
        Ok((Described { name, dev_config }, known))
    }
}

impl LanguageProject for Crate {
    fn manifests(&self) -> Vec<PathBuf> {
        vec![self.manifest.clone(), self.workspace.join("Cargo.toml")]
    }

    fn parts(&self) -> Vec<PathBuf> {
        let of_packages = self.packages.iter().flat_map(|package| PARTS.map(|part| package.join(part)));
        of_packages.chain([self.workspace.join("Cargo.toml")]).collect()
    }

    fn steps(&self, voice: BuildVoice) -> Box<dyn BuildSteps> {
        let mut cargo = Command::new("cargo");
        cargo
            .args(["build", "--release", "--lib", "--target", tools::RUST_TARGET, "--manifest-path"])
            .arg(&self.manifest)
            .arg("--target-dir")
            .arg(&self.target)
            .args(["--color", if voice.colours { "always" } else { "never" }]);
        if voice.quiet {
            cargo.arg("--quiet");
        }
        Box::new(CargoSteps { build: Some(cargo), asked_rustup: false })
    }

    fn component(&self) -> anyhow::Result<Vec<u8>> {
        read_built(&self.built)
    }

    /// The files that cargo says the last build read, those of other packages of the workspace included. What a build script
    /// made lies in the target folder, and nobody edits that.
    fn read_by_the_build(&self) -> Vec<PathBuf> {
        let list = std::fs::read_to_string(self.built.with_extension("d")).unwrap_or_default();
        let files = list.split_once(": ").map_or("", |(_, files)| files.trim_end());
        // A space within a name has a backslash before it.
        let names = files.replace("\\ ", "\0");
        let files = names.split(' ').filter(|name| !name.is_empty()).map(|name| PathBuf::from(name.replace('\0', " ")));
        files.filter(|file| !file.starts_with(&self.target)).collect()
    }
}

/// Adds the wasm target where it is missing, then runs cargo.
#[derive(Debug)]
struct CargoSteps {
    build: Option<Command>,
    asked_rustup: bool,
}

impl BuildSteps for CargoSteps {
    fn next(&mut self) -> anyhow::Result<Option<BuildStep>> {
        if self.build.is_some()
            && let Some(step) = tools::rust_target(self.asked_rustup)?
        {
            self.asked_rustup = true;
            return Ok(Some(step));
        }
        Ok(self.build.take().map(BuildStep::new))
    }
}

fn metadata(manifest: &Path) -> anyhow::Result<CargoMetadata> {
    let mut cargo = Command::new("cargo");
    cargo.args(["metadata", "--format-version", "1", "--no-deps", "--manifest-path"]).arg(manifest);
    let output = output(&mut cargo).context(tools::NO_CARGO)?;
    let words = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "cargo does not understand {}: {}", manifest.display(), words.trim());
    serde_json::from_slice(&output.stdout)
        .with_context(|| format!("{}: [package.metadata.parlor] is not what it must be", manifest.display()))
}

/// The folders of a package and of those that it rests on by path, as far as the workspace knows them.
fn packages(package: &CargoPackage, all: &[CargoPackage]) -> BTreeSet<PathBuf> {
    let mut folders: BTreeSet<PathBuf> = package.manifest_path.parent().map(Path::to_owned).into_iter().collect();
    let mut open: Vec<&CargoPackage> = vec![package];
    while let Some(package) = open.pop() {
        for folder in package.dependencies.iter().filter_map(|dependency| dependency.path.as_ref()) {
            if folders.insert(folder.clone()) {
                open.extend(all.iter().find(|other| other.manifest_path.parent() == Some(folder)));
            }
        }
    }
    folders
}
