//! When rooms' alarms are due. Here stands every alarm that is durable, of open rooms and of others, and rings until its
//! room has said what becomes of it. Tenants take turns, so that the alarms of one keep no other waiting.
//!
//! An alarm is due by the wall clock. One that was set while the server ran is also due by the clock that nobody sets:
//! a wall clock that is put back delays it no further than it was asked for. One that is set for the past is due when it
//! was set, and so behind those that waited already.

mod queue;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;

use self::queue::{Alarm, TenantAlarms};
use crate::clock::{Instant, doubled, unix_ms, virtual_now};
use crate::model::effect::UnixMs;
use crate::model::names::{RoomKey, TenantName};

/// An alarm that rang rings again after this, unless its room has said something: rooms can end at any moment.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often the wall clock is looked at while an alarm is set: it may be put forward.
const WALL_CLOCK_LOOK: Duration = Duration::from_secs(1);
/// How often to look again at alarms that are due and have to wait for their tenant.
const HELD_LOOK: Duration = Duration::from_millis(20);
/// How often the log may tell that a tenant's alarms wait.
const TOLD_EVERY: Duration = Duration::from_secs(60);

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

/// A tenant's alarms that are due and have not rung yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LateAlarms {
    pub tenant: TenantName,
    pub count: usize,
    /// How long the first of them has been due.
    pub late: Duration,
}

#[derive(Debug, Default)]
struct AlarmTable {
    by_room: HashMap<Arc<RoomKey>, Alarm>,
    tenants: HashMap<TenantName, TenantAlarms>,
    /// When the first alarm of each tenant is due, by either clock.
    by_wall: BTreeSet<(UnixMs, TenantName)>,
    by_instant: BTreeSet<(Instant, TenantName)>,
    /// The tenant whose alarm rang last: the next in order comes next.
    last: Option<TenantName>,
}

impl Alarms {
    /// A room's alarm was set anew, or is gone.
    pub fn set(&self, room: &RoomKey, due: Option<UnixMs>) {
        let ripe = due.map(|due| due.max(unix_ms() as UnixMs));
        self.inner.lock().put(room, due, ripe);
        self.changed.notify_one();
    }

    /// A room's alarm was found in storage when the server started: it may have been due while no server ran.
    pub fn found(&self, room: &RoomKey, due: UnixMs) {
        self.inner.lock().put(room, Some(due), Some(due));
        self.changed.notify_one();
    }

    /// A room's alarm is as it was: what is known of it stays. One that rang rings again later.
    pub fn ensure(&self, room: &RoomKey, due: Option<UnixMs>) {
        let known = self.inner.lock().by_room.get(room).copied();
        match known {
            Some(alarm) if Some(alarm.due) == due && alarm.rings => self.postpone(room, PATIENCE),
            known if known.map(|alarm| alarm.due) == due => {}
            _ => self.set(room, due),
        }
    }

    /// The alarm's turn failed: it rings again, later at each failure.
    pub fn failed(&self, room: &RoomKey, first: Duration, longest: Duration) {
        self.inner.lock().again(room, false, |alarm| {
            alarm.failures = alarm.failures.saturating_add(1);
            doubled(first, alarm.failures - 1, longest)
        });
        self.changed.notify_one();
    }

    /// The alarm could not reach its room, which is not its turn's failure.
    pub fn postpone(&self, room: &RoomKey, wait: Duration) {
        self.inner.lock().again(room, false, |_| wait);
        self.changed.notify_one();
    }

    /// The tenant has no place or no CPU time for another alarm: none of its alarms rings for a while. Answers whether
    /// the log should tell, which is once a minute.
    pub fn hold(&self, tenant: &TenantName, wait: Duration) -> bool {
        let (mut inner, now) = (self.inner.lock(), Instant::now());
        inner.tenants.get_mut(tenant).is_some_and(|alarms| alarms.hold(now, now + wait, TOLD_EVERY))
    }

    /// Up to so many alarms that are due, of each tenant in turn.
    pub fn due(&self, max: usize) -> Vec<Ring> {
        self.inner.lock().due(unix_ms() as UnixMs, Instant::now(), max)
    }

