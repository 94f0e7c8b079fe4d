//! A plugin project: a folder with a manifest of its language, or one file of TypeScript. What the manifest says, and how the
//! project becomes a component.

mod c;
mod cargo;
mod component;
mod debug;
mod go;
mod language;
mod plugin_toml;
mod python;
mod script;
mod step;
mod tools;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use self::language::{BuildSteps, Finding, LanguageProject, ProjectLanguage};
use self::step::Described;
use super::sdk;
use crate::files::write_whole;
use crate::folder::scripts::is_script_of_room;
use crate::model::names::PluginName;
use crate::server::dev::PACKAGES;
pub use script::installed_sdk;
pub use step::BuildVoice;
pub use tools::require_node;

/// The languages, in the order in which they are asked whether a folder is theirs.
const LANGUAGES: [ProjectLanguage; 5] =
    [cargo::LANGUAGE, script::LANGUAGE, python::LANGUAGE, go::LANGUAGE, c::LANGUAGE];

/// A plugin project, as its manifest describes it.
#[derive(Debug)]
pub struct Project {
    /// The plugin's name, which is the package's.
    pub name: PluginName,
    /// What `parlor dev` configures for the plugin, as [`Described::dev_config`] says.
    pub dev_config: BTreeMap<String, String>,
    /// Whoever builds it holds this file's lock: two builds at once would write over each other's work.
    turn: PathBuf,
    known: Box<dyn LanguageProject>,
}

/// The right to build a project, from the first step until its component was read.
#[derive(Debug)]
pub struct BuildTurn {
    _lock: File,
}

/// The projects of a folder.
#[derive(Debug, Default)]
pub struct FoundProjects {
    /// Folders, or the one file that was named, in the order of their names.
    pub places: Vec<PathBuf>,
    /// Folders with a manifest that describes no plugin, and why.
    pub skipped: BTreeSet<(PathBuf, &'static str)>,
}

/// Whether a file has the name of one that is a plugin by itself.
pub fn is_script(file: &Path) -> bool {
    of_script(file).is_some()
}

/// The language whose files with such a name are plugins by themselves.
fn of_script(file: &Path) -> Option<&'static ProjectLanguage> {
    let extension = file.extension()?.to_str()?;
    LANGUAGES.iter().find(|language| language.scripts.contains(&extension))
}

/// The language of a folder, and what it says; none where the folder has no manifest.
fn of_folder(folder: &Path) -> Option<(&'static ProjectLanguage, Finding)> {
    let with_manifest = LANGUAGES.iter().filter(|language| folder.join(language.manifest).is_file());
    let findings: Vec<_> = with_manifest.map(|language| (language, (language.finds)(folder))).collect();
    let plugin = findings.iter().find(|(_, finding)| *finding == Finding::Plugin);
    plugin.or_else(|| findings.iter().find(|(_, finding)| *finding != Finding::NotMine)).copied()
}

/// The projects of a folder, or what was named itself where it is one.
pub fn find(place: &Path) -> anyhow::Result<FoundProjects> {
    let mut found = FoundProjects::default();
    if place.is_file() {
        if !is_script(place) {
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
            if is_script_of_room(&path) {
                found.places.push(path);
            } else {
                found.take(&path);
            }
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
        match of_folder(folder) {
            Some((_, Finding::Plugin)) => {
                self.places.push(folder.to_owned());
                true
            }
            Some((_, Finding::Other(why))) => {
                self.skipped.insert((folder.to_owned(), why));
                false
            }
            Some((_, Finding::NotMine)) | None => false,
        }
    }

    /// Says that there is no project in a place, and why.
    pub fn nothing(&self, place: &Path) -> String {
        let mut words = format!("there is no plugin project in {}: ", place.display());
        match self.skipped.first() {
            Some((folder, why)) => words.push_str(&format!("{}: {why}", folder.display())),
            None => words.push_str(&format!("no folder with a {}; `parlor new` makes one", manifests())),
        }
        words
    }
}

/// The names of all manifests, for people.
fn manifests() -> String {
    let mut names: Vec<&str> = LANGUAGES.iter().map(|language| language.manifest).collect();
    names.dedup();
    let last = names.pop().unwrap_or_default();
    format!("{} or {last}", names.join(", "))
}

/// The files and folders that may be part of a project that was not read yet.
pub fn parts_of(place: &Path) -> Vec<PathBuf> {
    if place.is_file() {
        return vec![place.to_owned()];
    }
    let names = LANGUAGES.iter().flat_map(|language| language.parts);
    names.map(|part| place.join(part)).collect()
}

impl Project {
    /// Reads what the project is.
    pub fn read(place: &Path) -> anyhow::Result<Self> {
        let language = if place.is_file() { of_script(place) } else { of_folder(place).map(|(language, _)| language) };
        let language = language.with_context(|| format!("{} is no plugin project any more", place.display()))?;
        let (Described { name, dev_config }, known) = (language.read)(place)?;
        let place = place.canonicalize().with_context(|| format!("cannot read {}", place.display()))?;
        let hash = blake3::hash(place.as_os_str().as_encoded_bytes()).to_hex();
        let turn = sdk::cache()?.join("built").join(format!("{}.lock", &hash[..16]));
        Ok(Self { name, dev_config, turn, known })
    }

    /// The files that say what the project is.
    pub fn manifests(&self) -> Vec<PathBuf> {
        self.known.manifests()
    }

    /// What it is made of, as far as its manifests tell: files, and folders with all that is in them.
    pub fn parts(&self) -> Vec<PathBuf> {
        self.known.parts()
    }

    /// The files that the last build read, without what tools made.
    pub fn read_by_the_build(&self) -> Vec<PathBuf> {
        self.known.read_by_the_build()
    }

    /// Waits until nobody else builds the project; `waits` is called where somebody does.
    pub fn take_turn(&self, waits: impl FnOnce()) -> anyhow::Result<BuildTurn> {
        let failed = || format!("cannot lock {}", self.turn.display());
        fs::create_dir_all(self.turn.parent().unwrap_or(&self.turn)).with_context(failed)?;
        let lock = File::create(&self.turn).with_context(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                waits();
                lock.lock().with_context(failed)?;
            }
            Err(TryLockError::Error(why)) => return Err(why).with_context(failed),
        }
        Ok(BuildTurn { _lock: lock })
    }

    /// The steps that build it, and those that install what they need.
    pub fn steps(&self, voice: BuildVoice) -> Box<dyn BuildSteps> {
        self.known.steps(voice)
    }

    /// The component that was built.
    pub fn component(&self) -> anyhow::Result<Vec<u8>> {
        self.known.component()
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
