//! Whether events still get through: on each worker a probe room takes one through its mailbox, its plugin's code, the
//! commit and the outbound queue.

use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::json;
use tokio::sync::Mutex;

use super::Server;
use crate::alarms::Alarms;
use crate::clock::Instant;
use crate::model::durability::Durability;
use crate::model::event::{ClientEvent, Payload, SocketId};
use crate::model::json::Json;
use crate::model::limits::Limits;
use crate::model::meta::Meta;
use crate::model::names::{DEFAULT, PluginKey, PluginName, RoomId, RoomKey, TenantName};
use crate::plugin::loader::Loader;
use crate::plugin::probe::EVENT;
use crate::plugin::version::Plugin;
use crate::room::handle::{Mail, RoomHandle};
use crate::room::outbound::{Outbound, ToWrite};
use crate::room::owner::RoomOwner;
use crate::room::{self, RoomSpec};
use crate::storage::memory::MemoryStorage;
use crate::tenant::account::Counter;
use crate::tenant::{Account, Imports, Terms};
use crate::workers::{WorkerId, Workers};

/// How long an event may take before the server is not healthy.
const PATIENCE: Duration = Duration::from_secs(2);
/// For how long an answer holds: asking often is no way to load the server.
const FRESH: Duration = Duration::from_secs(1);

/// The probes, one for each worker.
pub struct Health {
    plugin: Arc<Plugin>,
    workers: Arc<Workers>,
    /// One check at a time.
    state: Mutex<Checked>,
}

#[derive(Default)]
struct Checked {
    probes: Vec<Option<Probe>>,
    last: Option<(Instant, Result<(), Unwell>)>,
}

/// Which worker did not answer.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Unwell {
    worker: usize,
}

impl fmt::Display for Unwell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an event on worker {} got no answer within {} s", self.worker, PATIENCE.as_secs())
    }
}

impl Health {
    /// Makes the plugin of the probes.
    pub async fn start(loader: &Loader, workers: &Arc<Workers>, threads: usize) -> anyhow::Result<Self> {
        let limits = Arc::new(Limits::default());
        let account = Arc::new(Account::new(TenantName::of_the_host(), Limits::clone(&limits), threads));
        let key = PluginKey { tenant: TenantName::of_the_host(), plugin: PluginName::new("health")? };
        let terms = Terms {
            config: std::collections::BTreeMap::new(),
            client_channels: false,
            durability: Durability::Strict,
            imports: Imports::All,
            limits,
            totals: account.totals(&key.plugin),
            account,
        };
        let plugin = Arc::new(loader.load_probe(key, terms).await.context("the health check cannot be made")?);
        let health = Self { plugin, workers: Arc::clone(workers), state: Mutex::default() };
        match health.check().await {
            Ok(()) => Ok(health),
            Err(unwell) => anyhow::bail!("{unwell}"),
        }
    }

    /// Sends an event through each worker, unless that was done a moment ago.
    async fn check(&self) -> Result<(), Unwell> {
        let mut state = self.state.lock().await;
        if let Some((at, answer)) = &state.last
            && at.elapsed() < FRESH
        {
            return answer.clone();
        }
        let mut answer = Ok(());
        for (number, worker) in self.workers.ids().enumerate() {
            if state.probes.len() <= number {
                state.probes.push(None);
            }
            let slot = &mut state.probes[number];
            let probe = slot.get_or_insert_with(|| Probe::enter(&self.plugin, &self.workers, worker));
            if !probe.answers(PATIENCE).await {
                // What did not answer is not asked again: a new room may.
                *slot = None;
                answer = answer.and(Err(Unwell { worker: number }));
            }
        }
        state.last = Some((Instant::now(), answer.clone()));
        answer
    }
}

impl fmt::Debug for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Health")
    }
}

/// A room on one worker, and the one socket in it.
struct Probe {
    room: RoomHandle,
    socket: SocketId,
    outbound: Arc<Outbound>,
    asked: u64,
}

impl Probe {
    fn enter(plugin: &Arc<Plugin>, workers: &Workers, worker: WorkerId) -> Self {
        let key = RoomKey { plugin: plugin.key.clone(), room: RoomId::default_room() };
        let place = || Arc::new(Counter::new(1)).place_beyond_bounds();
        let (room, task) = room::open(RoomSpec {
            key,
            plugin: Arc::clone(plugin),
            place: place(),
            worker,
            slow: workers.slow_runtime(worker).clone(),
            storage: Arc::new(MemoryStorage::default()),
            alarms: Arc::new(Alarms::default()),
            owner: Arc::new(ProbeOwner),
        });
        workers.runtime(worker).spawn(task);
        let outbound = Arc::new(Outbound::new(plugin.limits(), Arc::clone(&plugin.account().outbound), place()));
        let socket = room.next_socket();
        let meta = Meta::anonymous("health".to_owned(), "health".to_owned(), vec![DEFAULT.to_owned()]);
        // A room that ended at once does not answer, which is what is found out.
        let _ = room.mailbox.push(Mail::Connect { socket, meta, outbound: Arc::clone(&outbound) });
        Self { room, socket, outbound, asked: 0 }
    }

