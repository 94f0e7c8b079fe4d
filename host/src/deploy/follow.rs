//! Deploys from the plugin folder: every file at start, and each change from then on.

use std::collections::{BTreeMap, VecDeque};
use std::ops::ControlFlow;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use futures_util::FutureExt as _;
use tokio::sync::Mutex;
use tokio::task::JoinSet;

use super::{Change, DeployedBy, Deploys, HistoryKind, NotDeployed, RefusalKind};
use crate::clock::Instant;
use crate::folder::scripts::{SCRIPT_FOLDERS_MAX, ScriptParts, is_script_name};
use crate::folder::snapshot::{FileStamp, FolderSnapshot};
use crate::folder::watch::{Watch, WatchMode, folders_of};
use crate::folder::watcher::{FileOutcome, FolderChanges, NotServed, ReadyFile, RetryWhen, Watcher};
use crate::model::names::{PluginKey, TenantName};
use crate::model::text::for_log;
use crate::plugin::compiler::{KeptScript, LackingTools, Prevented, ScriptBuild, ScriptSources};
use crate::plugin::loader::{Loader, read_component};
use crate::watchdog::Watchdog;

/// How long a file must stay the same to count as whole, where the system's events tell of changes. After this time also
/// comes another look, where the last one may have missed something.
const SETTLE: Duration = Duration::from_millis(50);

/// Times of files are those of the kernel's last tick.
const TICK: Duration = Duration::from_millis(20);

/// Looks that loaded files cause take at most one of so many parts of their thread's time.
const LOOK_SHARE: u32 = 10;

/// The first look into the plugin folder: what is still to be loaded before the changes are followed.
pub struct FirstLook {
    watcher: Watcher,
    /// In order, by tenant; at most as many of each as it may have plugins.
    ready: BTreeMap<TenantName, VecDeque<ReadyFile>>,
    /// All others: a tenant with thousands of files keeps nobody waiting for the start.
    later: Vec<ReadyFile>,
}

/// What follows the first look: what is known of the folder, and which files are still to be loaded.
pub struct FollowedFolder {
    watcher: Watcher,
    later: Vec<ReadyFile>,
}

/// A file that was loaded or refused, and those of its tenant that are left.
type FirstLoad = (ReadyFile, FileOutcome, VecDeque<ReadyFile>);

impl FirstLook {
    /// Looks. Fails where there is no folder.
    pub fn at(deploys: &Deploys) -> anyhow::Result<Self> {
        // Without events, a file must be the same at two looks in succession.
        let settle = if deploys.watch == WatchMode::Poll { deploys.watch_poll } else { SETTLE };
        let mut watcher = Watcher::new(settle, deploys.missing_folder_grace);
        let round = watcher.first(
            FolderSnapshot::at(&deploys.folder, &deploys.scripts)?,
            deploys.fleet.freed(),
            Instant::now(),
        );
        tell_skipped(deploys, &round.skipped);
        let mut ready: BTreeMap<TenantName, VecDeque<ReadyFile>> = BTreeMap::new();
        let mut later = Vec::new();
        for file in round.ready {
            let max = deploys.tenants.layers(&file.key.tenant, None).limits().plugins_per_tenant;
            let of_tenant = ready.entry(file.key.tenant.clone()).or_default();
            // Where nobody follows the folder, there is no later.
            let is_first = of_tenant.len() < max || deploys.watch == WatchMode::Off;
            if is_first { of_tenant.push_back(file) } else { later.push(file) }
        }
        deploys.loading.begin(ready.values().flatten().map(|ready| ready.key.clone()).collect());
        Ok(Self { watcher, ready, later })
    }

