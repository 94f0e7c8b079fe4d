//! From a file to a plugin that can serve: read, check, compile, link, rehearse.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use tokio::sync::Semaphore;
use wasmtime::Engine;
use wasmtime::component::{Component, Linker};

use super::anatomy::Anatomy;
use super::compiler::Compiler;
use super::engine::{SharedEngine, one_line};
use super::imports;
use super::instance::{ConnectRequest, Instance, OpenError, Rejection, Template};
use super::probe;
use super::state::{GuestState, RoomContext};
use super::supervisor::{FailureRecord, Supervisor};
use crate::model::durability::Durability;
use crate::model::failure::FailureKind;
use crate::model::limits::Limits;
use crate::model::meta::Meta;
use crate::model::names::{PluginKey, PluginPath, RoomId, is_short_name};
use crate::storage::view::RoomView;
use crate::tenant::{Account, Imports, Pace, Terms, Totals};

/// How many digits of its content hash name a version.
const VERSION_DIGITS: usize = 12;

/// A version of a plugin, ready to serve.
pub struct Plugin {
    /// Higher than that of all that were loaded before: a room only ever moves to a later one.
    pub serial: u64,
    pub key: PluginKey,
    pub version: String,
    /// What it calls itself.
    pub name: String,
    pub path: PluginPath,
    /// The events that it registers in `init`, in ascending order.
    pub events: Vec<String>,
    pub client_channels: bool,
    /// Whether what its turns say waits until what they wrote is durable.
    pub durability: Durability,
    /// Whether its rooms can keep anything that lasts: it imports what is needed for that.
    pub keeps: bool,
    pub supervisor: Supervisor,
    /// What all versions of the plugin did since the server started.
    pub totals: Arc<Totals>,
    /// Whom its instances belong to that belong to no room.
    outside: Arc<RoomContext>,
    template: Template,
    authorizing: Semaphore,
    /// Upgrades that are at `authorize`, those that wait for it included.
    at_authorize: AtomicUsize,
}

/// What a plugin imports that keeps something.
const KEEPING: [&str; 2] = ["parlor:room/storage@", "parlor:room/alarm@"];

/// How long a room that was asked may take to give up its instance before another one is asked.
const ASK_AGAIN: Duration = Duration::from_millis(20);

static SERIAL: AtomicU64 = AtomicU64::new(0);

/// How `authorize` failed to answer.
#[derive(Debug)]
pub enum AuthorizeError {
    Rejected(Rejection),
    /// As many as may already wait for it.
    Crowded,
    /// The instance could not be made now.
    Busy(OpenError),
    /// The guest faulted, or answered what the contract does not allow.
    Broken(String),
}

impl Plugin {
    /// Makes an instance for a room.
    pub async fn open(&self, room: RoomId, storage: Arc<RoomView>) -> Result<Instance, OpenError> {
        self.instance(Some(room), Some(storage)).await
    }

    /// Asks the plugin who wants to connect, in an instance of its own that is gone afterwards.
    pub async fn authorize(&self, request: ConnectRequest) -> Result<Option<Meta>, AuthorizeError> {
        let _waiting = Waiting::count(&self.at_authorize, self.limits().authorize_waiting)?;
        let _slot = self.authorizing.acquire().await.map_err(|_| AuthorizeError::Broken("closed".to_owned()))?;
        let lane = self.account().lane();
        let asked = async {
            lane.start(|| false).await;
            self.ask(request).await
        };
        lane.run(self.pace(), asked).await
    }

    async fn ask(&self, request: ConnectRequest) -> Result<Option<Meta>, AuthorizeError> {
        let mut instance = match self.instance(None, None).await {
            Ok(instance) => instance,
            Err(why @ (OpenError::NoPlace(_) | OpenError::TenantFull | OpenError::TooManyAwake)) => {
                return Err(AuthorizeError::Busy(why));
            }
            Err(why) => {
                self.supervisor.own_fault(&why.to_string(), self.limits());
                return Err(AuthorizeError::Broken(why.to_string()));
            }
        };
        match instance.authorize(request, self.limits().turn_cpu_ms).await {
            Ok(Ok(None)) => Ok(None),
            Ok(Ok(Some(meta))) => match meta.checked(self.limits()) {
                Ok(meta) => Ok(Some(meta)),
                Err(why) => Err(AuthorizeError::Broken(format!("authorize answered a meta that is not one: {why}"))),
            },
            Ok(Err(rejection)) => Err(AuthorizeError::Rejected(rejection)),
            Err(fault) => Err(AuthorizeError::Broken(format!("authorize {fault}"))),
        }
    }

