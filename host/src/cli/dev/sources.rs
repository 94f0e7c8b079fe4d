//! The files that a project is made of, and which of them changed. Only new content is a change: neither a file that was
//! merely touched, nor what the tools write themselves.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::cli::project::{self, Project};

/// A folder with more files than this holds something other than sources.
const FILES_MAX: usize = 10_000;

/// A file as it was when it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
struct SourceFile {
    modified: SystemTime,
    len: u64,
    hash: blake3::Hash,
}

/// The sources of a project, as they were at the last look.
#[derive(Debug, Default)]
pub struct ProjectSources {
    files: BTreeMap<PathBuf, SourceFile>,
    /// Where they lie, and where others may come.
    folders: BTreeSet<PathBuf>,
}

/// What a look at the file system found.
#[derive(Default)]
struct FoundSources {
    files: BTreeSet<PathBuf>,
    folders: BTreeSet<PathBuf>,
}

impl ProjectSources {
    /// Looks again. Answers when the newest of the changed files was saved; none where nothing changed. A file that is gone
    /// counts as saved now.
    pub fn look(&mut self, place: &Path, project: Option<&Project>) -> Option<SystemTime> {
        let mut found = BTreeMap::new();
        let mut newest: Option<SystemTime> = None;
        let FoundSources { files, folders } = find(place, project);
        for path in files {
            let Ok(metadata) = fs::metadata(&path) else { continue };
            let old = self.files.remove(&path);
            let Some(file) = read(&path, &metadata, old.as_ref()) else { continue };
            if old.is_none_or(|old| old.hash != file.hash) {
                newest = newest.max(Some(file.modified));
            }
            found.insert(path, file);
        }
        // A file that still exists but that the build no longer reads makes no difference.
        if self.files.keys().any(|left| !left.exists()) {
            newest = Some(SystemTime::now());
        }
        self.files = found;
        self.folders = folders;
        newest
    }

    /// Whether one of the files was saved with another content since the last look. One that is missing is not: editors put a
    /// file aside for a moment.
    pub fn has_changed(&self) -> bool {
        self.files.iter().any(|(path, old)| {
            let now = fs::metadata(path).ok().and_then(|metadata| read(path, &metadata, Some(old)));
            now.is_some_and(|now| now.hash != old.hash)
        })
    }

    /// Watches from now on the other files that the build read, wherever they are. That they are new here is no change.
    pub fn take_in(&mut self, project: &Project) {
        for path in project.read_by_the_build() {
            if !self.files.contains_key(&path)
                && let Some(file) = fs::metadata(&path).ok().and_then(|metadata| read(&path, &metadata, None))
            {
                self.files.insert(path, file);
            }
        }
    }

    /// The folders in which something may change.
    pub fn folders(&self) -> impl Iterator<Item = PathBuf> {
        let of_files = self.files.keys().filter_map(|file| file.parent()).map(Path::to_owned);
        self.folders.iter().cloned().chain(of_files)
    }

    /// The content of a file at the last look.
    pub fn hash(&self, path: &Path) -> Option<blake3::Hash> {
        self.files.get(path).map(|file| file.hash)
    }
}

/// Reads a file. One with the time and the length of the last look has the content of the last look.
fn read(path: &Path, metadata: &Metadata, old: Option<&SourceFile>) -> Option<SourceFile> {
    let (modified, len) = (metadata.modified().ok()?, metadata.len());
    if let Some(old) = old.filter(|old| (old.modified, old.len) == (modified, len)) {
        return Some(old.clone());
    }
    let hash = blake3::hash(&fs::read(path).ok()?);
    Some(SourceFile { modified, len, hash })
}

/// Finds the files that make a difference to a project's component.
fn find(place: &Path, project: Option<&Project>) -> FoundSources {
    let mut found = FoundSources::default();
    let parts = project.map_or_else(|| project::parts_of(place), Project::parts);
    for part in parts {
        // What is missing may come.
        found.folders.extend(part.parent().filter(|folder| folder.is_dir()).map(Path::to_owned));
        found.add(&part);
    }
    found.files.extend(project.map(Project::read_by_the_build).unwrap_or_default());
    found
}

impl FoundSources {
    /// Adds a file, or all files below a folder. Links to folders are not followed: they may lead in a circle.
    fn add(&mut self, path: &Path) {
        if self.files.len() >= FILES_MAX {
            return;
        }
        if path.is_file() {
            self.files.insert(path.to_owned());
        } else if path.is_dir() && !path.is_symlink() {
            self.folders.insert(path.to_owned());
            for entry in fs::read_dir(path).into_iter().flatten().flatten() {
                if is_source(&entry.file_name().to_string_lossy()) {
                    self.add(&entry.path());
                }
            }
        }
    }
}

/// Whether a file is an author's. Those that editors leave behind begin with a dot or a `#`, or end in `~`.
fn is_source(name: &str) -> bool {
    !name.starts_with(['.', '#']) && !name.ends_with('~') && !name.ends_with(".tmp")
}
