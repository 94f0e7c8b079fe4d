//! Watching folders. A watch only says that something may have changed and that it has been quiet since. Whoever asks
//! then looks into the folders, so lost, doubled or reordered events do no harm.

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

/// How long it must be quiet before a change is reported: editors and copies write in several steps.
const QUIET: Duration = Duration::from_millis(50);
/// The longest wait for quiet, so that a file which is written all the time does not hide changes of others.
const WAIT_MAX: Duration = Duration::from_millis(500);
/// How long to wait for an event before looking anyway: events miss some changes, such as a link far up a path.
const LOOK_ANYWAY: Duration = Duration::from_secs(60);

/// How the server notices changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WatchMode {
    /// By events of the operating system.
    #[default]
    Events,
    /// By looking again and again. Network folders need this, since they raise no events.
    Poll,
    /// Not at all.
    Off,
}

/// Waits for changes in some folders.
pub struct Watch {
    hints: Arc<Notify>,
    /// `None` if it polls.
    events: Option<SystemEvents>,
    poll: Duration,
}

struct SystemEvents {
    watcher: RecommendedWatcher,
    /// The watched folders, and those that the system does not watch although they are there, with device and inode of
    /// each.
    followed: BTreeMap<PathBuf, (u64, u64)>,
}

impl Watch {
    /// Waits for events of the system. If the system has none to give, logs that once and polls every `poll`.
    pub fn events(poll: Duration) -> Self {
        let hints = Arc::new(Notify::new());
        let heard = Arc::clone(&hints);
        let watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            // After an error, look as well.
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

    /// Polls every `poll`.
    pub fn poll(poll: Duration) -> Self {
        Self { hints: Arc::default(), events: None, poll }
    }

    /// Whether it polls.
    pub fn polls(&self) -> bool {
        self.events.is_none()
    }

    /// Watches exactly these folders, without their subfolders. Call it after each look, since a folder may have been
    /// replaced. Returns whether one of them is new or gone: then something may have changed since the look.
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

    /// Waits until something may have changed and it has been quiet since.
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
            "cannot get events of changed files, so the server looks every {every} ms (watch-poll-ms): {why}"
        );
        self.events = None;
    }
}

impl SystemEvents {
    /// Watches exactly these folders. An error means that the system has no events to give.
    fn follow(&mut self, folders: &BTreeSet<PathBuf>) -> notify::Result<bool> {
        let gone: Vec<PathBuf> = self.followed.keys().filter(|folder| !folders.contains(*folder)).cloned().collect();
        gone.iter().for_each(|folder| self.leave(folder));
        let mut is_new = false;
        for folder in folders {
            // The folder may have gone before it was watched, so no event told of it.
            let Some(found) = identity(folder) else {
                is_new = true;
                continue;
            };
            let known = self.followed.get(folder).copied();
            if known.is_some_and(|known| known != found) {
                self.leave(folder);
            }
            // Watch it again each time: a folder that was deleted and made anew may have the inode of the old one.
            match self.watcher.watch(folder, RecursiveMode::NonRecursive) {
                Ok(()) => {}
                Err(why) if is_exhausted(&why) => return Err(why),
                Err(why) => tracing::debug!("cannot watch {}: {why}", folder.display()),
            }
            // It may have been replaced in this moment. Then the watch is on another folder or on none, and an event that
            // tells of it may belong to a watch that is gone. A folder that cannot be watched is new only once.
            is_new |= known != Some(found) || identity(folder) != Some(found);
            self.followed.insert(folder.clone(), found);
        }
        Ok(is_new)
    }

    fn leave(&mut self, folder: &Path) {
        self.followed.remove(folder);
        // This fails for a folder that is gone, which needs no unwatching.
        let _ = self.watcher.unwatch(folder);
    }
}

/// Device and number of a folder, which tell it from another one at the same path.
pub(super) fn identity(folder: &Path) -> Option<(u64, u64)> {
    folder.metadata().ok().map(|found| (found.dev(), found.ino()))
}

/// Whether the system has no more watches to give.
fn is_exhausted(why: &notify::Error) -> bool {
    match &why.kind {
        ErrorKind::MaxFilesWatch => true,
        ErrorKind::Io(io) => io.kind() == std::io::ErrorKind::StorageFull,
        _ => false,
    }
}

/// Whether an event means that a file may have changed. Reading a file, as the server does itself, does not count.
fn is_change(event: &Event) -> bool {
    match event.kind {
        EventKind::Access(kind) => kind == AccessKind::Close(AccessMode::Write),
        _ => true,
    }
}

/// Finds the folders whose entries decide what a path leads to: that of each link on the way, and the one at the end.
/// If the path leads nowhere, the last folder on the way counts.
pub fn folders_of(path: &Path) -> BTreeSet<PathBuf> {
    /// The kernel follows this many links, too.
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

/// Finds the first link on a path, and its target.
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

    #[tokio::test]
    async fn a_folder_that_is_replaced_while_it_is_followed_is_looked_at_again() {
        let folder = ScratchFolder::new("replaced");
        let mut watch = Watch::events(Duration::from_secs(60));
        // Where the folder goes is a matter of luck: before it is found, watched, or looked at once more.
        for round in 0..500 {
            let current = folder.0.join(format!("current-{round}"));
            fs::create_dir(&current).unwrap();
            let followed = BTreeSet::from([current.clone()]);
            let swap = std::thread::spawn(move || {
                fs::rename(&current, current.with_extension("old")).unwrap();
                fs::create_dir(&current).unwrap();
            });
            let looks_again = watch.follow(&followed) || hears(&watch).await;
            swap.join().unwrap();
            assert!(looks_again, "in round {round}, nobody would look at the new folder");
        }
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
