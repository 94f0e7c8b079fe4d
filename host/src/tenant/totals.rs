//! What a plugin did since the server started, whatever became of its rooms and versions: counters that never go back.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use super::Pace;
use crate::model::failure::FailureKind;

/// One plugin's counters, and its pace.
#[derive(Debug, Default)]
pub struct Totals {
    /// Whether the plugin's calls take long.
    pub pace: Arc<Pace>,
    /// Turns that committed in rooms that ended.
    turns: AtomicU64,
    /// Frames that were dropped in rooms that ended, because they were none.
    bad_frames: AtomicU64,
    failures: [AtomicU64; FailureKind::ALL.len()],
    /// By a word of a closed list.
    closes: Mutex<BTreeMap<&'static str, u64>>,
}

impl Totals {
    /// A room ended with these figures.
    pub fn room_ended(&self, turns: u64, bad_frames: u64) {
        self.turns.fetch_add(turns, Ordering::Relaxed);
        self.bad_frames.fetch_add(bad_frames, Ordering::Relaxed);
    }

    pub fn count_failure(&self, kind: FailureKind) {
        self.failures[kind as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// The host closed a socket, for a reason of a closed list.
    pub fn count_close(&self, label: &'static str) {
        *self.closes.lock().entry(label).or_default() += 1;
    }

    /// Turns of rooms that ended.
    pub fn turns(&self) -> u64 {
        self.turns.load(Ordering::Relaxed)
    }

    /// Bad frames of rooms that ended.
    pub fn bad_frames(&self) -> u64 {
        self.bad_frames.load(Ordering::Relaxed)
    }

    pub fn failures(&self) -> impl Iterator<Item = (FailureKind, u64)> + '_ {
        FailureKind::ALL.into_iter().zip(self.failures.iter().map(|count| count.load(Ordering::Relaxed)))
    }

    pub fn closes(&self) -> Vec<(&'static str, u64)> {
        self.closes.lock().iter().map(|(label, count)| (*label, *count)).collect()
    }
}