    /// Waits until an alarm may be due. Call it only where [`Alarms::due`] has nothing.
    pub async fn wait(&self) {
        let wait = self.inner.lock().next(unix_ms() as UnixMs, Instant::now());
        let changed = self.changed.notified();
        match wait {
            // What is due has to wait for its tenant.
            Some(wait) => {
                let wait = if wait.is_zero() { HELD_LOOK } else { wait };
                drop(tokio::time::timeout(wait, changed).await);
            }
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

    /// The alarms that are due and wait, by tenant.
    pub fn late(&self) -> Vec<LateAlarms> {
        let (inner, wall) = (self.inner.lock(), unix_ms() as UnixMs);
        let due = inner.by_wall.iter().take_while(|(first, _)| *first <= wall);
        let late = due.filter_map(|(first, tenant)| {
            let (count, late) = (inner.tenants.get(tenant)?.due_by_wall(wall), Duration::from_millis(wall - first));
            Some(LateAlarms { tenant: tenant.clone(), count, late })
        });
        late.collect()
    }
}

impl AlarmTable {
    fn put(&mut self, room: &RoomKey, due: Option<UnixMs>, ripe: Option<UnixMs>) {
        let key = self.take_out(room).map_or_else(|| Arc::new(room.clone()), |(key, _)| key);
        let Some(due) = due else { return };
        let left = Duration::from_millis(due.saturating_sub(unix_ms() as UnixMs));
        // An alarm in the far future has no moment by this clock; the wall clock decides alone.
        let now = Instant::now();
        let at = now.checked_add(left).unwrap_or(now + Duration::from_secs(u64::from(u32::MAX)));
        self.put_in(key, Alarm { due, ripe, at, rings: false, failures: 0 });
    }

    fn put_in(&mut self, room: Arc<RoomKey>, alarm: Alarm) {
        self.change(&room.plugin.tenant, |alarms| alarms.insert(&room, &alarm));
        self.by_room.insert(room, alarm);
    }

    /// Takes an alarm out of all tables.
    fn take_out(&mut self, room: &RoomKey) -> Option<(Arc<RoomKey>, Alarm)> {
        let (key, alarm) = self.by_room.remove_entry(room)?;
        self.change(&key.plugin.tenant, |alarms| alarms.remove(&key, &alarm));
        Some((key, alarm))
    }

    /// Changes a tenant's alarms, and notes when the first of them is due now.
    fn change(&mut self, tenant: &TenantName, change: impl FnOnce(&mut TenantAlarms)) {
        let alarms = self.tenants.entry(tenant.clone()).or_default();
        let (wall, instant) = (alarms.first_by_wall(), alarms.first_by_instant());
        change(alarms);
        let (new_wall, new_instant) = (alarms.first_by_wall(), alarms.first_by_instant());
        if alarms.is_empty() {
            self.tenants.remove(tenant);
        }
        if wall != new_wall {
            wall.map(|at| self.by_wall.remove(&(at, tenant.clone())));
            new_wall.map(|at| self.by_wall.insert((at, tenant.clone())));
        }
        if instant != new_instant {
            instant.map(|at| self.by_instant.remove(&(at, tenant.clone())));
            new_instant.map(|at| self.by_instant.insert((at, tenant.clone())));
        }
    }

    /// Lets an alarm ring again, so long after now.
    fn again(&mut self, room: &RoomKey, rings: bool, wait: impl FnOnce(&mut Alarm) -> Duration) {
        let Some((key, mut alarm)) = self.take_out(room) else { return };
        alarm.at = Instant::now() + wait(&mut alarm);
        (alarm.ripe, alarm.rings) = (None, rings);
        self.put_in(key, alarm);
    }

    fn due(&mut self, wall: UnixMs, now: Instant, max: usize) -> Vec<Ring> {
        let mut rings = Vec::new();
        let mut tenants = self.due_tenants(wall, now);
        while !tenants.is_empty() && rings.len() < max {
            tenants.retain(|tenant| {
                let ring = if rings.len() < max { self.ring(tenant, wall, now) } else { None };
                let rang = ring.is_some();
                rings.extend(ring);
                rang
            });
        }
        rings
    }

    /// The tenants that have an alarm to ring, from the one that comes next.
    fn due_tenants(&self, wall: UnixMs, now: Instant) -> Vec<TenantName> {
        let by_wall = self.by_wall.iter().take_while(|(first, _)| *first <= wall).map(|(_, tenant)| tenant);
        let by_instant = self.by_instant.iter().take_while(|(first, _)| *first <= now).map(|(_, tenant)| tenant);
        let due: BTreeSet<&TenantName> = by_wall.chain(by_instant).collect();
        let (earlier, next): (Vec<_>, Vec<_>) = due.into_iter().partition(|tenant| Some(*tenant) <= self.last.as_ref());
        next.into_iter().chain(earlier).cloned().collect()
    }

    /// The alarm of a tenant that rings next; none where none is due, or where the tenant has to wait.
    fn ring(&mut self, tenant: &TenantName, wall: UnixMs, now: Instant) -> Option<Ring> {
        let room = self.tenants.get(tenant)?.next(wall, now)?;
        let Alarm { due, failures, .. } = *self.by_room.get(&room)?;
        self.again(&room, true, |_| PATIENCE);
        self.last = Some(tenant.clone());
        Some(Ring { room, due, attempt: failures.saturating_add(1) })
    }

    /// How long nothing is due; none where nothing is set.
    fn next(&self, wall: UnixMs, now: Instant) -> Option<Duration> {
        let (at, _) = self.by_instant.first()?;
        let mut wait = at.saturating_duration_since(now);
        if let Some((due, _)) = self.by_wall.first() {
            wait = wait.min(Duration::from_millis(due.saturating_sub(wall)));
            // Nobody sets a virtual clock.
            if virtual_now().is_none() {
                wait = wait.min(WALL_CLOCK_LOOK);
            }
        }
        Some(wait)
    }
}

#[cfg(test)]
mod tests;
