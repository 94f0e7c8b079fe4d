//! Metrics for Prometheus. Each scrape reads them off the live state, so that they show nothing that is gone. Labels
//! are names that the operator gives, kinds from closed lists, and status codes: never a room or an address, and the events
//! of handlers only where the operator asks for them.

mod handlers;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use prometheus_client::encoding::{EncodeMetric, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::door::Door;
use crate::alarms::Alarms;
use crate::fleet::Fleet;
use crate::guest::engine::GuestEngine;
use crate::logs;
use crate::plugin::version::Plugin;
use crate::session::Sessions;
use crate::tenant::account;
use crate::tenant::latency::{Distribution, Timed};
use crate::tenant::{Account, PaceKind, Tenants};
use crate::traces::{LostSpans, Traces};
use crate::watchdog::Watchdog;

/// The text format's name (OpenMetrics 1.0).
const TEXT: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The label of a plugin's or a tenant's figure.
type Labels = Vec<(&'static str, String)>;
type Gauges = Family<Labels, Gauge<f64, AtomicU64>>;
type Counters = Family<Labels, Counter<f64, AtomicU64>>;

/// Histograms of one name, as they were read.
#[derive(Debug)]
struct HistogramFamily(Vec<(Labels, Distribution)>);

impl EncodeMetric for HistogramFamily {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|(labels, read)| {
            let (sum, count, buckets) = (read.sum.as_secs_f64(), read.count(), read.buckets());
            encoder.encode_family(labels)?.encode_histogram::<NoLabelSet>(sum, count, &buckets, None)
        })
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Histogram
    }
}

/// What the metrics are read off.
pub struct Measured {
    pub fleet: Arc<Fleet>,
    pub tenants: Arc<Tenants>,
    pub engine: Arc<GuestEngine>,
    pub door: Arc<Door>,
    pub upgrades: Arc<UpgradeCounts>,
    pub sessions: Arc<Sessions>,
    pub watchdog: Arc<Watchdog>,
    /// Whether they tell of each handler.
    pub tells_handlers: bool,
}

/// A registry of one scrape.
struct Scrape(Registry);

impl Scrape {
    fn gauges(&mut self, name: &str, help: &str) -> Gauges {
        let family = Gauges::default();
        self.0.register(name, help, family.clone());
        family
    }

    /// The text format adds `_total` to the name.
    fn counters(&mut self, name: &str, help: &str) -> Counters {
        let family = Counters::default();
        self.0.register(name, help, family.clone());
        family
    }

    fn gauge(&mut self, name: &str, help: &str, value: f64) {
        let gauge: Gauge<f64, AtomicU64> = Gauge::default();
        gauge.set(value);
        self.0.register(name, help, gauge);
    }

    fn counter(&mut self, name: &str, help: &str, value: f64) {
        let counter: Counter<f64, AtomicU64> = Counter::default();
        counter.inc_by(value);
        self.0.register(name, help, counter);
    }
}

pub async fn metrics(State(measured): State<Arc<Measured>>) -> Response {
    let mut scrape = Scrape(Registry::with_prefix("parlor"));
    of_host(&measured, &mut scrape);
    of_tenants(&measured.tenants, measured.fleet.alarms(), &mut scrape);
    of_plugins(&measured.fleet, &mut scrape);
    of_latencies(&measured.fleet, &mut scrape);
    if measured.tells_handlers {
        handlers::of_handlers(&measured.fleet, &mut scrape);
    }
    let mut text = String::new();
    match prometheus_client::encoding::text::encode(&mut text, &scrape.0) {
        Ok(()) => ([(CONTENT_TYPE, TEXT)], text).into_response(),
        Err(why) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{why}\n")).into_response(),
    }
}

