//! How a version's code failed so far: counted by kind, and the last failures kept for whoever looks for the cause.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use crate::clock::unix_ms;
use crate::model::failure::FailureKind;
use crate::model::names::RoomId;

/// How many failures of a version are kept.
const FAILURES_KEPT: usize = 20;

/// One failure, as it is shown.
#[derive(Debug, Clone)]
pub struct FailureRecord {
    /// Milliseconds since the Unix epoch.
    pub at: f64,
    /// None outside of a room.
    pub room: Option<RoomId>,
    pub event: String,
    pub code: String,
    pub message: String,
}

impl FailureRecord {
    /// A failure of this moment.
    pub fn now(room: Option<RoomId>, event: &str, code: &str, message: &str) -> Self {
        let [event, code, message] = [event, code, message].map(str::to_owned);
        Self { at: unix_ms(), room, event, code, message }
    }
}

/// The failures of one version.
#[derive(Debug, Default)]
pub struct FailureLog {
    counts: [AtomicU64; FailureKind::ALL.len()],
    last: Mutex<VecDeque<FailureRecord>>,
}

impl FailureLog {
    /// Counts a failure, and keeps it in place of the oldest one.
    pub fn record(&self, kind: FailureKind, failure: FailureRecord) {
        self.counts[kind as usize].fetch_add(1, Ordering::Relaxed);
        let mut last = self.last.lock();
        if last.len() >= FAILURES_KEPT {
            last.pop_front();
        }
        last.push_back(failure);
    }

    /// Failures so far, by kind.
    pub fn counts(&self) -> [(FailureKind, u64); FailureKind::ALL.len()] {
        FailureKind::ALL.map(|kind| (kind, self.counts[kind as usize].load(Ordering::Relaxed)))
    }

    /// All failures so far.
    pub fn count(&self) -> u64 {
        self.counts().iter().map(|(_, count)| count).sum()
    }

    /// The last failures, the newest first.
    pub fn last(&self) -> Vec<FailureRecord> {
        self.last.lock().iter().rev().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_failures_are_kept_and_all_are_counted() {
        let log = FailureLog::default();
        for number in 0..FAILURES_KEPT + 2 {
            log.record(FailureKind::Returned, FailureRecord::now(None, &number.to_string(), "c", "m"));
        }
        let kept = log.last();
        assert_eq!((kept.len(), kept[0].event.as_str()), (FAILURES_KEPT, "21"));
        assert_eq!(log.count(), FAILURES_KEPT as u64 + 2);
    }
}
