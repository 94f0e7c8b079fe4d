//! Finds out what is new in the plugin folder. It compares each snapshot of the folder with what it knows, and says
//! which files are complete and not handled yet, and which are gone. It needs no events, only a reason to look.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::Metadata;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::scan::{self, PluginFile};
use crate::clock::Instant;
use crate::folder::watch::folders_of;
use crate::model::names::{PluginKey, TenantName};

/// A file that changes at every look is loaded all the same after this: somebody may replace it again and again.
const UNSETTLED_MAX: Duration = Duration::from_secs(2);
/// How long a file must be missing before it counts as deleted: editors move files aside, and copies delete what they
/// replace.
const GONE_AFTER: Duration = Duration::from_millis(500);
/// How long a bad file must stay the same before the log reports it: it may be a file that is still being copied.
const TOLD_AFTER: Duration = Duration::from_secs(1);
/// How long to wait before trying again a file that was refused for lack of time or memory.
const BUSY_WAIT: Duration = Duration::from_secs(10);

/// The state of a file by its metadata. It tells whether the file changed without reading it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileStamp {
    /// The path with all links resolved.
    target: PathBuf,
    device: u64,
    number: u64,
    bytes: u64,
    modified: (i64, i64),
    /// The time of change, which, unlike the time of modification, nobody can set.
    changed: (i64, i64),
}

impl FileStamp {
    /// Reads the current state of a file.
    pub fn of(file: &Path) -> std::io::Result<Self> {
        Ok(Self::new(file.canonicalize()?, &file.metadata()?))
    }

    fn new(target: PathBuf, found: &Metadata) -> Self {
        Self {
            target,
            device: found.dev(),
            number: found.ino(),
            bytes: found.size(),
            modified: (found.mtime(), found.mtime_nsec()),
            changed: (found.ctime(), found.ctime_nsec()),
        }
    }
}

/// The plugin folder as one look found it.
#[derive(Debug, Default)]
pub struct FolderSnapshot {
    files: BTreeMap<PluginKey, (PathBuf, FileStamp)>,
    /// What was passed over: the path, and why.
    skipped: Vec<(PathBuf, String)>,
    /// Tenants whose folders could not be read.
    unread: Vec<TenantName>,
    /// Plugins whose files could not be read.
    unread_files: BTreeSet<PluginKey>,
    /// The folders to watch: another look finds the same until something changes in one of them.
    pub folders: BTreeSet<PathBuf>,
}

impl FolderSnapshot {
    pub fn at(folder: &Path) -> anyhow::Result<Self> {
        let found = scan::scan(folder)?;
        let mut look = Self { skipped: found.skipped, unread: found.unread, ..Self::default() };
        for folder in &found.folders {
            // Keep a folder that is gone meanwhile, so that the watch notices.
            look.folders.extend(folder.canonicalize().or_else(|_| std::path::absolute(folder)));
            look.follow_link(folder);
        }
        for PluginFile { key, file } in found.files {
            look.follow_link(&file);
            match file.metadata().and_then(|found| Ok((found, FileStamp::of(&file)?))) {
                Ok((found, stamp)) if found.is_file() => {
                    look.files.insert(key, (file, stamp));
                }
                Ok(_) => look.skipped.push((file, "is no regular file".to_owned())),
                Err(why) if why.kind() == ErrorKind::NotFound => {}
                Err(why) => {
                    look.skipped.push((file, format!("cannot be read: {why}")));
                    look.unread_files.insert(key);
                }
            }
        }
        Ok(look)
    }

    /// Adds the folders that decide where a link leads.
    fn follow_link(&mut self, path: &Path) {
        if path.is_symlink() {
            self.folders.extend(folders_of(path));
        }
    }

    fn is_unread(&self, key: &PluginKey) -> bool {
        self.unread.contains(&key.tenant) || self.unread_files.contains(key)
    }
}

/// A complete file that is to be loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadyFile {
    pub key: PluginKey,
    pub file: PathBuf,
    pub stamp: FileStamp,
    /// The version that was refused before: if the file still holds it, nothing is to be done.
    pub refused: Option<String>,
}

