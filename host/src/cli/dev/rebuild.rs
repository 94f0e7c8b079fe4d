//! Builds the projects that changed, one after the other, and tells how each build went.

use std::collections::BTreeSet;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use super::compile::{BuildOutcome, BuildProcess};
use super::sources::ProjectSources;
use crate::cli::project::{self, BuildTurn, BuildVoice, FoundProjects, Project};
use crate::logs::STDERR;
use crate::server::dev::{BuildReport, BuildState, DevProjects};

/// How many folders are watched in which a project may appear.
const FOLDERS_MAX: usize = 1_000;

/// A project as it was last built, whether that went well or not.
struct KnownProject {
    /// Its folder, or the one file that it is.
    place: PathBuf,
    /// Its name for the user: the plugin's, or the folder's until the plugin's is known.
    called: String,
    project: Option<Project>,
    /// The content of the manifests that said so.
    manifests: Vec<Option<blake3::Hash>>,
    sources: ProjectSources,
}

/// All projects below a folder, or one.
pub struct DevBuilds {
    place: PathBuf,
    dev: Arc<DevProjects>,
    running: BuildProcess,
    known: Vec<KnownProject>,
    /// Folders without a plugin, of which the user was told.
    skipped: BTreeSet<(PathBuf, &'static str)>,
}

/// Takes a component that was built: answers whether it differs from the one before, or why it is not served.
pub type Offer<'a> = &'a mut dyn FnMut(&Project, Vec<u8>) -> Result<bool, String>;

/// Tells the developer how it goes.
fn say(text: &str) {
    STDERR.line(text);
}

impl DevBuilds {
    pub fn new(place: &Path, dev: Arc<DevProjects>) -> Self {
        let (place, running) = (place.to_owned(), BuildProcess::default());
        Self { place, dev, running, known: Vec::new(), skipped: BTreeSet::new() }
    }

    /// The build that runs: it can be ended from another thread.
    pub fn running(&self) -> &BuildProcess {
        &self.running
    }

