//! The plugin folder: all of it at start, and what changes in it from then on.

use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use futures_util::FutureExt as _;
use tokio::task::JoinSet;

use super::{Change, DeployedBy, Deploys, HistoryKind, NotDeployed, RefusalKind, blocking};
use crate::clock::Instant;
use crate::folder::watch::{Watch, WatchMode, folders_of};
use crate::folder::watcher::{
    FileOutcome, FileStamp, FolderChanges, FolderSnapshot, NotServed, ReadyFile, RetryWhen, Watcher,
};
use crate::model::names::PluginKey;
use crate::plugin::loader::{Loader, read_component};

/// For how long a file must stay the same to be whole, where events tell of changes; as long until another look where one
/// may have missed something.
const SETTLE: Duration = Duration::from_millis(50);

/// Loads every file of the folder. What does not load is told in one line and keeps nobody else from serving.
pub async fn load_all(deploys: &Deploys) -> anyhow::Result<Watcher> {
    // Where somebody looks now and then, a file must be the same at two of these looks.
    let settle = if deploys.watch == WatchMode::Poll { deploys.watch_poll } else { SETTLE };
    let mut watcher = Watcher::new(settle);
    let round = watcher.first(FolderSnapshot::at(&deploys.folder)?, deploys.fleet.freed(), Instant::now());
    round.skipped.iter().for_each(|(path, why)| tracing::warn!("{} {why}", path.display()));
    for ready in round.ready {
        let outcome = deploy(deploys, &ready, DeployedBy::Start).await;
        let ReadyFile { key, file, .. } = ready.clone();
        watcher.done(ready, outcome, Instant::now());
        if let Some(not_served) = watcher.tell(&key) {
            tell(deploys, &key, &file, &not_served);
        }
    }
    if deploys.fleet.serving().is_empty() {
        tracing::warn!("no plugin is served from {}", deploys.folder.display());
    }
    Ok(watcher)
}