/// Why a file is not served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotServed {
    pub version: Option<String>,
    pub why: String,
    pub until: RetryWhen,
}

/// When a refused file is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryWhen {
    /// When the file changes.
    Changed,
    /// When a path, or a place among the tenant's plugins, becomes free.
    Freed,
    /// After a while.
    Later,
}

/// The result of loading a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileOutcome {
    /// The file's version serves, now or already before.
    Served,
    NotServed(NotServed),
    /// The file holds the version that was refused before.
    RefusedBefore,
    /// The file changed while it was read.
    Unsettled,
}

/// What to do after a look.
#[derive(Debug, Default)]
pub struct FolderChanges {
    pub ready: Vec<ReadyFile>,
    /// Plugins whose files are gone.
    pub gone: Vec<(PluginKey, PathBuf)>,
    /// Problems of plugins' files to log. Each comes once.
    pub told: Vec<(PluginKey, PathBuf, NotServed)>,
    /// Problems of other files and folders to log. Each comes once.
    pub skipped: Vec<(PathBuf, String)>,
    /// How soon to look again, even if nothing seems to change.
    pub again: Option<Duration>,
}

impl FolderChanges {
    fn again_in(&mut self, wait: Duration) {
        self.again = Some(self.again.map_or(wait, |again| again.min(wait)));
    }
}

/// What the watcher knows of a plugin's file.
#[derive(Debug)]
struct WatchedFile {
    file: PathBuf,
    stamp: FileStamp,
    /// Since when the file has this stamp.
    since: Instant,
    /// Since when the file has changed at every look.
    unsettled: Option<Instant>,
    missing: Option<Instant>,
    /// Whether the file is being loaded.
    is_taken: bool,
    /// The state of the file that was loaded last.
    done: Option<FileStamp>,
    refusal: Option<FileRefusal>,
}

#[derive(Debug)]
struct FileRefusal {
    not_served: NotServed,
    is_told: bool,
    at: Instant,
    /// The `freed` of [`Watcher::compare`] when the file was refused.
    freed: u64,
}

/// What is known of the plugin folder.
#[derive(Debug)]
pub struct Watcher {
    known: BTreeMap<PluginKey, WatchedFile>,
    told_skipped: BTreeMap<PathBuf, String>,
    /// How long a file must stay the same to count as complete.
    settle: Duration,
    freed: u64,
}

impl Watcher {
    pub fn new(settle: Duration) -> Self {
        Self { known: BTreeMap::new(), told_skipped: BTreeMap::new(), settle, freed: 0 }
    }

    /// Compares a snapshot with what is known. `freed` changes whenever a path, or a place among a tenant's plugins,
    /// becomes free.
    pub fn compare(&mut self, look: FolderSnapshot, freed: u64, now: Instant) -> FolderChanges {
        let mut round = FolderChanges::default();
        self.freed = freed;
        self.skip(&look, &mut round);
        for (key, known) in &mut self.known {
            if look.files.contains_key(key) || look.is_unread(key) || known.is_taken {
                continue;
            }
            let missing = now - *known.missing.get_or_insert(now);
            match GONE_AFTER.max(self.settle).checked_sub(missing).filter(|left| !left.is_zero()) {
                Some(left) => round.again_in(left),
                None => round.gone.push((key.clone(), known.file.clone())),
            }
        }
        round.gone.iter().for_each(|(key, _)| drop(self.known.remove(key)));
        for (key, (file, stamp)) in look.files {
            let known =
                self.known.entry(key.clone()).or_insert_with(|| WatchedFile::new(file.clone(), stamp.clone(), now));
            known.see(file, stamp, now);
            known.judge(&key, self.settle, freed, now, &mut round);
        }
        round
    }

    /// Compares the first snapshot after a start. Every file counts as complete at once.
    pub fn first(&mut self, look: FolderSnapshot, freed: u64, now: Instant) -> FolderChanges {
        let settle = std::mem::take(&mut self.settle);
        let round = self.compare(look, freed, now);
        self.settle = settle;
        round
    }

