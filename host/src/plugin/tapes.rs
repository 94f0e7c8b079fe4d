//! The tapes of a plugin that become files.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use parking_lot::Mutex;
use wasmtime::component::{Component, Linker};

use super::carried::CarryingComponent;
use crate::clock::Instant;
use crate::files::{begin_private, write_whole};
use crate::guest::engine::{self, one_line};
use crate::guest::imports;
use crate::guest::instance::Template;
use crate::guest::tape::data::TapeBase;
use crate::guest::tape::file;
use crate::guest::tape::recorder::TapeBound;
use crate::model::limits::Limits;
use crate::model::names::RoomKey;
use crate::tenant::Account;
use crate::tenant::tapes::{FILES, TapeRules};

/// What a tape's file ends in.
pub const EXTENSION: &str = "tape";
/// Where components lie, beside the tapes of `parlor dev`.
pub const COMPONENTS: &str = "components";
/// How many files lie in the one folder of `parlor dev`: of tapes, and of components.
const DEV_FILES: usize = 200;
const DEV_COMPONENTS: usize = 10;
/// The least time between two failures of a plugin that make a file: one that fails at each event must not fill the disk.
const PAUSE: Duration = Duration::from_secs(5);
const DEV_PAUSE: Duration = Duration::from_millis(100);
/// How many lives of a plugin's instances make a file each at once, and after which time one more does.
const LIVES_AT_ONCE: u32 = FILES as u32;
const LIFE_PAUSE: Duration = Duration::from_secs(1);

/// How many tapes of this process wait to be written.
static WAITING: AtomicUsize = AtomicUsize::new(0);

/// Whether any tape waits to be written: a server that ends waits for it.
pub fn are_waiting() -> bool {
    WAITING.load(Ordering::Acquire) > 0
}

/// A tape that waits to be written, or is given up.
struct WaitingTape;

impl WaitingTape {
    fn new() -> Self {
        WAITING.fetch_add(1, Ordering::AcqRel);
        Self
    }
}

