//! Loading: reads a file, checks, compiles and links the component, and calls its `init` once.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use anyhow::{Context as _, bail, ensure};
use tokio::sync::Semaphore;
use wasmtime::Engine;
use wasmtime::component::{Component, Linker};

use super::anatomy::Anatomy;
use super::carried::CarryingComponent;
use super::compiler::{Compiler, KeptScript, ScriptBuild, ScriptJob};
use super::failures::FailureLog;
use super::places;
use super::probe;
use super::tapes::TapeShelf;
use super::version::Plugin;
use crate::guest::RoomContext;
use crate::guest::engine::{SharedEngine, one_line};
use crate::guest::imports;
use crate::guest::instance::Template;
use crate::guest::state::GuestState;
use crate::guest::tape::Tape;
use crate::model::limits::Limits;
use crate::model::names::{PluginKey, PluginName, PluginPath, is_short_name};
use crate::tenant::{Imports, Terms};

/// How many digits of a component's hash name its version.
const VERSION_DIGITS: usize = 12;

/// A plugin whose rooms store something imports one of these.
const STORING: [&str; 3] = ["parlor:room/storage@", "parlor:room/alarm@", "parlor:room/history@"];

static SERIAL: AtomicU64 = AtomicU64::new(0);

/// Loads plugins.
pub struct Loader {
    engine: SharedEngine,
    linker: Linker<GuestState>,
    compiler: Arc<Compiler>,
}

impl Loader {
    /// `data` is the server's data folder. `program` is this program: the child that compiles is another run of it.
    pub fn new(engine: SharedEngine, data: &Path, program: PathBuf, limits: &Limits) -> anyhow::Result<Self> {
        let mut linker = Linker::new(&engine.engine);
        imports::link(&mut linker)
            .map_err(|why| anyhow::anyhow!("cannot link the host's own functions: {}", one_line(&why)))?;
        let compiler = Arc::new(Compiler::new(engine.engine.clone(), program, data, limits)?);
        Ok(Self { engine, linker, compiler })
    }

    /// Compiles the components of a folder for all tenants, one after the other, while what tenants compile waits: in the
    /// same languages it then takes over the functions of their engines. A component that cannot be compiled is told of and passed
    /// over. Without a folder no language's functions are kept.
    pub async fn compile_languages(&self, folder: Option<PathBuf>, limits: Limits) {
        let components = move || {
            let files = folder.into_iter().flat_map(|folder| components_in(&folder));
            files.map(move |file| (file.clone(), read_language(&file, &limits)))
        };
        if let Err(why) = self.compiler.languages(components).await {
            tracing::warn!("no engine is compiled for all tenants: {why:#}");
        }
    }

    pub fn engine(&self) -> &SharedEngine {
        &self.engine
    }

    /// The name of a component's version: the beginning of its hash.
    pub fn version_of(bytes: &[u8]) -> String {
        blake3::hash(bytes).to_hex()[..VERSION_DIGITS].to_owned()
    }

    /// Whether a text has the form of a version's name.
    pub fn is_version(text: &str) -> bool {
        text.len() == VERSION_DIGITS && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    }

    /// Loads a plugin from a file.
    pub async fn load(&self, key: PluginKey, file: &Path, terms: Terms) -> anyhow::Result<Plugin> {
        let bytes = read_component(file, terms.limits.component_bytes)?;
        self.load_bytes(key, &bytes, terms).await
    }

    /// What is to be done for a script. `is_flat` says that the folders beside it are other tenants'.
    pub fn script_job(&self, key: &PluginKey, file: &Path, is_flat: bool, terms: &Terms) -> anyhow::Result<ScriptJob> {
        self.compiler.script_job(key, file, is_flat, terms.limits.component_bytes)
    }

    /// What was last kept of a script, whatever its files are by now.
    pub async fn kept_script(&self, key: &PluginKey, job: &ScriptJob, terms: &Terms) -> Option<KeptScript> {
        self.compiler.kept_script(key, &terms.account, job).await
    }

