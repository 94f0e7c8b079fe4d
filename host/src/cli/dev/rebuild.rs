//! Builds what changed, one project after the other, and tells how it went.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use anyhow::Context as _;

use super::compile::{Compiled, Running};
use super::sources::Sources;
use crate::cli::project::{self, Project};
use crate::plugin::folder::is_project;
use crate::server::dev::{Build, BuildState, Dev};

/// How many folders are watched for a project that comes.
const FOLDERS_MAX: usize = 1_000;

/// A project as it was last built, whether that went well or not.
struct Known {
    folder: PathBuf,
    /// What it is called in what is told: its plugin's name, or its folder's as long as nobody knows that.
    called: String,
    project: Option<Project>,
    /// The manifests that said so.
    manifests: [Option<blake3::Hash>; 2],
    sources: Sources,
}

/// All projects below a folder.
pub struct Projects {
    folder: PathBuf,
    dev: Arc<Dev>,
    running: Running,
    known: Vec<Known>,
}

/// What is done with a component that was built: whether it is another one than before, or why it is not served.
pub type Offer<'a> = &'a mut dyn FnMut(&Project, Vec<u8>) -> Result<bool, String>;

impl Projects {
    pub fn new(folder: &Path, dev: Arc<Dev>) -> Self {
        Self { folder: folder.to_owned(), dev, running: Running::default(), known: Vec::new() }
    }

    /// What ends a build that runs.
    pub fn running(&self) -> &Running {
        &self.running
    }

    /// Finds folders that came or went. Answers with how many there are.
    pub fn find(&mut self) -> anyhow::Result<usize> {
        let folders = project::folders(&self.folder)?;
        self.known.retain(|known| {
            let stays = folders.contains(&known.folder);
            if !stays {
                eprintln!("{}: its project is gone; what was built of it is served on", known.called);
                self.dev.forget(&known.called);
            }
            stays
        });
        for folder in folders {
            if self.known.iter().all(|known| known.folder != folder) {
                let called = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
                self.known.push(Known {
                    folder,
                    called,
                    project: None,
                    manifests: [None; 2],
                    sources: Sources::default(),
                });
            }
        }
        Ok(self.known.len())
    }

    /// The folders in which a change may be one of a source: those of the sources, and those that may become projects.
    pub fn watched(&self) -> BTreeSet<PathBuf> {
        let mut folders: BTreeSet<PathBuf> = self.known.iter().flat_map(|known| known.sources.folders()).collect();
        folders.insert(self.folder.clone());
        if !is_project(&self.folder) {
            let entries = std::fs::read_dir(&self.folder).into_iter().flatten().flatten();
            folders.extend(entries.map(|entry| entry.path()).filter(|path| path.is_dir()).take(FOLDERS_MAX));
        }
        folders
    }

    /// Builds what is new or changed, until nothing is: what changes meanwhile is built with its newest state. `last_look`
    /// is when there was nothing to build; none at the start. Answers whether to go on.
    pub fn build(&mut self, last_look: Option<SystemTime>, offer: Offer<'_>) -> bool {
        loop {
            let mut changed = false;
            for known in &mut self.known {
                let Some(saved) = known.sources.look(&known.folder, known.project.as_ref()) else { continue };
                changed = true;
                // A file that was moved here keeps the time when it was written.
                let saved = last_look.map(|last_look| saved.max(last_look));
                if !known.rebuild(&self.running, &self.dev, saved, offer) {
                    return false;
                }
            }
            if !changed {
                return true;
            }
        }
    }
}

impl Known {
    /// Builds it, offers what comes out, and tells how it went. Answers whether to go on.
    fn rebuild(&mut self, running: &Running, dev: &Dev, saved: Option<SystemTime>, offer: Offer<'_>) -> bool {
        let mut cargo = match self.read(dev) {
            Ok(project) => project.cargo(),
            Err(why) => {
                eprintln!("{why:#}");
                self.tell(dev, BuildState::Failed, format!("{why:#}"), None);
                return true;
            }
        };
        eprintln!("{}: building {}", self.called, self.folder.display());
        self.tell(dev, BuildState::Building, String::new(), None);
        if saved.is_some() {
            // What counts is said below; the compiler's errors and warnings are shown all the same.
            cargo.arg("--quiet");
        }
        let outcome = match running.run(cargo, saved.is_some()) {
            Compiled::Ended => return false,
            Compiled::Failed(words) => Err(words),
            Compiled::Done => self.offer(offer).inspect_err(|words| eprintln!("{}: {words}", self.called)),
        };
        let seconds = saved.map(|saved| saved.elapsed().unwrap_or_default().as_secs_f64());
        match (&outcome, seconds) {
            (Ok(true), Some(seconds)) => eprintln!("{}: saved -> served in {seconds:.1} s", self.called),
            (Ok(false), Some(seconds)) => eprintln!("{}: built in {seconds:.1} s, to the same component", self.called),
            (Ok(_), None) => {}
            (Err(_), _) => eprintln!("{}: not served as it is now", self.called),
        }
        match outcome {
            Ok(_) => self.tell(dev, BuildState::Served, String::new(), seconds),
            Err(words) => self.tell(dev, BuildState::Failed, words, seconds),
        }
        true
    }

    fn offer(&mut self, offer: Offer<'_>) -> Result<bool, String> {
        let project = self.project.as_ref().ok_or("there is no project")?;
        self.sources.take_in(project);
        let component = project.component().map_err(|why| format!("{why:#}"))?;
        offer(project, component)
    }

    fn tell(&self, dev: &Dev, state: BuildState, words: String, seconds: Option<f64>) {
        dev.tell(Build { project: self.called.clone(), state, words, seconds });
    }

    /// What the project is: asked anew where a manifest says something else than before.
    fn read(&mut self, dev: &Dev) -> anyhow::Result<&Project> {
        let hashes = |sources: &Sources, project: &Project| {
            let workspace = project.workspace.join("Cargo.toml");
            [sources.hash(project.manifest()), sources.hash(&workspace)]
        };
        let is_as_before = self.project.as_ref().is_some_and(|known| hashes(&self.sources, known) == self.manifests);
        if !is_as_before {
            let project = Project::read(&self.folder)?;
            if self.called != project.name.as_str() {
                dev.forget(&self.called);
                self.called = project.name.to_string();
            }
            dev.set_pages(project.name.clone(), self.folder.join("public"));
            dev.set_config(project.name.clone(), project.dev_config.clone());
            // Its packages are known now, and what lies in them is part of what is built.
            self.sources.look(&self.folder, Some(&project));
            self.manifests = hashes(&self.sources, &project);
            self.project = Some(project);
        }
        self.project.as_ref().context("there is no project")
    }
}
