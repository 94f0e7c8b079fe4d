//! When rooms' alarms are due. Here stands every alarm that is durable, of open rooms and of others, and rings until its
//! room has said what becomes of it.
//!
//! An alarm is due by the wall clock. One that was set while the server ran is also due by the clock that nobody sets:
//! a wall clock that is put back delays it no further than it was asked for.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::clock::{Instant, unix_ms};
use crate::model::effect::UnixMs;
use crate::model::names::RoomKey;

/// An alarm that rang rings again after this, unless its room has said something: rooms can end at any moment.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often the wall clock is looked at while an alarm is set: it may be put forward.
const WALL_CLOCK_LOOK: Duration = Duration::from_secs(1);

/// All alarms.
#[derive(Debug, Default)]
pub struct Alarms {
    inner: Mutex<AlarmTable>,
    changed: Notify,
}

/// An alarm that rings now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ring {
    pub room: Arc<RoomKey>,
    pub due: UnixMs,
    /// From 1, since the server started.
    pub attempt: u32,
}

#[derive(Debug, Default)]
struct AlarmTable {
    by_room: HashMap<Arc<RoomKey>, Alarm>,
    by_wall: BTreeSet<(UnixMs, Arc<RoomKey>)>,
    by_instant: BTreeSet<(Instant, Arc<RoomKey>)>,
}

#[derive(Debug, Clone, Copy)]
struct Alarm {
    due: UnixMs,
    /// By the clock that nobody sets.
    at: Instant,
    /// Rang already, and waits for its room's word or for another try: the wall clock does not matter any more.
    rang: bool,
    failures: u32,
}

impl Alarms {
    /// A room's alarm was set anew, or is gone.
    pub fn set(&self, room: &RoomKey, due: Option<UnixMs>) {
        self.inner.lock().put(room, due);
        self.changed.notify_one();
    }

    /// A room's alarm is as it was: what is known of it stays.
    pub fn ensure(&self, room: &RoomKey, due: Option<UnixMs>) {
        let mut inner = self.inner.lock();
        if inner.by_room.get(room).map(|alarm| alarm.due) != due {
            inner.put(room, due);
            self.changed.notify_one();
        }
    }

    /// The alarm's turn failed: it rings again, later at each failure.
    pub fn failed(&self, room: &RoomKey, first: Duration, longest: Duration) {
        self.inner.lock().again(room, |alarm| {
            alarm.failures = alarm.failures.saturating_add(1);
            let factor = 1u32.checked_shl(alarm.failures - 1).unwrap_or(u32::MAX);
            first.saturating_mul(factor).min(longest)
        });
        self.changed.notify_one();
    }

    /// The alarm could not reach its room, which is not its turn's failure.
    pub fn postpone(&self, room: &RoomKey, wait: Duration) {
        self.inner.lock().again(room, |_| wait);
        self.changed.notify_one();
    }

    /// Up to so many alarms that are due.
    pub fn due(&self, max: usize) -> Vec<Ring> {
        self.inner.lock().due(unix_ms() as UnixMs, Instant::now(), max)
    }

    /// Waits until an alarm may be due.
    pub async fn wait(&self) {
        let wait = self.inner.lock().next(unix_ms() as UnixMs, Instant::now());
        let changed = self.changed.notified();
        match wait {
            Some(wait) => drop(tokio::time::timeout(wait, changed).await),
            None => changed.await,
        }
    }