    /// Loads every file, those of a tenant one after the other. Each serves as soon as it is loaded; one that does not load
    /// gets a line in the log.
    pub async fn load(self, deploys: &Arc<Deploys>) -> FollowedFolder {
        let Self { mut watcher, ready, later } = self;
        let mut jobs = JoinSet::new();
        ready.into_values().for_each(|files| load_next(deploys, files, &mut jobs));
        while let Some(loaded) = jobs.join_next().await {
            let Ok((ready, outcome, left)) = loaded else { continue };
            let ReadyFile { key, file, .. } = ready.clone();
            deploys.loading.note(&key, &outcome);
            watcher.done(ready, outcome, Instant::now());
            if let Some(not_served) = watcher.tell(&key) {
                tell(deploys, &key, &file, &not_served);
            }
            load_next(deploys, left, &mut jobs);
        }
        deploys.problems.sum_up();
        deploys.loading.finish();
        deploys.fleet.note_started();
        if deploys.fleet.serving().is_empty() {
            tracing::warn!("no plugin is served from {}", deploys.folder.display());
        }
        FollowedFolder { watcher, later }
    }
}

/// Begins to load the first of a tenant's files.
fn load_next(deploys: &Arc<Deploys>, mut files: VecDeque<ReadyFile>, jobs: &mut JoinSet<FirstLoad>) {
    let Some(mut ready) = files.pop_front() else { return };
    let (workers, loading) = (deploys.fleet.workers(), Arc::clone(deploys));
    let job = async move {
        let outcome = deploy(&loading, &mut ready, DeployedBy::Start).await;
        (ready, outcome, files)
    };
    jobs.spawn_on(job, workers.slow_runtime(workers.least_busy()));
}

