//! How others reach a room.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, OnceLock};
use std::time::Duration;

use parking_lot::{Mutex, RwLock};

use super::mailbox::Mailbox;
pub use super::mailbox::{ListedSocket, Mail, RequestNotTaken, RoomClosed, RoomOverview, RoomRequest};
use crate::clock::Instant;
use crate::model::event::SocketId;
use crate::model::names::RoomKey;
use crate::plugin::version::Plugin;
use crate::protocol::close::CloseReason;
use crate::tenant::RoomPace;
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
    /// The serial of the last version that the room went back from: it does not move to that one again.
    gone_back_from: Mutex<Option<u64>>,
    pub mailbox: Mailbox,
    /// The thread that the room and its sockets run on.
    pub worker: WorkerId,
    pub stats: RoomStats,
    /// How long its turns take.
    pub pace: Arc<RoomPace>,
    /// Whether the plugin wants a bare `ping` as an event, beside the pong that the host answers.
    pub wants_ping: AtomicBool,
    /// Why the room ends, once that is certain. Its sockets close with this.
    pub ended_with: OnceLock<CloseReason>,
    next_socket: AtomicU32,
    /// Whether the fleet counts the room among those of its version.
    pub counted: AtomicBool,
    /// Its place among the tenant's rooms.
    _place: CounterPlace,
}

/// Figures that the room publishes for others; each may be a moment old.
#[derive(Debug, Default)]
pub struct RoomStats {
    pub sockets: AtomicUsize,
    pub users: AtomicUsize,
    pub bad_frames: AtomicU64,
    /// Turns that committed.
    pub turns: AtomicU64,
    /// Whether it has an instance.
    pub awake: AtomicBool,
    /// Whether somebody nudged it since its last turn.
    idle: AtomicBool,
    /// Whether it stands in the queue of rooms that may be nudged.
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

    /// Notes that a turn begins now. Says whether the room was nudged since the turn before.
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

    /// Notes whether the room stands in the queue of rooms that may be nudged; answers whether it did before.
    pub fn note_queued(&self, queued: bool) -> bool {
        self.queued.swap(queued, Ordering::AcqRel)
    }
}

impl RoomShared {
    pub fn new(key: RoomKey, plugin: Arc<Plugin>, worker: WorkerId, place: CounterPlace) -> Self {
        // A ping may come before the room has an instance. Until then it goes by the events that `init` asked for at
        // load.
        let wants_ping = plugin.events.iter().any(|event| event == "ping");
        let mailbox = Mailbox::new(plugin.limits());
        let pace = Arc::new(RoomPace::new(key.room.clone(), Arc::clone(plugin.pace())));
        Self {
            key,
            plugin: RwLock::new(plugin),
            gone_back_from: Mutex::default(),
            mailbox,
            worker,
            stats: RoomStats::default(),
            pace,
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

    /// Tells the room to move to a version before it takes its next mail. Does nothing where the room is on that
    /// version or a later one, or went back from it.
    pub fn move_to(&self, plugin: &Arc<Plugin>) {
        let is_later = self.plugin.read().serial < plugin.serial;
        if is_later && *self.gone_back_from.lock() != Some(plugin.serial) {
            self.mailbox.swap(Arc::clone(plugin));
        }
    }

    /// Notes the version that the room is on now. Only the room's owner calls this.
    pub fn set_plugin(&self, plugin: Arc<Plugin>) {
        *self.plugin.write() = plugin;
    }

    /// Keeps the room from moving to this version again, until somebody deploys it once more.
    pub(super) fn refuse(&self, plugin: &Plugin) {
        *self.gone_back_from.lock() = Some(plugin.serial);
    }

    /// Lets the room move again to the version that it went back from.
    pub fn forgive(&self) {
        *self.gone_back_from.lock() = None;
    }

    /// Whether to nudge the room: it is awake, has had no turn for `idle`, and was not nudged since.
    pub fn is_idle(&self, now: Instant, idle: Duration) -> bool {
        let stats = &self.stats;
        let is_told = stats.idle.load(Ordering::Relaxed);
        !is_told && stats.awake.load(Ordering::Relaxed) && now.saturating_duration_since(stats.active()) >= idle
    }

    /// Tells the room that it has had no turn for a while, and may give up its instance.
    pub fn nudge(&self) {
        self.stats.idle.store(true, Ordering::Relaxed);
        self.mailbox.nudge();
    }

    /// Why to close a socket that finds the room at its end.
    pub fn end_reason(&self) -> CloseReason {
        self.ended_with.get().cloned().unwrap_or(CloseReason::ROOM_FAILED)
    }

    /// A number that no socket of this room had before.
    pub fn next_socket(&self) -> SocketId {
        self.next_socket.fetch_add(1, Ordering::Relaxed)
    }
}