    /// How many alarms are set.
    pub fn len(&self) -> usize {
        self.inner.lock().by_room.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl AlarmTable {
    fn put(&mut self, room: &RoomKey, due: Option<UnixMs>) {
        let key = self.take_out(room).unwrap_or_else(|| Arc::new(room.clone()));
        let Some(due) = due else { return };
        let left = Duration::from_millis(due.saturating_sub(unix_ms() as UnixMs));
        // An alarm in the far future has no moment by this clock; the wall clock decides alone.
        let now = Instant::now();
        let at = now.checked_add(left).unwrap_or(now + Duration::from_secs(u64::from(u32::MAX)));
        self.by_wall.insert((due, Arc::clone(&key)));
        self.by_instant.insert((at, Arc::clone(&key)));
        self.by_room.insert(key, Alarm { due, at, rang: false, failures: 0 });
    }

    /// Takes an alarm out of all tables.
    fn take_out(&mut self, room: &RoomKey) -> Option<Arc<RoomKey>> {
        let (key, alarm) = self.by_room.remove_entry(room)?;
        self.by_wall.remove(&(alarm.due, Arc::clone(&key)));
        self.by_instant.remove(&(alarm.at, Arc::clone(&key)));
        Some(key)
    }

    /// Lets an alarm ring again, so long after now.
    fn again(&mut self, room: &RoomKey, wait: impl FnOnce(&mut Alarm) -> Duration) {
        let Some(mut alarm) = self.by_room.get(room).copied() else { return };
        let Some(key) = self.take_out(room) else { return };
        alarm.at = Instant::now() + wait(&mut alarm);
        alarm.rang = true;
        self.by_instant.insert((alarm.at, Arc::clone(&key)));
        self.by_room.insert(key, alarm);
    }

    fn due(&mut self, wall: UnixMs, now: Instant, max: usize) -> Vec<Ring> {
        let mut rings = Vec::new();
        while rings.len() < max {
            let by_wall = self.by_wall.first().filter(|(due, _)| *due <= wall).map(|(_, room)| room);
            let by_instant = || self.by_instant.first().filter(|(at, _)| *at <= now).map(|(_, room)| room);
            let Some(room) = by_wall.or_else(by_instant).cloned() else { break };
            let Some(Alarm { due, failures, .. }) = self.by_room.get(&room).copied() else { break };
            self.again(&room, |_| PATIENCE);
            rings.push(Ring { room, due, attempt: failures.saturating_add(1) });
        }
        rings
    }

    /// How long nothing is due; none where nothing is set.
    fn next(&self, wall: UnixMs, now: Instant) -> Option<Duration> {
        let (at, _) = self.by_instant.first()?;
        let mut wait = at.saturating_duration_since(now);
        if let Some((due, _)) = self.by_wall.first() {
            wait = wait.min(Duration::from_millis(due.saturating_sub(wall))).min(WALL_CLOCK_LOOK);
        }
        Some(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::names::{PluginKey, PluginName, RoomId, TenantName};

    fn room(name: &str) -> RoomKey {
        let (tenant, plugin) = (TenantName::new("t").unwrap(), PluginName::new("p").unwrap());
        RoomKey { plugin: PluginKey { tenant, plugin }, room: RoomId::new(name).unwrap() }
    }

    fn wall() -> UnixMs {
        unix_ms() as UnixMs
    }

    fn names(rings: &[Ring]) -> Vec<&str> {
        rings.iter().map(|ring| ring.room.room.as_str()).collect()
    }

    #[test]
    fn due_alarms_ring_in_order_and_again_only_after_a_while() {
        let alarms = Alarms::default();
        let now = wall();
        alarms.set(&room("later"), Some(now + 60_000));
        alarms.set(&room("second"), Some(now - 10));
        alarms.set(&room("first"), Some(now - 20));
        assert_eq!(names(&alarms.due(10)), ["first", "second"]);
        assert!(alarms.due(10).is_empty());
        let mut inner = alarms.inner.lock();
        assert_eq!(names(&inner.due(now, Instant::now() + PATIENCE + WALL_CLOCK_LOOK, 1)).len(), 1);
    }

    #[test]
    fn a_clock_that_jumps_rings_at_whichever_comes_first() {
        let alarms = Alarms::default();
        let (now, start) = (wall(), Instant::now());
        alarms.set(&room("a"), Some(now + 10_000));
        alarms.set(&room("b"), Some(now + 10_000));
        let mut inner = alarms.inner.lock();
        // Put forward by an hour: due at once. Put back by an hour: due when the time is over that was asked for.
        assert_eq!(inner.due(now + 3_600_000, start, 1).len(), 1);
        assert!(inner.due(now - 3_600_000, start + Duration::from_secs(9), 1).is_empty());
        assert_eq!(inner.due(now - 3_600_000, start + Duration::from_secs(11), 1).len(), 1);
        assert!(inner.next(now, start).unwrap() > Duration::from_secs(5));
    }

    #[test]
    fn failures_wait_longer_until_the_alarm_is_set_anew() {
        let alarms = Alarms::default();
        let (first, longest) = (Duration::from_secs(1), Duration::from_secs(3));
        alarms.set(&room("a"), Some(5));
        let mut waits = Vec::new();
        for attempt in 1..=4 {
            let far = Instant::now() + Duration::from_secs(100);
            let rings = alarms.inner.lock().due(0, far, 1);
            assert_eq!(rings[0].attempt, attempt);
            alarms.failed(&room("a"), first, longest);
            waits.push(alarms.inner.lock().next(0, Instant::now()).unwrap().as_secs_f64().round() as u32);
        }
        assert_eq!(waits, [1, 2, 3, 3]);
        alarms.ensure(&room("a"), Some(5));
        assert!(alarms.due(1).is_empty());
        alarms.set(&room("a"), Some(5));
        assert_eq!(alarms.due(1)[0].attempt, 1);
        alarms.set(&room("a"), None);
        assert!(alarms.is_empty() && alarms.inner.lock().next(0, Instant::now()).is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_failed_alarm_rings_later_each_time_and_an_unanswered_one_after_a_minute() {
        let alarms = Alarms::default();
        let start = Instant::now();
        alarms.set(&room("a"), Some(wall() + 5_000));
        let mut rang = Vec::new();
        while rang.len() < 5 {
            alarms.wait().await;
            for ring in alarms.due(1) {
                rang.push(start.elapsed().as_secs_f64().round() as u64);
                // The fourth time its room says nothing.
                if ring.attempt < 4 {
                    alarms.failed(&ring.room, Duration::from_secs(1), Duration::from_secs(3));
                }
            }
        }
        assert_eq!(rang, [5, 6, 8, 11, 71]);
    }

    #[test]
    fn the_far_future_is_no_overflow() {
        let alarms = Alarms::default();
        alarms.set(&room("a"), Some(UnixMs::MAX));
        assert!(alarms.due(1).is_empty());
    }
}
