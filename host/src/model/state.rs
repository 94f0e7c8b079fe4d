//! What turns change in memory: who is in the room, and its timers. It can be taken back for as long as it rests on writes
//! that are not durable.

use super::journal::Mark;
use super::members::Members;
use super::timers::Timers;

/// The state of a room beside what it stores.
#[derive(Debug, Default)]
pub struct RoomState {
    pub members: Members,
    pub timers: Timers,
}

/// The state between two turns.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StateMark {
    members: Mark,
    timers: Mark,
}

impl RoomState {
    pub fn mark(&self) -> StateMark {
        StateMark { members: self.members.mark(), timers: self.timers.mark() }
    }

    /// What was changed before this stays.
    pub fn keep(&mut self, before: StateMark) {
        self.members.keep(before.members);
        self.timers.keep(before.timers);
    }

    /// What was changed since is taken back.
    pub fn roll_back(&mut self, to: StateMark) {
        self.members.roll_back(to.members);
        self.timers.roll_back(to.timers);
    }
}
