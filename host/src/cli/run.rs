//! The life of a server: start, listen, load, serve, drain.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use listenfd::ListenFd;
use tokio::runtime::{Handle, Runtime};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::data_lock::DataLock;
use super::descriptors;
use super::signals::EndSignals;
use super::systemd::notify;
use crate::clock::Instant;
use crate::config::Config;
use crate::deploy::follow::FirstLook;
use crate::deploy::{self, Deploys};
use crate::fleet::{self, Fleet};
use crate::guest::engine;
use crate::logs;
use crate::plugin::loader::Loader;
use crate::plugin::tapes;
use crate::server::dev::DevProjects;
use crate::server::figures::Figures;
use crate::server::{self, Door, Health, Listeners};
use crate::storage::durable::{DurableStorage, WRITERS};
use crate::tenant::tapes::TapePlace;
use crate::tenant::{Tenants, log_gate};
use crate::traces::Traces;
use crate::watchdog::Watchdog;
use crate::workers::Workers;

/// The program that runs, even after its file was replaced.
pub(super) const THIS_PROGRAM: &str = "/proc/self/exe";
/// The folder of the tenants' files, in the one for what the server makes.
pub(super) const STORAGE_FOLDER: &str = "tenants";
/// Where `parlor dev` writes tapes, and where in the data folder a server does.
const DEV_TAPES: &str = ".parlor/tapes";
pub(super) const TAPES_FOLDER: &str = "tapes";
/// How often the drain looks whether rooms are left.
const DRAIN_POLL: Duration = Duration::from_millis(20);
/// How long spans are still sent when all rooms have ended.
const LAST_SPANS: Duration = Duration::from_secs(2);
/// How often the server looks whether lines were left out of the log.
const LEFT_OUT_POLL: Duration = Duration::from_secs(1);

/// A server that hears signals and has done nothing else yet.
pub struct ServerLife {
    /// HTTP and upgrades run on this thread; rooms and their sockets on the workers.
    runtime: Runtime,
    signals: EndSignals,
    inherited: ListenFd,
}

/// The server that listens, before it serves.
struct Started {
    deploys: Arc<Deploys>,
    health: Health,
    look: FirstLook,
}

impl ServerLife {
    /// Comes before all else that a server does.
    pub fn begin() -> anyhow::Result<Self> {
        // It takes its variables out of the environment, so it comes before any thread.
        let inherited = ListenFd::from_env();
        logs::log_panics();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("no runtime")?;
        let signals = runtime.block_on(async { EndSignals::listen() })?;
        Ok(Self { runtime, signals, inherited })
    }

