//! Compiling. A child process of this program compiles, since a component may be made to exhaust whoever compiles it.
//! The native code goes into a folder of the tenant's that only this user can write, under the hashes of the component and
//! of the engine, and with a checksum. The server loads no other native code, and none that changed since. What a
//! compilation uses is charged to the tenant.

mod bounds;
mod bulk;
mod cache;
mod child;
mod failure;
mod functions;
mod kept_scripts;
mod languages;
mod packs;
mod pieces;
mod prevented;
mod scripts;
mod seal;
mod subject;
mod supervision;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context as _, bail};
use tempfile::NamedTempFile;
use tokio::sync::Semaphore;
use wasmtime::Engine;
use wasmtime::component::Component;

use crate::files;
use crate::guest::engine::{engine_hash, one_line};
use crate::model::limits::Limits;
use crate::model::names::PluginKey;
use crate::tenant::Account;
use crate::tenant::locks::TenantLocks;
use bounds::ALLOCATOR_RESERVE;
pub use bounds::{ChildBounds, ChildMemory};
pub use cache::compiled_bytes;
use cache::{Cache, EXTENSION};
pub use child::CompileJob;
use failure::{failure, words_of};
use functions::FunctionCounts;
pub use kept_scripts::{KeptScript, ScriptSources};
use languages::LanguagePacks;
use packs::Packs;
use prevented::unwritten;
pub use prevented::{EXIT_CODE as EXIT_PREVENTED, Prevented};
use scripts::ScriptBuilder;
pub use scripts::{BY_SIGNAL, EXIT_LACKING, LackingTools, ScriptBuild, ScriptJob};
use seal::BrokenSeal;
use subject::CompileSubject;
use supervision::{ChildEnd, EndedChild, wait};

/// Compiles components, and caches their native code.
pub struct Compiler {
    engine: Engine,
    /// This program. The child is another run of it.
    program: PathBuf,
    cache: Cache,
    /// To whom the files belong that this program writes into the folder.
    user: u32,
    packs: Packs,
    languages: LanguagePacks,
    limits: Limits,
    at_once: Arc<Semaphore>,
    /// A tenant compiles one component at a time, so that a tenant with many does not keep the others waiting.
    tenants: TenantLocks,
}

impl Compiler {
    /// `program` is `parlor` itself, `data` is the server's data folder, `limits` are the server's.
    pub fn new(engine: Engine, program: PathBuf, data: &Path, limits: &Limits) -> anyhow::Result<Self> {
        let cache = Cache::open(data, limits)?;
        let bytes_max = limits.compiled_functions_bytes;
        let packs = Packs { folder: cache.functions.clone(), engine_hash: engine_hash(&engine), bytes_max };
        let languages = LanguagePacks::new(&cache.functions);
        let at_once = Arc::new(Semaphore::new(limits.compiles_at_once));
        let user = seal::own_user(&cache.folder);
        let user = user.with_context(|| format!("cannot write into {}", cache.folder.display()))?;
        let (limits, tenants) = (limits.clone(), TenantLocks::default());
        Ok(Self { engine, program, cache, user, packs, languages, limits, at_once, tenants })
    }

    /// Compiles a component, or loads the code of an earlier compilation for the same tenant. An error is one line, and
    /// names the limit that was exceeded. What this and the child execute is charged to the account.
    pub async fn component(
        self: &Arc<Self>,
        key: &PluginKey,
        account: &Arc<Account>,
        bytes: Arc<[u8]>,
    ) -> anyhow::Result<Component> {
        let looked_for = Arc::clone(&bytes);
        let look = move |compiler: &Self, key: &PluginKey, account: &Account| {
            let kept = compiler.place(key, account, &looked_for);
            (compiler.load_kept(&kept), kept)
        };
        let (found, kept) = self.aside(key, account, look).await?;
        if let Some(component) = found {
            return Ok(component);
        }
        let turns = (self.tenants.lock(&key.tenant).await, Arc::clone(&self.at_once).acquire_owned().await?);
        let wanted = StillWanted::default();
        let given_up = Arc::clone(&wanted.given_up);
        self.aside(key, account, move |compiler, key, account| {
            // Hold both until the child is gone, even if nobody waits for the code any more.
            let _turns = turns;
            let _alone =
                Cache::lock(&kept, || given_up.load(Ordering::Relaxed)).map_err(|why| unwritten(&kept, why))?;
            // Whoever had the lock before may have compiled the same component.
            match compiler.load_kept(&kept) {
                Some(component) => Ok(component),
                None => compiler.compile(key, account, &bytes, &kept, &given_up),
            }
        })
        .await?
    }

