//! What turns change in memory: the room's members and timers. The room can undo these changes until the writes of the
//! turns are durable.

use super::journal::Mark;
use super::members::Members;
use super::timers::Timers;

/// The state of a room beside its storage.
#[derive(Debug, Default)]
pub struct RoomState {
    pub members: Members,
    pub timers: Timers,
}

/// A mark between two turns, to which the state can be rolled back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StateMark {
    members: Mark,
    timers: Mark,
}

impl RoomState {
    pub fn mark(&self) -> StateMark {
        StateMark { members: self.members.mark(), timers: self.timers.mark() }
    }

    /// Makes all changes before a mark final.
    pub fn keep(&mut self, before: StateMark) {
        self.members.keep(before.members);
        self.timers.keep(before.timers);
    }

    /// Undoes all changes since a mark.
    pub fn roll_back(&mut self, to: StateMark) {
        self.members.roll_back(to.members);
        self.timers.roll_back(to.timers);
    }
}