    /// Finds projects that appeared or are gone. It is an error where there is none at all.
    pub fn find(&mut self) -> anyhow::Result<()> {
        let found = project::find(&self.place)?;
        self.known.retain(|known| {
            let stays = found.places.contains(&known.place);
            if !stays {
                say(&format!(
                    "{}: its project is gone; the server goes on to serve what was built of it",
                    known.called
                ));
                self.dev.forget(&known.called);
            }
            stays
        });
        let nothing = found.places.is_empty().then(|| found.nothing(&self.place));
        let FoundProjects { places, skipped } = found;
        for (folder, why) in skipped.difference(&self.skipped) {
            say(&format!("{} is skipped: {why}", folder.display()));
        }
        self.skipped = skipped;
        for place in places {
            if self.known.iter().all(|known| known.place != place) {
                self.known.push(KnownProject::new(place));
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

    /// Builds what is new or has changed until nothing is left, with what changes meanwhile. `last_look` is when there was
    /// last nothing to build; none at the start. Answers whether to go on.
    pub fn build(&mut self, last_look: Option<SystemTime>, offer: Offer<'_>) -> bool {
        loop {
            let mut changed = false;
            for known in &mut self.known {
                let Some(saved) = known.sources.look(&known.place, known.project.as_ref()) else { continue };
                changed = true;
                // A file that was moved here keeps the older time at which it was written.
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

impl KnownProject {
    fn new(place: PathBuf) -> Self {
        let called = place.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        Self { place, called, project: None, manifests: Vec::new(), sources: ProjectSources::default() }
    }

    /// Builds it, offers what comes out, and tells how it went. Answers whether to go on.
    fn rebuild(
        &mut self,
        running: &BuildProcess,
        dev: &DevProjects,
        saved: Option<SystemTime>,
        offer: Offer<'_>,
    ) -> bool {
        if let Err(why) = self.read(dev) {
            say(&format!("{why:#}"));
            self.tell(dev, BuildState::Failed, format!("{why:#}"), None);
            return true;
        }
        say(&format!("{}: building {}", self.called, self.place.display()));
        self.tell(dev, BuildState::Building, String::new(), None);
        let turn = match self.take_turn() {
            Ok(turn) => turn,
            Err(words) => {
                say(&format!("{}: {words}", self.called));
                self.tell(dev, BuildState::Failed, words, None);
                return true;
            }
        };
        let outcome = match self.compile(running, saved.is_some()) {
            BuildOutcome::Ended => return false,
            BuildOutcome::Abandoned => {
                say(&format!("{}: saved again, so that this build is given up", self.called));
                return true;
            }
            BuildOutcome::Failed(words) => Err(words),
            BuildOutcome::Done => self.offer(offer).inspect_err(|words| say(&format!("{}: {words}", self.called))),
        };
        drop(turn);
        let seconds = saved.map(|saved| saved.elapsed().unwrap_or_default().as_secs_f64());
        // The overview knows it by the time that the terminal does.
        match &outcome {
            Ok(_) => self.tell(dev, BuildState::Served, String::new(), seconds),
            Err(words) => self.tell(dev, BuildState::Failed, words.clone(), seconds),
        }
        match (outcome, seconds) {
            (Ok(true), Some(seconds)) => say(&format!("{}: saved -> served in {seconds:.1} s", self.called)),
            (Ok(false), Some(seconds)) => {
                say(&format!("{}: built in {seconds:.1} s; the component is the same as before", self.called))
            }
            (Ok(_), None) => {}
            (Err(_), _) => {
                say(&format!("{}: the server goes on to serve what was built before, if anything was", self.called))
            }
        }
        true
    }

    fn take_turn(&self) -> Result<BuildTurn, String> {
        let project = self.project.as_ref().ok_or("there is no project")?;
        let waits = || say(&format!("{}: waiting for another build of it", self.called));
        project.take_turn(waits).map_err(|why| format!("{why:#}"))
    }

    /// Runs the programs that make the component. The files that they read are watched from now on, even if the build
    /// failed.
    fn compile(&mut self, running: &BuildProcess, beside_a_server: bool) -> BuildOutcome {
        let Some(project) = &self.project else { return BuildOutcome::Failed("there is no project".to_owned()) };
        // Beside a server the compiler says only what is wrong; that it built is told when the server serves it.
        let voice = BuildVoice { colours: std::io::stderr().is_terminal(), quiet: beside_a_server, dev: true };
        let mut steps = project.steps(voice);
        let outcome = loop {
            match steps.next() {
                Ok(None) => break BuildOutcome::Done,
                Ok(Some(step)) => {
                    // What installs something is not given up half way.
                    let gives_way = beside_a_server && step.says.is_none();
                    if let Some(says) = step.says {
                        say(&format!("{}: {says}", self.called));
                    }
                    let sources = &self.sources;
                    let outcome = match gives_way {
                        true => running.run_unless(step.command, || sources.has_changed()),
                        false => running.run(step.command, beside_a_server),
                    };
                    match outcome {
                        BuildOutcome::Done => {}
                        failed => break failed,
                    }
                }
                Err(why) => {
                    say(&format!("{}: {why:#}", self.called));
                    break BuildOutcome::Failed(format!("{why:#}"));
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

    fn tell(&self, dev: &DevProjects, state: BuildState, words: String, seconds: Option<f64>) {
        dev.tell(BuildReport { project: self.called.clone(), state, words, seconds });
    }

    /// Reads what the project is, again whenever a manifest has changed.
    fn read(&mut self, dev: &DevProjects) -> anyhow::Result<()> {
        let hashes = |sources: &ProjectSources, project: &Project| -> Vec<_> {
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
            // Now its packages are known, and their files are part of the build.
            self.sources.look(&self.place, Some(&project));
            self.manifests = hashes(&self.sources, &project);
            self.project = Some(project);
        }
        Ok(())
    }
}
