//! What becomes of a version whose code fails: failures are counted and the last ones kept, rooms that crash over and over
//! stay closed for a while, and a version that fails by itself or everywhere is taken out of service.
//!
//! A failure that a handler returns counts for nothing but figures: a client's bad data may cause it. Faults (traps,
//! deadlines, memory) end the instance. A room with too many of them closes. A version is quarantined for faults that no
//! client caused, or when at least five rooms and half of all crash.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::imports::unix_ms;
use crate::model::failure::FailureKind;
use crate::model::limits::Limits;
use crate::model::names::{PluginKey, RoomId};

/// Failures that are kept of a version, for whoever looks for the cause.
const FAILURES_KEPT: usize = 20;
/// So many rooms must crash, and half of all, before their version is taken out of service: a few may have met a client
/// that knows how to crash them.
const ROOMS_OF_QUARANTINE: usize = 5;
/// Rooms that are remembered as closed; beyond them the oldest are forgotten, and may open again.
const CLOSED_ROOMS_KEPT: usize = 10_000;

/// One failure, as it is shown.
#[derive(Debug, Clone)]
pub struct FailureRecord {
    /// Milliseconds since the Unix epoch.
    pub at: f64,
    /// None outside of a room.
    pub room: Option<RoomId>,
    pub event: String,
    pub code: String,
    pub message: String,
}

impl FailureRecord {
    /// A failure of this moment.
    pub fn now(room: Option<RoomId>, event: &str, code: &str, message: &str) -> Self {
        let [event, code, message] = [event, code, message].map(str::to_owned);
        Self { at: unix_ms(), room, event, code, message }
    }
}

/// Why a version is out of service.
#[derive(Debug, Clone)]
pub struct Quarantine {
    /// Milliseconds since the Unix epoch.
    pub since: f64,
    pub why: String,
}

/// Why a room of a version is not opened now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The room crashed too often; it may be tried again after this.
    Crashed(Duration),
    Quarantined,
    /// Its file is gone.
    Retired,
}

/// What a supervisor knows of a room: how to close it.
pub trait Supervised: Send + Sync {
    /// The version is out of service: close, and tell the sockets so.
    fn quarantined(&self);
}

/// The supervisor of one version of a plugin.
#[derive(Default)]
pub struct Supervisor {
    /// Whose version it is, for the log: tenant, plugin and version.
    place: [String; 3],
    counts: [AtomicU64; FailureKind::ALL.len()],
    quarantined: AtomicBool,
    retired: AtomicBool,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    failures: VecDeque<FailureRecord>,
    resident: HashMap<RoomId, Weak<dyn Supervised>>,
    /// Rooms that crashed, and until when they stay closed; the oldest first.
    closed: VecDeque<(RoomId, Instant)>,
    /// When faults happened that no client caused, and when rooms crashed.
    own_faults: VecDeque<Instant>,
    crashes: VecDeque<(RoomId, Instant)>,
    quarantine: Option<Quarantine>,
}

impl Supervisor {
    pub fn new(key: &PluginKey, version: &str) -> Self {
        Self { place: [key.tenant.as_str(), key.plugin.as_str(), version].map(str::to_owned), ..Self::default() }
    }

    /// Counts a failure, and keeps it in place of the oldest one.
    pub fn record(&self, kind: FailureKind, failure: FailureRecord) {
        self.counts[kind as usize].fetch_add(1, Ordering::Relaxed);
        let mut inner = self.inner.lock();
        if inner.failures.len() >= FAILURES_KEPT {
            inner.failures.pop_front();
        }
        inner.failures.push_back(failure);
    }

    /// Failures so far, by kind.
    pub fn counts(&self) -> [(FailureKind, u64); FailureKind::ALL.len()] {
        FailureKind::ALL.map(|kind| (kind, self.counts[kind as usize].load(Ordering::Relaxed)))
    }

    /// All failures so far.
    pub fn count(&self) -> u64 {
        self.counts().iter().map(|(_, count)| count).sum()
    }

    /// The last failures, the newest first.
    pub fn failures(&self) -> Vec<FailureRecord> {
        self.inner.lock().failures.iter().rev().cloned().collect()
    }

    pub fn quarantine(&self) -> Option<Quarantine> {
        self.inner.lock().quarantine.clone()
    }

    /// Whether a room of this version may not open now.
    pub fn refuses(&self, room: &RoomId) -> Option<Refusal> {
        if self.quarantined.load(Ordering::Acquire) {
            return Some(Refusal::Quarantined);
        }
        if self.retired.load(Ordering::Acquire) {
            return Some(Refusal::Retired);
        }
        let now = Instant::now();
        let inner = self.inner.lock();
        let closed = inner.closed.iter().rev().find(|(closed, until)| closed == room && *until > now);
        closed.map(|(_, until)| Refusal::Crashed(*until - now))
    }

    /// A room of this version opens.
    pub fn opened(&self, room: &RoomId, handle: Weak<dyn Supervised>) {
        self.inner.lock().resident.insert(room.clone(), handle);
    }

    /// A room moved to another version.
    pub fn left(&self, room: &RoomId) {
        self.inner.lock().resident.remove(room);
    }

    /// No room of this version opens any more.
    pub fn retire(&self) {
        self.retired.store(true, Ordering::Release);
    }

    /// A room of this version ended.
    pub fn ended(&self, room: &RoomId) {
        let mut inner = self.inner.lock();
        // A successor of the same name may have opened meanwhile.
        if inner.resident.get(room).is_some_and(|handle| handle.strong_count() == 0) {
            inner.resident.remove(room);
        }
    }

