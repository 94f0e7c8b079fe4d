//! Which rooms have an instance that they may not need: those in which nothing happened for longest are asked first.

use std::collections::VecDeque;
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;

use crate::clock::Instant;
use crate::room::handle::{RoomHandle, RoomShared};

/// How many rooms one look takes up; the next look goes on with the others.
const ROOMS_A_LOOK: usize = 1_024;

/// The rooms with an instance, each once, those in which something happened lately behind the others. A room's place is
/// renewed only when a look meets it, so that a turn does nothing for it.
#[derive(Debug, Default)]
pub(super) struct AwakeRooms(Mutex<VecDeque<(Instant, Weak<RoomShared>)>>);

impl AwakeRooms {
    /// The room has an instance, or works again after it was told that nothing happens in it.
    pub(super) fn add(&self, room: &RoomHandle) {
        if !room.stats.note_queued(true) {
            self.0.lock().push_back((room.stats.active(), Arc::downgrade(room)));
        }
    }

    /// Tells rooms in which nothing happened for so long that it is so.
    pub(super) fn nudge(&self, now: Instant, idle: Duration) {
        for _ in 0..ROOMS_A_LOOK {
            let Some(room) = self.next_older(now, idle) else { return };
            let Some(room) = room.upgrade() else { continue };
            // Before the look at it: a room that wakes meanwhile comes back by itself.
            room.stats.note_queued(false);
            if room.is_idle(now, idle) {
                room.nudge();
            } else if room.stats.is_awake() {
                self.add(&room);
            }
        }
    }

    /// Takes out the first room, where its place is old enough.
    fn next_older(&self, now: Instant, idle: Duration) -> Option<Weak<RoomShared>> {
        let mut rooms = self.0.lock();
        let (since, _) = rooms.front()?;
        if now.saturating_duration_since(*since) < idle {
            return None;
        }
        rooms.pop_front().map(|(_, room)| room)
    }
}
