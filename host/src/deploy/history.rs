//! What happened to each plugin's versions since the server started. The API shows it to whoever asks which version runs
//! and why.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use parking_lot::Mutex;
use serde_json::json;

use crate::clock::unix_ms;
use crate::live::{About, Live, Topic};
use crate::model::names::{PluginKey, PluginName, TenantName};

/// Records that are kept of one plugin; the oldest goes first.
const ENTRIES_MAX: usize = 50;
/// Plugins of a tenant that have a history. It needs a bound because a refused upload has one too, under any name.
const PLUGINS_MAX: usize = 256;

/// What happened to a plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HistoryKind {
    Deployed,
    Refused,
    RolledBack,
    Retired,
}

impl HistoryKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Deployed => "deployed",
            Self::Refused => "refused",
            Self::RolledBack => "rolled back",
            Self::Retired => "retired",
        }
    }
}

/// One thing that happened.
#[derive(Debug, Clone)]
pub struct HistoryRecord {
    /// Milliseconds since the Unix epoch.
    pub time: f64,
    pub what: HistoryKind,
    /// None where the file could not be read.
    pub version: Option<String>,
    pub why: String,
}

/// The history of one plugin.
#[derive(Debug, Default)]
struct PluginHistory {
    entries: VecDeque<HistoryRecord>,
    last_refused: Option<HistoryRecord>,
}

impl PluginHistory {
    fn last(&self) -> f64 {
        self.entries.back().map_or(0.0, |entry| entry.time)
    }
}

#[derive(Debug, Default)]
pub struct History {
    tenants: Mutex<BTreeMap<TenantName, BTreeMap<PluginName, PluginHistory>>>,
    live: Arc<Live>,
}

impl History {
    /// A history that these people watch.
    pub fn watched(live: Arc<Live>) -> Self {
        Self { tenants: Mutex::default(), live }
    }

    pub fn record(&self, key: &PluginKey, what: HistoryKind, version: Option<&str>, why: impl Into<String>) {
        let entry = HistoryRecord { time: unix_ms(), what, version: version.map(str::to_owned), why: why.into() };
        self.show(key, &entry);
        let mut tenants = self.tenants.lock();
        let plugins = tenants.entry(key.tenant.clone()).or_default();
        if plugins.len() >= PLUGINS_MAX && !plugins.contains_key(&key.plugin) {
            let oldest = plugins.iter().min_by(|a, b| a.1.last().total_cmp(&b.1.last()));
            if let Some(oldest) = oldest.map(|(plugin, _)| plugin.clone()) {
                plugins.remove(&oldest);
            }
        }
        let record = plugins.entry(key.plugin.clone()).or_default();
        if what == HistoryKind::Refused {
            record.last_refused = Some(entry.clone());
        }
        if record.entries.len() >= ENTRIES_MAX {
            record.entries.pop_front();
        }
        record.entries.push_back(entry);
    }

    fn show(&self, key: &PluginKey, record: &HistoryRecord) {
        let HistoryRecord { time, what, version, why } = record;
        let (tenant, plugin) = (key.tenant.as_str(), key.plugin.as_str());
        let about = About { tenant: Some(tenant), plugin: Some(plugin), room: None };
        self.live.tell(Topic::Deploys, about, || {
            json!({
                "time": time, "tenant": tenant, "plugin": plugin, "what": what.as_str(), "version": version, "why": why,
            })
        });
    }

    /// What happened to a plugin, the newest first.
    pub fn of(&self, key: &PluginKey) -> Vec<HistoryRecord> {
        self.read(key, |record| record.entries.iter().rev().cloned().collect()).unwrap_or_default()
    }

    pub fn last_refused(&self, key: &PluginKey) -> Option<HistoryRecord> {
        self.read(key, |record| record.last_refused.clone())?
    }

    /// All plugins that have a history.
    pub fn plugins(&self) -> Vec<PluginKey> {
        let tenants = self.tenants.lock();
        let keys = tenants.iter().flat_map(|(tenant, plugins)| plugins.keys().map(move |plugin| (tenant, plugin)));
        keys.map(|(tenant, plugin)| PluginKey { tenant: tenant.clone(), plugin: plugin.clone() }).collect()
    }

    fn read<T>(&self, key: &PluginKey, read: impl FnOnce(&PluginHistory) -> T) -> Option<T> {
        self.tenants.lock().get(&key.tenant)?.get(&key.plugin).map(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(plugin: &str) -> PluginKey {
        PluginKey { tenant: TenantName::default_tenant(), plugin: PluginName::new(plugin).unwrap() }
    }

    #[test]
    fn the_last_entries_and_the_last_refusal_are_kept() {
        let history = History::default();
        history.record(&key("a"), HistoryKind::Refused, None, "is empty");
        for number in 0..ENTRIES_MAX + 5 {
            history.record(&key("a"), HistoryKind::Deployed, Some("v"), number.to_string());
        }
        let kept = history.of(&key("a"));
        assert_eq!((kept.len(), kept[0].why.as_str()), (ENTRIES_MAX, "54"));
        assert_eq!(history.last_refused(&key("a")).unwrap().why, "is empty");
        assert!(history.of(&key("b")).is_empty() && history.last_refused(&key("b")).is_none());
    }

    #[test]
    fn names_without_end_push_each_other_out() {
        let history = History::default();
        for number in 0..PLUGINS_MAX + 10 {
            history.record(&key(&format!("p{number}")), HistoryKind::Refused, None, "junk");
        }
        assert_eq!(history.plugins().len(), PLUGINS_MAX);
    }
}