    /// Makes a component of a script, in a child process and on the tenant's account.
    pub async fn build_script(&self, key: &PluginKey, job: &ScriptJob, terms: &Terms) -> anyhow::Result<ScriptBuild> {
        self.compiler.script(key, &terms.account, job.clone()).await
    }

    /// Keeps what a script became.
    pub async fn keep_script(&self, key: &PluginKey, job: &ScriptJob, terms: &Terms, made: KeptScript) {
        self.compiler.keep_script(key, &terms.account, job, made).await;
    }

    /// Loads a plugin from a component's bytes, and calls `init` once, outside of any room, to learn the plugin's name,
    /// path and events. An error says why in one line; a load that fails leaves nothing behind.
    pub async fn load_bytes(&self, key: PluginKey, bytes: &[u8], mut terms: Terms) -> anyhow::Result<Plugin> {
        let examined = terms.account.deploying(|| {
            let anatomy = examine(bytes, &terms.limits)?;
            anatomy.check(&terms.imports, &terms.limits).map_err(anyhow::Error::msg)?;
            let component = CarryingComponent::of(bytes);
            anyhow::Ok((anatomy, Self::version_of(bytes), component.config()?, Arc::from(component.code)))
        });
        let (anatomy, version, carried, shared) = examined?;
        for (key, value) in carried {
            // The operator's own word counts first.
            terms.config.entry(key).or_insert(value);
        }
        let component = self.compiler.component(&key, &terms.account, shared).await?;
        let can_store = anatomy.imports.iter().any(|import| STORING.iter().any(|storing| import.starts_with(storing)));
        let tapes = terms.tapes.take().map(|rules| Arc::new(TapeShelf::new(rules, bytes)));
        Ok(Plugin { can_store, tapes, ..self.rehearse(key, version, &component, terms).await? })
    }

    /// Loads the plugin of the health check. Its component is part of this program, so this process compiles it itself.
    pub async fn load_probe(&self, key: PluginKey, terms: Terms) -> anyhow::Result<Plugin> {
        let component = Component::new(&self.engine.engine, probe::COMPONENT)
            .map_err(|why| anyhow::anyhow!("the probe does not compile: {}", one_line(&why)))?;
        self.rehearse(key, String::new(), &component, terms).await
    }

    /// Calls `init` once, outside of any room, and makes the plugin.
    async fn rehearse(
        &self,
        key: PluginKey,
        version: String,
        component: &Component,
        terms: Terms,
    ) -> anyhow::Result<Plugin> {
        let template = self.link(component)?;
        let outside = Arc::new(RoomContext {
            plugin: key,
            version,
            room: None,
            config: Arc::new(terms.config),
            account: terms.account,
            pace: Arc::clone(&terms.totals.pace),
            room_pace: None,
            log: Arc::clone(&terms.totals.log),
            limits: terms.limits,
        });
        let lane = outside.account.lane();
        let rehearsal = async {
            // Waits for no debt: while it waited, it would keep its place from other tenants' deployments.
            lane.start(|| true).await;
            places::open(&template, &outside, None, Tape::default).await
        };
        let rehearsal = lane.run(rehearsal).await;
        let (instance, definition) = rehearsal?;
        let path = PluginPath::new(&definition.path)
            .with_context(|| format!("the path {:?} that init returned", definition.path))?;
        let name = definition.name;
        ensure!(is_short_name(&name), "the name that init returned must be 1 to 128 bytes, not {}", name.len());
        let events = instance.registrations().names();
        Ok(Plugin {
            key: outside.plugin.clone(),
            serial: SERIAL.fetch_add(1, Ordering::Relaxed),
            version: outside.version.clone(),
            name,
            path,
            client_channels: terms.client_channels,
            durability: terms.durability,
            subprotocols: terms.subprotocols,
            can_store: false,
            handlers: terms.totals.costs.handlers(&events),
            events,
            tapes: None,
            totals: terms.totals,
            failures: FailureLog::default(),
            template,
            authorizing: Semaphore::new(outside.limits.authorize_at_once),
            at_authorize: AtomicUsize::new(0),
            outside,
        })
    }

