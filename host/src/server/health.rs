//! Whether events still get through. On each worker, a probe room takes an event through its mailbox, its plugin's
//! code, the commit and the outbound queue. The check asks all workers at once.

use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::Context as _;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Extension, Router as HttpRouter};
use futures_util::future::join_all;
use serde_json::json;
use tokio::sync::Mutex;

use super::auth::{Access, Caller};
use super::forwarded::RemoteClient;
use super::starting::not_yet;
use crate::alarms::Alarms;
use crate::clock::Instant;
use crate::deploy::Deploys;
use crate::model::body::{EventData, Payload};
use crate::model::durability::Durability;
use crate::model::event::{ClientEvent, ClientMessage, SocketId};
use crate::model::json::Json;
use crate::model::limits::Limits;
use crate::model::meta::Meta;
use crate::model::names::{DEFAULT, PluginKey, PluginName, RoomId, RoomKey, TenantName};
use crate::plugin::loader::Loader;
use crate::plugin::probe::EVENT;
use crate::plugin::version::Plugin;
use crate::room::handle::{Mail, RoomHandle};
use crate::room::outbound::{Outbound, ToWrite, Wire};
use crate::room::owner::NoFleet;
use crate::room::{self, RoomSpec};
use crate::storage::memory::MemoryStorage;
use crate::tenant::account::Counter;
use crate::tenant::{Account, Demand, Imports, Terms};
use crate::watchdog::Watchdog;
use crate::workers::{WorkerId, Workers};

/// How long an event may take before the server counts as unhealthy.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long an answer holds, so that frequent checks do not load the server.
const FRESH: Duration = Duration::from_secs(1);

/// The probes, one for each worker.
pub struct Health {
    plugin: Arc<Plugin>,
    workers: Arc<Workers>,
    /// One check at a time.
    state: Mutex<HealthState>,
}

struct HealthState {
    /// By worker; none where the next check makes a new one, because the last one did not answer.
    probes: Vec<Option<Probe>>,
    last: Option<(Instant, Result<(), Unwell>)>,
}

/// The first worker that did not answer.
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
    /// Loads the plugin of the probes and checks every worker once.
    pub async fn start(loader: &Loader, workers: &Arc<Workers>, threads: usize) -> anyhow::Result<Self> {
        let limits = Arc::new(Limits::default());
        let account = Arc::new(Account::new(TenantName::of_the_host(), Limits::clone(&limits), &Demand::new(threads)));
        let key = PluginKey { tenant: TenantName::of_the_host(), plugin: PluginName::new("health")? };
        let terms = Terms {
            config: std::collections::BTreeMap::new(),
            client_channels: false,
            durability: Durability::Strict,
            subprotocols: Vec::new(),
            imports: Imports::All,
            tapes: None,
            totals: account.totals(&key.plugin, &limits),
            limits,
            account,
        };
        let plugin =
            Arc::new(loader.load_probe(key, terms).await.context("cannot load the plugin of the health check")?);
        let state = Mutex::new(HealthState { probes: workers.ids().map(|_| None).collect(), last: None });
        let health = Self { plugin, workers: Arc::clone(workers), state };
        match health.check().await {
            Ok(()) => Ok(health),
            Err(unwell) => anyhow::bail!("{unwell}"),
        }
    }

    /// Sends an event through all workers at once, unless that was done a moment ago.
    async fn check(&self) -> Result<(), Unwell> {
        let mut state = self.state.lock().await;
        if let Some((at, answer)) = &state.last
            && at.elapsed() < FRESH
        {
            return answer.clone();
        }
        let asked = self.workers.ids().zip(&mut state.probes).map(async |(worker, slot)| {
            let probe = slot.get_or_insert_with(|| Probe::enter(&self.plugin, &self.workers, worker));
            let answers = probe.answers(PATIENCE).await;
            if !answers {
                // The next check asks a new room.
                *slot = None;
            }
            answers
        });
        let answers = join_all(asked).await;
        let answer = answers.iter().position(|answers| !answers).map_or(Ok(()), |worker| Err(Unwell { worker }));
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
            owner: Arc::new(NoFleet),
        });
        workers.runtime(worker).spawn(task);
        let outbound = Arc::new(Outbound::new(
            plugin.limits(),
            Wire::Verani,
            Arc::default(),
            Arc::clone(&plugin.account().outbound),
            Arc::clone(&plugin.totals.latencies),
            place(),
        ));
        let socket = room.next_socket();
        let meta = Meta::anonymous("health".to_owned(), "health".to_owned(), vec![DEFAULT.to_owned()]);
        // Fails where the room ended at once, and then it does not answer the check.
        let _ = room.mailbox.push(Mail::Connect { socket, meta, outbound: Arc::clone(&outbound) });
        Self { room, socket, outbound, asked: 0 }
    }

    /// Whether an event comes back in time.
    async fn answers(&mut self, patience: Duration) -> bool {
        self.asked += 1;
        let data = json!({ "asked": self.asked });
        let expected = format!(r#""asked":{}}}"#, self.asked);
        let data = EventData::of(Some(Payload::Json(Json::of(&data))));
        let event = ClientEvent { name: EVENT.to_owned(), data, ..ClientEvent::default() };
        let mut event = Some(ClientMessage::Event(event));
        let came = async {
            // As a socket does: the room counts the event as handled later.
            poll_fn(|context| self.outbound.poll_reserve(context)).await;
            if poll_fn(|context| self.room.mailbox.poll_event(context, self.socket, &mut event)).await.is_err() {
                return false;
            }
            loop {
                match poll_fn(|context| self.outbound.poll_next(context)).await {
                    ToWrite::Packet(packet) if packet.text.as_str().contains(&expected) => return true,
                    ToWrite::Packet(_) => {}
                    ToWrite::Close(_) | ToWrite::HandOver => return false,
                }
            }
        };
        tokio::time::timeout(patience, came).await.unwrap_or(false)
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        let reason = crate::protocol::close::CloseReason::RESTART;
        let _ = self.room.mailbox.push(Mail::Disconnect { socket: self.socket, reason });
    }
}

