//! The spans that wait for the thread which sends them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use opentelemetry_sdk::trace::SpanData;
use parking_lot::{Condvar, Mutex};

use crate::clock::Instant;

/// How many spans wait at most: some seconds of a collector that hesitates.
const WAITING_MAX: usize = 4_096;
/// How many are sent at once at most, and how long the first of fewer waits for more.
const BATCH: usize = 512;
const GATHERING: Duration = Duration::from_secs(1);

/// Why spans were lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LostSpans {
    /// As many waited as may.
    Queue,
    /// The collector did not take them.
    Collector,
    /// Their tenant had more than it may have.
    Rate,
}

impl LostSpans {
    pub const ALL: [Self; 3] = [Self::Queue, Self::Collector, Self::Rate];

    /// As the metrics call it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queue => "queue",
            Self::Collector => "collector",
            Self::Rate => "rate",
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct SpanQueue {
    waiting: Mutex<WaitingSpans>,
    /// Notified for the thread that sends.
    changed: Condvar,
    /// Notified for whoever waits until nothing is left to send.
    done: Condvar,
    sent: AtomicU64,
    lost: [AtomicU64; LostSpans::ALL.len()],
}

/// Boxed, so that what is moved under the lock is small.
#[derive(Debug, Default)]
struct WaitingSpans {
    #[allow(clippy::vec_box)]
    spans: Vec<Box<SpanData>>,
    /// Nothing comes any more.
    ends: bool,
    /// Nothing is left to send.
    is_done: bool,
}

impl SpanQueue {
    pub(super) fn push(&self, span: Box<SpanData>) {
        let mut waiting = self.waiting.lock();
        if waiting.spans.len() >= WAITING_MAX || waiting.ends {
            drop(waiting);
            return self.count_lost(LostSpans::Queue, 1);
        }
        waiting.spans.push(span);
        let count = waiting.spans.len();
        drop(waiting);
        // The thread wakes for the first of a batch and for a full one, and not for each.
        if count == 1 || count == BATCH {
            self.changed.notify_one();
        }
    }

    /// Waits for the next spans to send; none at the end.
    pub(super) fn next_batch(&self) -> Option<Vec<SpanData>> {
        let mut waiting = self.waiting.lock();
        while waiting.spans.is_empty() {
            if waiting.ends {
                waiting.is_done = true;
                self.done.notify_all();
                return None;
            }
            self.changed.wait(&mut waiting);
        }
        while waiting.spans.len() < BATCH && !waiting.ends {
            if self.changed.wait_for(&mut waiting, GATHERING).timed_out() {
                break;
            }
        }
        let count = waiting.spans.len().min(BATCH);
        let later = waiting.spans.split_off(count);
        let batch = std::mem::replace(&mut waiting.spans, later);
        drop(waiting);
        Some(batch.into_iter().map(|span| *span).collect())
    }

    /// Lets what waits be sent, for so long at most.
    pub(super) fn finish(&self, within: Duration) {
        let end = Instant::now() + within;
        let mut waiting = self.waiting.lock();
        waiting.ends = true;
        self.changed.notify_one();
        while !waiting.is_done {
            let left = end.saturating_duration_since(Instant::now());
            if self.done.wait_for(&mut waiting, left).timed_out() {
                return;
            }
        }
    }

    pub(super) fn count_sent(&self, count: u64) {
        self.sent.fetch_add(count, Ordering::Relaxed);
    }

    pub(super) fn count_lost(&self, why: LostSpans, count: u64) {
        self.lost[why as usize].fetch_add(count, Ordering::Relaxed);
    }

    pub(super) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    pub(super) fn lost(&self, why: LostSpans) -> u64 {
        self.lost[why as usize].load(Ordering::Relaxed)
    }
}