    /// Serves until a signal ends the server. `dev` are the projects of `parlor dev`; `before` runs when the server has
    /// its address and before it uses the plugin folder; `beside` starts what runs as long as the server serves.
    pub fn serve<B: Send + 'static, T>(
        self,
        config: Config,
        dev: Option<Arc<DevProjects>>,
        before: impl FnOnce() -> anyhow::Result<B> + Send + 'static,
        beside: impl FnOnce(B, &Arc<Deploys>) -> anyhow::Result<T>,
    ) -> anyhow::Result<()> {
        let Self { runtime, mut signals, inherited } = self;
        runtime.block_on(async {
            let _claim = DataLock::take(&config.data)?;
            let mut listeners = listen(&config, inherited).await?;
            let addresses: Vec<String> = listeners.listeners.iter().map(ToString::to_string).collect();
            let connections = descriptors::connections(config.limits())?;
            let door = Arc::new(Door::new(&config, connections));
            let (switch, http) = watch::channel(None);
            let mut accepting = JoinSet::new();
            let watchdog = Arc::<Watchdog>::default();
            let told = Arc::clone(&watchdog);
            logs::watch_writers(move || told.caught("log-writer", "while it wrote a line, which is lost"));
            for listener in std::mem::take(&mut listeners.listeners).into_iter().map(Arc::new) {
                let (http, door) = (http.clone(), Arc::clone(&door));
                let accept = move || server::serve(Arc::clone(&listener), http.clone(), Arc::clone(&door));
                accepting.spawn(Arc::clone(&watchdog).keep_alive("accept", accept));
            }
            tracing::info!("listening on {}; up to {connections} connections at once", addresses.join(", "));
            let (started_with, projects, watching) = (config.clone(), dev.clone(), Arc::clone(&watchdog));
            // On a thread of its own, so that this one hears signals and answers meanwhile.
            let starting = tokio::task::spawn_blocking(move || {
                let before = before()?;
                anyhow::Ok((before, Handle::current().block_on(start(&started_with, projects.as_deref(), &watching))?))
            });
            let (before, started) = tokio::select! {
                started = starting => started.context("the start failed")??,
                signal = signals.next() => {
                    tracing::info!("{signal} while the server starts: nothing is served yet, so it ends at once");
                    drop(listeners);
                    logs::flush();
                    // What the start has under way is as safe as in a crash, and may take long to end properly.
                    std::process::exit(0);
                }
            };
            let Started { deploys, health, look } = started;
            let figures = Figures::start(&deploys.fleet, &deploys.tenants, dev.clone(), &watchdog);
            let routes = server::http(&config, &deploys, &door, (health, &watchdog), figures, dev.clone());
            switch.send_modify(|current| *current = Some(routes));
            watch_rooms(&watchdog, &deploys);
            notify("READY=1\nSTATUS=loading plugins");
            let beside = tokio::select! {
                folder = look.load(&deploys) => {
                    deploy::follow::follow(Arc::clone(&deploys), folder, &watchdog)?;
                    announce(&addresses, dev.is_some());
                    let beside = beside(before, &deploys)?;
                    let signal = signals.next().await;
                    tracing::info!("{signal}: draining");
                    Some(beside)
                }
                signal = signals.next() => {
                    tracing::info!("{signal}: draining, while plugins are still being loaded");
                    None
                }
            };
            notify("STOPPING=1");
            accepting.abort_all();
            drop((beside, listeners, switch));
            drain(&deploys.fleet, Duration::from_millis(config.limits().drain_ms)).await;
            deploys.tenants.traces().into_iter().for_each(|traces| traces.finish(LAST_SPANS));
            Ok(())
        })
    }
}

/// Opens the sockets that the server accepts on: those that it inherited, else what is configured.
async fn listen(config: &Config, inherited: ListenFd) -> anyhow::Result<Listeners> {
    let inherited = Listeners::inherit(inherited)?;
    if inherited.listeners.is_empty() {
        return Listeners::bind(&config.listen, config.listen_mode).await;
    }
    tracing::info!("the server inherited its sockets (LISTEN_FDS), so it does not listen on {}", config.listen);
    Ok(inherited)
}

/// Says that the server serves, to scripts and to people.
fn announce(addresses: &[String], is_dev: bool) {
    for address in addresses {
        logs::STDOUT.line(&format!("parlor listening on {address}"));
    }
    if let Some(address) = addresses.iter().find(|address| is_dev && address.starts_with("http")) {
        let words = "for the overview, a playground, and the plugins' pages";
        logs::STDOUT.line(&format!("open {address}/_parlor/ {words}"));
    }
    notify("STATUS=serving");
}

