//! The failures of a version's code: a count of each kind, and the last ones with their details.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use crate::clock::unix_ms;
use crate::model::failure::FailureKind;
use crate::model::names::RoomId;

/// How many failures of a version are kept with their details.
const FAILURES_KEPT: usize = 20;

/// One failure with its details.
#[derive(Debug, Clone)]
pub struct FailureRecord {
    /// Milliseconds since the Unix epoch.
    pub at: f64,
    /// `None` for a failure outside of rooms.
    pub room: Option<RoomId>,
    pub event: String,
    pub code: String,
    pub message: String,
}

impl FailureRecord {
    /// A failure that happens now.
    pub fn now(room: Option<RoomId>, event: &str, code: &str, message: &str) -> Self {
        let [event, code, message] = [event, code, message].map(str::to_owned);
        Self { at: unix_ms(), room, event, code, message }
    }
}

/// The failures of one version so far.
#[derive(Debug, Default)]
pub struct FailureLog {
    counts: [AtomicU64; FailureKind::ALL.len()],
    last: Mutex<VecDeque<FailureRecord>>,
}

impl FailureLog {
    /// Counts a failure, and keeps it instead of the oldest one.
    pub fn record(&self, kind: FailureKind, failure: FailureRecord) {
        self.counts[kind as usize].fetch_add(1, Ordering::Relaxed);
        let mut last = self.last.lock();
        if last.len() >= FAILURES_KEPT {
            last.pop_front();
        }
        last.push_back(failure);
    }

    /// The number of failures of each kind.
    pub fn counts(&self) -> [(FailureKind, u64); FailureKind::ALL.len()] {
        FailureKind::ALL.map(|kind| (kind, self.counts[kind as usize].load(Ordering::Relaxed)))
    }

    /// The number of all failures.
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
