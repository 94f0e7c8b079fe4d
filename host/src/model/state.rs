//! What turns change in memory: the room's members, timers, asks and what was said to channels. The room can undo these changes until the writes of the
//! turns are durable.

use super::asks::Asks;
use super::history::Histories;
use super::journal::Mark;
use super::members::Members;
use super::timers::Timers;
use crate::clock::Instant;

/// The state of a room beside its storage.
#[derive(Debug, Default)]
pub struct RoomState {
    pub members: Members,
    pub timers: Timers,
    pub asks: Asks,
    pub histories: Histories,
}

/// A mark between two turns, to which the state can be rolled back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StateMark {
    members: Mark,
    timers: Mark,
    asks: Mark,
    histories: Mark,
}

impl RoomState {
    /// When the earliest timer is due, or the earliest ask times out.
    pub fn next_due(&self) -> Option<Instant> {
        [self.timers.next_due(), self.asks.next_due()].into_iter().flatten().min()
    }

    pub fn mark(&self) -> StateMark {
        StateMark {
            members: self.members.mark(),
            timers: self.timers.mark(),
            asks: self.asks.mark(),
            histories: self.histories.mark(),
        }
    }

    /// Makes all changes before a mark final.
    pub fn make_final(&mut self, before: StateMark) {
        self.members.make_final(before.members);
        self.timers.make_final(before.timers);
        self.asks.make_final(before.asks);
        self.histories.make_final(before.histories);
    }

    /// Undoes all changes since a mark.
    pub fn roll_back(&mut self, to: StateMark) {
        self.members.roll_back(to.members);
        self.timers.roll_back(to.timers);
        self.asks.roll_back(to.asks);
        self.histories.roll_back(to.histories);
    }
}