fn of_host(measured: &Measured, scrape: &mut Scrape) {
    let build = vec![("version", env!("CARGO_PKG_VERSION").to_owned())];
    scrape.gauges("build_info", "The version of the server").get_or_create(&build).set(1.0);
    let Measured { fleet, engine, door, upgrades, sessions, .. } = measured;
    let connections = door.connections();
    scrape.gauge("connections", "Open connections, HTTP and WebSocket", connections.used() as f64);
    scrape.gauge("connections_max", "As many as there may be", connections.max() as f64);
    scrape.gauge("polling_sessions", "Clients of Socket.IO that poll over HTTP", sessions.count() as f64);
    let live = engine.instances().unwrap_or_default();
    scrape.gauge("instances_live", "Instances of plugins in the pool", live as f64);
    scrape.gauge("instances_max", "As many as fit into the pool", f64::from(engine.pool_slots.unwrap_or_default()));
    let ticks = engine.ticker.ticks();
    scrape.counter(
        "guest_clock_ticks",
        "Ticks of the clock that interrupts guests; none while none runs",
        ticks as f64,
    );
    scrape.counter("panics", "Rooms that a bug in the host ended", fleet.panics() as f64);
    scrape.counter("log_lines_lost", "Lines of the log that could not be written", logs::STDERR.lost() as f64);
    let alarms = fleet.alarms().len();
    scrape.gauge("alarms", "Alarms that rooms have set, open or not", alarms as f64);
    let by_status = scrape.counters("upgrades", "Requests for a WebSocket, by the status of the answer");
    for (status, count) in upgrades.counts() {
        by_status.get_or_create(&vec![("status", status.to_string())]).inc_by(count as f64);
    }
    let restarts = scrape.counters("task_restarts", "How often a task that must run had to be started again");
    for (task, count) in measured.watchdog.restarts() {
        restarts.get_or_create(&vec![("task", task.to_owned())]).inc_by(count as f64);
    }
    of_traces(measured.tenants.traces(), scrape);
    let held = scrape.gauges(
        "worker_longest_hold_seconds",
        "The longest time that something held up a worker's thread since the last scrape",
    );
    for (number, longest) in fleet.workers().take_longest_holds().iter().enumerate() {
        held.get_or_create(&vec![("worker", number.to_string())]).set(longest.as_secs_f64());
    }
}

fn of_traces(traces: Option<&Arc<Traces>>, scrape: &mut Scrape) {
    let sent = traces.map_or(0, |traces| traces.sent());
    scrape.counter("spans_sent", "Spans that the collector of traces took", sent as f64);
    let lost = scrape.counters("spans_lost", "Spans that it did not get, by why");
    for why in LostSpans::ALL {
        let count = traces.map_or(0, |traces| traces.lost(why));
        lost.get_or_create(&vec![("reason", why.as_str().to_owned())]).inc_by(count as f64);
    }
}

fn of_tenants(tenants: &Tenants, alarms: &Alarms, scrape: &mut Scrape) {
    type Figure = fn(&Account) -> &account::Counter;
    let figures: [(&str, &str, Figure); 7] = [
        ("sockets", "Sockets", |account| &account.sockets),
        ("detached_sockets", "Sockets whose line broke and whose clients may come back", |account| &account.detached),
        ("rooms", "Open rooms", |account| &account.rooms),
        ("awake_rooms", "Open rooms with an instance", |account| &account.awake),
        ("memory_bytes", "Memory of its instances", |account| &account.memory),
        ("storage_bytes", "What its rooms store", |account| &account.storage),
        ("outbound_bytes", "What is queued for its sockets", |account| &account.outbound),
    ];
    let accounts = tenants.accounts();
    for (name, help, figure) in figures {
        let used = scrape.gauges(&format!("tenant_{name}"), help);
        let max = scrape.gauges(&format!("tenant_{name}_max"), "As much as there may be");
        for account in &accounts {
            let (labels, counter) = (vec![("tenant", account.tenant.to_string())], figure(account));
            used.get_or_create(&labels).set(counter.used() as f64);
            max.get_or_create(&labels).set(counter.max() as f64);
        }
    }
    let histories = scrape.gauges("tenant_history_bytes", "What its rooms keep in memory of the histories of channels");
    for account in &accounts {
        let labels = vec![("tenant", account.tenant.to_string())];
        histories.get_or_create(&labels).set(account.histories.used() as f64);
    }
    let cpu = scrape.counters("tenant_cpu_seconds", "CPU time that the server used for it");
    let waited = scrape
        .counters("tenant_cpu_waited_seconds", "How long its work waited for tenants that used less of their share");
    let owed = scrape.gauges("tenant_cpu_owed_seconds", "How long its rooms have to wait for CPU time by its cap");
    let deployments =
        scrape.gauges("tenant_deployments_owed_seconds", "How long its next deployment has to wait for CPU time");
    for account in &accounts {
        let labels = vec![("tenant", account.tenant.to_string())];
        deployments.get_or_create(&labels).set(account.cpu.deployment_wait().unwrap_or_default().as_secs_f64());
        cpu.get_or_create(&labels).inc_by(account.cpu.used().as_secs_f64());
        waited.get_or_create(&labels).inc_by(account.cpu.waited().as_secs_f64());
        owed.get_or_create(&labels).set(account.cpu.owes_now().as_secs_f64());
    }
    let count = scrape.gauges("tenant_alarms_late", "Alarms that are due and have not rung");
    let lateness = scrape.gauges("tenant_alarms_lateness_seconds", "How long the first of them has been due");
    let late: HashMap<_, _> = alarms.late().into_iter().map(|late| (late.tenant.clone(), late)).collect();
    for account in &accounts {
        let labels = vec![("tenant", account.tenant.to_string())];
        let (waiting, since) = late.get(&account.tenant).map_or((0, 0.0), |late| (late.count, late.late.as_secs_f64()));
        count.get_or_create(&labels).set(waiting as f64);
        lateness.get_or_create(&labels).set(since);
    }
}