    /// Makes an instance. Where there is no place for it, rooms that nobody is in give way, and it waits for a while.
    async fn instance(&self, room: Option<RoomId>, storage: Option<Arc<RoomView>>) -> Result<Instance, OpenError> {
        let context = Arc::new(RoomContext { room, ..RoomContext::clone(&self.outside) });
        let wait = Duration::from_millis(self.limits().instance_wait_ms);
        let mut given_up = std::pin::pin!(tokio::time::sleep(wait));
        let mut asked: Option<Instant> = None;
        loop {
            let awake = storage.is_some().then(|| self.account().awake.place());
            let opened = match &awake {
                Some(None) => Err(OpenError::TooManyAwake),
                Some(Some(_)) | None => Instance::open(&self.template, Arc::clone(&context), storage.clone()).await,
            };
            let (full, giver) = match opened {
                Ok((instance, _)) => return Ok(instance.holding(awake.flatten())),
                Err(full @ OpenError::NoPlace(_)) => (full, &self.engine().wanted),
                Err(full @ (OpenError::TenantFull | OpenError::TooManyAwake)) => (full, &self.account().wanted),
                Err(other) => return Err(other),
            };
            // One room gives way for this one, and another where that took too long.
            if asked.is_none_or(|asked| asked.elapsed() >= ASK_AGAIN) {
                asked = Some(Instant::now());
                giver.notify_one();
                self.engine().pressure.notify_one();
            }
            tokio::select! {
                () = self.engine().freed.notified() => {}
                () = tokio::time::sleep(ASK_AGAIN) => {}
                () = &mut given_up => return Err(full),
            }
        }
    }

    pub fn limits(&self) -> &Arc<Limits> {
        &self.outside.limits
    }

    pub fn account(&self) -> &Arc<Account> {
        &self.outside.account
    }

    /// Whether its calls take long.
    pub fn pace(&self) -> &Arc<Pace> {
        &self.outside.pace
    }

    /// The engine that its instances live in.
    pub fn engine(&self) -> &SharedEngine {
        self.template.engine()
    }

    /// Counts a failure of its code, and keeps it for whoever looks for the cause.
    pub fn record(&self, kind: FailureKind, failure: FailureRecord) {
        self.totals.count_failure(kind);
        self.supervisor.record(kind, failure);
    }

    /// The same outside of rooms.
    pub fn authorize_failed(&self, why: &str) {
        self.record(FailureKind::Authorize, FailureRecord::now(None, "authorize", "authorize", why));
    }
}

/// An upgrade at `authorize`, counted until it is dropped.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn count(count: &'a AtomicUsize, max: usize) -> Result<Self, AuthorizeError> {
        let waiting = Self(count);
        if count.fetch_add(1, Ordering::Relaxed) < max { Ok(waiting) } else { Err(AuthorizeError::Crowded) }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl std::fmt::Debug for Plugin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Plugin({}@{})", self.key, self.version)
    }
}

/// Makes plugins out of files.
pub struct Loader {
    engine: SharedEngine,
    linker: Linker<GuestState>,
    compiler: Arc<Compiler>,
}

impl Loader {
    /// `data` is the server's data folder; `program` is this program, another run of which compiles.
    pub fn new(engine: SharedEngine, data: &Path, program: PathBuf, limits: &Limits) -> anyhow::Result<Self> {
        let mut linker = Linker::new(&engine.engine);
        imports::link(&mut linker)
            .map_err(|why| anyhow::anyhow!("the host's own functions cannot be linked: {}", one_line(&why)))?;
        let compiler = Arc::new(Compiler::new(engine.engine.clone(), program, data, limits)?);
        Ok(Self { engine, linker, compiler })
    }

    pub fn engine(&self) -> &SharedEngine {
        &self.engine
    }

    /// What a component is known by: the beginning of its content's hash.
    pub fn version_of(bytes: &[u8]) -> String {
        blake3::hash(bytes).to_hex()[..VERSION_DIGITS].to_owned()
    }

    /// Whether a text can be a version's name.
    pub fn is_version(text: &str) -> bool {
        text.len() == VERSION_DIGITS && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    }

    /// Loads a file as a plugin.
    pub async fn load(&self, key: PluginKey, file: &Path, terms: Terms) -> anyhow::Result<Plugin> {
        let bytes = read_component(file, terms.limits.component_bytes)?;
        self.load_bytes(key, &bytes, terms).await
    }