    /// Notes the result of loading a file of `ready`.
    pub fn done(&mut self, ready: ReadyFile, outcome: FileOutcome, now: Instant) {
        let Some(known) = self.known.get_mut(&ready.key) else { return };
        known.is_taken = false;
        match outcome {
            FileOutcome::Unsettled => return,
            FileOutcome::Served => known.refusal = None,
            FileOutcome::RefusedBefore => {}
            FileOutcome::NotServed(not_served) => {
                // A file that is refused again for the same reason was logged already.
                let is_told = known.refusal.as_ref().is_some_and(|old| old.is_told && old.not_served == not_served);
                known.refusal = Some(FileRefusal { not_served, is_told, at: now, freed: self.freed });
            }
        }
        known.done = Some(ready.stamp);
    }

    /// Returns the problem of a file, if it was not logged yet. The caller logs it.
    pub fn tell(&mut self, key: &PluginKey) -> Option<NotServed> {
        let refusal = self.known.get_mut(key)?.refusal.as_mut().filter(|refusal| !refusal.is_told)?;
        refusal.is_told = true;
        Some(refusal.not_served.clone())
    }

    fn skip(&mut self, look: &FolderSnapshot, round: &mut FolderChanges) {
        let is_new = |(path, why): &&(PathBuf, String)| self.told_skipped.get(path) != Some(why);
        round.skipped.extend(look.skipped.iter().filter(is_new).cloned());
        self.told_skipped = look.skipped.iter().cloned().collect();
    }
}

impl WatchedFile {
    fn new(file: PathBuf, stamp: FileStamp, now: Instant) -> Self {
        Self {
            file,
            stamp,
            since: now,
            unsettled: Some(now),
            missing: None,
            is_taken: false,
            done: None,
            refusal: None,
        }
    }

    fn see(&mut self, file: PathBuf, stamp: FileStamp, now: Instant) {
        self.missing = None;
        self.file = file;
        if self.stamp != stamp {
            self.stamp = stamp;
            self.since = now;
            self.unsettled.get_or_insert(now);
        }
    }

    fn judge(&mut self, key: &PluginKey, settle: Duration, freed: u64, now: Instant, round: &mut FolderChanges) {
        let settled = now - self.since;
        if self.is_taken {
            return;
        }
        if self.done.as_ref() == Some(&self.stamp) {
            self.unsettled = None;
            if let Some(wait) = self.tell_or_wait(key, settled, now, round) {
                round.again_in(wait);
            }
            if !self.may_be_tried_again(freed, now) {
                return;
            }
        } else if settled < settle && self.unsettled.is_some_and(|since| now - since < UNSETTLED_MAX) {
            return round.again_in(settle);
        }
        self.is_taken = true;
        self.unsettled = Some(now);
        let refusal = self.refusal.as_ref().filter(|refusal| refusal.not_served.until == RetryWhen::Changed);
        round.ready.push(ReadyFile {
            key: key.clone(),
            file: self.file.clone(),
            stamp: self.stamp.clone(),
            refused: refusal.and_then(|refusal| refusal.not_served.version.clone()),
        });
    }

    /// Reports the file's problem once the file has stayed the same for long enough. Returns when to look again.
    fn tell_or_wait(
        &mut self,
        key: &PluginKey,
        settled: Duration,
        now: Instant,
        round: &mut FolderChanges,
    ) -> Option<Duration> {
        let refusal = self.refusal.as_mut()?;
        let later = (refusal.not_served.until == RetryWhen::Later).then(|| BUSY_WAIT.saturating_sub(now - refusal.at));
        if refusal.is_told {
            return later;
        }
        let left = TOLD_AFTER.saturating_sub(settled);
        if !left.is_zero() {
            return Some(left);
        }
        refusal.is_told = true;
        round.told.push((key.clone(), self.file.clone(), refusal.not_served.clone()));
        later
    }

    fn may_be_tried_again(&self, freed: u64, now: Instant) -> bool {
        self.refusal.as_ref().is_some_and(|refusal| match refusal.not_served.until {
            RetryWhen::Changed => false,
            RetryWhen::Freed => refusal.freed != freed,
            RetryWhen::Later => now - refusal.at >= BUSY_WAIT,
        })
    }
}

#[cfg(test)]
mod tests;
