//! The life of a server: start, load, serve, drain.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use super::descriptors;
use crate::clock::Instant;
use crate::config::Config;
use crate::deploy::{self, Deploys};
use crate::fleet::{self, Fleet};
use crate::guest::engine;
use crate::plugin::loader::Loader;
use crate::server::dev::DevProjects;
use crate::server::{self, Door, Health};
use crate::storage::StoredTenant;
use crate::storage::durable::{DurableStorage, WRITERS};
use crate::tenant::Tenants;
use crate::workers::Workers;

/// The program that runs, even after its file was replaced.
pub(super) const THIS_PROGRAM: &str = "/proc/self/exe";
/// The folder of the tenants' files, in the one for what the server makes.
pub(super) const STORAGE_FOLDER: &str = "tenants";
/// How often the drain looks whether rooms are left.
const DRAIN_POLL: Duration = Duration::from_millis(20);

/// Serves until a signal ends the server. `dev` are the projects of `parlor dev`; `beside` starts what runs as long as the
/// server serves.
pub fn run<T>(
    config: &Config,
    dev: Option<Arc<DevProjects>>,
    beside: impl FnOnce(&Arc<Deploys>) -> anyhow::Result<T>,
) -> anyhow::Result<()> {
    // HTTP and upgrades on this thread; rooms and their sockets on the workers.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("no runtime")?;
    runtime.block_on(async {
        let (deploys, door, health) = start(config, dev.as_deref()).await?;
        let watcher = deploy::follow::load_all(&deploys).await?;
        let listening = TcpListener::bind(config.listen).await;
        let listener = listening.with_context(|| format!("cannot listen on {}", config.listen))?;
        let address = listener.local_addr().context("no address")?;
        let is_dev = dev.is_some();
        let http = server::http(config, &deploys, &door, health, dev);
        let accepting = tokio::spawn(server::serve(listener, http, door));
        tokio::spawn(fleet::ring::ring_alarms(Arc::clone(&deploys.fleet)));
        let (rooms, engine) = (Arc::clone(&deploys.fleet), Arc::clone(deploys.loader.engine()));
        tokio::spawn(async move { rooms.watch_idle(&engine).await });
        tokio::spawn(deploy::verdicts::heed(Arc::clone(&deploys)));
        deploy::follow::follow(Arc::clone(&deploys), watcher)?;
        println!("parlor listening on http://{address}");
        if is_dev {
            println!("open http://{address}/_parlor/ for the overview, a playground, and the plugins' pages");
        }
        let beside = beside(&deploys)?;
        wait_for_signal().await?;
        accepting.abort();
        drop(beside);
        drain(&deploys.fleet, Duration::from_millis(config.limits().drain_ms)).await;
        Ok(())
    })
}

/// Starts everything that runs before anything is served.
async fn start(config: &Config, dev: Option<&DevProjects>) -> anyhow::Result<(Arc<Deploys>, Arc<Door>, Health)> {
    let limits = config.limits().clone();
    let connections = descriptors::connections(&limits)?;
    tracing::info!("up to {connections} connections at once");
    let engine = Arc::new(engine::start(&limits)?);
    match engine.pool_slots {
        Some(slots) => tracing::info!(threads = config.threads, "up to {slots} instances at once"),
        None => tracing::info!(threads = config.threads, "instances are allocated on demand"),
    }
    let loader = Loader::new(engine, &config.data, THIS_PROGRAM.into(), &limits)?;
    let tenants = Tenants::new(config.tenants.clone(), config.limits.clone(), Workers::threads(config.threads));
    for (plugin, config) in dev.into_iter().flat_map(DevProjects::configs) {
        tenants.suggest(&plugin, &config);
    }
    let workers = Arc::new(Workers::start(config.threads)?);
    // Its rooms open before any other, so that no plugin can take their instances.
    let health = Health::start(&loader, &workers, Workers::threads(config.threads)).await?;
    let storage = DurableStorage::start(&config.data.join(STORAGE_FOLDER), WRITERS)?;
    let fleet = Arc::new(Fleet::new(workers, Arc::new(storage)));
    recover(&fleet, &tenants).await;
    let tenants = Arc::new(tenants);
    let deploys = Deploys::new(config, fleet, Arc::new(loader), tenants);
    Ok((Arc::new(deploys), Arc::new(Door::new(config, connections)), health))
}

/// Finds what rooms stored before: counts it for their tenants, and sets their alarms again. Rooms are opened when somebody
/// needs them. A tenant whose storage cannot be read does not keep the others from being served.
async fn recover(fleet: &Fleet, tenants: &Tenants) {
    for (tenant, stored) in fleet.storage().stored().await {
        let StoredTenant { bytes, rooms, alarms } = match stored {
            Ok(stored) => stored,
            Err(why) => {
                tracing::error!(
                    tenant = tenant.as_str(),
                    "cannot read what this tenant stores, so its rooms cannot be opened: {why}"
                );
                continue;
            }
        };
        tracing::info!(tenant = tenant.as_str(), rooms, bytes, alarms = alarms.len(), "found what rooms stored");
        tenants.account(&tenant).storage.add(bytes);
        alarms.iter().for_each(|(due, room)| fleet.alarms().found(room, *due));
    }
}

async fn wait_for_signal() -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for signals")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for signals")?;
    tokio::select! {
        _ = terminate.recv() => tracing::info!("SIGTERM: draining"),
        _ = interrupt.recv() => tracing::info!("SIGINT: draining"),
    }
    Ok(())
}

/// Closes every socket with 1012 and lets every `$disconnect` run, within a bound.
async fn drain(fleet: &Fleet, within: Duration) {
    let deadline = Instant::now() + within;
    // A socket may outlive its room for a moment: its close frame is still on the way.
    while fleet.drain() > 0 || fleet.workers().sockets() > 0 {
        if Instant::now() >= deadline {
            let (rooms, sockets) = (fleet.drain(), fleet.sockets());
            return tracing::warn!(rooms, sockets, "drain-ms is over: what is still open is cut off");
        }
        tokio::time::sleep(DRAIN_POLL).await;
    }
    tracing::info!("drained");
}
