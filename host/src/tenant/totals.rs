//! Counters of what a plugin did. They outlive its rooms and its versions, and end when its last version is unloaded.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use super::Pace;
use super::costs::HandlerCosts;
use super::latency::Latencies;
use super::log::PluginLog;
use crate::model::failure::FailureKind;
use crate::model::names::PluginKey;

/// The counters of one plugin, its pace and its log.
#[derive(Debug)]
pub struct Totals {
    /// How long the plugin's calls take.
    pub pace: Arc<Pace>,
    pub log: Arc<PluginLog>,
    /// How long what it does takes.
    pub latencies: Arc<Latencies>,
    /// What the handlers of its events cost.
    pub costs: HandlerCosts,
    /// Turns that committed in rooms that have ended.
    turns: AtomicU64,
    /// Invalid frames that were dropped in rooms that have ended.
    bad_frames: AtomicU64,
    failures: [AtomicU64; FailureKind::ALL.len()],
    /// Sockets that the host closed, by label.
    closes: Mutex<BTreeMap<&'static str, u64>>,
    /// Clients that came back after their line broke, or tried to, by outcome.
    resumes: Mutex<BTreeMap<&'static str, u64>>,
}

impl Totals {
    pub fn new(plugin: PluginKey, log: PluginLog) -> Self {
        Self {
            pace: Arc::new(Pace::new(plugin)),
            log: Arc::new(log),
            latencies: Arc::default(),
            costs: HandlerCosts::default(),
            turns: AtomicU64::new(0),
            bad_frames: AtomicU64::new(0),
            failures: Default::default(),
            closes: Mutex::default(),
            resumes: Mutex::default(),
        }
    }

    /// Adds the counts of a room that ended.
    pub fn room_ended(&self, turns: u64, bad_frames: u64) {
        self.turns.fetch_add(turns, Ordering::Relaxed);
        self.bad_frames.fetch_add(bad_frames, Ordering::Relaxed);
    }

    pub fn count_failure(&self, kind: FailureKind) {
        self.failures[kind as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a socket that the host closed. The labels are a closed list.
    pub fn count_close(&self, label: &'static str) {
        *self.closes.lock().entry(label).or_default() += 1;
    }

    /// Counts a client that came back after its line broke, or tried to. The outcomes are a closed list.
    pub fn count_resume(&self, outcome: &'static str) {
        *self.resumes.lock().entry(outcome).or_default() += 1;
    }

    /// Turns that committed in rooms that have ended.
    pub fn turns(&self) -> u64 {
        self.turns.load(Ordering::Relaxed)
    }

    /// Invalid frames that were dropped in rooms that have ended.
    pub fn bad_frames(&self) -> u64 {
        self.bad_frames.load(Ordering::Relaxed)
    }

    pub fn failures(&self) -> impl Iterator<Item = (FailureKind, u64)> + '_ {
        FailureKind::ALL.into_iter().zip(self.failures.iter().map(|count| count.load(Ordering::Relaxed)))
    }

    pub fn resumes(&self) -> Vec<(&'static str, u64)> {
        self.resumes.lock().iter().map(|(outcome, count)| (*outcome, *count)).collect()
    }

    pub fn closes(&self) -> Vec<(&'static str, u64)> {
        self.closes.lock().iter().map(|(label, count)| (*label, *count)).collect()
    }
}
