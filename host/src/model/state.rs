//! What turns change in memory: the room's members, timers, asks and what was said to channels. The room can undo these changes until the writes of the
//! turns are durable.

use std::ops::{Deref, DerefMut};
use std::sync::LazyLock;

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

/// A room's state, which each turn takes along and brings back: what moves is a pointer. Meanwhile it reads as that of an empty room.
#[derive(Debug, Default)]
pub struct LentState(Option<Box<RoomState>>);

/// What is read of a state that is away.
static AWAY: LazyLock<RoomState> = LazyLock::new(RoomState::default);

impl LentState {
    pub fn lend(&mut self) -> Box<RoomState> {
        self.0.take().unwrap_or_default()
    }

    pub fn bring_back(&mut self, state: Box<RoomState>) {
        self.0 = Some(state);
    }
}

impl Deref for LentState {
    type Target = RoomState;

    fn deref(&self) -> &RoomState {
        self.0.as_deref().unwrap_or_else(|| &AWAY)
    }
}

impl DerefMut for LentState {
    fn deref_mut(&mut self) -> &mut RoomState {
        self.0.get_or_insert_default()
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::meta::Meta;

    #[test]
    fn a_state_that_is_away_reads_as_of_an_empty_room_and_comes_back_as_it_left() {
        let mut lent = LentState::default();
        lent.members.insert(1, Meta::anonymous("ada".to_owned(), "c".to_owned(), Vec::new()));
        let mut away = lent.lend();
        assert_eq!((lent.members.count(), away.members.count()), (0, 1));
        away.members.insert(2, Meta::anonymous("bob".to_owned(), "d".to_owned(), Vec::new()));
        lent.bring_back(away);
        assert_eq!(lent.members.user_ids(), ["ada", "bob"]);
    }
}
