//! Watching folders: something may have changed, and it has been quiet since. What changed is for whoever asks to find out
//! by looking, so that nothing depends on which events came, in which order, or on whether all of them did.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use notify::event::{AccessKind, AccessMode};
use notify::{ErrorKind, Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use serde::Deserialize;
use tokio::sync::Notify;
use tokio::time::{sleep, sleep_until, timeout};

use crate::clock::Instant;

/// How long it must be quiet before a change is told: editors and copies write in several steps.
const QUIET: Duration = Duration::from_millis(50);
/// The longest wait for quiet: one file that is written without end holds up no other.
const WAIT_MAX: Duration = Duration::from_millis(500);
/// Even where no event came, somebody looks after this: what events miss, a link far up a path for one, is found then.
const LOOK_ANYWAY: Duration = Duration::from_secs(60);

/// How changes are noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WatchMode {
    /// The system says so.
    #[default]
    Events,
    /// By looking again and again: for network folders, where no events come.
    Poll,
    /// Not at all.
    Off,
}

/// Hears of changes in some folders.
pub struct Watch {
    hints: Arc<Notify>,
    /// None where it only looks.
    events: Option<SystemEvents>,
    poll: Duration,
}

struct SystemEvents {
    watcher: RecommendedWatcher,
    /// The folders that are watched, and which folder each was.
    followed: BTreeMap<PathBuf, (u64, u64)>,
}

impl Watch {
    /// Hears of events; where the system has none left to give, it says so once and looks every `poll`.
    pub fn events(poll: Duration) -> Self {
        let hints = Arc::new(Notify::new());
        let heard = Arc::clone(&hints);
        let watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            // An error is a reason to look as well.
            if event.map_or(true, |event| is_change(&event)) {
                heard.notify_one();
            }
        });
        let mut watch = Self { hints, events: None, poll };
        match watcher {
            Ok(watcher) => watch.events = Some(SystemEvents { watcher, followed: BTreeMap::new() }),
            Err(why) => watch.fall_back(&why),
        }
        watch
    }

    /// Looks every `poll`.
    pub fn poll(poll: Duration) -> Self {
        Self { hints: Arc::default(), events: None, poll }
    }

    /// Whether it only looks.
    pub fn polls(&self) -> bool {
        self.events.is_none()
    }

    /// Watches these folders, not what lies deeper, and no others. To be called after each look: a folder that was
    /// replaced is a new one. Says whether one of them was not watched before, or is gone: something may have changed
    /// since the look.
    pub fn follow(&mut self, folders: &BTreeSet<PathBuf>) -> bool {
        match self.events.as_mut().map(|events| events.follow(folders)) {
            None => false,
            Some(Ok(is_new)) => is_new,
            Some(Err(why)) => {
                self.fall_back(&why);
                false
            }
        }
    }

    /// Waits until something may have changed, and has been quiet since.
    pub async fn changed(&self) {
        if self.polls() {
            return sleep(self.poll).await;
        }
        if timeout(LOOK_ANYWAY, self.hints.notified()).await.is_err() {
            return;
        }
        let latest = Instant::now() + WAIT_MAX;
        loop {
            let quiet = (Instant::now() + QUIET).min(latest);
            tokio::select! {
                () = self.hints.notified() => {}
                () = sleep_until(quiet) => return,
            }
        }
    }

    fn fall_back(&mut self, why: &notify::Error) {
        let every = self.poll.as_millis();
        tracing::warn!(
            "changes are looked for every {every} ms (watch-poll-ms), since the system tells of none: {why}"
        );
        self.events = None;
    }
}

impl SystemEvents {
    /// An error means that there are no events to be had.
    fn follow(&mut self, folders: &BTreeSet<PathBuf>) -> notify::Result<bool> {
        let gone: Vec<PathBuf> = self.followed.keys().filter(|folder| !folders.contains(*folder)).cloned().collect();
        gone.iter().for_each(|folder| self.leave(folder));
        let mut is_new = false;
        for folder in folders {
            // One that is gone since the look may have gone before anything of it was watched.
            let Ok(found) = folder.metadata() else {
                is_new = true;
                continue;
            };
            let identity = (found.dev(), found.ino());
            let known = self.followed.get(folder).copied();
            if known.is_some_and(|known| known != identity) {
                self.leave(folder);
            }
            // Said again each time: a folder that was deleted and made anew may have the number of the old one.
            match self.watcher.watch(folder, RecursiveMode::NonRecursive) {
                Ok(()) => {
                    is_new |= known != Some(identity);
                    self.followed.insert(folder.clone(), identity);
                }
                Err(why) if is_exhausted(&why) => return Err(why),
                Err(why) => tracing::debug!("{} is not watched: {why}", folder.display()),
            }
        }
        Ok(is_new)
    }

    fn leave(&mut self, folder: &Path) {
        self.followed.remove(folder);
        // What is gone is watched by nobody.
        let _ = self.watcher.unwatch(folder);
    }
}

/// Whether the system has no more watches to give.
fn is_exhausted(why: &notify::Error) -> bool {
    match &why.kind {
        ErrorKind::MaxFilesWatch => true,
        ErrorKind::Io(io) => io.kind() == std::io::ErrorKind::StorageFull,
        _ => false,
    }
}

/// Whether a file may be another one now. That somebody reads it, as we do ourselves, is no change.
fn is_change(event: &Event) -> bool {
    match event.kind {
        EventKind::Access(kind) => kind == AccessKind::Close(AccessMode::Write),
        _ => true,
    }
}

