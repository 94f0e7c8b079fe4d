//! What waits for one reader of a stream.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use serde_json::json;
use tokio::sync::Notify;

use super::interest::{Interest, LiveListener, event};
use crate::clock::Instant;

/// Lines that wait for one reader, and their bytes.
const LINES_MAX: usize = 256;
const BYTES_MAX: usize = 256 << 10;
/// How long a reader may read nothing while lines wait for it.
const STUCK_AFTER: Duration = Duration::from_secs(30);

/// What waits for one reader.
#[derive(Debug)]
pub(super) struct Queue {
    pub(super) listener: LiveListener,
    pub(super) interest: Interest,
    waiting: Mutex<Waiting>,
    pub(super) changed: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    lines: VecDeque<Bytes>,
    bytes: usize,
    /// The last figures alone: older ones are of no use to a reader that is late.
    figures: Option<Bytes>,
    /// Lines that found no place since the reader was last told.
    lost: u64,
    /// Since when something has waited and nothing was read.
    since: Option<Instant>,
    ended: bool,
}

impl Queue {
    pub(super) fn new(listener: LiveListener, interest: Interest) -> Self {
        Self { listener, interest, waiting: Mutex::default(), changed: Notify::new() }
    }

    pub(super) fn push(&self, line: &Bytes) {
        let mut waiting = self.waiting.lock();
        if waiting.lines.len() >= LINES_MAX || waiting.bytes + line.len() > BYTES_MAX {
            waiting.lost += 1;
        } else {
            waiting.bytes += line.len();
            waiting.lines.push_back(line.clone());
        }
        waiting.since.get_or_insert_with(Instant::now);
        drop(waiting);
        self.changed.notify_one();
    }

    pub(super) fn put_figures(&self, figures: Bytes) {
        let mut waiting = self.waiting.lock();
        waiting.figures = Some(figures);
        waiting.since.get_or_insert_with(Instant::now);
        drop(waiting);
        self.changed.notify_one();
    }

    pub(super) fn is_stuck(&self) -> bool {
        self.waiting.lock().since.is_some_and(|since| since.elapsed() >= STUCK_AFTER)
    }

    pub(super) fn end_if_stuck(&self) -> bool {
        let is_stuck = self.is_stuck();
        if is_stuck {
            self.end();
        }
        is_stuck
    }

    /// Ends the stream, whatever waits for its reader.
    pub(super) fn end(&self) {
        self.waiting.lock().ended = true;
        self.changed.notify_one();
    }

    pub(super) fn is_of_tenant(&self) -> bool {
        self.listener != LiveListener::Operator
    }

    /// What the reader gets next: that it lost lines, then the lines that waited, then the figures.
    pub(super) fn pop(&self) -> Popped {
        let mut waiting = self.waiting.lock();
        if waiting.ended {
            return Popped::Ended;
        }
        let line = if waiting.lost > 0 && waiting.lines.is_empty() {
            Some(event("lost", &json!({ "lines": std::mem::take(&mut waiting.lost) })))
        } else if let Some(line) = waiting.lines.pop_front() {
            waiting.bytes -= line.len();
            Some(line)
        } else {
            waiting.figures.take()
        };
        waiting.since = line.as_ref().filter(|_| !waiting.is_empty()).map(|_| Instant::now());
        line.map_or(Popped::Nothing, Popped::Line)
    }
}

impl Waiting {
    fn is_empty(&self) -> bool {
        self.lines.is_empty() && self.figures.is_none() && self.lost == 0
    }
}

/// What comes next for a reader.
pub(super) enum Popped {
    Line(Bytes),
    Nothing,
    Ended,
}
