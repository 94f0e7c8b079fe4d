//! The output gate: turns that ran, and that nobody hears of before their writes, and those of the turns before them, are
//! durable. What a turn says leaves in the order of the turns; where a write fails, it fails with all that came after it.

use std::collections::VecDeque;
use std::time::Duration;

use super::failure::TurnFailure;
use crate::clock::Instant;
use crate::model::effect::{Close, Emit};
use crate::model::event::{Event, SocketId, hook};
use crate::model::limits::Limits;
use crate::model::state::StateMark;
use crate::storage::view::{BatchNumber, Written};
use crate::storage::{Durable, StorageError};

/// A turn whose writes may be lost is let out for so long behind the oldest such turn (`relaxed` durability); then it
/// waits as a strict one does. So a crash loses at most what was said in this time, however slow the disk is.
const RELAXED_LOSS: Duration = Duration::from_millis(100);

/// What a turn was for, where that decides what follows from its failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TurnKind {
    Connect,
    Restore,
    Resume,
    Suspend,
    Error,
    Alarm,
    /// It failed already; only the words for its sender wait.
    Rejected,
    /// An event of a client, a timer, a socket's end.
    Other,
}

impl TurnKind {
    /// Whether the version before is given the event where a version on trial is lost in it. What a new instance is told
    /// has its own rule.
    pub(super) fn is_given_again(self) -> bool {
        !matches!(self, Self::Restore | Self::Resume | Self::Suspend)
    }
}

/// Where a turn came from.
#[derive(Debug, Clone)]
pub(super) struct Origin {
    pub(super) kind: TurnKind,
    pub(super) name: String,
    pub(super) socket: Option<SocketId>,
}

impl Origin {
    pub(super) fn of(event: &Event) -> Self {
        // The cause, since a timer may have any name.
        let kind = match event.cause.as_str() {
            hook::CONNECT => TurnKind::Connect,
            hook::RESTORE => TurnKind::Restore,
            hook::RESUME => TurnKind::Resume,
            hook::SUSPEND => TurnKind::Suspend,
            hook::ERROR => TurnKind::Error,
            hook::ALARM => TurnKind::Alarm,
            _ => TurnKind::Other,
        };
        Self { kind, name: event.name.clone(), socket: event.socket }
    }
}

/// What leaves the room for a turn.
#[derive(Debug)]
pub(super) enum Output {
    /// A turn that succeeded.
    Turn { emits: Vec<Emit>, closes: Vec<Close> },
    /// The words for the sender of an event that was rejected.
    Rejection { socket: Option<SocketId>, failure: TurnFailure },
}

/// One turn at the gate.
pub(super) struct Held {
    pub(super) origin: Origin,
    /// The room's state before the turn, and after it.
    pub(super) start: StateMark,
    pub(super) end: StateMark,
    /// None once it was let out.
    pub(super) output: Option<Output>,
    /// The turn's writes, if it made any.
    pub(super) batch: Option<(BatchNumber, Written)>,
    pub(super) sets_alarm: bool,
    /// What it takes while it waits.
    pub(super) bytes: usize,
    since: Instant,
}

impl Held {
    pub(super) fn new(origin: Origin, start: StateMark, end: StateMark, output: Output) -> Self {
        let bytes = match &output {
            Output::Turn { emits, .. } => emits.iter().map(|emit| emit.data.text().len()).sum(),
            Output::Rejection { .. } => 0,
        };
        let since = Instant::now();
        Self { origin, start, end, output: Some(output), batch: None, sets_alarm: false, bytes, since }
    }
}

/// The turns of a room that are not settled, the oldest first.
#[derive(Default)]
pub(super) struct Gate {
    held: VecDeque<Held>,
    bytes: usize,
}

impl Gate {
    pub(super) fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// Whether no more turns may run before one is settled.
    pub(super) fn is_full(&self, limits: &Limits) -> bool {
        self.held.len() >= limits.pending_turns || self.bytes >= limits.pending_bytes
    }

    /// Whether something waits to be said.
    pub(super) fn holds_output(&self) -> bool {
        self.held.back().is_some_and(|held| held.output.is_some())
    }

    pub(super) fn push(&mut self, held: Held) {
        self.bytes += held.bytes;
        self.held.push_back(held);
    }

    /// Waits until the writes of the oldest turn are durable, or have failed; `pop` or `fail` must follow.
    pub(super) async fn settled(&mut self) -> Result<Durable, StorageError> {
        match self.held.front_mut().and_then(|held| held.batch.as_mut()) {
            Some((_, written)) => written.await,
            None => Ok(Durable { cpu: Duration::ZERO }),
        }
    }

    /// Takes out the oldest turn, which is settled.
    pub(super) fn pop(&mut self) -> Option<Held> {
        let held = self.held.pop_front()?;
        self.bytes -= held.bytes;
        Some(held)
    }

    /// Takes out all turns: the oldest failed, and with it those behind it.
    pub(super) fn fail(&mut self) -> Vec<Held> {
        self.bytes = 0;
        std::mem::take(&mut self.held).into()
    }

    /// What may be said although it can still be lost: the next of what waits, while the oldest turn has not waited long.
    pub(super) fn next_relaxed(&mut self) -> Option<Output> {
        if self.held.front()?.since.elapsed() >= RELAXED_LOSS {
            return None;
        }
        let waiting = self.held.iter_mut().find(|held| held.output.is_some())?;
        waiting.output.take()
    }
}