    /// Loads a component as a plugin. `init` is called once, in no room: what the plugin says of itself is fixed here.
    /// Nothing is left behind where this fails, and every error says why in one line.
    pub async fn load_bytes(&self, key: PluginKey, bytes: &[u8], terms: Terms) -> anyhow::Result<Plugin> {
        let anatomy = examine(bytes, &terms.limits)?;
        anatomy.check(&terms.imports, &terms.limits).map_err(anyhow::Error::msg)?;
        let version = Self::version_of(bytes);
        let component = self.compiler.component(&key, bytes.into()).await?;
        let keeps = anatomy.imports.iter().any(|import| KEEPING.iter().any(|keeping| import.starts_with(keeping)));
        Ok(Plugin { keeps, ..self.rehearse(key, version, &component, terms).await? })
    }

    /// The plugin of the health check. Its component is this program's own, and compiled here.
    pub async fn load_probe(&self, key: PluginKey, terms: Terms) -> anyhow::Result<Plugin> {
        let component = Component::new(&self.engine.engine, probe::component()?)
            .map_err(|why| anyhow::anyhow!("the probe does not compile: {}", one_line(&why)))?;
        self.rehearse(key, String::new(), &component, terms).await
    }

    /// Calls `init` once, in no room.
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
            limits: terms.limits,
        });
        let lane = outside.account.lane();
        let rehearsal = async {
            lane.start(|| false).await;
            Instance::open(&template, Arc::clone(&outside), None).await
        };
        let rehearsal = lane.run(&outside.pace, rehearsal).await;
        let (instance, definition) = rehearsal?;
        let path = PluginPath::new(&definition.path)
            .with_context(|| format!("the path {:?} that init returned", definition.path))?;
        let name = definition.name;
        ensure!(is_short_name(&name), "the name that init returned must be 1 to 128 bytes, not {}", name.len());
        Ok(Plugin {
            key: outside.plugin.clone(),
            serial: SERIAL.fetch_add(1, Ordering::Relaxed),
            version: outside.version.clone(),
            name,
            path,
            events: instance.registrations().names(),
            client_channels: terms.client_channels,
            durability: terms.durability,
            keeps: false,
            totals: terms.totals,
            supervisor: Supervisor::new(&outside.plugin, &outside.version),
            template,
            authorizing: Semaphore::new(outside.limits.authorize_at_once),
            at_authorize: AtomicUsize::new(0),
            outside,
        })
    }

    /// What `load` does with a component up to running it, in this process, and nothing is kept: for the fuzz targets.
    pub fn prepare(&self, bytes: &[u8]) -> anyhow::Result<Template> {
        let limits = Limits::default();
        let anatomy = examine(bytes, &limits)?;
        anatomy.check(&Imports::All, &limits).map_err(anyhow::Error::msg)?;
        let component = Component::new(&self.engine.engine, bytes)
            .map_err(|why| anyhow::anyhow!("does not compile: {}", one_line(&why)))?;
        self.link(&component)
    }

    /// Checks what the component imports and exports against what this host offers and calls.
    fn link(&self, component: &Component) -> anyhow::Result<Template> {
        let pre = self
            .linker
            .instantiate_pre(component)
            .map_err(|why| anyhow::anyhow!("imports what this host does not offer: {}", one_line(&why)))?;
        Template::new(pre, &self.engine)
            .map_err(|why| anyhow::anyhow!("does not export the contract parlor:room/guest@0.1.0: {}", one_line(&why)))
    }
}

/// Reads a component's file, which may grow meanwhile.
pub fn read_component(file: &Path, max: u64) -> anyhow::Result<Vec<u8>> {
    let (mut open, mut bytes) = (File::open(file).context("cannot be read")?, Vec::new());
    let size = open.metadata().context("cannot be read")?.len();
    ensure!(size <= max, "is larger than component-bytes: {size} bytes, at most {max}");
    open.by_ref().take(max.saturating_add(1)).read_to_end(&mut bytes).context("cannot be read")?;
    Ok(bytes)
}

/// Reads a component without compiling it.
pub fn examine(bytes: &[u8], limits: &Limits) -> anyhow::Result<Anatomy> {
    let max = limits.component_bytes;
    ensure!(bytes.len() as u64 <= max, "is larger than component-bytes: {} bytes, at most {max}", bytes.len());
    check_header(bytes)?;
    Anatomy::of(bytes).map_err(|why| anyhow::anyhow!("does not compile: {why}"))
}

/// What can be said of a file by its first bytes.
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
