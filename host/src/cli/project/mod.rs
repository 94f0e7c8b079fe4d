//! A plugin project: a crate, a package of npm, or one file of TypeScript. What its manifest says, and how it becomes a
//! component.

mod cargo;
mod script;
mod step;
mod tools;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use self::cargo::Crate;
use self::script::Script;
use self::step::{BuildStep, Described};
use crate::files::write_whole;
use crate::model::names::PluginName;
use crate::server::dev::PACKAGES;
pub use step::BuildVoice;

/// The extensions of files that are a plugin by themselves.
pub const SCRIPTS: [&str; 4] = ["ts", "mts", "js", "mjs"];

/// A plugin project, as its manifest describes it.
#[derive(Debug, Clone)]
pub struct Project {
    /// The plugin's name, which is the package's.
    pub name: PluginName,
    /// What `parlor dev` configures for the plugin: `[package.metadata.parlor.config]` of a Cargo.toml, `parlor.config` of
    /// a package.json.
    pub dev_config: BTreeMap<String, String>,
    kind: ProjectKind,
}

#[derive(Debug, Clone)]
enum ProjectKind {
    Crate(Crate),
    Script(Script),
}

/// The programs to run, one after the other. The next is asked for when the one before has succeeded.
#[derive(Debug)]
pub enum BuildSteps {
    Crate(cargo::CargoSteps),
    Script(Box<script::ScriptSteps>),
}

impl BuildSteps {
    /// The next program; none once the component is built. An error says why it cannot be built.
    pub fn next(&mut self) -> anyhow::Result<Option<BuildStep>> {
        match self {
            Self::Crate(steps) => steps.next(),
            Self::Script(steps) => steps.next(),
        }
    }
}

/// The projects of a folder.
#[derive(Debug, Default)]
pub struct FoundProjects {
    /// Folders, or the one file that was named, in the order of their names.
    pub places: Vec<PathBuf>,
    /// Folders with a manifest that describes no plugin, and why.
    pub skipped: BTreeSet<(PathBuf, &'static str)>,
}

/// The projects of a folder, or what was named itself where it is one.
pub fn find(place: &Path) -> anyhow::Result<FoundProjects> {
    let mut found = FoundProjects::default();
    if place.is_file() {
        let extension = place.extension().unwrap_or_default();
        if !SCRIPTS.iter().any(|known| extension == *known) {
            bail!("{} is no plugin: a folder is, or a file of .ts or .js", place.display());
        }
        found.places.push(place.to_owned());
        return Ok(found);
    }
    if found.take(place) {
        return Ok(found);
    }
    let entries = fs::read_dir(place).with_context(|| format!("cannot read the folder {}", place.display()))?;
    for entry in entries {
        let path = entry.with_context(|| format!("cannot read the folder {}", place.display()))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        // Hidden folders, and npm's, belong to tools and not to the author.
        if !name.starts_with('.') && name != PACKAGES {
            found.take(&path);
        }
    }
    if !found.places.is_empty() {
        // A package.json beside projects holds what they share.
        found.skipped.retain(|(folder, _)| folder != place);
    }
    found.places.sort();
    Ok(found)
}

impl FoundProjects {
    /// Adds a folder if it is a project; answers whether it is.
    fn take(&mut self, folder: &Path) -> bool {
        let is_project = folder.join("Cargo.toml").is_file() || {
            let package = folder.join("package.json");
            let is_plugin = package.is_file() && script::may_be_plugin(&package);
            if package.is_file() && !is_plugin {
                let why = "its package.json neither depends on @parlor/guest nor has a \"parlor\"";
                self.skipped.insert((folder.to_owned(), why));
            }
            is_plugin
        };
        if is_project {
            self.places.push(folder.to_owned());
        }
        is_project
    }

    /// Says that there is no project in a place, and why.
    pub fn nothing(&self, place: &Path) -> String {
        let mut words = format!("there is no plugin project in {}: ", place.display());
        match self.skipped.first() {
            Some((folder, why)) => words.push_str(&format!("{}: {why}", folder.display())),
            None => words.push_str("no folder with a Cargo.toml or package.json; `parlor new` makes one"),
        }
        words
    }
}

/// The files and folders that may be part of a project that was not read yet.
pub fn parts_of(place: &Path) -> Vec<PathBuf> {
    if place.is_file() {
        return vec![place.to_owned()];
    }
    let names = cargo::PARTS.iter().chain(&script::PARTS);
    names.map(|part| place.join(part)).collect()
}

impl Project {
    /// Reads what the project is.
    pub fn read(place: &Path) -> anyhow::Result<Self> {
        let (Described { name, dev_config }, kind) = if place.join("Cargo.toml").is_file() {
            let (described, known) = Crate::read(place)?;
            (described, ProjectKind::Crate(known))
        } else {
            let (described, known) = if place.is_file() { Script::of_file(place) } else { Script::of_package(place) }?;
            (described, ProjectKind::Script(known))
        };
        Ok(Self { name, dev_config, kind })
    }

    /// The files that say what the project is.
    pub fn manifests(&self) -> Vec<PathBuf> {
        match &self.kind {
            ProjectKind::Crate(known) => known.manifests(),
            ProjectKind::Script(known) => known.manifests(),
        }
    }

    /// What it is made of, as far as its manifests tell: files, and folders with all that is in them.
    pub fn parts(&self) -> Vec<PathBuf> {
        match &self.kind {
            ProjectKind::Crate(known) => known.parts(),
            ProjectKind::Script(known) => known.parts(),
        }
    }

    /// The files that the last build read, without what tools made.
    pub fn read_by_the_build(&self) -> Vec<PathBuf> {
        match &self.kind {
            ProjectKind::Crate(known) => known.read_by_the_build(),
            ProjectKind::Script(known) => known.read_by_the_build(),
        }
    }

    /// The steps that build it, and those that install what they need.
    pub fn steps(&self, voice: BuildVoice) -> BuildSteps {
        match &self.kind {
            ProjectKind::Crate(known) => BuildSteps::Crate(known.steps(voice)),
            ProjectKind::Script(known) => BuildSteps::Script(Box::new(known.steps(voice))),
        }
    }

    /// The component that was built.
    pub fn component(&self) -> anyhow::Result<Vec<u8>> {
        let built = match &self.kind {
            ProjectKind::Crate(known) => known.built(),
            ProjectKind::Script(known) => known.built(),
        };
        fs::read(built).with_context(|| format!("cannot read {}", built.display()))
    }

    /// Puts the component in its place as a whole, if it has changed: a server that watches sees one change for each build.
    pub fn install(&self, component: &[u8], out: &Path) -> anyhow::Result<()> {
        let place = out.join(format!("{}.wasm", self.name));
        if fs::read(&place).is_ok_and(|old| old == component) {
            return Ok(());
        }
        write_whole(&place, component)
    }
}
