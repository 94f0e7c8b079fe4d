//! Compiling: in a child process of this program, since the input may be made to exhaust whoever compiles it. What comes
//! out is kept in a folder that this user alone can write, under the hashes of its source and of the engine, and is the
//! only native code that is ever loaded.

mod child;

use std::collections::HashMap;
use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{Read as _, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context as _, bail};
use parking_lot::Mutex;
use rustix::process::Signal;
use tokio::sync::Semaphore;
use wasmtime::Engine;
use wasmtime::component::Component;

use super::engine::one_line;
use super::folder::{PARTIAL, partial_name};
use super::guest_log::printable;
use crate::model::limits::Limits;
use crate::model::names::{PluginKey, TenantName};
pub use child::Job;

/// How often it is looked whether the child is done.
const POLL: Duration = Duration::from_millis(5);
/// Compiling that takes longer than this is told of.
const WORTH_TELLING: Duration = Duration::from_secs(1);
/// What the child may say of an error.
const WORDS_BYTES_MAX: u64 = 4 << 10;
/// Unfinished files that are older were left by a process that ended.
const STALE: Duration = Duration::from_secs(3_600);

/// Makes native code of components.
pub struct Compiler {
    engine: Engine,
    /// This program: the child is another run of it.
    program: PathBuf,
    folder: PathBuf,
    limits: Limits,
    at_once: Semaphore,
    /// One at a time for each tenant, so that none keeps the others waiting with all that it has.
    tenants: Mutex<HashMap<TenantName, Arc<Semaphore>>>,
}

