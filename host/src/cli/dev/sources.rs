//! What a project is made of, and what of it changed. A change is one of content: a file that is only touched, and what
//! the tools themselves write, are none.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::cli::project::{self, Project};

/// More files than this nobody edits: a folder `src` that holds them is something else.
const FILES_MAX: usize = 10_000;

/// A file as it was when it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
struct File {
    modified: SystemTime,
    len: u64,
    hash: blake3::Hash,
}

/// The sources of a project, as they were at the last look.
#[derive(Debug, Default)]
pub struct Sources {
    files: BTreeMap<PathBuf, File>,
    /// Where they lie, and where others may come.
    folders: BTreeSet<PathBuf>,
}

/// What is there to look at.
#[derive(Default)]
struct Found {
    files: BTreeSet<PathBuf>,
    folders: BTreeSet<PathBuf>,
}

impl Sources {
    /// Looks again. Answers when the newest of the files that changed was saved; none where nothing changed. A file that
    /// went counts as saved now.
    pub fn look(&mut self, place: &Path, project: Option<&Project>) -> Option<SystemTime> {
        let mut found = BTreeMap::new();
        let mut newest: Option<SystemTime> = None;
        let Found { files, folders } = find(place, project);
        for path in files {
            let Ok(metadata) = fs::metadata(&path) else { continue };
            let old = self.files.remove(&path);
            let Some(file) = read(&path, &metadata, old.as_ref()) else { continue };
            if old.is_none_or(|old| old.hash != file.hash) {
                newest = newest.max(Some(file.modified));
            }
            found.insert(path, file);
        }
        // One that is there but is read no longer makes no difference.
        if self.files.keys().any(|left| !left.exists()) {
            newest = Some(SystemTime::now());
        }
        self.files = found;
        self.folders = folders;
        newest
    }

    /// Knows from now on what the build read beyond that, from wherever its code includes it. That it is known now is no
    /// change.
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

/// A file whose time and length are those of the last look has its content as well.
fn read(path: &Path, metadata: &Metadata, old: Option<&File>) -> Option<File> {
    let (modified, len) = (metadata.modified().ok()?, metadata.len());
    if let Some(old) = old.filter(|old| (old.modified, old.len) == (modified, len)) {
        return Some(old.clone());
    }
    let hash = blake3::hash(&fs::read(path).ok()?);
    Some(File { modified, len, hash })
}

/// Finds the files that make a difference to a project's component.
fn find(place: &Path, project: Option<&Project>) -> Found {
    let mut found = Found::default();
    let parts = project.map_or_else(|| project::parts_of(place), Project::parts);
    for part in parts {
        // What is missing may come.
        found.folders.extend(part.parent().filter(|folder| folder.is_dir()).map(Path::to_owned));
        found.add(&part);
    }
    found.files.extend(project.map(Project::read_by_the_build).unwrap_or_default());
    found
}

impl Found {
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

/// Whether an author would know the file: what editors leave beside it begins with a dot or a `#`, or ends in `~`.
fn is_source(name: &str) -> bool {
    !name.starts_with(['.', '#']) && !name.ends_with('~') && !name.ends_with(".tmp")
}
