//! A version that a room tries: until enough turns went well, the room can go back to the version before.

use std::sync::Arc;

use crate::plugin::version::Plugin;

/// A version on trial.
pub(super) struct Trial {
    /// What the room goes back to.
    pub(super) before: Arc<Plugin>,
    /// Turns that have to go well before the room stays.
    turns_left: u32,
}

impl Trial {
    pub(super) fn new(before: Arc<Plugin>, turns: u32) -> Self {
        Self { before, turns_left: turns }
    }

    /// A turn went well; says whether that was the last one needed.
    pub(super) fn passed(&mut self) -> bool {
        self.turns_left = self.turns_left.saturating_sub(1);
        self.turns_left == 0
    }
}
