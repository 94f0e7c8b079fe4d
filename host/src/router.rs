//! From (tenant, plugin, room id) to the room: the one that is open, or one that is opened now.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use futures_util::FutureExt as _;
use parking_lot::Mutex;

use crate::model::names::{PluginKey, RoomId, RoomKey};
use crate::plugin::loader::Plugin;
use crate::plugin::supervisor::{Refusal, Supervised};
use crate::room::backing::Backing;
use crate::room::handle::{RoomHandle, RoomShared};
use crate::workers::Workers;

/// The open rooms.
#[derive(Debug)]
pub struct Router {
    rooms: Arc<Mutex<Rooms>>,
    workers: Arc<Workers>,
    backing: Arc<Backing>,
    panics: Arc<AtomicU64>,
}

#[derive(Debug, Default)]
struct Rooms {
    open: HashMap<RoomKey, RoomHandle>,
    draining: bool,
}

impl Rooms {
    /// Takes a room out of the table, unless a successor stands in its place.
    fn remove(&mut self, room: &RoomHandle) {
        if self.open.get(&room.key).is_some_and(|open| Arc::ptr_eq(open, room)) {
            self.open.remove(&room.key);
        }
    }
}

/// Why a room is not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoRoom {
    /// The tenant has as many open rooms as it may: `rooms-per-tenant`.
    TooMany,
    /// Its plugin failed too often.
    Refused(Refusal),
    /// The server is shutting down.
    Draining,
}

impl Router {
    pub fn new(workers: Arc<Workers>, backing: Arc<Backing>) -> Self {
        Self { rooms: Arc::default(), workers, backing, panics: Arc::default() }
    }

    /// What the rooms rest on.
    pub fn backing(&self) -> &Arc<Backing> {
        &self.backing
    }

    pub fn workers(&self) -> &Arc<Workers> {
        &self.workers
    }

    /// The open room of a plugin, or a new one.
    pub fn enter(&self, plugin: &Arc<Plugin>, room: &RoomId) -> Result<RoomHandle, NoRoom> {
        let key = RoomKey { plugin: plugin.key.clone(), room: room.clone() };
        let mut rooms = self.rooms.lock();
        if rooms.draining {
            return Err(NoRoom::Draining);
        }
        if let Some(open) = rooms.open.get(&key)
            && !open.mailbox.is_closed()
        {
            return Ok(Arc::clone(open));
        }
        if let Some(refusal) = plugin.supervisor.refuses(room) {
            return Err(NoRoom::Refused(refusal));
        }
        let Some(place) = plugin.account().rooms.place() else {
            // A room that nobody is in may end for this one.
            plugin.account().wanted.notify_one();
            return Err(NoRoom::TooMany);
        };
        let worker = self.workers.least_busy();
        let handle = Arc::new(RoomShared::new(key.clone(), Arc::clone(plugin), worker, place));
        plugin.supervisor.opened(room, self.supervised(&handle));
        rooms.open.insert(key, Arc::clone(&handle));
        self.run(Arc::clone(&handle));
        Ok(handle)
    }

    /// A room that is open.
    pub fn find(&self, key: &RoomKey) -> Option<RoomHandle> {
        self.rooms.lock().open.get(key).cloned()
    }

    /// The open rooms of a plugin.
    pub fn rooms_of(&self, plugin: &PluginKey) -> Vec<RoomHandle> {
        let rooms = self.rooms.lock();
        rooms.open.values().filter(|room| room.key.plugin == *plugin).cloned().collect()
    }

    /// A version was put into the place of another: rooms that open from now on run it. Those that are open stay on theirs.
    pub fn swap(&self, plugin: &Arc<Plugin>) {
        let open = self.rooms_of(&plugin.key);
        let older = open.iter().filter(|room| room.plugin.version != plugin.version).count();
        tracing::debug!(plugin = %plugin.key, version = plugin.version, older, "rooms stay on older versions");
    }

    /// A plugin is served no more: its rooms close in order, and their sockets are told. What they stored stays.
    pub fn retire(&self, key: &PluginKey) {
        self.rooms_of(key).iter().for_each(|room| room.mailbox.shut_down());
    }

    /// Opens no more rooms and tells the open ones to close; answers how many are left.
    pub fn drain(&self) -> usize {
        let mut rooms = self.rooms.lock();
        if !rooms.draining {
            rooms.draining = true;
            for room in rooms.open.values() {
                room.mailbox.shut_down();
            }
        }
        rooms.open.len()
    }

    /// Sockets that are still in a room.
    pub fn sockets(&self) -> usize {
        let rooms = self.rooms.lock();
        rooms.open.values().map(|room| room.stats.sockets.load(Ordering::Relaxed)).sum()
    }

    /// Rooms that ended in a panic of the host's own code.
    pub fn panics(&self) -> u64 {
        self.panics.load(Ordering::Relaxed)
    }

    fn supervised(&self, handle: &RoomHandle) -> Weak<dyn Supervised> {
        let handle: Arc<dyn Supervised> = Arc::clone(handle) as Arc<dyn Supervised>;
        Arc::downgrade(&handle)
    }

    fn run(&self, handle: RoomHandle) {
        let (rooms, workers, backing) = (Arc::clone(&self.rooms), Arc::clone(&self.workers), Arc::clone(&self.backing));
        let panics = Arc::clone(&self.panics);
        let runtime = self.workers.runtime(handle.worker).clone();
        runtime.spawn(async move {
            let _place = workers.place_room(handle.worker);
            let end = Forget { rooms, handle: Arc::clone(&handle) };
            // The room ends and nothing else: what it held is dropped, its sockets are told, and its name is free.
            let slow = workers.slow_runtime(handle.worker).clone();
            let ran = AssertUnwindSafe(crate::room::run(Arc::clone(&handle), backing, slow)).catch_unwind().await;
            if let Err(panic) = ran {
                panics.fetch_add(1, Ordering::Relaxed);
                let (key, version) = (&handle.key, handle.plugin.version.as_str());
                let (tenant, plugin) = (key.plugin.tenant.as_str(), key.plugin.plugin.as_str());
                let (room, why) = (key.room.as_str(), words_of(&*panic));
                tracing::error!(tenant, plugin, version, room, "a fault of the host's own ended the room: {why}");
            }
            drop(end);
        });
    }
}

/// Takes a room out of the table when its task ends, however it ends.
struct Forget {
    rooms: Arc<Mutex<Rooms>>,
    handle: RoomHandle,
}

impl Drop for Forget {
    fn drop(&mut self) {
        self.rooms.lock().remove(&self.handle);
        self.handle.plugin.supervisor.ended(&self.handle.key.room);
    }
}

/// What a panic said.
fn words_of(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("a panic without words")
}