/// The folders whose entries decide what a path leads to: those of each link on the way, and the one at its end. Where
/// the path leads nowhere, the last folder on the way.
pub fn folders_of(path: &Path) -> BTreeSet<PathBuf> {
    /// As many as the kernel follows.
    const LINKS_MAX: usize = 40;
    let mut folders = BTreeSet::new();
    let Ok(mut path) = std::path::absolute(path) else { return folders };
    for _ in 0..=LINKS_MAX {
        let Some((link, target)) = first_link(&path) else {
            let parent = path.ancestors().skip(1).find(|folder| folder.is_dir());
            folders.extend(parent.map(Path::to_owned));
            break;
        };
        let folder = link.parent().unwrap_or(Path::new("/"));
        folders.insert(folder.to_owned());
        let rest = path.strip_prefix(&link).unwrap_or(Path::new("")).to_owned();
        let next = folder.join(target);
        path = if rest.as_os_str().is_empty() { next } else { next.join(rest) };
    }
    folders.into_iter().filter_map(|folder| folder.canonicalize().ok()).collect()
}

/// The first link on a path, and what it says.
fn first_link(path: &Path) -> Option<(PathBuf, PathBuf)> {
    let mut prefixes: Vec<&Path> = path.ancestors().collect();
    prefixes.reverse();
    prefixes.into_iter().find_map(|prefix| Some((prefix.to_owned(), prefix.read_link().ok()?)))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    struct ScratchFolder(PathBuf);

    impl ScratchFolder {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("parlor-watch-{name}-{}", std::process::id()));
            let _ = fs::remove_dir_all(&path);
            fs::create_dir_all(&path).unwrap();
            Self(path.canonicalize().unwrap())
        }

        fn set(&self) -> BTreeSet<PathBuf> {
            BTreeSet::from([self.0.clone()])
        }
    }

    impl Drop for ScratchFolder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    async fn hears(watch: &Watch) -> bool {
        timeout(Duration::from_secs(5), watch.changed()).await.is_ok()
    }

    async fn is_silent(watch: &Watch) -> bool {
        timeout(Duration::from_millis(300), watch.changed()).await.is_err()
    }

    #[tokio::test]
    async fn changes_are_told_once_it_is_quiet_and_reading_is_none() {
        let folder = ScratchFolder::new("quiet");
        let mut watch = Watch::events(Duration::from_secs(60));
        assert!(watch.follow(&folder.set()) && !watch.follow(&folder.set()));
        let file = folder.0.join("file");
        for number in 0..5 {
            fs::write(&file, number.to_string()).unwrap();
        }
        assert!(hears(&watch).await);
        fs::read(&file).unwrap();
        fs::read_dir(&folder.0).unwrap().count();
        assert!(is_silent(&watch).await);
        // A folder that was replaced by another one.
        fs::remove_dir_all(&folder.0).unwrap();
        assert!(hears(&watch).await);
        fs::create_dir_all(&folder.0).unwrap();
        watch.follow(&folder.set());
        while timeout(Duration::from_millis(300), watch.changed()).await.is_ok() {
            watch.follow(&folder.set());
        }
        fs::write(&file, "again").unwrap();
        assert!(hears(&watch).await);
        // And one that is not followed any more.
        watch.follow(&BTreeSet::new());
        while !is_silent(&watch).await {}
        fs::write(&file, "unheard").unwrap();
        assert!(is_silent(&watch).await);
    }

    #[tokio::test]
    async fn without_quiet_the_wait_is_bounded() {
        let folder = ScratchFolder::new("busy");
        let mut watch = Watch::events(Duration::from_secs(60));
        watch.follow(&folder.set());
        let file = folder.0.join("file");
        let writing = async {
            loop {
                fs::write(&file, "x").unwrap();
                sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::select! {
            () = writing => {}
            heard = hears(&watch) => assert!(heard),
        }
    }

    #[tokio::test]
    async fn where_there_are_no_events_it_looks() {
        let folder = ScratchFolder::new("fall-back");
        let mut watch = Watch::events(Duration::from_millis(10));
        watch.fall_back(&notify::Error::new(ErrorKind::MaxFilesWatch));
        assert!(watch.polls() && !watch.follow(&folder.set()) && hears(&watch).await);
        assert!(is_exhausted(&notify::Error::new(ErrorKind::MaxFilesWatch)));
        assert!(!is_exhausted(&notify::Error::path_not_found()));
    }

    #[test]
    fn a_path_depends_on_the_folders_of_its_links() {
        let folder = ScratchFolder::new("links");
        let at = |path: &str| folder.0.join(path);
        for made in ["real/deep", "other"] {
            fs::create_dir_all(at(made)).unwrap();
        }
        fs::write(at("real/deep/file"), "").unwrap();
        symlink("real/deep", at("data")).unwrap();
        symlink("../data/file", at("other/file")).unwrap();
        symlink("nowhere/file", at("dangling")).unwrap();
        let expected = |paths: &[&str]| paths.iter().map(|path| at(path)).collect::<BTreeSet<_>>();
        assert_eq!(folders_of(&at("real/deep/file")), expected(&["real/deep"]));
        assert_eq!(folders_of(&at("other/file")), expected(&["other", "", "real/deep"]));
        assert_eq!(folders_of(&at("dangling")), expected(&[""]));
    }
}