/// Starts everything that runs before anything is served, and looks into the plugin folder.
async fn start(config: &Config, dev: Option<&DevProjects>, watchdog: &Arc<Watchdog>) -> anyhow::Result<Started> {
    let limits = config.limits().clone();
    let engine = Arc::new(engine::start(&limits, watchdog)?);
    match engine.pool_slots {
        Some(slots) => tracing::info!(threads = config.threads, "up to {slots} instances at once"),
        None => tracing::info!(threads = config.threads, "instances are allocated on demand"),
    }
    let loader = Loader::new(engine, &config.data, THIS_PROGRAM.into(), &limits)?;
    let tenants = Tenants::new(config.tenants.clone(), config.limits.clone(), Workers::threads(config.threads));
    let tenants = tenants.taping(match dev {
        Some(_) => TapePlace::Dev(DEV_TAPES.into()),
        None => TapePlace::Served(config.data.join(TAPES_FOLDER)),
    });
    let traces = config.traces.as_ref().map(|settings| Traces::start(settings, watchdog)).transpose()?;
    let tenants = tenants.tracing(traces);
    for (plugin, config) in dev.into_iter().flat_map(DevProjects::configs) {
        tenants.suggest(&plugin, &config);
    }
    let workers = Arc::new(Workers::start(config.threads, watchdog)?);
    // Its rooms open before any other, so that no plugin can take their instances.
    let health = Health::start(&loader, &workers, Workers::threads(config.threads)).await?;
    let tenants = Arc::new(tenants);
    let folder = config.data.join(STORAGE_FOLDER);
    let storage = DurableStorage::start(&folder, WRITERS, Arc::clone(&tenants) as _, Arc::clone(watchdog))?;
    let fleet = Arc::new(Fleet::new(workers, Arc::new(storage)));
    fleet::recover::recover(&fleet, &tenants).await;
    let gate = Arc::clone(&tenants);
    logs::admit_lines(move |event| {
        log_gate::show(gate.live(), event);
        log_gate::admits(&gate, event)
    });
    let loader = Arc::new(loader);
    compile_languages(config, Arc::clone(&loader));
    let deploys = Arc::new(Deploys::new(config, fleet, loader, tenants));
    let look = FirstLook::at(&deploys)?;
    Ok(Started { deploys, health, look })
}

/// Starts what looks after the rooms from the first one on.
fn watch_rooms(watchdog: &Arc<Watchdog>, deploys: &Arc<Deploys>) {
    let (rooms, engine) = (Arc::clone(&deploys.fleet), Arc::clone(deploys.loader.engine()));
    let idle = move || {
        let (rooms, engine) = (Arc::clone(&rooms), Arc::clone(&engine));
        async move { rooms.watch_idle(&engine).await }
    };
    tokio::spawn(Arc::clone(watchdog).keep_alive("idle", idle));
    let heeding = Arc::clone(deploys);
    let heed = move || deploy::verdicts::heed(Arc::clone(&heeding));
    tokio::spawn(Arc::clone(watchdog).keep_alive("verdicts", heed));
    // An alarm whose plugin is still being loaded waits for it.
    let fleet = Arc::clone(&deploys.fleet);
    let ring = move || fleet::ring::ring_alarms(Arc::clone(&fleet));
    tokio::spawn(Arc::clone(watchdog).keep_alive("alarms", ring));
    let tenants = Arc::clone(&deploys.tenants);
    let tell = move || tell_left_out(Arc::clone(&tenants));
    tokio::spawn(Arc::clone(watchdog).keep_alive("log", tell));
}

/// Says in the log what it had to do without, for as long as the server lives.
async fn tell_left_out(tenants: Arc<Tenants>) {
    loop {
        tokio::time::sleep(LEFT_OUT_POLL).await;
        tenants.tell_left_out();
    }
}

/// Begins to compile the engines of languages, beside all else.
fn compile_languages(config: &Config, loader: Arc<Loader>) {
    let (folder, limits) = (config.engines.clone(), config.limits().clone());
    tokio::spawn(async move { loader.compile_languages(folder, limits).await });
}

/// Closes every socket with 1012 and lets every `$disconnect` run, within a bound.
async fn drain(fleet: &Fleet, within: Duration) {
    let deadline = Instant::now() + within;
    // A socket may outlive its room for a moment: its close frame is still on the way.
    while fleet.drain() > 0 || fleet.workers().sockets() > 0 || tapes::are_waiting() {
        if Instant::now() >= deadline {
            let (rooms, sockets) = (fleet.drain(), fleet.sockets());
            return tracing::warn!(rooms, sockets, "drain-ms is over: what is still open is cut off");
        }
        tokio::time::sleep(DRAIN_POLL).await;
    }
    tracing::info!("drained");
}
