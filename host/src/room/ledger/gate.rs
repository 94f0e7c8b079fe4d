//! The output gate. It holds what a turn says until the turn's writes, and those of the turns before it, are durable.
//! Outputs leave in the order of the turns. Where a write fails, its turn fails with all that came after it.

use std::collections::VecDeque;
use std::time::Duration;

use crate::clock::Instant;
use crate::model::limits::Limits;
use crate::model::state::StateMark;
use crate::room::turn::{Origin, Output};
use crate::storage::view::{BatchNumber, Written};
use crate::storage::{Durable, StorageError};

/// Under `relaxed` durability, outputs may leave before their writes are durable while the oldest turn at the gate is
/// not older than this. So a crash loses at most what was said in this time, however slow the disk is.
const RELAXED_LOSS: Duration = Duration::from_millis(100);

/// One turn at the gate.
pub(super) struct HeldTurn {
    /// None for words that rest on no writes, such as those of a rejection.
    pub(super) origin: Option<Origin>,
    /// The room's state before the turn.
    pub(super) start: StateMark,
    /// The room's state after the turn.
    pub(super) end: StateMark,
    /// None once it has left.
    pub(super) output: Option<Output>,
    /// The turn's writes, if it made any.
    batch: Option<HeldBatch>,
    /// Bytes that the turn takes while it waits.
    bytes: usize,
    since: Instant,
}

/// The writes of a turn, on their way to the disk.
pub(super) struct HeldBatch {
    pub(super) number: BatchNumber,
    pub(super) written: Written,
    pub(super) bytes: usize,
    pub(super) sets_alarm: bool,
}

impl HeldTurn {
    pub(super) fn new(origin: Option<Origin>, start: StateMark, end: StateMark, output: Output) -> Self {
        let bytes = output.bytes();
        Self { origin, start, end, output: Some(output), batch: None, bytes, since: Instant::now() }
    }

    pub(super) fn with_batch(mut self, batch: Option<HeldBatch>) -> Self {
        self.bytes += batch.as_ref().map_or(0, |batch| batch.bytes);
        self.batch = batch;
        self
    }

    /// The number of the turn's writes, where it made any.
    pub(super) fn batch(&self) -> Option<BatchNumber> {
        self.batch.as_ref().map(|batch| batch.number)
    }

    /// How long the turn's writes have been on their way, where it made any.
    pub(super) fn waited(&self) -> Option<Duration> {
        self.batch.as_ref().map(|_| self.since.elapsed())
    }

    pub(super) fn sets_alarm(&self) -> bool {
        self.batch.as_ref().is_some_and(|batch| batch.sets_alarm)
    }
}

/// The turns of a room that are not settled, the oldest first.
#[derive(Default)]
pub(super) struct Gate {
    held: VecDeque<HeldTurn>,
    bytes: usize,
}

impl Gate {
    pub(super) fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// Whether the next turn must wait until the oldest one is settled.
    pub(super) fn is_full(&self, limits: &Limits) -> bool {
        self.held.len() >= limits.pending_turns || self.bytes >= limits.pending_bytes
    }

    /// Whether the gate holds back an output.
    pub(super) fn holds_output(&self) -> bool {
        self.held.back().is_some_and(|held| held.output.is_some())
    }

    pub(super) fn push(&mut self, held: HeldTurn) {
        self.bytes += held.bytes;
        self.held.push_back(held);
    }

    /// Waits until the writes of the oldest turn are durable, or have failed; `pop` or `fail` must follow.
    pub(super) async fn settled(&mut self) -> Result<Durable, StorageError> {
        match self.held.front_mut().and_then(|held| held.batch.as_mut()) {
            Some(batch) => (&mut batch.written).await,
            None => Ok(Durable),
        }
    }

    /// Takes out the oldest turn, which is settled.
    pub(super) fn pop(&mut self) -> Option<HeldTurn> {
        let held = self.held.pop_front()?;
        self.bytes -= held.bytes;
        Some(held)
    }

    /// Takes out all turns, because the oldest failed, and those behind it with it.
    pub(super) fn fail(&mut self) -> Vec<HeldTurn> {
        self.bytes = 0;
        std::mem::take(&mut self.held).into()
    }

    /// The next output that may leave although its writes may still be lost; none where the oldest turn has waited too
    /// long.
    pub(super) fn next_relaxed(&mut self) -> Option<Output> {
        if self.held.front()?.since.elapsed() >= RELAXED_LOSS {
            return None;
        }
        let waiting = self.held.iter_mut().find(|held| held.output.is_some())?;
        waiting.output.take()
    }
}