/// What the two checks need.
struct Checked {
    health: Arc<Health>,
    watchdog: Arc<Watchdog>,
    deploys: Arc<Deploys>,
    access: Arc<Access>,
}

/// The routes of the checks: whether the server lives, and whether all that it is to serve is there.
pub fn routes(
    (health, watchdog): (Health, &Arc<Watchdog>),
    deploys: &Arc<Deploys>,
    access: &Arc<Access>,
) -> HttpRouter {
    let (health, watchdog) = (Arc::new(health), Arc::clone(watchdog));
    let checked = Checked { health, watchdog, deploys: Arc::clone(deploys), access: Arc::clone(access) };
    HttpRouter::new().route("/health", get(alive)).route("/ready", get(ready)).with_state(Arc::new(checked))
}

/// Answers the health check. Needs no token: the answer tells nothing about what is served. Only the operator hears the
/// names of the plugins that are still being loaded.
async fn alive(
    State(checked): State<Arc<Checked>>,
    Extension(client): Extension<RemoteClient>,
    request: Request,
) -> (StatusCode, String) {
    let is_operator = checked.access.caller(&client, &request) == Some(Caller::Operator);
    let (status, words) = check(&checked.health, &checked.watchdog).await;
    (status, words + &beside(&checked.deploys, is_operator))
}

/// Whether every plugin of the folder was loaded or refused since the start, and events get through.
async fn ready(State(checked): State<Arc<Checked>>) -> Response {
    let loading = checked.deploys.loading.now();
    if loading.finished {
        return check(&checked.health, &checked.watchdog).await.into_response();
    }
    let words = loading.words().unwrap_or_else(|| "the server starts".to_owned());
    not_yet(format!("{words}\n"))
}

async fn check(health: &Arc<Health>, watchdog: &Watchdog) -> (StatusCode, String) {
    let down = watchdog.down().join(", ");
    if !down.is_empty() {
        return (StatusCode::SERVICE_UNAVAILABLE, format!("the server starts tasks again that must run: {down}\n"));
    }
    let health = Arc::clone(health);
    // A task of its own, so that the check goes on if the client hangs up: the next client gets its answer.
    let checked = tokio::spawn(async move { health.check().await }).await;
    match checked {
        Ok(Ok(())) => (StatusCode::OK, "ok\n".to_owned()),
        Ok(Err(unwell)) => (StatusCode::SERVICE_UNAVAILABLE, format!("{unwell}\n")),
        Err(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("the check failed: {why}\n")),
    }
}

/// What is worth knowing beside the health, in lines.
fn beside(deploys: &Deploys, with_names: bool) -> String {
    let mut lines = String::new();
    let loading = deploys.loading.now();
    if let Some(words) = loading.words() {
        let names = loading.left.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        lines.push_str(&if with_names { format!("{words}: {names}\n") } else { format!("{words}\n") });
    }
    let missing = deploys.missing.load(Ordering::Relaxed);
    if missing > 0 {
        lines.push_str(&format!("{missing} plugins serve on although their files and what held them are missing\n"));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guest::engine;

    async fn health() -> Health {
        let limits = Limits { instances_of_host: 64, ..Limits::default() };
        let engine = Arc::new(engine::start(&limits, &Arc::default()).unwrap());
        let data = std::env::temp_dir().join(format!("parlor-health-{}", std::process::id()));
        let loader = Loader::new(engine, &data, "parlor".into(), &limits).unwrap();
        let workers = Arc::new(Workers::start(2, &Arc::default()).unwrap());
        let health = Health::start(&loader, &workers, Workers::threads(2)).await.unwrap();
        // The tests share the folder; whoever comes later finds nothing to remove.
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
    async fn workers_that_are_all_held_are_waited_for_at_once() {
        let health = health().await;
        for worker in health.workers.ids() {
            health.workers.runtime(worker).spawn(async { std::thread::sleep(PATIENCE + 2 * FRESH) });
        }
        health.state.lock().await.last = None;
        let start = Instant::now();
        assert_eq!(health.check().await, Err(Unwell { worker: 0 }));
        // One after the other they would take twice as long.
        assert!(start.elapsed() < PATIENCE + FRESH, "{:?}", start.elapsed());
    }

    #[tokio::test]
    async fn a_task_that_must_run_and_panicked_is_told_until_it_runs_again() {
        let (health, watchdog) = (Arc::new(health().await), Arc::<Watchdog>::default());
        let mut has_panicked = false;
        let start = move || {
            let is_first = !std::mem::replace(&mut has_panicked, true);
            async move {
                assert!(!is_first, "as the test asks for");
                std::future::pending().await
            }
        };
        tokio::spawn(Arc::clone(&watchdog).keep_alive("alarms", start));
        tokio::task::yield_now().await;
        let (status, words) = check(&health, &watchdog).await;
        assert_eq!((status, words.contains("alarms")), (StatusCode::SERVICE_UNAVAILABLE, true), "{words}");
        while check(&health, &watchdog).await.0 != StatusCode::OK {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
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