/// Follows the changes in the folder, in the way that the configuration says. It has a thread of its own, because a
/// disk may be slow.
pub fn follow(deploys: Arc<Deploys>, followed: FollowedFolder, watchdog: &Arc<Watchdog>) -> anyhow::Result<()> {
    let FollowedFolder { watcher, later } = followed;
    if deploys.watch == WatchMode::Off {
        return Ok(());
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("no runtime")?;
    let poll = deploys.watch_poll;
    let watch = if deploys.watch == WatchMode::Poll { Watch::poll(poll) } else { Watch::events(poll) };
    let jobs = JoinSet::new();
    let mut follower = Follower { deploys, watcher, watch, jobs, is_lost: false, looked_for: Duration::ZERO };
    later.into_iter().for_each(|ready| follower.deploy(ready));
    // What it knows outlives a fault of it.
    let (follower, watching) = (Arc::new(Mutex::new(follower)), Arc::clone(watchdog));
    let run = move || {
        let follower = Arc::clone(&follower);
        let run = move || {
            let follower = Arc::clone(&follower);
            async move { follower.lock().await.run().await }
        };
        runtime.block_on(Arc::clone(&watching).keep_alive("folder", run));
        ControlFlow::Continue(())
    };
    let started = watchdog.keep_thread_alive("folder", "parlor-watch".to_owned(), run);
    started.map(drop).context("a thread cannot be started")
}

/// What the job for one file brings back: the file and what became of it; none from the job that retires a file that is
/// gone.
type FolderJob = Option<(ReadyFile, FileOutcome)>;

struct Follower {
    deploys: Arc<Deploys>,
    watcher: Watcher,
    watch: Watch,
    jobs: JoinSet<FolderJob>,
    /// Whether the last look could not read the folder, which the log says once.
    is_lost: bool,
    /// How long the last look took.
    looked_for: Duration,
}

impl Follower {
    /// Looks, and waits for a reason to look again, for as long as the server lives.
    async fn run(&mut self) {
        let mut due = Some(Instant::now());
        loop {
            if due.is_some_and(|due| due <= Instant::now()) {
                due = self.look().map(|again| Instant::now() + again);
            }
            tokio::select! {
                () = self.watch.changed() => due = Some(Instant::now()),
                () = tokio::time::sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {}
                Some(job) = self.jobs.join_next(), if !self.jobs.is_empty() => {
                    if let Ok(Some((ready, outcome))) = job {
                        self.deploys.loading.note(&ready.key, &outcome);
                        self.watcher.done(ready, outcome, Instant::now());
                    }
                    // One look is for all that are done by then: a folder may hold thousands of files, and each look is at
                    // all of them.
                    let next = Instant::now() + SETTLE.max(self.looked_for * LOOK_SHARE);
                    due = Some(due.map_or(next, |due| due.min(next)));
                }
            }
        }
    }

    /// Looks at the folder and starts the jobs for what changed. Answers when to look again even if no event comes.
    fn look(&mut self) -> Option<Duration> {
        let (folder, begun) = (self.deploys.folder.clone(), Instant::now());
        let again = match FolderSnapshot::at(&folder, &self.deploys.scripts) {
            Ok(look) => {
                self.is_lost = false;
                // A folder that is watched from now on may have changed since this look: another look finds that.
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
        };
        self.looked_for = begun.elapsed();
        // Once all is loaded, or at the end of the minute.
        let more_to_tell = if self.jobs.is_empty() { self.deploys.problems.sum_up() } else { None };
        [again, more_to_tell].into_iter().flatten().min()
    }

    fn begin(&mut self, round: FolderChanges) {
        tell_skipped(&self.deploys, &round.skipped);
        self.tell_missing(&round);
        for (key, file, not_served) in &round.told {
            tell(&self.deploys, key, file, not_served);
        }
        if !round.gone.is_empty() {
            self.deploys.scripts.retain(Path::exists);
        }
        for (key, file) in round.gone {
            self.retire(key, file);
        }
        for ready in round.ready {
            self.deploy(ready);
        }
    }

    /// Says that files are gone together with what held them, and that they are back.
    fn tell_missing(&self, round: &FolderChanges) {
        let before = self.deploys.missing.swap(round.missing, Ordering::Relaxed);
        if round.missing > before {
            tracing::error!(
                "the files of {} plugins are gone together with the folder that held them, as if a share were not mounted: \
                 what is served stays, and is retired after {} ms (missing-folder-grace-ms) unless the files come back",
                round.missing,
                self.deploys.missing_folder_grace.as_millis()
            );
        } else if round.missing < before && round.gone.is_empty() {
            tracing::info!("the files of {} plugins are back", before - round.missing);
        }
    }

    fn retire(&mut self, key: PluginKey, file: PathBuf) {
        let deploys = Arc::clone(&self.deploys);
        self.spawn(async move {
            Change::begin(&deploys, &key).await.retire(&file).await;
            None
        });
    }

    fn deploy(&mut self, mut ready: ReadyFile) {
        let deploys = Arc::clone(&self.deploys);
        self.spawn(async move {
            let outcome = deploy(&deploys, &mut ready, DeployedBy::Folder).await;
            Some((ready, outcome))
        });
    }

    fn spawn(&mut self, job: impl Future<Output = FolderJob> + Send + 'static) {
        let workers = self.deploys.fleet.workers();
        self.jobs.spawn_on(job, workers.slow_runtime(workers.least_busy()));
    }
}

/// Reads a file and lets it serve. There is an outcome even after a panic: the watcher starts nothing more for a file before
/// it has one.
async fn deploy(deploys: &Deploys, ready: &mut ReadyFile, by: DeployedBy) -> FileOutcome {
    let outcome = AssertUnwindSafe(read_and_deploy(deploys, ready, by)).catch_unwind().await;
    let fault = || NotServed { version: None, why: "a bug in the server".to_owned(), until: RetryWhen::Changed };
    outcome.unwrap_or_else(|_| FileOutcome::NotServed(fault()))
}

async fn read_and_deploy(deploys: &Deploys, ready: &mut ReadyFile, by: DeployedBy) -> FileOutcome {
    // The change comes before the reading: an upload that ran before it may have replaced the file.
    let key = &ready.key.clone();
    let change =
        if by.is_at_once() { Change::begin(deploys, key).await } else { Change::begin_paid(deploys, key).await };
    let not_served = |version: Option<String>, why: String, until| NotServed { version, why, until };
    let read = if is_script_name(&ready.file) { built(deploys, ready).await } else { read(&change, ready).await };
    let (version, bytes) = match read {
        Ok(Some(read)) => read,
        Ok(None) => return FileOutcome::Unsettled,
        Err(why) => {
            let until = if why.is::<LackingTools>() {
                RetryWhen::Installed
            } else if why.is::<Prevented>() {
                RetryWhen::Later
            } else {
                RetryWhen::Changed
            };
            return FileOutcome::NotServed(not_served(None, format!("{why:#}"), until));
        }
    };
    let refused = &ready.refused;
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

/// A component with its version.
type ReadComponent = (String, Vec<u8>);

/// Reads a component's file; nothing where it changed or went away meanwhile, which is no error: a later look deals with it.
async fn read(change: &Change<'_>, ready: &ReadyFile) -> anyhow::Result<Option<ReadComponent>> {
    let deploys = change.deploys;
    let max = deploys.tenants.terms(&ready.key.tenant, &ready.key.plugin).limits.component_bytes;
    let (path, before) = (ready.file.clone(), ready.stamp.clone());
    let read = change.blocking(move || {
        let read = read_component(&path, max).map(|bytes| (Loader::version_of(&bytes), bytes));
        Ok(FileStamp::of(&path, &ScriptParts::default()).is_ok_and(|after| after == before).then_some(read))
    });
    read.await?.transpose()
}

/// Builds a script, and notes what it was built of; nothing where some of that changed meanwhile. What an earlier run of the server
/// built of the same files is not built again.
async fn built(deploys: &Deploys, ready: &mut ReadyFile) -> anyhow::Result<Option<ReadComponent>> {
    let loader = &deploys.loader;
    let terms = deploys.tenants.terms(&ready.key.tenant, &ready.key.plugin);
    let job = loader.script_job(&ready.key, &ready.file, deploys.scripts.is_flat(&ready.file), &terms)?;
    if let Some(KeptScript { sources, component }) = loader.kept_script(&ready.key, &job, &terms).await
        && let Some(stamp) = stamp_with(deploys, ready, &sources.files)
        && stamp.digest().is_some_and(|state| state == sources.state)
    {
        ready.stamp = stamp;
        return Ok(Some((Loader::version_of(&component), component)));
    }
    let begun = SystemTime::now().checked_sub(TICK).unwrap_or(SystemTime::UNIX_EPOCH);
    let ScriptBuild { files, made } = loader.build_script(&ready.key, &job, &terms).await?;
    let Some(parts) = deploys.scripts.note_parts(&ready.file, files.clone()) else {
        // What is wrong with the script itself is of more use.
        made?;
        anyhow::bail!(
            "the scripts of this folder import from more than {SCRIPT_FOLDERS_MAX} folders in it, all together"
        );
    };
    let Ok(after) = FileStamp::of(&ready.file, &parts) else { return Ok(None) };
    if !after.is_same_file(&ready.stamp) || after.has_part_since(begun) {
        return Ok(None);
    }
    ready.stamp = after;
    let component = made?;
    if let Some(state) = ready.stamp.digest() {
        let made = KeptScript { sources: ScriptSources { files, state }, component: component.clone() };
        loader.keep_script(&ready.key, &job, &terms, made).await;
    }
    Ok(Some((Loader::version_of(&component), component)))
}

/// The state of a script and of what it was once built of; none where the script itself is not as it was found.
fn stamp_with(deploys: &Deploys, ready: &ReadyFile, files: &[PathBuf]) -> Option<FileStamp> {
    let parts = deploys.scripts.note_parts(&ready.file, files.to_vec())?;
    FileStamp::of(&ready.file, &parts).ok().filter(|stamp| stamp.is_same_file(&ready.stamp))
}

fn tell_skipped(deploys: &Deploys, skipped: &[(PathBuf, String)]) {
    for (path, why) in skipped {
        deploys.problems.tell(path, || tracing::warn!("{} {why}", path.display()));
    }
}

/// Says why a file is not served: in the log, and in the history that the API shows.
fn tell(deploys: &Deploys, key: &PluginKey, file: &Path, not_served: &NotServed) {
    let NotServed { version, why, .. } = not_served;
    deploys.history.record(key, HistoryKind::Refused, version.as_deref(), why.clone());
    // What follows the first line, such as a stack, is in the history.
    let (why, file_name) = (for_log(why.lines().next().unwrap_or_default()), file.display());
    deploys.problems.tell(file, || match deploys.fleet.get(key) {
        Some(older) => tracing::error!("{file_name} is not served: {why}; {} serves on", older.version),
        None => tracing::error!("{file_name} is not served: {why}"),
    });
}
