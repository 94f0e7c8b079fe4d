//! From (tenant, plugin, room id) to the room: the one that is open, or one that is opened now.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::model::names::{PluginKey, RoomId, RoomKey, TenantName};
use crate::plugin::loader::Plugin;
use crate::room::handle::{RoomHandle, RoomShared};
use crate::storage::Storage;
use crate::workers::Workers;

/// The open rooms.
#[derive(Debug)]
pub struct Router {
    rooms: Arc<Mutex<Rooms>>,
    workers: Arc<Workers>,
    storage: Arc<dyn Storage>,
}

#[derive(Debug, Default)]
struct Rooms {
    open: HashMap<RoomKey, RoomHandle>,
    /// How many of them each tenant has.
    of_tenant: HashMap<TenantName, usize>,
    draining: bool,
}

impl Rooms {
    /// Puts a room into the table; one that ended may still stand in its place.
    fn add(&mut self, room: RoomHandle) {
        let key = room.key.clone();
        let tenant = key.plugin.tenant.clone();
        if self.open.insert(key, room).is_none() {
            *self.of_tenant.entry(tenant).or_default() += 1;
        }
    }

    /// Takes a room out of the table, unless a successor stands in its place.
    fn remove(&mut self, room: &RoomHandle) {
        if !self.open.get(&room.key).is_some_and(|open| Arc::ptr_eq(open, room)) {
            return;
        }
        self.open.remove(&room.key);
        let tenant = &room.key.plugin.tenant;
        if let Some(count) = self.of_tenant.get_mut(tenant) {
            *count -= 1;
            if *count == 0 {
                self.of_tenant.remove(tenant);
            }
        }
    }
}

/// Why a room is not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoRoom {
    /// The tenant has as many open rooms as it may: `rooms-per-tenant`.
    TooMany,
    /// The server is shutting down.
    Draining,
}

impl Router {
    pub fn new(workers: Arc<Workers>, storage: Arc<dyn Storage>) -> Self {
        Self { rooms: Arc::default(), workers, storage }
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
        let of_tenant = rooms.of_tenant.get(&key.plugin.tenant).copied().unwrap_or(0);
        if of_tenant >= plugin.limits().rooms_per_tenant {
            return Err(NoRoom::TooMany);
        }
        let worker = self.workers.least_busy();
        let handle = Arc::new(RoomShared::new(key, Arc::clone(plugin), worker));
        rooms.add(Arc::clone(&handle));
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
        rooms.open.values().map(|room| room.stats.sockets.load(std::sync::atomic::Ordering::Relaxed)).sum()
    }

    fn run(&self, handle: RoomHandle) {
        let (rooms, workers, storage) = (Arc::clone(&self.rooms), Arc::clone(&self.workers), Arc::clone(&self.storage));
        let runtime = self.workers.runtime(handle.worker).clone();
        runtime.spawn(async move {
            let _place = workers.place_room(handle.worker);
            let end = Forget { rooms, handle: Arc::clone(&handle) };
            crate::room::run(handle, storage).await;
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
    }
}