    /// Whether an event comes back in time.
    async fn answers(&mut self, patience: Duration) -> bool {
        self.asked += 1;
        let data = json!({ "asked": self.asked });
        let expected = format!(r#""asked":{}}}"#, self.asked);
        let payload = Some(Payload::Json(Json::of(&data)));
        let mut event = Some(ClientEvent { name: EVENT.to_owned(), channel: None, payload });
        let came = async {
            if poll_fn(|context| self.room.mailbox.poll_event(context, self.socket, &mut event)).await.is_err() {
                return false;
            }
            loop {
                match poll_fn(|context| self.outbound.poll_next(context)).await {
                    ToWrite::Frame(frame) if frame.as_str().contains(&expected) => return true,
                    ToWrite::Frame(_) => {}
                    ToWrite::Close(_) => return false,
                }
            }
        };
        tokio::time::timeout(patience, came).await.unwrap_or(false)
    }
}

/// Nobody asks where a probe's room is, and its plugin has one version.
#[derive(Debug)]
struct ProbeOwner;

impl RoomOwner for ProbeOwner {
    fn moved(&self, room: &RoomHandle, to: &Arc<Plugin>) {
        room.set_plugin(Arc::clone(to));
    }
    fn awoke(&self, _: &RoomHandle) {}
    fn faulted_unprovoked(&self, _: &Plugin, _: &str) {}
    fn crashed(&self, _: &RoomHandle, _: &Plugin, _: &str) {}
    fn stayed(&self, _: &Plugin) {}
    fn went_back(&self, _: &Plugin, _: &str) {}
    fn is_condemned(&self, _: &Plugin) -> bool {
        false
    }
    fn note_kept(&self, _: &RoomKey, _: bool) -> bool {
        false
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        let reason = crate::protocol::close::CloseReason::RESTART;
        let _ = self.room.mailbox.push(Mail::Disconnect { socket: self.socket, reason });
    }
}

/// Open to all: it tells nothing of what is served.
pub async fn health(State(server): State<Arc<Server>>) -> (StatusCode, String) {
    // A task of its own: who hangs up early does not end the check, whose answer is for the next one then.
    let checked = tokio::spawn(async move { server.health.check().await }).await;
    match checked {
        Ok(Ok(())) => (StatusCode::OK, "ok\n".to_owned()),
        Ok(Err(unwell)) => (StatusCode::SERVICE_UNAVAILABLE, format!("{unwell}\n")),
        Err(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("the check failed: {why}\n")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guest::engine;

    async fn health() -> Health {
        let limits = Limits { instances_of_host: 64, ..Limits::default() };
        let engine = Arc::new(engine::start(&limits).unwrap());
        let data = std::env::temp_dir().join(format!("parlor-health-{}", std::process::id()));
        let loader = Loader::new(engine, &data, "parlor".into(), &limits).unwrap();
        let workers = Arc::new(Workers::start(2).unwrap());
        let health = Health::start(&loader, &workers, Workers::threads(2)).await.unwrap();
        // Two tests share the folder; whoever comes second finds nothing to remove.
        let _ = std::fs::remove_dir_all(data);
        health
    }

    #[tokio::test]
    async fn events_come_back_until_a_worker_is_held() {
        let health = health().await;
        assert_eq!(health.check().await, Ok(()));
        // The answer of a moment ago holds; then the second worker is asked and does not answer.
        let held = health.workers.ids().nth(1).unwrap();
        health.workers.runtime(held).spawn(async { std::thread::sleep(PATIENCE + 2 * FRESH) });
        assert_eq!(health.check().await, Ok(()));
        tokio::time::sleep(FRESH).await;
        assert_eq!(health.check().await, Err(Unwell { worker: 1 }));
        // When it is free again, so is the way.
        tokio::time::sleep(2 * FRESH).await;
        assert_eq!(health.check().await, Ok(()));
    }

    #[tokio::test]
    async fn a_room_that_ended_is_followed_by_another() {
        let health = health().await;
        assert_eq!(health.check().await, Ok(()));
        {
            let state = health.state.lock().await;
            let probe = state.probes[0].as_ref().unwrap();
            probe.room.mailbox.quarantine();
        }
        tokio::time::sleep(FRESH).await;
        assert_eq!(health.check().await, Err(Unwell { worker: 0 }));
        tokio::time::sleep(FRESH).await;
        assert_eq!(health.check().await, Ok(()));
    }
}
