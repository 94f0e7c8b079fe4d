//! The alarms of one tenant.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::Instant;
use crate::model::effect::UnixMs;
use crate::model::names::RoomKey;

/// How many of a tenant's rooms may have been told of their alarm at once and not have said anything yet.
pub(super) const RINGING_AT_ONCE: usize = 64;

/// One alarm.
#[derive(Debug, Clone, Copy)]
pub(super) struct Alarm {
    pub(super) due: UnixMs,
    /// When it is due by the wall clock: never before it was set. None once it rang: then it waits for its room's word
    /// or for another try, and the wall clock does not matter any more.
    pub(super) ripe: Option<UnixMs>,
    /// By the clock that nobody sets.
    pub(super) at: Instant,
    /// Whether its room has been told, and has not said yet what becomes of it.
    pub(super) rings: bool,
    pub(super) failures: u32,
}

/// A tenant's alarms, in the order of either clock.
#[derive(Debug, Default)]
pub(super) struct TenantAlarms {
    by_wall: BTreeSet<(UnixMs, Arc<RoomKey>)>,
    by_instant: BTreeSet<(Instant, Arc<RoomKey>)>,
    /// Those that ring, and until when they wait for their room's word.
    ringing: BTreeSet<(Instant, Arc<RoomKey>)>,
    /// None rings before.
    held_until: Option<Instant>,
    /// When the log told last that they wait.
    told: Option<Instant>,
}

impl TenantAlarms {
    pub(super) fn insert(&mut self, room: &Arc<RoomKey>, alarm: &Alarm) {
        self.by_wall.extend(alarm.ripe.map(|ripe| (ripe, Arc::clone(room))));
        self.by_instant.insert((alarm.at, Arc::clone(room)));
        if alarm.rings {
            self.ringing.insert((alarm.at, Arc::clone(room)));
        }
    }

    pub(super) fn remove(&mut self, room: &Arc<RoomKey>, alarm: &Alarm) {
        if let Some(ripe) = alarm.ripe {
            self.by_wall.remove(&(ripe, Arc::clone(room)));
        }
        self.by_instant.remove(&(alarm.at, Arc::clone(room)));
        if alarm.rings {
            self.ringing.remove(&(alarm.at, Arc::clone(room)));
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.by_instant.is_empty()
    }

    pub(super) fn first_by_wall(&self) -> Option<UnixMs> {
        self.by_wall.first().map(|(at, _)| *at)
    }

    pub(super) fn first_by_instant(&self) -> Option<Instant> {
        self.by_instant.first().map(|(at, _)| *at)
    }

    /// How many are due by the wall clock and have not rung.
    pub(super) fn due_by_wall(&self, wall: UnixMs) -> usize {
        self.by_wall.iter().take_while(|(at, _)| *at <= wall).count()
    }

    /// The room whose alarm rings next; none where none is due, or where they have to wait.
    pub(super) fn next(&self, wall: UnixMs, now: Instant) -> Option<Arc<RoomKey>> {
        if self.held_until.is_some_and(|until| until > now) {
            return None;
        }
        if self.ringing.len() >= RINGING_AT_ONCE {
            // Only one that was never answered, so that it makes no further one ring.
            return self.ringing.first().filter(|(until, _)| *until <= now).map(|(_, room)| Arc::clone(room));
        }
        let by_wall = self.by_wall.first().filter(|(at, _)| *at <= wall).map(|(_, room)| room);
        let by_instant = || self.by_instant.first().filter(|(at, _)| *at <= now).map(|(_, room)| room);
        by_wall.or_else(by_instant).cloned()
    }

    /// Lets none ring for a while; answers whether the log should tell.
    pub(super) fn hold(&mut self, now: Instant, until: Instant, told_every: Duration) -> bool {
        self.held_until = Some(until);
        let tells = self.told.is_none_or(|told| now - told >= told_every);
        if tells {
            self.told = Some(now);
        }
        tells
    }
}