impl Drop for WaitingTape {
    fn drop(&mut self) {
        WAITING.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Where a version's tapes go.
#[derive(Debug)]
pub struct TapeShelf {
    rules: TapeRules,
    /// The component's hash, in hex digits.
    pub hash: String,
    /// The component, where it is to lie beside its tapes.
    component: Option<Arc<[u8]>>,
    /// What all tapes begin with.
    of_plugin: OnceLock<TapeBase>,
    /// When the last file of a failure was written.
    last: Mutex<Option<Instant>>,
    lives: Lives,
}

/// How many lives more may make a file. Where rooms are busy, a tape is full after a part of a second, and all but the newest [`FILES`] files
/// are removed again: to write each would cost a tenth of every turn, for tapes that nobody could read meanwhile.
#[derive(Debug)]
struct Lives(Mutex<(u32, Instant)>);

impl Lives {
    fn new() -> Self {
        Self(Mutex::new((LIVES_AT_ONCE, Instant::now())))
    }

    /// Whether one may.
    fn admits(&self) -> bool {
        let (left, since) = &mut *self.0.lock();
        let passed = since.elapsed().as_nanos() / LIFE_PAUSE.as_nanos();
        if passed > 0 {
            let passed = u32::try_from(passed).unwrap_or(u32::MAX);
            *left = left.saturating_add(passed).min(LIVES_AT_ONCE);
            *since += LIFE_PAUSE.saturating_mul(passed);
        }
        let admits = *left > 0;
        *left = left.saturating_sub(1);
        admits
    }
}

impl TapeShelf {
    pub fn new(rules: TapeRules, component: &[u8]) -> Self {
        let hash = blake3::hash(component).to_hex().to_string();
        let component = rules.is_dev.then(|| component.into());
        let (of_plugin, last) = Default::default();
        Self { rules, hash, component, of_plugin, last, lives: Lives::new() }
    }

    /// How much a room's tape holds.
    pub fn bound(&self) -> TapeBound {
        TapeBound { turns: self.rules.turns, bytes: self.rules.bytes }
    }

    /// What all tapes begin with; `make` makes it at the first.
    pub fn of_plugin(&self, make: impl FnOnce() -> TapeBase) -> &TapeBase {
        self.of_plugin.get_or_init(make)
    }

    /// Whether a life that ends now makes a file. If so, it counts as one.
    pub fn admits_life(&self) -> bool {
        self.rules.takes_all && self.lives.admits()
    }

    /// Whether a failure may make a file now. If so, the next ones may not for a while.
    pub fn admits(&self) -> bool {
        let (mut last, now) = (self.last.lock(), Instant::now());
        let pause = if self.rules.is_dev { DEV_PAUSE } else { PAUSE };
        let is_due = self.rules.is_prompt || last.is_none_or(|last| now.duration_since(last) >= pause);
        if is_due {
            *last = Some(now);
        }
        is_due
    }

    /// Writes a tape, on a thread that may wait for a disk unless it must be written at once. `mark` names it: the turn that
    /// failed, or what else it is.
    pub fn put(
        self: &Arc<Self>,
        room: &RoomKey,
        mark: String,
        frames: Vec<u8>,
        (account, at_once): (&Arc<Account>, bool),
    ) {
        let (shelf, room, account) = (Arc::clone(self), room.clone(), Arc::clone(account));
        let write = move || account.deploying(|| shelf.write(&room, &mark, &frames));
        if at_once || self.rules.is_prompt {
            return write();
        }
        let waiting = WaitingTape::new();
        tokio::task::spawn_blocking(move || {
            write();
            drop(waiting);
        });
    }

    fn write(&self, key: &RoomKey, mark: &str, frames: &[u8]) {
        let (tenant, plugin, room) = (key.plugin.tenant.as_str(), key.plugin.plugin.as_str(), key.room.as_str());
        match self.try_write(key, mark, frames) {
            Ok(file) if self.rules.is_dev => {
                tracing::warn!(tenant, plugin, room, "replay it: parlor replay {}", file.display());
            }
            Ok(file) => tracing::info!(tenant, plugin, room, file = %file.display(), "the tape of a room is kept"),
            Err(why) => {
                tracing::error!(tenant, plugin, room, cause = %format_args!("{why:#}"), "a tape cannot be kept")
            }
        }
    }

    fn try_write(&self, key: &RoomKey, mark: &str, frames: &[u8]) -> anyhow::Result<PathBuf> {
        let folder = &self.rules.folder;
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
        if let Some(component) = &self.component {
            self.keep_component(component)?;
        }
        let (plugin, room) = (key.plugin.plugin.as_str(), key.room.as_str());
        let name = if self.rules.is_dev { format!("{plugin}-{room}-{mark}") } else { format!("{room}-{mark}") };
        let file = free(folder, &name);
        write_private(&file, &file::write(frames)).with_context(|| format!("cannot write {}", file.display()))?;
        prune(folder, EXTENSION, if self.rules.is_dev { DEV_FILES } else { FILES });
        Ok(file)
    }

    fn keep_component(&self, component: &[u8]) -> anyhow::Result<()> {
        let folder = self.rules.folder.join(COMPONENTS);
        let file = folder.join(format!("{}.wasm", self.hash));
        if !file.exists() {
            // A project's version control need not know of tapes.
            write_whole(&self.rules.folder.join(".gitignore"), b"*\n")?;
            std::fs::create_dir_all(&folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
            write_whole(&file, component)?;
            prune(&folder, "wasm", DEV_COMPONENTS);
        }
        Ok(())
    }
}

/// What lives the life of a component's instances again, within these limits. This process compiles it.
pub fn template_for_replay(component: &[u8], limits: &Limits) -> anyhow::Result<Template> {
    let engine = Arc::new(engine::for_replay(limits, &Arc::default())?);
    let mut linker = Linker::new(&engine.engine);
    imports::link(&mut linker).map_err(|why| anyhow::anyhow!("cannot link: {}", one_line(&why)))?;
    let code = CarryingComponent::of(component).code;
    let compiled = Component::new(&engine.engine, code).and_then(|component| linker.instantiate_pre(&component));
    let template = compiled.and_then(|pre| Template::new(pre, &engine));
    template.map_err(|why| anyhow::anyhow!("the component does not compile: {}", one_line(&why)))
}

/// The first file of a name that is not there yet.
fn free(folder: &Path, name: &str) -> PathBuf {
    let numbered = (2..).map(|number| format!("{name}-{number}"));
    let mut files = std::iter::once(name.to_owned()).chain(numbered);
    let is_free = |name: String| Some(folder.join(format!("{name}.{EXTENSION}"))).filter(|file| !file.exists());
    files.find_map(is_free).unwrap_or_else(|| folder.join(name))
}

/// Writes what users said, for this user alone.
fn write_private(file: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut partial = begin_private(file)?;
    partial.write_all(bytes)?;
    partial.persist(file)?;
    Ok(())
}

/// Removes all but the newest files of a kind.
fn prune(folder: &Path, extension: &str, max: usize) {
    let mut files = files_in(folder, extension);
    files.sort_by_key(|(written, _)| std::cmp::Reverse(*written));
    for (_, old) in files.into_iter().skip(max) {
        // One that cannot be removed now is tried again at the next.
        let _ = std::fs::remove_file(old);
    }
}

/// The files of a kind in a folder, each with the moment when it was written.
pub fn files_in(folder: &Path, extension: &str) -> Vec<(SystemTime, PathBuf)> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.flatten().map(|entry| (entry.metadata(), entry.path()));
    let of_kind = paths.filter(|(_, path)| path.extension().is_some_and(|found| found == extension));
    of_kind.filter_map(|(metadata, path)| Some((metadata.ok()?.modified().ok()?, path))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn lives_that_end_one_behind_the_other_make_few_files() {
        let lives = Lives::new();
        let admitted = || (0..1_000).filter(|_| lives.admits()).count();
        assert_eq!([admitted(), admitted()], [FILES, 0]);
        for (pause, expected) in [(2_500, 2), (499, 0), (1, 1), (3_600_000, FILES)] {
            tokio::time::advance(Duration::from_millis(pause)).await;
            assert_eq!(admitted(), expected, "{pause} ms later");
        }
    }
}
