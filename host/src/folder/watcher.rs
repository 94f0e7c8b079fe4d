//! What of the plugin folder is new: each look at it is compared with what is known, and says which files are whole and
//! not dealt with, and which are gone. No event is needed for that, only a reason to look.

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

/// A file that is written without end is tried all the same after this: it may be replaced as a whole, again and again.
const UNSETTLED_MAX: Duration = Duration::from_secs(2);
/// How long a file must be missing before it is gone: editors put files aside, and copies delete what they replace.
const GONE_AFTER: Duration = Duration::from_millis(500);
/// How long what is wrong with a file is not told: it may be a part of one, whose copying stands still.
const TOLD_AFTER: Duration = Duration::from_secs(1);
/// How long until what was refused for want of time or memory is tried again.
const BUSY_WAIT: Duration = Duration::from_secs(10);

/// What tells one state of a file from another without reading it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileStamp {
    /// Where the links lead.
    target: PathBuf,
    device: u64,
    number: u64,
    bytes: u64,
    modified: (i64, i64),
    /// A time of modification can be set; this one cannot.
    changed: (i64, i64),
}

impl FileStamp {
    /// The state of a file as it is now.
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

/// One look at the folder.
#[derive(Debug, Default)]
pub struct FolderSnapshot {
    files: BTreeMap<PluginKey, (PathBuf, FileStamp)>,
    /// What was passed over: the path, and why.
    skipped: Vec<(PathBuf, String)>,
    /// Whose files could not be looked at.
    unread: Vec<TenantName>,
    /// Plugins whose files could not be looked at.
    unread_files: BTreeSet<PluginKey>,
    /// The folders in which something must change before another look finds anything else.
    pub folders: BTreeSet<PathBuf>,
}

impl FolderSnapshot {
    pub fn at(folder: &Path) -> anyhow::Result<Self> {
        let found = scan::scan(folder)?;
        let mut look = Self { skipped: found.skipped, unread: found.unread, ..Self::default() };
        for folder in &found.folders {
            // One that is gone meanwhile has to be missed by whoever watches.
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

    /// Links are changed where they stand, and what they lead to where that is.
    fn follow_link(&mut self, path: &Path) {
        if path.is_symlink() {
            self.folders.extend(folders_of(path));
        }
    }

    fn is_unread(&self, key: &PluginKey) -> bool {
        self.unread.contains(&key.tenant) || self.unread_files.contains(key)
    }
}

/// A file to be dealt with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadyFile {
    pub key: PluginKey,
    pub file: PathBuf,
    pub stamp: FileStamp,
    /// The version that these bytes must not be, since it was refused already.
    pub refused: Option<String>,
}

/// Why a file is not served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotServed {
    pub version: Option<String>,
    pub why: String,
    pub until: RetryWhen,
}

/// When what was refused is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryWhen {
    /// When it is another file.
    Changed,
    /// When a place or a path is free.
    Freed,
    /// After a while.
    Later,
}

/// What became of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileOutcome {
    /// It is served, or was already.
    Served,
    NotServed(NotServed),
    /// It is what was refused before.
    RefusedBefore,
    /// It changed while it was read.
    Unsettled,
}

/// What is to be done.
#[derive(Debug, Default)]
pub struct FolderChanges {
    pub ready: Vec<ReadyFile>,
    /// Whose files are gone.
    pub gone: Vec<(PluginKey, PathBuf)>,
    /// What is wrong with files, each told once.
    pub told: Vec<(PluginKey, PathBuf, NotServed)>,
    /// The same of what is no plugin's file.
    pub skipped: Vec<(PathBuf, String)>,
    /// When to look again though nothing is heard.
    pub again: Option<Duration>,
}

impl FolderChanges {
    fn again_in(&mut self, wait: Duration) {
        self.again = Some(self.again.map_or(wait, |again| again.min(wait)));
    }
}

/// What is known of a plugin's file.
#[derive(Debug)]
struct WatchedFile {
    file: PathBuf,
    stamp: FileStamp,
    /// Since when it is so.
    since: Instant,
    /// Since when it changes at every look.
    unsettled: Option<Instant>,
    missing: Option<Instant>,
    /// It is being dealt with.
    is_taken: bool,
    /// The state that was dealt with.
    done: Option<FileStamp>,
    refusal: Option<FileRefusal>,
}

#[derive(Debug)]
struct FileRefusal {
    not_served: NotServed,
    is_told: bool,
    at: Instant,
    /// [`Watcher::compare`]'s `freed` of that time.
    freed: u64,
}

/// All that is known of the folder.
#[derive(Debug)]
pub struct Watcher {
    known: BTreeMap<PluginKey, WatchedFile>,
    told_skipped: BTreeMap<PathBuf, String>,
    /// For how long a file must stay the same to be whole.
    settle: Duration,
    freed: u64,
}

impl Watcher {
    pub fn new(settle: Duration) -> Self {
        Self { known: BTreeMap::new(), told_skipped: BTreeMap::new(), settle, freed: 0 }
    }

    /// What a look says beside what is known. `freed` changes when a place or a path became free.
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

    /// The same at start, when nothing is known: every file is taken for whole.
    pub fn first(&mut self, look: FolderSnapshot, freed: u64, now: Instant) -> FolderChanges {
        let settle = std::mem::take(&mut self.settle);
        let round = self.compare(look, freed, now);
        self.settle = settle;
        round
    }

    /// A file of `ready` was dealt with.
    pub fn done(&mut self, ready: ReadyFile, outcome: FileOutcome, now: Instant) {
        let Some(known) = self.known.get_mut(&ready.key) else { return };
        known.is_taken = false;
        match outcome {
            FileOutcome::Unsettled => return,
            FileOutcome::Served => known.refusal = None,
            FileOutcome::RefusedBefore => {}
            FileOutcome::NotServed(not_served) => {
                // What is refused once more for the same reason was told already.
                let is_told = known.refusal.as_ref().is_some_and(|old| old.is_told && old.not_served == not_served);
                known.refusal = Some(FileRefusal { not_served, is_told, at: now, freed: self.freed });
            }
        }
        known.done = Some(ready.stamp);
    }

    /// What is wrong with a file and was not told yet: it is told now.
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
        (self.is_taken, self.unsettled) = (true, Some(now));
        let refusal = self.refusal.as_ref().filter(|refusal| refusal.not_served.until == RetryWhen::Changed);
        round.ready.push(ReadyFile {
            key: key.clone(),
            file: self.file.clone(),
            stamp: self.stamp.clone(),
            refused: refusal.and_then(|refusal| refusal.not_served.version.clone()),
        });
    }

    /// Tells what is wrong with the file once that is certain; before, says how long that may take.
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