/// Follows what changes in the folder from now on, as the configuration says, on a thread of its own: a disk may be slow.
pub fn follow(deploys: Arc<Deploys>, watcher: Watcher) -> anyhow::Result<()> {
    if deploys.watch == WatchMode::Off {
        return Ok(());
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("no runtime")?;
    let run = move || {
        let poll = deploys.watch_poll;
        let watch = if deploys.watch == WatchMode::Poll { Watch::poll(poll) } else { Watch::events(poll) };
        let follower = Follower { deploys, watcher, watch, jobs: JoinSet::new(), is_lost: false };
        runtime.block_on(follower.run());
    };
    std::thread::Builder::new().name("parlor-watch".to_owned()).spawn(run).context("a thread cannot be started")?;
    Ok(())
}

/// A file that is being dealt with, on a thread for what takes long. None for one that is gone.
type FolderJob = Option<(ReadyFile, FileOutcome)>;

struct Follower {
    deploys: Arc<Deploys>,
    watcher: Watcher,
    watch: Watch,
    jobs: JoinSet<FolderJob>,
    /// Whether the folder could not be read, which was told.
    is_lost: bool,
}

impl Follower {
    /// Looks, and waits for a reason to look again, for as long as the server lives.
    async fn run(mut self) {
        loop {
            let again = self.look();
            tokio::select! {
                () = self.watch.changed() => {}
                () = tokio::time::sleep(again.unwrap_or_default()), if again.is_some() => {}
                Some(job) = self.jobs.join_next(), if !self.jobs.is_empty() => {
                    if let Ok(Some((ready, outcome))) = job {
                        self.watcher.done(ready, outcome, Instant::now());
                    }
                }
            }
        }
    }

    /// Looks at the folder and begins what is to be done; answers when to look again though nothing is heard.
    fn look(&mut self) -> Option<Duration> {
        let folder = self.deploys.folder.clone();
        match FolderSnapshot::at(&folder) {
            Ok(look) => {
                self.is_lost = false;
                // What changed between the look and the watch is seen by another look.
                let is_new = self.watch.follow(&look.folders);
                let round = self.watcher.compare(look, self.deploys.fleet.freed(), Instant::now());
                let again = if is_new { Some(SETTLE) } else { round.again };
                self.begin(round);
                again
            }
            Err(why) => {
                if !std::mem::replace(&mut self.is_lost, true) {
                    tracing::error!("{why:#}; what is served stays");
                }
                self.watch.follow(&folders_of(&folder)).then_some(SETTLE)
            }
        }
    }

    fn begin(&mut self, round: FolderChanges) {
        for (path, why) in &round.skipped {
            tracing::warn!("{} {why}", path.display());
        }
        for (key, file, not_served) in &round.told {
            tell(&self.deploys, key, file, not_served);
        }
        for (key, file) in round.gone {
            self.retire(key, file);
        }
        for ready in round.ready {
            self.deploy(ready);
        }
    }

    fn retire(&mut self, key: PluginKey, file: PathBuf) {
        let deploys = Arc::clone(&self.deploys);
        self.spawn(async move {
            Change::begin(&deploys, &key).await.retire(&file).await;
            None
        });
    }

    fn deploy(&mut self, ready: ReadyFile) {
        let deploys = Arc::clone(&self.deploys);
        self.spawn(async move {
            // Without an outcome the file would be taken for ever.
            let outcome = AssertUnwindSafe(deploy(&deploys, &ready, DeployedBy::Folder)).catch_unwind().await;
            let fault =
                || NotServed { version: None, why: "a fault of the host's own".to_owned(), until: RetryWhen::Changed };
            let outcome = outcome.unwrap_or_else(|_| FileOutcome::NotServed(fault()));
            Some((ready, outcome))
        });
    }

    fn spawn(&mut self, job: impl Future<Output = FolderJob> + Send + 'static) {
        let workers = self.deploys.fleet.workers();
        self.jobs.spawn_on(job, workers.slow_runtime(workers.least_busy()));
    }
}

/// Lets a file serve.
async fn deploy(deploys: &Deploys, ready: &ReadyFile, by: DeployedBy) -> FileOutcome {
    let ReadyFile { key, file, stamp, refused } = ready;
    // Read only then: an upload that was first has replaced it.
    let change = Change::begin(deploys, key).await;
    let max = deploys.tenants.terms(&key.tenant, &key.plugin).limits.component_bytes;
    let (path, before) = (file.clone(), stamp.clone());
    let read = blocking(move || {
        let bytes = read_component(&path, max);
        // What changes just now is whole at another time, and what is gone is not wrong.
        let is_same = FileStamp::of(&path).is_ok_and(|after| after == before);
        Ok((is_same, bytes))
    });
    let not_served = |version: Option<String>, why: String, until| NotServed { version, why, until };
    let (version, bytes) = match read.await {
        Ok((false, _)) => return FileOutcome::Unsettled,
        Ok((true, Ok(bytes))) => (Loader::version_of(&bytes), bytes),
        Ok((true, Err(why))) | Err(why) => {
            return FileOutcome::NotServed(not_served(None, format!("{why:#}"), RetryWhen::Changed));
        }
    };
    if refused.as_ref() == Some(&version) {
        return FileOutcome::RefusedBefore;
    }
    match change.deploy(bytes.into(), by).await {
        Ok(_) => FileOutcome::Served,
        Err(NotDeployed { kind, why }) => {
            let until = match kind {
                RefusalKind::Taken | RefusalKind::TooMany => RetryWhen::Freed,
                RefusalKind::Busy => RetryWhen::Later,
                RefusalKind::Bad | RefusalKind::NoVersion | RefusalKind::Project | RefusalKind::NotWritten => {
                    RetryWhen::Changed
                }
            };
            FileOutcome::NotServed(not_served(Some(version), why, until))
        }
    }
}

/// Says what is wrong with a file: in the log, and to whoever asks the API.
fn tell(deploys: &Deploys, key: &PluginKey, file: &Path, not_served: &NotServed) {
    let NotServed { version, why, .. } = not_served;
    deploys.history.record(key, HistoryKind::Refused, version.as_deref(), why.clone());
    match deploys.fleet.get(key) {
        Some(older) => tracing::error!("{} is not served: {why}; {} serves on", file.display(), older.version),
        None => tracing::error!("{} is not served: {why}", file.display()),
    }
}
