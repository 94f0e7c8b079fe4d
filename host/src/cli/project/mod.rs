//! A plugin project: a crate, a package of npm, or one file of TypeScript. What its manifest says, and how it becomes a
//! component.

mod cargo;
mod script;
mod tools;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};

use self::cargo::Crate;
use self::script::Script;
use crate::files::write_whole;
use crate::model::names::PluginName;

/// The extensions of files that are a plugin by themselves.
pub const SCRIPTS: [&str; 4] = ["ts", "mts", "js", "mjs"];

/// What is known of a project before it is built.
#[derive(Debug, Clone)]
pub struct Project {
    /// The plugin's name, which is the package's.
    pub name: PluginName,
    /// What `parlor dev` configures for the plugin: `[package.metadata.parlor.config]` of a Cargo.toml, `parlor.config` of
    /// a package.json.
    pub dev_config: BTreeMap<String, String>,
    kind: Kind,
}

#[derive(Debug, Clone)]
enum Kind {
    Crate(Crate),
    Script(Script),
}

/// What is to be heard of a build.
#[derive(Debug, Clone, Copy)]
pub struct Talk {
    pub colours: bool,
    /// Errors and warnings alone.
    pub quiet: bool,
}

/// A program to run on the way to a component.
#[derive(Debug)]
pub struct Step {
    /// What it is, where that takes long and is not what one expects of a build.
    pub says: Option<String>,
    pub command: Command,
    /// Held while it runs: what others must not do at the same time.
    _lock: Option<fs::File>,
}

impl Step {
    fn new(command: Command) -> Self {
        Self { says: None, command, _lock: None }
    }
}

/// The programs to run, one after the other: each is asked for when the one before has ended well.
#[derive(Debug)]
pub enum Steps {
    Crate(cargo::Steps),
    Script(Box<script::Steps>),
}

impl Steps {
    /// The next program; none where the component is there. An error is what keeps it from being built.
    pub fn next(&mut self) -> anyhow::Result<Option<Step>> {
        match self {
            Self::Crate(steps) => steps.next(),
            Self::Script(steps) => steps.next(),
        }
    }
}

/// What a look for projects found.
#[derive(Debug, Default)]
pub struct Found {
    /// Folders, or the one file that was named, in the order of their names.
    pub places: Vec<PathBuf>,
    /// Folders with a manifest that is no plugin's, and why.
    pub skipped: BTreeSet<(PathBuf, &'static str)>,
}

/// The projects of a folder, or what was named itself where it is one.
pub fn find(place: &Path) -> anyhow::Result<Found> {
    let mut found = Found::default();
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
        // Hidden folders and npm's are tools', not the author's.
        if !name.starts_with('.') && name != "node_modules" {
            found.take(&path);
        }
    }
    found.places.sort();
    Ok(found)
}

impl Found {
    /// Takes a folder in where it is a project; says whether it is.
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

    /// What is said where nothing was found.
    pub fn nothing(&self, place: &Path) -> String {
        let mut words = format!("there is no plugin project in {}: ", place.display());
        match self.skipped.first() {
            Some((folder, why)) => words.push_str(&format!("{}: {why}", folder.display())),
            None => words.push_str("no folder with a Cargo.toml or package.json; `parlor new` makes one"),
        }
        words
    }
}

/// What may be part of a project of which nothing is known yet: files, and folders with all that is in them.
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
        if place.is_file() {
            return Script::of_file(place);
        }
        if place.join("Cargo.toml").is_file() { Crate::read(place) } else { Script::of_package(place) }
    }

    /// The files that say what the project is.
    pub fn manifests(&self) -> Vec<PathBuf> {
        match &self.kind {
            Kind::Crate(known) => known.manifests(),
            Kind::Script(known) => known.manifests(),
        }
    }

    /// What it is made of, as far as its manifests tell: files, and folders with all that is in them.
    pub fn parts(&self) -> Vec<PathBuf> {
        match &self.kind {
            Kind::Crate(known) => known.parts(),
            Kind::Script(known) => known.parts(),
        }
    }

    /// The files that the last build read, without what tools made.
    pub fn read_by_the_build(&self) -> Vec<PathBuf> {
        match &self.kind {
            Kind::Crate(known) => known.read_by_the_build(),
            Kind::Script(known) => known.read_by_the_build(),
        }
    }

    /// How it is built, and what that needs first.
    pub fn steps(&self, talk: Talk) -> Steps {
        match &self.kind {
            Kind::Crate(known) => Steps::Crate(known.steps(talk)),
            Kind::Script(known) => Steps::Script(Box::new(known.steps(talk))),
        }
    }

    /// What was built.
    pub fn component(&self) -> anyhow::Result<Vec<u8>> {
        let built = match &self.kind {
            Kind::Crate(known) => known.built(),
            Kind::Script(known) => known.built(),
        };
        fs::read(built).with_context(|| format!("cannot read {}", built.display()))
    }

    /// Puts what was built in its place as a whole, and only where it changed: a server that watches sees one change a
    /// build.
    pub fn install(&self, component: &[u8], out: &Path) -> anyhow::Result<()> {
        let place = out.join(format!("{}.wasm", self.name));
        if fs::read(&place).is_ok_and(|old| old == component) {
            return Ok(());
        }
        write_whole(&place, component)
    }
}
