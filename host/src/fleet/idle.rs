//! The rooms that have an instance. Those that have had no turn for longest are the first to hear that they may give it
//! up.

use std::collections::VecDeque;
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::clock::Instant;
use crate::room::handle::{RoomHandle, RoomShared};

/// How many rooms one look takes up; the next look goes on with the others.
const ROOMS_A_LOOK: usize = 1_024;

/// The rooms with an instance, each once, roughly in the order of their last turns. Only a look moves a room to the
/// back, so that turns need not touch this queue.
#[derive(Debug, Default)]
pub(super) struct AwakeRooms {
    queue: Mutex<VecDeque<(Instant, Weak<RoomShared>)>>,
    /// Notified when the queue is no longer empty.
    filled: Notify,
}

impl AwakeRooms {
    /// Adds a room that got an instance, or that has a turn again after a nudge.
    pub(super) fn add(&self, room: &RoomHandle) {
        if !room.stats.note_queued(true) {
            self.put(room.stats.active(), Arc::downgrade(room));
        }
    }

    fn put(&self, active: Instant, room: Weak<RoomShared>) {
        let mut queue = self.queue.lock();
        queue.push_back((active, room));
        if queue.len() == 1 {
            self.filled.notify_one();
        }
    }

    /// Waits until there is a room to look at: a server in which all rooms sleep need not wake.
    pub(super) async fn until_filled(&self) {
        while self.queue.lock().is_empty() {
            self.filled.notified().await;
        }
    }

    /// Tells each room that has had no turn for as long as `idle` that nothing happens in it.
    pub(super) fn nudge(&self, now: Instant, idle: Duration) {
        for _ in 0..ROOMS_A_LOOK {
            let Some(room) = self.next_older(now, idle) else { return };
            let Some(room) = room.upgrade() else { continue };
            // Before the look at the room: a room that has a turn meanwhile adds itself again.
            room.stats.note_queued(false);
            if room.is_idle(now, idle) {
                room.nudge();
            } else if room.stats.is_awake() {
                self.add(&room);
            }
        }
    }

    /// Takes out the first room, if its turn that this queue knows of is old enough.
    fn next_older(&self, now: Instant, idle: Duration) -> Option<Weak<RoomShared>> {
        let mut rooms = self.queue.lock();
        let (since, _) = rooms.front()?;
        if now.saturating_duration_since(*since) < idle {
            return None;
        }
        rooms.pop_front().map(|(_, room)| room)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn a_look_waits_for_the_first_room_that_is_awake() {
        let rooms = AwakeRooms::default();
        let mut waiting = Box::pin(rooms.until_filled());
        assert!(waiting.as_mut().now_or_never().is_none());
        let begin = Instant::now();
        rooms.put(begin, Weak::new());
        waiting.await;
        // It waits for none of those that come later, and again once the queue was emptied.
        rooms.put(begin, Weak::new());
        assert!(rooms.until_filled().now_or_never().is_some());
        rooms.nudge(begin, Duration::ZERO);
        assert!(rooms.until_filled().now_or_never().is_none());
    }
}
