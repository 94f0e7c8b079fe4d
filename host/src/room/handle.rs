//! How others reach a room.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, OnceLock};
use std::time::Duration;

use parking_lot::{Mutex, RwLock};

use super::mailbox::Mailbox;
pub use super::mailbox::{HostTarget, Mail, RequestNotTaken, RoomClosed, RoomOverview, RoomRequest};
use crate::clock::Instant;
use crate::model::event::SocketId;
use crate::model::names::RoomKey;
use crate::plugin::version::Plugin;
use crate::protocol::close::CloseReason;
use crate::tenant::account::CounterPlace;
use crate::workers::WorkerId;

/// A room as others see it.
pub type RoomHandle = Arc<RoomShared>;

/// What a room's task shares with the world.
#[derive(Debug)]
pub struct RoomShared {
    pub key: RoomKey,
    /// The version that the room is on.
    plugin: RwLock<Arc<Plugin>>,
    /// What was loaded last of those that the room went back from, by its serial: it does not move to that again.
    gone_back_from: Mutex<Option<u64>>,
    pub mailbox: Mailbox,
    /// The thread that the room runs on, and best its sockets too.
    pub worker: WorkerId,
    pub stats: RoomStats,
    /// Whether a bare ping is an event here as well.
    pub wants_ping: AtomicBool,
    /// Why the room ends, once that is certain: what its sockets are told.
    pub ended_with: OnceLock<CloseReason>,
    next_socket: AtomicU32,
    /// Whether whoever opened it counts it among the rooms of its version.
    pub counted: AtomicBool,
    /// Its place among the tenant's rooms.
    _place: CounterPlace,
}

/// Figures of a room, for overviews: each of them true a moment ago.
#[derive(Debug, Default)]
pub struct RoomStats {
    pub sockets: AtomicUsize,
    pub users: AtomicUsize,
    pub bad_frames: AtomicU64,
    /// Turns that committed.
    pub turns: AtomicU64,
    /// Whether it has an instance.
    pub awake: AtomicBool,
    /// Whether it knows that nothing happened for a while.
    idle: AtomicBool,
    /// Whether it stands among the rooms that may be told so.
    queued: AtomicBool,
    /// When its last turn began, in milliseconds since the process began.
    active_ms: AtomicU64,
}

/// When the process began to count.
static START: LazyLock<Instant> = LazyLock::new(Instant::now);

impl RoomStats {
    /// When its last turn began.
    pub fn active(&self) -> Instant {
        *START + Duration::from_millis(self.active_ms.load(Ordering::Relaxed))
    }

    /// A turn begins now. Says whether the room was told before that nothing happens in it.
    pub(super) fn note_turn(&self, now: Instant) -> bool {
        self.active_ms.store(now.saturating_duration_since(*START).as_millis() as u64, Ordering::Relaxed);
        let was_idle = self.idle.load(Ordering::Relaxed);
        if was_idle {
            self.idle.store(false, Ordering::Relaxed);
        }
        was_idle
    }

    pub fn is_awake(&self) -> bool {
        self.awake.load(Ordering::Relaxed)
    }

    /// Notes whether the room stands among those that may be told that nothing happens in them; answers whether it did.
    pub fn note_queued(&self, queued: bool) -> bool {
        self.queued.swap(queued, Ordering::AcqRel)
    }
}

impl RoomShared {
    pub fn new(key: RoomKey, plugin: Arc<Plugin>, worker: WorkerId, place: CounterPlace) -> Self {
        // A keepalive may come before the room has an instance: then what `init` asked for at load holds.
        let wants_ping = plugin.events.iter().any(|event| event == "ping");
        let mailbox = Mailbox::new(plugin.limits());
        Self {
            key,
            plugin: RwLock::new(plugin),
            gone_back_from: Mutex::default(),
            mailbox,
            worker,
            stats: RoomStats::default(),
            wants_ping: AtomicBool::new(wants_ping),
            ended_with: OnceLock::new(),
            next_socket: AtomicU32::new(1),
            counted: AtomicBool::new(false),
            _place: place,
        }
    }

    /// The version that the room is on.
    pub fn plugin(&self) -> Arc<Plugin> {
        Arc::clone(&self.plugin.read())
    }

    /// Tells the room to move to a version, before the next of what it is told from now on. Nothing happens where it is
    /// on that or a later one, or went back from it.
    pub fn move_to(&self, plugin: &Arc<Plugin>) {
        let is_later = self.plugin.read().serial < plugin.serial;
        if is_later && *self.gone_back_from.lock() != Some(plugin.serial) {
            self.mailbox.swap(Arc::clone(plugin));
        }
    }

    /// The room is on another version now; for whoever opened it.
    pub fn set_plugin(&self, plugin: Arc<Plugin>) {
        *self.plugin.write() = plugin;
    }

    /// The room does not move to this version again, unless somebody deploys it once more.
    pub(super) fn refuse(&self, plugin: &Plugin) {
        *self.gone_back_from.lock() = Some(plugin.serial);
    }

    /// The room moves again to what it went back from.
    pub fn forgive(&self) {
        *self.gone_back_from.lock() = None;
    }

    /// Whether the room is awake, nothing happened in it for so long, and it was not told so yet.
    pub fn is_idle(&self, now: Instant, idle: Duration) -> bool {
        let stats = &self.stats;
        let is_told = stats.idle.load(Ordering::Relaxed);
        !is_told && stats.awake.load(Ordering::Relaxed) && now.saturating_duration_since(stats.active()) >= idle
    }

    /// Tells the room that nothing happened in it for a while.
    pub fn nudge(&self) {
        self.stats.idle.store(true, Ordering::Relaxed);
        self.mailbox.nudge();
    }

    /// What a socket is told that finds the room at its end.
    pub fn end_reason(&self) -> CloseReason {
        self.ended_with.get().cloned().unwrap_or(CloseReason::ROOM_FAILED)
    }

    /// A number that no socket of this room had before.
    pub fn next_socket(&self) -> SocketId {
        self.next_socket.fetch_add(1, Ordering::Relaxed)
    }
}
