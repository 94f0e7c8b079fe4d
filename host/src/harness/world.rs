//! A server's life within the process: a runtime with a paused clock, the fleet on it, and the plugin that it serves. It ends as
//! a server that is killed: nothing of it is told to anybody.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tokio::io::DuplexStream;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;

use super::failing::FailingStorage;
use super::idle::IdleWatch;
use super::options::HarnessOptions;
use crate::clock::{self, Instant, unix_ms};
use crate::fleet::{self, Fleet};
use crate::model::limits::Limits;
use crate::model::names::{PluginKey, RoomKey, TenantName};
use crate::plugin::loader::{Loader, read_component};
use crate::plugin::version::Plugin;
use crate::room::handle::{RoomHandle, RoomRequest};
use crate::server::inside::{self, InsideClient, InsideServer};
use crate::socket::SeatClaims;
use crate::storage::Storage;
use crate::tenant::Tenants;
use crate::workers::Workers;

/// One life of the server.
pub(super) struct World {
    runtime: Runtime,
    idle: Arc<IdleWatch>,
    pub(super) fleet: Arc<Fleet>,
    pub(super) tenants: Tenants,
    pub(super) claims: Arc<SeatClaims>,
    pub(super) plugin: Option<Arc<Plugin>>,
}

/// Reads a component.
pub(super) fn read(file: &Path, limits: &Limits) -> anyhow::Result<Arc<[u8]>> {
    let read = read_component(file, limits.component_bytes).with_context(|| format!("{}", file.display()))?;
    Ok(read.into())
}

impl World {
    /// Begins a life at a moment, in milliseconds since the Unix epoch, behind the one `before`.
    pub(super) fn begin(
        options: &HarnessOptions,
        storage: &Arc<FailingStorage>,
        now: u64,
        before: Option<&Self>,
    ) -> anyhow::Result<Self> {
        // Moments by the clock that nobody sets never go back, whatever life they are of.
        let moment = before.map(Self::moment);
        let idle = Arc::<IdleWatch>::default();
        let mut builder = Builder::new_current_thread();
        builder.enable_all().start_paused(true).on_thread_park(idle.hook());
        let runtime = builder.build().context("no runtime")?;
        let workers = Arc::new(Workers::on_this_thread(runtime.handle()));
        let tenants = Tenants::new(options.config.tenants.clone(), options.config.limits.clone(), 1);
        let tenants = match &options.tapes {
            Some(place) => tenants.taping(place.clone()),
            None => tenants,
        };
        let claims = Arc::new(SeatClaims::new(Arc::clone(&workers)));
        let fleet = Arc::new(Fleet::new(workers, Arc::clone(storage) as Arc<dyn Storage>));
        runtime.block_on(async {
            let left = moment.map(|moment| moment.saturating_duration_since(Instant::now()));
            tokio::time::advance(left.unwrap_or_default()).await;
            clock::set_virtual(now);
            fleet::recover::recover(&fleet, &tenants).await;
            tokio::spawn(fleet::ring::ring_alarms(Arc::clone(&fleet)));
        });
        Ok(Self { runtime, idle, fleet, tenants, claims, plugin: None })
    }

    /// Loads a version, and lets it serve. An error is one line.
    pub(super) fn load(
        &mut self,
        loader: &Loader,
        key: &PluginKey,
        component: &[u8],
        values: BTreeMap<String, String>,
    ) -> anyhow::Result<Arc<Plugin>> {
        let mut terms = self.tenants.terms(&key.tenant, &key.plugin);
        terms.config.extend(values);
        // It sleeps when it is told, and not before.
        terms.limits = Arc::new(Limits { room_sleep_ms: 0, ..Limits::clone(&terms.limits) });
        let plugin = self.runtime.block_on(loader.load_bytes(key.clone(), component, terms))?;
        let plugin = self
            .fleet
            .put(plugin)
            .map_err(|taken| anyhow::anyhow!("{} serves the path {} already", taken.by, taken.path))?;
        self.fleet.note_started();
        self.plugin = Some(Arc::clone(&plugin));
        Ok(plugin)
    }

    fn moment(&self) -> Instant {
        let _entered = self.runtime.enter();
        Instant::now()
    }

    /// The time in milliseconds since the Unix epoch. Outside of its runtime, a clock that is paused goes on.
    pub(super) fn now(&self) -> u64 {
        let _entered = self.runtime.enter();
        unix_ms() as u64
    }

    /// Does something, and then all that follows from it at that moment.
    pub(super) fn run<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(async {
            let done = work.await;
            self.settle().await;
            done
        })
    }

    /// Lets time pass.
    pub(super) fn advance(&self, time: Duration) {
        self.run(async { tokio::time::sleep(time).await });
    }

    /// Waits until every room has handled what it was told, and nothing is left to do. Where a room itself has to wait, as
    /// before it makes an instance after a fault, time passes until it has.
    async fn settle(&self) {
        self.idle.idle().await;
        for plugin in self.fleet.serving() {
            for room in self.fleet.rooms(&plugin.key, None, usize::MAX) {
                let (view, seen) = oneshot::channel();
                // A room that ends handles nothing more.
                if room.mailbox.request(RoomRequest::View { view }).is_ok() {
                    let _ = seen.await;
                }
            }
        }
        self.idle.idle().await;
    }

    /// Lets a client in.
    pub(super) async fn connect(
        &self,
        tenant: &TenantName,
        client: InsideClient<'_>,
    ) -> Result<DuplexStream, (u16, String)> {
        let server = InsideServer { fleet: &self.fleet, tenants: &self.tenants, claims: &self.claims };
        inside::connect(server, tenant, client).await
    }

    /// An open room.
    pub(super) fn find(&self, key: &RoomKey) -> Option<RoomHandle> {
        self.fleet.find(key)
    }
}