    /// A room closes because it faulted too often.
    pub fn crashed(&self, room: &RoomId, why: &str, limits: &Limits) {
        let now = Instant::now();
        let mut inner = self.inner.lock();
        inner.resident.remove(room);
        inner.closed.retain(|(closed, until)| closed != room && *until > now);
        if inner.closed.len() >= CLOSED_ROOMS_KEPT {
            inner.closed.pop_front();
        }
        inner.closed.push_back((room.clone(), now + Duration::from_millis(limits.room_closed_ms)));
        let window = Duration::from_millis(limits.room_faults_window_ms);
        inner.crashes.retain(|(crashed, at)| crashed != room && now - *at <= window);
        inner.crashes.push_back((room.clone(), now));
        let (crashed, all) = (inner.crashes.len(), inner.crashes.len() + inner.resident.len());
        if crashed >= ROOMS_OF_QUARANTINE && 2 * crashed >= all {
            self.put_into_quarantine(inner, format!("{crashed} of {all} rooms crashed, the last of them: {why}"));
        }
    }

    /// The code faulted where no client had a part in it.
    pub fn own_fault(&self, why: &str, limits: &Limits) {
        let now = Instant::now();
        let window = Duration::from_millis(limits.room_faults_window_ms);
        let mut inner = self.inner.lock();
        inner.own_faults.retain(|at| now - *at <= window);
        inner.own_faults.push_back(now);
        let faults = inner.own_faults.len();
        if faults >= limits.room_faults as usize {
            self.put_into_quarantine(inner, format!("{faults} faults that no client caused, the last of them: {why}"));
        }
    }

    /// Puts the version back into service; false where it is not out of it.
    pub fn lift(&self) -> bool {
        let mut inner = self.inner.lock();
        inner.closed.clear();
        inner.crashes.clear();
        inner.own_faults.clear();
        self.quarantined.store(false, Ordering::Release);
        inner.quarantine.take().is_some()
    }

    fn put_into_quarantine(&self, mut inner: parking_lot::MutexGuard<'_, Inner>, why: String) {
        if inner.quarantine.is_some() {
            return;
        }
        let [tenant, plugin, version] = self.place.each_ref().map(String::as_str);
        tracing::error!(tenant, plugin, version, "the version is quarantined: {why}");
        inner.quarantine = Some(Quarantine { since: unix_ms(), why });
        self.quarantined.store(true, Ordering::Release);
        let rooms: Vec<Arc<dyn Supervised>> = inner.resident.values().filter_map(Weak::upgrade).collect();
        drop(inner);
        rooms.iter().for_each(|room| room.quarantined());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Room(AtomicBool);

    impl Supervised for Room {
        fn quarantined(&self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }

    fn id(name: &str) -> RoomId {
        RoomId::new(name).unwrap()
    }

    fn with_rooms(count: usize) -> (Supervisor, Vec<Arc<dyn Supervised>>) {
        let supervisor = Supervisor::default();
        let rooms: Vec<Arc<dyn Supervised>> =
            (0..count).map(|_| Arc::new(Room(AtomicBool::new(false))) as Arc<dyn Supervised>).collect();
        for (number, room) in rooms.iter().enumerate() {
            supervisor.opened(&id(&format!("r{number}")), Arc::downgrade(room));
        }
        (supervisor, rooms)
    }

    #[test]
    fn a_crashed_room_stays_closed_alone_and_for_a_while() {
        let (supervisor, _rooms) = with_rooms(20);
        let limits = Limits { room_closed_ms: 30, ..Limits::default() };
        supervisor.crashed(&id("r0"), "trap", &limits);
        assert!(matches!(supervisor.refuses(&id("r0")), Some(Refusal::Crashed(_))));
        assert_eq!(supervisor.refuses(&id("r1")), None);
        std::thread::sleep(Duration::from_millis(40));
        assert_eq!(supervisor.refuses(&id("r0")), None);
    }

    #[test]
    fn a_version_is_quarantined_when_half_of_its_rooms_crash_and_at_least_five() {
        let (few, _rooms) = with_rooms(4);
        (0..4).for_each(|room| few.crashed(&id(&format!("r{room}")), "trap", &Limits::default()));
        assert!(few.quarantine().is_none());

        let (many, rooms) = with_rooms(12);
        for room in 0..5 {
            many.crashed(&id(&format!("r{room}")), "trap", &Limits::default());
        }
        // The same room once more is no further room.
        many.crashed(&id("r0"), "trap", &Limits::default());
        assert!(many.quarantine().is_none());
        many.crashed(&id("r5"), "the last", &Limits::default());
        assert!(many.quarantine().unwrap().why.contains("6 of 12 rooms crashed, the last of them: the last"));
        assert_eq!(many.refuses(&id("novel")), Some(Refusal::Quarantined));
        assert!(many.lift() && !many.lift());
        assert_eq!((many.refuses(&id("novel")), many.refuses(&id("r0"))), (None, None));
        drop(rooms);
    }

    #[test]
    fn a_version_is_quarantined_for_faults_of_its_own() {
        let supervisor = Supervisor::default();
        let limits = Limits { room_faults: 3, ..Limits::default() };
        supervisor.own_fault("init", &limits);
        supervisor.own_fault("init", &limits);
        assert!(supervisor.quarantine().is_none());
        supervisor.own_fault("init trapped", &limits);
        assert!(supervisor.quarantine().unwrap().why.contains("init trapped"));
    }

    #[test]
    fn the_last_failures_are_kept() {
        let supervisor = Supervisor::default();
        for number in 0..FAILURES_KEPT + 2 {
            supervisor.record(FailureKind::Returned, FailureRecord::now(None, &number.to_string(), "c", "m"));
        }
        let kept = supervisor.failures();
        assert_eq!((kept.len(), kept[0].event.as_str()), (FAILURES_KEPT, "21"));
        assert_eq!(supervisor.count(), FAILURES_KEPT as u64 + 2);
    }
}
