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
use crate::server::dev::Dev;
use crate::server::{self, Addresses, Health, Server, Upgrades, Uploads};
use crate::storage::StoredTenant;
use crate::storage::durable::{DurableStorage, WRITERS};
use crate::tenant::Tenants;
use crate::tenant::account::Counter;
use crate::workers::Workers;

/// The program that runs, even where its file was replaced meanwhile.
pub(super) const THIS_PROGRAM: &str = "/proc/self/exe";
/// The folder of the tenants' files, in the one for what the server makes.
pub(super) const STORAGE_FOLDER: &str = "tenants";
/// How often the drain looks whether rooms are left.
const DRAIN_POLL: Duration = Duration::from_millis(20);

/// Serves until a signal ends it. `dev` are the projects of `parlor dev`; `beside` makes what is there while it serves.
pub fn run<T>(
    config: Config,
    dev: Option<Arc<Dev>>,
    beside: impl FnOnce(Arc<Server>) -> anyhow::Result<T>,
) -> anyhow::Result<()> {
    // HTTP and upgrades on this thread; rooms and their sockets on the workers.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("no runtime")?;
    runtime.block_on(async {
        let server = start(config, dev).await?;
        let watcher = deploy::load_all(&server.deploys).await?;
        let listener = TcpListener::bind(server.config.listen)
            .await
            .with_context(|| format!("cannot listen on {}", server.config.listen))?;
        let address = listener.local_addr().context("no address")?;
        let accepting = tokio::spawn(server::serve(listener, Arc::clone(&server)));
        tokio::spawn(fleet::ring_alarms(Arc::clone(&server.fleet)));
        let (rooms, engine) = (Arc::clone(&server.fleet), Arc::clone(server.deploys.loader.engine()));
        tokio::spawn(async move { rooms.watch_idle(&engine).await });
        tokio::spawn(deploy::heed(Arc::clone(&server.deploys)));
        deploy::follow(Arc::clone(&server.deploys), watcher)?;
        println!("parlor listening on http://{address}");
        if server.is_dev() {
            println!("open http://{address}/_parlor/ for what is served, a playground, and the plugins' pages");
        }
        let beside = beside(Arc::clone(&server))?;
        wait_for_signal().await?;
        accepting.abort();
        drop(beside);
        drain(&server).await;
        Ok(())
    })
}

async fn start(config: Config, dev: Option<Arc<Dev>>) -> anyhow::Result<Arc<Server>> {
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
    for (plugin, config) in dev.iter().flat_map(|dev| dev.configs()) {
        tenants.suggest(&plugin, &config);
    }
    let workers = Arc::new(Workers::start(config.threads)?);
    // Its rooms are there before any other, so that none of them can take their place.
    let health = Health::start(&loader, &workers, Workers::threads(config.threads)).await?;
    let storage = DurableStorage::start(&config.data.join(STORAGE_FOLDER), WRITERS)?;
    let fleet = Arc::new(Fleet::new(workers, Arc::new(storage)));
    recover(&fleet, &tenants).await;
    let tenants = Arc::new(tenants);
    let deploys = Deploys::new(&config, Arc::clone(&fleet), Arc::new(loader), Arc::clone(&tenants));
    Ok(Arc::new(Server {
        fleet,
        tenants,
        connections: Arc::new(Counter::new(connections)),
        addresses: Arc::new(Addresses::new(&limits)),
        uploads: Uploads::default(),
        deploys: Arc::new(deploys),
        health,
        upgrades: Upgrades::default(),
        dev,
        config,
    }))
}

/// Finds what rooms kept: it counts for their tenants, and their alarms are set again. Rooms are opened when they are
/// needed. A tenant whose storage cannot be read keeps nobody else from being served.
async fn recover(fleet: &Fleet, tenants: &Tenants) {
    for (tenant, stored) in fleet.storage().stored().await {
        let StoredTenant { bytes, rooms, alarms } = match stored {
            Ok(stored) => stored,
            Err(why) => {
                tracing::error!(tenant = tenant.as_str(), "rooms of this tenant cannot be opened: {why}");
                continue;
            }
        };
        tracing::info!(tenant = tenant.as_str(), rooms, bytes, alarms = alarms.len(), "found what rooms keep");
        tenants.account(&tenant).storage.add(bytes);
        alarms.iter().for_each(|(due, room)| fleet.alarms().set(room, Some(*due)));
    }
}

async fn wait_for_signal() -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("signals cannot be heard")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("signals cannot be heard")?;
    tokio::select! {
        _ = terminate.recv() => tracing::info!("SIGTERM: draining"),
        _ = interrupt.recv() => tracing::info!("SIGINT: draining"),
    }
    Ok(())
}

/// Closes every socket with 1012 and lets every `$disconnect` run, within a bound.
async fn drain(server: &Server) {
    let deadline = Instant::now() + Duration::from_millis(server.config.limits().drain_ms);
    // A socket may outlive its room for a moment: its close frame is still on the way.
    while server.fleet.drain() > 0 || server.fleet.workers().sockets() > 0 {
        if Instant::now() >= deadline {
            let (rooms, sockets) = (server.fleet.drain(), server.fleet.sockets());
            return tracing::warn!(rooms, sockets, "drain-ms is over; what is left is cut off");
        }
        tokio::time::sleep(DRAIN_POLL).await;
    }
    tracing::info!("drained");
}