    /// Does all that loading does before it runs the component, in this process and without a cache. The fuzz targets
    /// use it.
    pub fn prepare(&self, bytes: &[u8]) -> anyhow::Result<Template> {
        let limits = Limits::default();
        let anatomy = examine(bytes, &limits)?;
        anatomy.check(&Imports::All, &limits).map_err(anyhow::Error::msg)?;
        let component = Component::new(&self.engine.engine, bytes)
            .map_err(|why| anyhow::anyhow!("does not compile: {}", one_line(&why)))?;
        self.link(&component)
    }

    /// Links a component. Fails if it imports what this host does not offer, or does not export the contract.
    fn link(&self, component: &Component) -> anyhow::Result<Template> {
        let pre = self
            .linker
            .instantiate_pre(component)
            .map_err(|why| anyhow::anyhow!("imports what this host does not offer: {}", one_line(&why)))?;
        Template::new(pre, &self.engine)
            .map_err(|why| anyhow::anyhow!("does not export the contract parlor:room/guest@0.1.0: {}", one_line(&why)))
    }
}

/// The components of the folder of engines, in the order of their names.
fn components_in(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder)
        .inspect_err(|why| tracing::warn!("cannot read the folder of engines, {}: {why}", folder.display()));
    let files = entries.into_iter().flatten().flatten().map(|entry| entry.path());
    let mut files: Vec<PathBuf> = files.filter(|file| file.extension().is_some_and(|kind| kind == "wasm")).collect();
    files.sort();
    files
}

/// Reads the operator's component of a language, which its file's name says.
fn read_language(file: &Path, limits: &Limits) -> anyhow::Result<(String, Vec<u8>)> {
    let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    PluginName::new(&name).with_context(|| format!("{name:?} cannot be the name of an engine"))?;
    let component = read_component(file, limits.component_bytes)?;
    examine(&component, limits)?;
    Ok((name, component))
}

/// Reads a component's file, up to the limit even if the file grows meanwhile.
pub fn read_component(file: &Path, max: u64) -> anyhow::Result<Vec<u8>> {
    let mut open = File::open(file).context("cannot be read")?;
    let size = open.metadata().context("cannot be read")?.len();
    ensure!(size <= max, "is larger than component-bytes: {size} bytes, at most {max}");
    let mut bytes = Vec::new();
    open.by_ref().take(max.saturating_add(1)).read_to_end(&mut bytes).context("cannot be read")?;
    Ok(bytes)
}

/// Checks a component's size and header, and reads its anatomy, without compiling it.
pub fn examine(bytes: &[u8], limits: &Limits) -> anyhow::Result<Anatomy> {
    let max = limits.component_bytes;
    ensure!(bytes.len() as u64 <= max, "is larger than component-bytes: {} bytes, at most {max}", bytes.len());
    check_header(bytes)?;
    Anatomy::of(bytes).map_err(|why| anyhow::anyhow!("does not compile: {why}"))
}

/// Recognises by its first bytes what a file is.
fn check_header(bytes: &[u8]) -> anyhow::Result<()> {
    ensure!(!bytes.is_empty(), "is empty");
    if Engine::detect_precompiled(bytes).is_some() {
        bail!("is precompiled code, which is loaded from the server's own cache only; give the component itself");
    }
    match bytes.get(..8) {
        Some(b"\0asm\x0d\0\x01\0") => Ok(()),
        Some(b"\0asm\x01\0\0\0") => {
            bail!(
                "is a core module, not a component; build it for wasm32-wasip2, or wrap it with `wasm-tools component new`"
            )
        }
        _ => bail!("is no WebAssembly component: it does not begin with a component's header"),
    }
}