    /// The job that makes a component of at most `max` bytes of a script.
    pub fn script_job(&self, key: &PluginKey, file: &Path, is_flat: bool, max: u64) -> anyhow::Result<ScriptJob> {
        ScriptJob::new(key, file, is_flat, &self.limits, max)
    }

    /// Makes a component of a script, in turn with all else that is compiled.
    pub async fn script(
        self: &Arc<Self>,
        key: &PluginKey,
        account: &Arc<Account>,
        job: ScriptJob,
    ) -> anyhow::Result<ScriptBuild> {
        let _turns = (self.tenants.lock(&key.tenant).await, Arc::clone(&self.at_once).acquire_owned().await?);
        let build = move |compiler: &Self, key: &PluginKey, account: &Account| {
            ScriptBuilder { program: &compiler.program, folder: &compiler.cache.folder }.build(key, account, &job)
        };
        self.aside(key, account, build).await?
    }

    /// What was last kept for a script. Whether its files are as they were is for the caller to see.
    pub async fn kept_script(
        self: &Arc<Self>,
        key: &PluginKey,
        account: &Arc<Account>,
        job: &ScriptJob,
    ) -> Option<KeptScript> {
        let (max, name) = (job.output_bytes, kept_scripts::name(job, &self.program)?);
        let read = move |compiler: &Self, key: &PluginKey, account: &Account| {
            kept_scripts::read(&compiler.place_of(key, account, &name), compiler.user, max)
        };
        self.aside(key, account, read).await.ok()?
    }

    /// Keeps what a script became. Where that fails, the script is built again after the next start.
    pub async fn keep_script(
        self: &Arc<Self>,
        key: &PluginKey,
        account: &Arc<Account>,
        job: &ScriptJob,
        made: KeptScript,
    ) {
        let Some(name) = kept_scripts::name(job, &self.program) else { return };
        let write = move |compiler: &Self, key: &PluginKey, account: &Account| {
            let file = compiler.place_of(key, account, &name);
            if let Err(why) = kept_scripts::write(&file, &made) {
                tracing::warn!("{} is built again after the next start: {why:#}", file.display());
            }
            compiler.cache.forget_unused(&file);
        };
        // Nothing is lost where the thread fails.
        let _ = self.aside(key, account, write).await;
    }

