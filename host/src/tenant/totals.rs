//! What a plugin did since the server started, whatever became of its rooms and versions: counters that never go back.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::model::failure::FailureKind;

/// The close codes that the host uses, and 0 for all others: those that plugins choose.
pub const CLOSE_CODES: [u16; 8] = [1002, 1007, 1008, 1009, 1011, 1012, 1013, 0];

/// One plugin's counters.
#[derive(Debug, Default)]
pub struct Totals {
    /// Turns that committed in rooms that ended.
    turns: AtomicU64,
    /// Frames that were dropped in rooms that ended, because they were none.
    bad_frames: AtomicU64,
    failures: [AtomicU64; FailureKind::ALL.len()],
    closes: [AtomicU64; CLOSE_CODES.len()],
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

    /// The host closed a socket with this code.
    pub fn count_close(&self, code: u16) {
        let place = CLOSE_CODES.iter().position(|known| *known == code).unwrap_or(CLOSE_CODES.len() - 1);
        self.closes[place].fetch_add(1, Ordering::Relaxed);
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

    pub fn closes(&self) -> impl Iterator<Item = (u16, u64)> + '_ {
        CLOSE_CODES.into_iter().zip(self.closes.iter().map(|count| count.load(Ordering::Relaxed)))
    }
}
