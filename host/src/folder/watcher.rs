//! Finds out what is new in the plugin folder. It compares each snapshot of the folder with what it knows, and says
//! which files are complete and not handled yet, and which are gone. It needs no events, only a reason to look.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use super::snapshot::{FileStamp, FolderSnapshot};
use crate::clock::Instant;
use crate::model::names::PluginKey;

/// A file that changes at every look is loaded all the same after this: somebody may replace it again and again.
const UNSETTLED_MAX: Duration = Duration::from_secs(2);
/// How long a file must be missing before it counts as deleted: editors move files aside, and copies delete what they
/// replace.
const GONE_AFTER: Duration = Duration::from_millis(500);
/// How long a bad file must stay the same before the log reports it: it may be a file that is still being copied.
const TOLD_AFTER: Duration = Duration::from_secs(1);
/// How long to wait before trying again a file that was refused for lack of time or memory.
const BUSY_WAIT: Duration = Duration::from_secs(10);

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
    /// After a while as well: the machine lacks what somebody may install.
    Installed,
}

impl RetryWhen {
    /// Whether nothing in the folder has to change for that.
    fn is_by_itself(self) -> bool {
        matches!(self, Self::Later | Self::Installed)
    }
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
    /// Plugins that serve on although their files are gone together with what held them.
    pub missing: usize,
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
    /// The plugin folder in which the file was last seen.
    root: Option<(u64, u64)>,
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
    skipped: BTreeMap<PathBuf, SkippedPath>,
    /// How long a file must stay the same to count as complete.
    settle: Duration,
    /// How long a file may be missing that went with what held it.
    grace: Duration,
    freed: u64,
}

/// A path that is no plugin's.
#[derive(Debug)]
struct SkippedPath {
    why: String,
    since: Instant,
    is_told: bool,
}

impl Watcher {
    pub fn new(settle: Duration, grace: Duration) -> Self {
        Self { known: BTreeMap::new(), skipped: BTreeMap::new(), settle, grace, freed: 0 }
    }

    /// Compares a snapshot with what is known. `freed` changes whenever a path, or a place among a tenant's plugins,
    /// becomes free.
    pub fn compare(&mut self, look: FolderSnapshot, freed: u64, now: Instant) -> FolderChanges {
        let mut round = FolderChanges::default();
        self.freed = freed;
        // At the first look everything counts as whole.
        let told_after = if self.settle.is_zero() { Duration::ZERO } else { TOLD_AFTER };
        self.skip(&look, told_after, now, &mut round);
        for (key, known) in &mut self.known {
            if look.files.contains_key(key) || look.is_unread(key) || known.is_taken {
                continue;
            }
            let missing = now - *known.missing.get_or_insert(now);
            let is_lost = look.is_lost(&known.file, &known.stamp, known.root);
            let patience = GONE_AFTER.max(self.settle).max(if is_lost { self.grace } else { Duration::ZERO });
            match patience.checked_sub(missing).filter(|left| !left.is_zero()) {
                Some(left) => {
                    round.missing += usize::from(is_lost && missing >= GONE_AFTER);
                    round.again_in(if is_lost && missing < GONE_AFTER { GONE_AFTER - missing } else { left });
                }
                None => round.gone.push((key.clone(), known.file.clone())),
            }
        }
        round.gone.iter().for_each(|(key, _)| drop(self.known.remove(key)));
        for (key, (file, stamp)) in look.files {
            let known =
                self.known.entry(key.clone()).or_insert_with(|| WatchedFile::new(file.clone(), stamp.clone(), now));
            known.root = look.root;
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

    /// Notes what was passed over. It is told once it has been so for a while: a link leads nowhere for the moment in which
    /// it is swapped.
    fn skip(&mut self, look: &FolderSnapshot, told_after: Duration, now: Instant, round: &mut FolderChanges) {
        let mut before = std::mem::take(&mut self.skipped);
        for (path, why) in &look.skipped {
            let known = before.remove(path).filter(|known| known.why == *why);
            let mut skipped = known.unwrap_or_else(|| SkippedPath { why: why.clone(), since: now, is_told: false });
            match told_after.checked_sub(now - skipped.since).filter(|left| !left.is_zero()) {
                _ if skipped.is_told => {}
                Some(left) => round.again_in(left),
                None => {
                    skipped.is_told = true;
                    round.skipped.push((path.clone(), why.clone()));
                }
            }
            self.skipped.insert(path.clone(), skipped);
        }
    }
}

impl WatchedFile {
    fn new(file: PathBuf, stamp: FileStamp, now: Instant) -> Self {
        Self {
            file,
            stamp,
            root: None,
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
        let later = refusal.not_served.until.is_by_itself().then(|| BUSY_WAIT.saturating_sub(now - refusal.at));
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
            RetryWhen::Later | RetryWhen::Installed => now - refusal.at >= BUSY_WAIT,
        })
    }
}

#[cfg(test)]
mod tests;
