//! How others reach a room.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use super::mailbox::Mailbox;
pub use super::mailbox::{Closed, HostTarget, Mail, NotTaken, Request, RoomView};
use crate::model::event::SocketId;
use crate::model::names::RoomKey;
use crate::plugin::loader::Plugin;
use crate::plugin::supervisor::Supervised;
use crate::protocol::close::CloseReason;
use crate::tenant::account::Place;
use crate::workers::WorkerId;

/// A room as others see it.
pub type RoomHandle = Arc<RoomShared>;

/// What a room's task shares with the world.
#[derive(Debug)]
pub struct RoomShared {
    pub key: RoomKey,
    pub plugin: Arc<Plugin>,
    pub mailbox: Mailbox,
    /// The thread that the room runs on, and best its sockets too.
    pub worker: WorkerId,
    pub stats: RoomStats,
    /// Whether a bare ping is an event here as well.
    pub wants_ping: AtomicBool,
    /// Why the room ends, once that is certain: what its sockets are told.
    pub ended_with: OnceLock<CloseReason>,
    next_socket: AtomicU32,
    /// Its place among the tenant's rooms.
    _place: Place,
}

/// Figures of a room, for overviews: each of them true a moment ago.
#[derive(Debug, Default)]
pub struct RoomStats {
    pub sockets: AtomicUsize,
    pub users: AtomicUsize,
    pub bad_frames: AtomicU64,
    /// Turns that committed.
    pub turns: AtomicU64,
}

impl RoomShared {
    pub fn new(key: RoomKey, plugin: Arc<Plugin>, worker: WorkerId, place: Place) -> Self {
        // A keepalive may come before the room has an instance: then what `init` asked for at load holds.
        let wants_ping = plugin.events.iter().any(|event| event == "ping");
        let mailbox = Mailbox::new(plugin.limits());
        Self {
            key,
            plugin,
            mailbox,
            worker,
            stats: RoomStats::default(),
            wants_ping: AtomicBool::new(wants_ping),
            ended_with: OnceLock::new(),
            next_socket: AtomicU32::new(1),
            _place: place,
        }
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

impl Supervised for RoomShared {
    fn quarantined(&self) {
        self.mailbox.quarantine();
    }
}
