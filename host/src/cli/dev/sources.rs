//! What a project is made of, and what of it changed. A change is one of content: a file that is only touched, and what
//! cargo itself writes, are none.

use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::cli::project::Project;

/// More files than this nobody edits: a folder `src` that holds them is something else.
const FILES_MAX: usize = 10_000;
/// What is not a source in the folder of a package, and is not looked at.
const PARTS: [&str; 3] = ["Cargo.toml", "build.rs", "src"];

/// A file as it was when it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
struct File {
    modified: SystemTime,
    len: u64,
    hash: blake3::Hash,
}

/// The sources of a project, as they were at the last look.
#[derive(Debug, Default)]
pub struct Sources(BTreeMap<PathBuf, File>);

impl Sources {
    /// Looks again. Answers when the newest of the files that changed was saved; none where nothing changed. A file that went
    /// counts as saved now.
    pub fn look(&mut self, folder: &Path, project: Option<&Project>) -> Option<SystemTime> {
        let mut found = BTreeMap::new();
        let mut newest: Option<SystemTime> = None;
        for path in files(folder, project) {
            let Ok(metadata) = fs::metadata(&path) else { continue };
            let old = self.0.remove(&path);
            let Some(file) = read(&path, &metadata, old.as_ref()) else { continue };
            if old.is_none_or(|old| old.hash != file.hash) {
                newest = newest.max(Some(file.modified));
            }
            found.insert(path, file);
        }
        if !self.0.is_empty() {
            newest = Some(SystemTime::now());
        }
        self.0 = found;
        newest
    }

    /// Knows from now on what the build read beyond that, from wherever its code includes it. That it is known now is no
    /// change.
    pub fn take_in(&mut self, project: &Project) {
        for path in included(project) {
            if !self.0.contains_key(&path)
                && let Some(file) = fs::metadata(&path).ok().and_then(|metadata| read(&path, &metadata, None))
            {
                self.0.insert(path, file);
            }
        }
    }

    /// The content of a file at the last look.
    pub fn hash(&self, path: &Path) -> Option<blake3::Hash> {
        self.0.get(path).map(|file| file.hash)
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

/// The files that make a difference to a project's component.
fn files(folder: &Path, project: Option<&Project>) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let Some(project) = project else {
        add_package(folder, &mut files);
        return files;
    };
    project.packages.iter().for_each(|package| add_package(package, &mut files));
    files.push(project.workspace.join("Cargo.toml"));
    files.extend(included(project));
    files.sort();
    files.dedup();
    files.truncate(FILES_MAX);
    files
}

/// What the last build read. What a build script made lies in the target folder, and is nobody's text.
fn included(project: &Project) -> impl Iterator<Item = PathBuf> {
    let target = project.target().to_owned();
    project.read_by_the_build().into_iter().filter(move |file| !file.starts_with(&target))
}

fn add_package(package: &Path, files: &mut Vec<PathBuf>) {
    PARTS.iter().for_each(|part| add(&package.join(part), files));
}

/// Adds a file, or all files below a folder. Links to folders are not followed: they may lead in a circle.
fn add(path: &Path, files: &mut Vec<PathBuf>) {
    if path.is_file() {
        return files.push(path.to_owned());
    }
    if path.is_symlink() || files.len() >= FILES_MAX {
        return;
    }
    for entry in fs::read_dir(path).into_iter().flatten().flatten() {
        if is_source(&entry.file_name().to_string_lossy()) {
            add(&entry.path(), files);
        }
    }
}

/// Whether an author would know the file: what editors leave beside it begins with a dot or a `#`, or ends in `~`.
fn is_source(name: &str) -> bool {
    !name.starts_with(['.', '#']) && !name.ends_with('~') && !name.ends_with(".tmp")
}
