//! Builds what changed, one project after the other, and tells how it went.

use std::collections::BTreeSet;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use super::compile::{Compiled, Running};
use super::sources::Sources;
use crate::cli::project::{self, Found, Project, Talk};
use crate::server::dev::{Build, BuildState, Dev};

/// How many folders are watched for a project that comes.
const FOLDERS_MAX: usize = 1_000;

/// A project as it was last built, whether that went well or not.
struct Known {
    /// Its folder, or the one file that it is.
    place: PathBuf,
    /// What it is called in what is told: its plugin's name, or its folder's as long as nobody knows that.
    called: String,
    project: Option<Project>,
    /// The content of the manifests that said so.
    manifests: Vec<Option<blake3::Hash>>,
    sources: Sources,
}

/// All projects below a folder, or one.
pub struct Projects {
    place: PathBuf,
    dev: Arc<Dev>,
    running: Running,
    known: Vec<Known>,
    /// Folders that are no plugins' and were told of.
    skipped: BTreeSet<(PathBuf, &'static str)>,
}

/// What is done with a component that was built: whether it is another one than before, or why it is not served.
pub type Offer<'a> = &'a mut dyn FnMut(&Project, Vec<u8>) -> Result<bool, String>;

impl Projects {
    pub fn new(place: &Path, dev: Arc<Dev>) -> Self {
        let (place, running) = (place.to_owned(), Running::default());
        Self { place, dev, running, known: Vec::new(), skipped: BTreeSet::new() }
    }

    /// What ends a build that runs.
    pub fn running(&self) -> &Running {
        &self.running
    }

    /// Finds projects that came or went. An error is that there is nothing at all.
    pub fn find(&mut self) -> anyhow::Result<()> {
        let found = project::find(&self.place)?;
        self.known.retain(|known| {
            let stays = found.places.contains(&known.place);
            if !stays {
                eprintln!("{}: its project is gone; what was built of it is served on", known.called);
                self.dev.forget(&known.called);
            }
            stays
        });
        let nothing = found.places.is_empty().then(|| found.nothing(&self.place));
        let Found { places, skipped } = found;
        for (folder, why) in skipped.difference(&self.skipped) {
            eprintln!("{} is skipped: {why}", folder.display());
        }
        self.skipped = skipped;
        for place in places {
            if self.known.iter().all(|known| known.place != place) {
                self.known.push(Known::new(place));
            }
        }
        nothing.map_or(Ok(()), |words| Err(anyhow::Error::msg(words)))
    }

    /// The folders in which a change may be one of a source: those of the sources, and those that may become projects.
    pub fn watched(&self) -> BTreeSet<PathBuf> {
        let mut folders: BTreeSet<PathBuf> = self.known.iter().flat_map(|known| known.sources.folders()).collect();
        if self.place.is_dir() {
            folders.insert(self.place.clone());
            if self.known.iter().all(|known| known.place != self.place) {
                let entries = std::fs::read_dir(&self.place).into_iter().flatten().flatten();
                folders.extend(entries.map(|entry| entry.path()).filter(|path| path.is_dir()).take(FOLDERS_MAX));
            }
        }
        folders
    }

    /// Builds what is new or changed, until nothing is: what changes meanwhile is built with its newest state. `last_look`
    /// is when there was nothing to build; none at the start. Answers whether to go on.
    pub fn build(&mut self, last_look: Option<SystemTime>, offer: Offer<'_>) -> bool {
        loop {
            let mut changed = false;
            for known in &mut self.known {
                let Some(saved) = known.sources.look(&known.place, known.project.as_ref()) else { continue };
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
    fn new(place: PathBuf) -> Self {
        let called = place.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        Self { place, called, project: None, manifests: Vec::new(), sources: Sources::default() }
    }

    /// Builds it, offers what comes out, and tells how it went. Answers whether to go on.
    fn rebuild(&mut self, running: &Running, dev: &Dev, saved: Option<SystemTime>, offer: Offer<'_>) -> bool {
        if let Err(why) = self.read(dev) {
            eprintln!("{why:#}");
            self.tell(dev, BuildState::Failed, format!("{why:#}"), None);
            return true;
        }
        eprintln!("{}: building {}", self.called, self.place.display());
        self.tell(dev, BuildState::Building, String::new(), None);
        let outcome = match self.compile(running, saved.is_some()) {
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

    /// Runs what makes the component. A build that failed has read files as well, which are looked at from now on.
    fn compile(&mut self, running: &Running, beside_a_server: bool) -> Compiled {
        let Some(project) = &self.project else { return Compiled::Failed("there is no project".to_owned()) };
        // What counts is said when it is served; the compiler's errors and warnings are shown all the same.
        let talk = Talk { colours: std::io::stderr().is_terminal(), quiet: beside_a_server };
        let mut steps = project.steps(talk);
        let outcome = loop {
            match steps.next() {
                Ok(None) => break Compiled::Done,
                Ok(Some(step)) => {
                    if let Some(says) = step.says {
                        eprintln!("{}: {says}", self.called);
                    }
                    match running.run(step.command, beside_a_server) {
                        Compiled::Done => {}
                        failed => break failed,
                    }
                }
                Err(why) => {
                    eprintln!("{}: {why:#}", self.called);
                    break Compiled::Failed(format!("{why:#}"));
                }
            }
        };
        self.sources.take_in(project);
        outcome
    }

    fn offer(&mut self, offer: Offer<'_>) -> Result<bool, String> {
        let project = self.project.as_ref().ok_or("there is no project")?;
        let component = project.component().map_err(|why| format!("{why:#}"))?;
        offer(project, component)
    }

    fn tell(&self, dev: &Dev, state: BuildState, words: String, seconds: Option<f64>) {
        dev.tell(Build { project: self.called.clone(), state, words, seconds });
    }

    /// Makes known what the project is: asked anew where a manifest says something else than before.
    fn read(&mut self, dev: &Dev) -> anyhow::Result<()> {
        let hashes = |sources: &Sources, project: &Project| -> Vec<_> {
            project.manifests().iter().map(|manifest| sources.hash(manifest)).collect()
        };
        let is_as_before = self.project.as_ref().is_some_and(|known| hashes(&self.sources, known) == self.manifests);
        if !is_as_before {
            let project = Project::read(&self.place)?;
            if self.called != project.name.as_str() {
                dev.forget(&self.called);
                self.called = project.name.to_string();
            }
            if self.place.is_dir() {
                dev.set_pages(project.name.clone(), self.place.join("public"));
            }
            dev.set_config(project.name.clone(), project.dev_config.clone());
            // Its packages are known now, and what lies in them is part of what is built.
            self.sources.look(&self.place, Some(&project));
            self.manifests = hashes(&self.sources, &project);
            self.project = Some(project);
        }
        Ok(())
    }
}