fn of_plugins(fleet: &Fleet, scrape: &mut Scrape) {
    let sockets = scrape.gauges("sockets", "Sockets in rooms");
    let rooms = scrape.gauges("rooms", "Open rooms");
    let quarantined = scrape.gauges("quarantined", "Whether it is out of service");
    let turns = scrape.counters("turns", "Turns that committed");
    let lines = scrape.counters("log_lines_left_out", "Lines that its rates kept out of the log");
    let bytes = scrape.counters("log_bytes_left_out", "Bytes of these lines");
    let bad_frames = scrape.counters("bad_frames", "Malformed frames that the host dropped");
    let failures = scrape.counters("failures", "Turns and authorizations that failed, by kind");
    let heavy =
        scrape.gauges("heavy", "What takes so long of late that it runs at low priority; of kind room, how many");
    let verdicts = scrape.counters("heavy_verdicts", "How often it came to that");
    let closes =
        scrape.counters("closed_sockets", "Sockets closed by the host, by reason; a plugin's own reasons are one");
    let resumes =
        scrape.counters("resumes", "Clients that came back, or tried to, and lines that broke for good, by outcome");
    for plugin in fleet.serving() {
        let labels = vec![("tenant", plugin.key.tenant.to_string()), ("plugin", plugin.key.plugin.to_string())];
        let and = |name, value: String| labels.iter().cloned().chain([(name, value)]).collect::<Labels>();
        let open = fleet.sums(&plugin.key);
        sockets.get_or_create(&labels).set(open.sockets as f64);
        rooms.get_or_create(&labels).set(open.rooms as f64);
        quarantined.get_or_create(&labels).set(f64::from(u8::from(fleet.quarantine(&plugin).is_some())));
        let totals = &plugin.totals;
        turns.get_or_create(&labels).inc_by((totals.turns() + open.turns) as f64);
        bad_frames.get_or_create(&labels).inc_by((totals.bad_frames() + open.bad_frames) as f64);
        let (lines_left_out, bytes_left_out) = totals.log.left_out();
        lines.get_or_create(&labels).inc_by(lines_left_out as f64);
        bytes.get_or_create(&labels).inc_by(bytes_left_out as f64);
        for (kind, count) in totals.failures() {
            failures.get_or_create(&and("kind", kind.as_str().to_owned())).inc_by(count as f64);
        }
        for kind in PaceKind::ALL {
            let labels = and("kind", kind.as_str().to_owned());
            let now = if kind == PaceKind::Room { open.heavy } else { usize::from(totals.pace.is_heavy_now(kind)) };
            heavy.get_or_create(&labels).set(now as f64);
            verdicts.get_or_create(&labels).inc_by(totals.pace.passed(kind) as f64);
        }
        for (reason, count) in totals.closes() {
            closes.get_or_create(&and("reason", reason.to_owned())).inc_by(count as f64);
        }
        for (outcome, count) in totals.resumes() {
            resumes.get_or_create(&and("outcome", outcome.to_owned())).inc_by(count as f64);
        }
    }
}

fn of_latencies(fleet: &Fleet, scrape: &mut Scrape) {
    for timed in Timed::ALL {
        let help = match timed {
            Timed::Event => "From an event's place in its room to a frame of its turn on its way out",
            Timed::TurnCpu => "What a turn's call executes",
            Timed::CommitWait => "From a turn's end to its writes being durable",
            Timed::Open => "Until a room has an instance",
            Timed::Wake => "Until a room that slept has an instance again",
        };
        let read = |plugin: &Arc<Plugin>| {
            let key = &plugin.key;
            let labels = vec![("tenant", key.tenant.to_string()), ("plugin", key.plugin.to_string())];
            (labels, plugin.totals.latencies.read(timed))
        };
        let name = format!("{}_seconds", timed.as_str());
        scrape.0.register(name, help, HistogramFamily(fleet.serving().iter().map(read).collect()));
    }
}

/// How many requests for a WebSocket were answered with each status.
#[derive(Debug, Default)]
pub struct UpgradeCounts(parking_lot::Mutex<std::collections::BTreeMap<u16, u64>>);

impl UpgradeCounts {
    pub fn count(&self, status: StatusCode) {
        *self.0.lock().entry(status.as_u16()).or_default() += 1;
    }

    fn counts(&self) -> Vec<(u16, u64)> {
        self.0.lock().iter().map(|(status, count)| (*status, *count)).collect()
    }
}
