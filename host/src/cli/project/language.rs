//! What a language knows of its projects. `project/mod.rs` has one line for each.

use std::fmt::Debug;
use std::path::{Path, PathBuf};

use super::step::{BuildStep, BuildVoice, Described};

/// A project that was read: what its manifest says, and what its language knows of it.
pub type ReadProject = (Described, Box<dyn LanguageProject>);

/// A language that plugins are written in.
pub struct ProjectLanguage {
    /// The file that describes a project.
    pub manifest: &'static str,
    /// What may be part of a project that was not read yet: files and folders in its own.
    pub parts: &'static [&'static str],
    /// The extensions of files that are a plugin by themselves.
    pub scripts: &'static [&'static str],
    /// Whether a folder with the manifest is a project of this language.
    pub finds: fn(&Path) -> Finding,
    /// Reads what a project is, which lies in a folder or is a file.
    pub read: fn(&Path) -> anyhow::Result<ReadProject>,
}

/// What a language says of a folder with its manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finding {
    Plugin,
    /// It describes something else, for the reason that is given.
    Other(&'static str),
    /// It is another language's.
    NotMine,
}

/// A project, as its language knows it.
pub trait LanguageProject: Debug + Send {
    /// The files that say what the project is.
    fn manifests(&self) -> Vec<PathBuf>;
    /// What it is made of, as far as its manifests tell: files, and folders with all that is in them.
    fn parts(&self) -> Vec<PathBuf>;
    /// The files that the last build read, without what tools made.
    fn read_by_the_build(&self) -> Vec<PathBuf>;
    /// The steps that build it, and those that install what they need.
    fn steps(&self, voice: BuildVoice) -> Box<dyn BuildSteps>;
    /// The component, once the steps are done.
    fn component(&self) -> anyhow::Result<Vec<u8>>;
}

/// The programs to run, one after the other. The next is asked for when the one before has succeeded.
pub trait BuildSteps: Debug {
    /// The next program; none once all have run. An error says why it cannot be built.
    fn next(&mut self) -> anyhow::Result<Option<BuildStep>>;
}