    /// Runs work for a tenant on a thread that may take long, and charges it.
    async fn aside<T: Send + 'static>(
        self: &Arc<Self>,
        key: &PluginKey,
        account: &Arc<Account>,
        work: impl FnOnce(&Self, &PluginKey, &Account) -> T + Send + 'static,
    ) -> anyhow::Result<T> {
        let (compiler, key, account) = (Arc::clone(self), key.clone(), Arc::clone(account));
        let work = move || account.deploying(|| work(&compiler, &key, &account));
        tokio::task::spawn_blocking(work).await.context("compiling panicked")
    }

    /// The file of the tenant's code of a component.
    fn place(&self, key: &PluginKey, account: &Account, bytes: &[u8]) -> PathBuf {
        let name = format!("{}-{:016x}.{EXTENSION}", blake3::hash(bytes).to_hex(), engine_hash(&self.engine));
        self.place_of(key, account, &name)
    }

    fn place_of(&self, key: &PluginKey, account: &Account, name: &str) -> PathBuf {
        self.cache.file(&key.tenant, account.limits.compiled_cache_tenant_bytes, name)
    }

    fn compile(
        &self,
        key: &PluginKey,
        account: &Account,
        bytes: &[u8],
        kept: &Path,
        given_up: &AtomicBool,
    ) -> anyhow::Result<Component> {
        let compiled = files::begin(kept).map_err(|why| unwritten(kept, why)).and_then(|partial| {
            let subject = CompileSubject::Plugin(key, account);
            if let Some(made) = self.make(subject, bytes, &partial, given_up)? {
                self.packs.keep(&key.tenant, &made.pack);
                subject.tell_done(made.took, made.counts);
            }
            seal::put(partial.as_file(), kept).map_err(|why| unwritten(kept, why))?;
            // Under this name nobody else forgets it before it is loaded.
            let component = self.load(partial.path());
            let component = component.map_err(|why| anyhow::anyhow!("does not fit this host: {}", one_line(&why)))?;
            // The final name promises complete code, also after a power cut.
            partial.as_file().sync_data().map_err(|why| unwritten(kept, why))?;
            drop(partial.persist(kept).map_err(|why| unwritten(kept, why.error))?);
            Ok(component)
        });
        self.cache.forget_unused(kept);
        compiled
    }

    /// Compiles the operator's components of languages for all tenants, while tenants' compilations wait. Each file, with the
    /// name and the bytes that it was read as, is read on the thread that waits for the compilation.
    pub async fn languages<I>(self: &Arc<Self>, components: impl FnOnce() -> I + Send + 'static) -> anyhow::Result<()>
    where
        I: Iterator<Item = (PathBuf, anyhow::Result<(String, Vec<u8>)>)>,
    {
        let turn = Arc::clone(&self.at_once).acquire_owned().await?;
        let wanted = StillWanted::default();
        let (compiler, given_up) = (Arc::clone(self), Arc::clone(&wanted.given_up));
        let compile = move || {
            let _turn = turn;
            for (file, read) in components() {
                let compiled = read.and_then(|(name, component)| compiler.language(&name, &component, &given_up));
                // Nobody needs the others any more, nor wants to be told.
                if given_up.load(Ordering::Relaxed) {
                    return;
                }
                if let Err(why) = compiled {
                    tracing::warn!("{} is not compiled for all tenants: {why:#}", file.display());
                }
            }
            compiler.languages.remove_unused();
        };
        tokio::task::spawn_blocking(compile).await.context("compiling panicked")
    }

    /// Compiles the operator's component of a language, unless that was done before: keeps its functions, and not its code.
    fn language(&self, name: &str, component: &[u8], given_up: &AtomicBool) -> anyhow::Result<()> {
        self.languages.check_room()?;
        let bytes_max = self.limits.compiled_engine_bytes;
        let name_of_pack = LanguagePacks::file_of(name, component, bytes_max, engine_hash(&self.engine));
        if !self.languages.is_kept(&name_of_pack) {
            let file = self.languages.folder.join(&name_of_pack);
            let begun = self.languages.prepare().and_then(|()| files::begin(&file));
            let partial = begun.map_err(|why| unwritten(&file, why))?;
            let subject = CompileSubject::Language(name);
            let made = self.make(subject, component, &partial, given_up)?.filter(|made| !made.pack.is_empty());
            let made = made.context("compiled-engine-bytes allows no functions")?;
            files::write_whole(&file, &made.pack)?;
            subject.tell_done(made.took, made.counts);
        }
        self.languages.add(name_of_pack, component.len());
        Ok(())
    }

    /// Makes a file of native code, and returns the functions to keep.
    fn make(
        &self,
        subject: CompileSubject<'_>,
        bytes: &[u8],
        partial: &NamedTempFile,
        given_up: &AtomicBool,
    ) -> anyhow::Result<Option<MadeFunctions>> {
        let (file, path) = (partial.as_file(), partial.path());
        let start = Instant::now();
        self.run_child(subject, bytes, file.try_clone().map_err(|why| unwritten(path, why))?, given_up)?;
        let taken = packs::take_off(file, path)?;
        Ok(taken.map(|(pack, counts)| MadeFunctions { pack, counts, took: start.elapsed() }))
    }

    /// What the child is told, and the functions that it gets.
    fn job(&self, subject: CompileSubject<'_>, bytes: &[u8]) -> (CompileJob, Vec<u8>) {
        let limits = &self.limits;
        let (functions_bytes, languages, pack) = match subject {
            CompileSubject::Plugin(key, _) => {
                let languages = self.languages.for_component(bytes.len());
                (limits.compiled_functions_bytes, languages, self.packs.read(&key.tenant))
            }
            CompileSubject::Language(_) => (limits.compiled_engine_bytes, Vec::new(), Vec::new()),
        };
        (CompileJob::new(limits, functions_bytes, languages, engine_hash(&self.engine)), pack)
    }

    fn run_child(
        &self,
        subject: CompileSubject<'_>,
        bytes: &[u8],
        output: File,
        given_up: &AtomicBool,
    ) -> anyhow::Result<()> {
        let limits = &self.limits;
        let (job, pack) = self.job(subject, bytes);
        let mut child = Command::new(&self.program);
        if job.reads_languages() {
            child.current_dir(&self.languages.folder);
        }
        let mut child = child
            .arg("compile-component")
            .arg(job.to_argument())
            .env_clear()
            .env(ALLOCATOR_RESERVE.0, ALLOCATOR_RESERVE.1)
            .stdin(Stdio::piped())
            .stdout(output)
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|why| Prevented(format!("cannot start {} to compile: {why}", self.program.display())))?;
        let input = child.stdin.take();
        let ended = std::thread::scope(|scope| {
            // If the child exits early, this write fails; the child's exit says why.
            let give = move || input.map(|mut input| packs::give(&mut input, &pack, bytes));
            scope.spawn(move || subject.working(give));
            wait(&mut child, Duration::from_millis(limits.compile_wall_ms), given_up, || subject.tell_begun())
        });
        let EndedChild { end, cpu } = ended?;
        subject.charge(cpu);
        let status = match end {
            ChildEnd::Itself(status) => status,
            ChildEnd::StoodStill => {
                let words = "was not compiled: the compiler got no CPU time for as long as compile-wall-ms";
                bail!(Prevented(format!("{words}: {} ms", limits.compile_wall_ms)))
            }
            ChildEnd::GivenUp => bail!(Prevented("was given up: nobody waits for it any more".to_owned())),
        };
        if status.success() { Ok(()) } else { Err(failure(status, &words_of(&mut child), limits)) }
    }

    /// Loads cached code; `None` if there is none, if it changed since it was written, or if this engine refuses it.
    fn load_kept(&self, kept: &Path) -> Option<Component> {
        let loaded = match seal::check(kept, self.user) {
            Ok(()) => self.load(kept).map_err(|why| one_line(&why)),
            Err(BrokenSeal::Unreadable(why)) if why.kind() == ErrorKind::NotFound => return None,
            Err(why) => Err(why.to_string()),
        };
        let refused = |why: &String| {
            tracing::warn!("cannot load {}, so the component is compiled again: {why}", kept.display());
        };
        loaded.inspect_err(refused).ok()
    }

    /// Maps a file of native code, and notes that it was used.
    fn load(&self, kept: &Path) -> wasmtime::Result<Component> {
        // If this fails, the file only seems to be unused for longer than it is.
        let _ = File::open(kept).and_then(|file| file.set_modified(SystemTime::now()));
        // SAFETY: only this user can write to the folder. Children of this program wrote its files, completely and
        // under the hashes of their component and of the engine, and the seal says that nothing changed since. Whoever
        // can forge that can change this program, too.
        #[allow(unsafe_code)]
        unsafe {
            Component::deserialize_file(&self.engine, kept)
        }
    }
}

/// What a child gave beside the code.
struct MadeFunctions {
    pack: Vec<u8>,
    counts: FunctionCounts,
    took: Duration,
}

/// Dropping this tells the compilation that nobody waits for the code any more.
#[derive(Default)]
struct StillWanted {
    given_up: Arc<AtomicBool>,
}

impl Drop for StillWanted {
    fn drop(&mut self) {
        self.given_up.store(true, Ordering::Relaxed);
    }
}
