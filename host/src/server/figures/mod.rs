//! Figures, once a second: those of the last ten minutes are kept for plots, and whoever watches gets those of now. What
//! costs more than reading counters is done only while somebody watches.

mod past;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::time::MissedTickBehavior;

use super::dev::DevProjects;
use super::usage::UsageBody;
use crate::clock::unix_ms;
use crate::fleet::Fleet;
use crate::live::{Interest, Topic, event};
use crate::model::names::{PluginKey, RoomKey};
use crate::plugin::version::Plugin;
use crate::tenant::latency::Timed;
use crate::tenant::{Account, Tenants, Totals};
use crate::watchdog::Watchdog;
use past::{Past, Reading, Subject};

/// How often figures are read.
const EVERY: Duration = Duration::from_secs(1);
/// The most tenants and plugins of one event.
const ENTRIES_MAX: usize = 256;

/// Whoever reads the figures.
pub struct Figures {
    fleet: Arc<Fleet>,
    tenants: Arc<Tenants>,
    dev: Option<Arc<DevProjects>>,
    past: Mutex<Past>,
}

impl Figures {
    /// Begins to read them, for as long as the server lives, on the thread beside the main one.
    pub fn start(
        fleet: &Arc<Fleet>,
        tenants: &Arc<Tenants>,
        dev: Option<Arc<DevProjects>>,
        watchdog: &Arc<Watchdog>,
    ) -> Arc<Self> {
        let (fleet, tenants) = (Arc::clone(fleet), Arc::clone(tenants));
        let figures = Arc::new(Self { fleet, tenants, dev, past: Mutex::default() });
        let watched = Arc::clone(&figures);
        let watch = move || Arc::clone(&watched).watch();
        figures.fleet.workers().aside().spawn(Arc::clone(watchdog).keep_alive("figures", watch));
        figures
    }

    async fn watch(self: Arc<Self>) {
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.read();
        }
    }

    fn read(&self) {
        let readings = self.readings();
        self.past.lock().note(&readings);
        let live = self.tenants.live();
        if live.shows_figures() {
            let mut made: Vec<(Interest, Bytes)> = Vec::new();
            live.tell_figures(|interest| match made.iter().find(|(other, _)| other == interest) {
                Some((_, same)) => same.clone(),
                None => {
                    let figures = event(Topic::Figures.as_str(), &self.body(interest));
                    made.push((interest.clone(), figures.clone()));
                    figures
                }
            });
        }
    }

    /// What a reader of figures gets before all others: those of the last ten minutes.
    pub fn begin(&self, interest: &Interest) -> Option<Bytes> {
        let wants = interest.topics.contains(&Topic::Figures);
        wants.then(|| event("past", &self.past.lock().body(&subject_of(interest))))
    }

    /// What was counted of everybody so far.
    fn readings(&self) -> BTreeMap<Subject, Reading> {
        let (mut readings, mut host) = (BTreeMap::new(), Reading::default());
        for account in self.tenants.accounts() {
            let (tenant, mut all) = (account.tenant.clone(), Reading::default());
            for (plugin, totals) in account.all_totals() {
                let reading = reading_of(&totals);
                all.add(&reading);
                readings.insert((Some(tenant.clone()), Some(plugin)), reading);
            }
            all.cpu = account.cpu.used();
            all.sockets = account.sockets.used();
            host.add(&all);
            host.cpu += all.cpu;
            host.sockets += all.sockets;
            readings.insert((Some(tenant), None), all);
        }
        readings.insert((None, None), host);
        readings
    }

    fn body(&self, interest: &Interest) -> Value {
        let mut body = json!({ "time": unix_ms(), "now": self.past.lock().last(&subject_of(interest)).body() });
        let mut served = self.fleet.serving();
        served.retain(|plugin| is_wanted(interest, plugin));
        let more = served.len() > ENTRIES_MAX;
        served.truncate(ENTRIES_MAX);
        body["plugins"] = served.iter().map(|plugin| self.plugin(plugin)).collect();
        if interest.plugin.is_none() {
            let wanted = |account: &Arc<Account>| interest.tenant.as_ref().is_none_or(|own| *own == account.tenant);
            let accounts = self.tenants.accounts().into_iter().filter(wanted).take(ENTRIES_MAX);
            body["tenants"] = accounts
                .map(|account| {
                    let usage = UsageBody::of(&account);
                    json!({ "tenant": account.tenant.as_str(), "usage": usage })
                })
                .collect();
        }
        if let (Some(tenant), Some(plugin), Some(room)) = (&interest.tenant, &interest.plugin, &interest.room) {
            let plugin = PluginKey { tenant: tenant.clone(), plugin: plugin.clone() };
            body["room"] = self.room(&RoomKey { plugin, room: room.clone() });
        }
        if let Some(dev) = self.dev.as_ref().filter(|_| interest.tenant.is_none()) {
            body["builds"] = json!(dev.changes());
        }
        body["more"] = json!(more);
        body
    }

    fn plugin(&self, plugin: &Plugin) -> Value {
        let key = &plugin.key;
        let (open, subject) = (self.fleet.sums(key), (Some(key.tenant.clone()), Some(key.plugin.clone())));
        json!({
            "tenant": key.tenant.as_str(), "plugin": key.plugin.as_str(), "version": plugin.version,
            "quarantined": self.fleet.quarantine(plugin).is_some(),
            "rooms": open.rooms, "sockets": open.sockets, "failures": plugin.failures.count(),
            "bad_frames": open.bad_frames, "rooms_by_version": self.fleet.rooms_by_version(key),
            "now": self.past.lock().last(&subject).body(),
        })
    }

    fn room(&self, key: &RoomKey) -> Value {
        let Some(room) = self.fleet.find(key) else { return json!({ "open": false }) };
        let stats = &room.stats;
        json!({
            "open": true, "version": room.plugin().version, "awake": stats.is_awake(),
            "sockets": stats.sockets.load(Ordering::Relaxed), "users": stats.users.load(Ordering::Relaxed),
            "turns": stats.turns.load(Ordering::Relaxed),
        })
    }
}

fn subject_of(interest: &Interest) -> Subject {
    (interest.tenant.clone(), interest.plugin.clone())
}

fn is_wanted(interest: &Interest, plugin: &Plugin) -> bool {
    let Interest { tenant, plugin: name, .. } = interest;
    tenant.as_ref().is_none_or(|own| *own == plugin.key.tenant)
        && name.as_ref().is_none_or(|own| *own == plugin.key.plugin)
}

fn reading_of(totals: &Totals) -> Reading {
    let turns = totals.latencies.read(Timed::TurnCpu);
    Reading {
        cpu: turns.sum,
        turns,
        event: totals.latencies.read(Timed::Event),
        failures: totals.failures().map(|(_, count)| count).sum(),
        sockets: 0,
    }
}