impl Compiler {
    /// `program` is `parlor` itself, `data` the server's data folder, `limits` the server's own.
    pub fn new(engine: Engine, program: PathBuf, data: &Path, limits: &Limits) -> anyhow::Result<Self> {
        let folder = data.join("compiled");
        private_folder(&folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
        remove_stale(&folder);
        let at_once = Semaphore::new(limits.compiles_at_once);
        Ok(Self { engine, program, folder, limits: limits.clone(), at_once, tenants: Mutex::default() })
    }

    /// The component of these bytes, compiled now or before. An error is one line, and names the bound that was passed.
    pub async fn component(self: &Arc<Self>, key: &PluginKey, bytes: Arc<[u8]>) -> anyhow::Result<Component> {
        let hash = blake3::hash(&bytes).to_hex();
        let kept = self.folder.join(format!("{hash}-{:016x}.cwasm", engine_hash(&self.engine)));
        if let Some(component) = self.load(&kept) {
            return Ok(component);
        }
        let of_tenant =
            Arc::clone(self.tenants.lock().entry(key.tenant.clone()).or_insert_with(|| Arc::new(Semaphore::new(1))));
        let _turn_of_tenant = of_tenant.acquire().await.context("closed")?;
        let _turn = self.at_once.acquire().await.context("closed")?;
        let (compiler, key) = (Arc::clone(self), key.clone());
        tokio::task::spawn_blocking(move || compiler.compile(&key, &bytes, &kept))
            .await
            .context("compiling panicked")?
    }

    fn compile(&self, key: &PluginKey, bytes: &[u8], kept: &Path) -> anyhow::Result<Component> {
        let partial = kept.with_extension(partial_name());
        let file = File::create(&partial).with_context(|| format!("cannot write {}", partial.display()))?;
        let compiled = self
            .run_child(key, bytes, file)
            .and_then(|()| std::fs::rename(&partial, kept).with_context(|| format!("cannot write {}", kept.display())));
        if let Err(why) = compiled {
            // Where it cannot be removed, the next start does it.
            let _ = std::fs::remove_file(&partial);
            return Err(why);
        }
        self.forget_unused(kept);
        self.load(kept).context("what was compiled cannot be loaded by the engine that wrote it")
    }

    fn run_child(&self, key: &PluginKey, bytes: &[u8], output: File) -> anyhow::Result<()> {
        let limits = &self.limits;
        let mut child = Command::new(&self.program)
            .arg("compile-component")
            .arg(Job::new(limits, engine_hash(&self.engine)).to_argument())
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(output)
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {} to compile", self.program.display()))?;
        let start = Instant::now();
        let input = child.stdin.take();
        let status = std::thread::scope(|scope| {
            // A child that ends early takes no more; how it ended says why.
            scope.spawn(move || input.map(|mut input| input.write_all(bytes)));
            wait(&mut child, start, Duration::from_millis(limits.compile_wall_ms), key)
        })?;
        let Some(status) = status else {
            bail!("takes longer to compile than compile-wall-ms: {} ms", limits.compile_wall_ms);
        };
        let took = start.elapsed();
        if took > WORTH_TELLING {
            let (tenant, plugin) = (key.tenant.as_str(), key.plugin.as_str());
            tracing::info!(tenant, plugin, "compiling took {:.1} s", took.as_secs_f64());
        }
        if status.success() { Ok(()) } else { Err(self.failure(status, &words_of(&mut child))) }
    }

    /// Why the child failed, by how it ended.
    fn failure(&self, status: ExitStatus, words: &str) -> anyhow::Error {
        let limits = &self.limits;
        let out_of_memory = ["memory allocation of", "os error 12", "Cannot allocate memory", "out of memory"];
        if out_of_memory.iter().any(|sign| words.contains(sign)) {
            return anyhow::anyhow!(
                "needs more memory to compile than compile-memory-bytes: {}",
                limits.compile_memory_bytes
            );
        }
        match status.signal() {
            Some(signal) if [Signal::XCPU, Signal::KILL].map(Signal::as_raw).contains(&signal) => {
                anyhow::anyhow!("needs more CPU time to compile than compile-cpu-ms: {} ms", limits.compile_cpu_ms)
            }
            Some(signal) if signal == Signal::XFSZ.as_raw() => {
                anyhow::anyhow!("becomes larger by compiling than compiled-bytes: {}", limits.compiled_bytes)
            }
            Some(signal) => anyhow::anyhow!("does not compile: the compiler crashed with signal {signal}"),
            None => anyhow::anyhow!("does not compile: {words}"),
        }
    }

    /// Takes code that was compiled before, and notes that it is used.
    fn load(&self, kept: &Path) -> Option<Component> {
        let file = File::open(kept).ok()?;
        // Where the time cannot be noted, the file only looks older than it is.
        let _ = file.set_modified(SystemTime::now());
        // SAFETY: the folder can be written by this user alone; its files are written by children of this program, whole
        // and under the hashes of their source and of the engine; whoever can change them can change this program too.
        #[allow(unsafe_code)]
        let component = unsafe { Component::deserialize_file(&self.engine, kept) };
        component.inspect_err(|why| tracing::warn!("{} is compiled anew: {}", kept.display(), one_line(why))).ok()
    }

    /// Keeps the folder within its bound: what was not used for longest goes first, what was made now stays.
    fn forget_unused(&self, made: &Path) {
        let mut files = files_of(&self.folder, |name| name.ends_with(".cwasm"));
        files.sort_by_key(|file| file.used);
        let mut total: u64 = files.iter().map(|file| file.bytes).sum();
        for file in files.iter().filter(|file| file.path != made) {
            if total <= self.limits.compiled_cache_bytes {
                return;
            }
            if std::fs::remove_file(&file.path).is_ok() {
                total -= file.bytes;
            }
        }
    }
}

/// Waits for the child; none where it took too long and was killed.
fn wait(child: &mut Child, start: Instant, wall: Duration, key: &PluginKey) -> anyhow::Result<Option<ExitStatus>> {
    let mut told = false;
    loop {
        if let Some(status) = child.try_wait().context("the child that compiles cannot be waited for")? {
            return Ok(Some(status));
        }
        if start.elapsed() >= wall {
            child.kill().context("the child that compiles cannot be stopped")?;
            child.wait().context("the child that compiles cannot be waited for")?;
            return Ok(None);
        }
        if !told && start.elapsed() > WORTH_TELLING {
            told = true;
            tracing::info!(tenant = key.tenant.as_str(), plugin = key.plugin.as_str(), "compiling ...");
        }
        std::thread::sleep(POLL);
    }
}

/// What the child said, as one line.
fn words_of(child: &mut Child) -> String {
    let mut words = Vec::new();
    if let Some(stderr) = child.stderr.take() {
        // What cannot be read is not said.
        let _ = stderr.take(WORDS_BYTES_MAX).read_to_end(&mut words);
    }
    printable(String::from_utf8_lossy(&words).trim())
}

/// A file of the folder.
struct Kept {
    path: PathBuf,
    bytes: u64,
    used: SystemTime,
}

/// The files whose names are these; what cannot be looked at is passed over.
fn files_of(folder: &Path, is_it: impl Fn(&str) -> bool) -> Vec<Kept> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let entries = entries.flatten().filter(|entry| entry.file_name().to_str().is_some_and(&is_it));
    let kept = entries.filter_map(|entry| {
        let meta = entry.metadata().ok()?;
        Some(Kept { path: entry.path(), bytes: meta.len(), used: meta.modified().ok()? })
    });
    kept.collect()
}

/// Removes what processes left behind that ended while they compiled.
fn remove_stale(folder: &Path) {
    let now = SystemTime::now();
    for file in files_of(folder, |name| name.contains(PARTIAL)) {
        if now.duration_since(file.used).is_ok_and(|age| age > STALE) {
            // Where it cannot be removed, it lies there for another while.
            let _ = std::fs::remove_file(file.path);
        }
    }
}

fn private_folder(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700))
}

/// What code must have been compiled for that an engine takes.
pub fn engine_hash(engine: &Engine) -> u64 {
    let mut hasher = DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut hasher);
    hasher.finish()
}
