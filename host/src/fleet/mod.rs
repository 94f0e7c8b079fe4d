//! The fleet: which version of each plugin serves, where each room is, on which version, and how versions fail. One
//! table holds it all, so that a room that opens, a version that comes and a version that goes never miss each other.

mod blame;
mod breaker;
mod idle;
pub mod recover;
mod refusal;
mod report;
pub mod ring;
mod table;
mod tally;
mod trial;

use std::collections::{BTreeMap, HashSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use futures_util::FutureExt as _;
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::alarms::Alarms;
use crate::clock::Instant;
use crate::guest::engine::GuestEngine;
use crate::model::names::{PluginKey, PluginName, RoomId, RoomKey, TenantName};
use crate::model::visitor::Visitor;
use crate::plugin::version::Plugin;
use crate::protocol::close::CloseReason;
use crate::room::handle::RoomHandle;
use crate::room::{self, RoomSpec};
use crate::storage::Storage;
use crate::workers::Workers;
use idle::AwakeRooms;
use table::{LookedUp, Table};

pub use breaker::Quarantine;
pub use refusal::{NoRoom, PathTaken};
pub use trial::Verdict;

/// Rooms that a swap tells of the new version at once.
const SWAPS_AT_ONCE: usize = 32;
/// The pause of a swap between two such groups, in which the threads do their other work.
const SWAP_PAUSE: Duration = Duration::from_millis(2);
/// How often the fleet looks for idle rooms, and how long a room must have had no turn to be idle.
const IDLE_LOOK: Duration = Duration::from_millis(500);
/// How long a room must have had no turn to be idle while openings wait for a place. Not zero: clients that answer a
/// turn at once keep their room awake.
const IDLE_UNDER_PRESSURE: Duration = Duration::from_millis(5);
/// Rooms that one hold of the table's lock looks at: upgrades wait for that lock.
const ROOMS_A_HOLD: usize = 1_000;

/// Figures of a plugin's open rooms, added up.
#[derive(Debug, Default, Clone, Copy)]
pub struct RoomSums {
    pub rooms: usize,
    pub sockets: usize,
    /// Turns that committed.
    pub turns: u64,
    /// Malformed frames that the host dropped.
    pub bad_frames: u64,
    /// Rooms whose turns run on threads of low priority.
    pub heavy: usize,
}

/// All plugins that serve, and all open rooms.
#[derive(Debug)]
pub struct Fleet {
    table: Mutex<Table>,
    awake: AwakeRooms,
    alarms: Arc<Alarms>,
    storage: Arc<dyn Storage>,
    workers: Arc<Workers>,
    /// The rooms that keep something and were open since the server started, by a hash of their names. Where two names
    /// share a hash, one `$restore` may get the wrong one of `wake` and `restart`.
    kept: Mutex<HashSet<u64>>,
    /// Wakes [`Fleet::next_verdict`]: so many rooms went back from a version that its plugin has to go back as well.
    verdict: Notify,
    panics: AtomicU64,
    /// Whether every plugin of the folder was loaded or refused since the start.
    started: AtomicBool,
}

impl Fleet {
    pub fn new(workers: Arc<Workers>, storage: Arc<dyn Storage>) -> Self {
        Self {
            table: Mutex::default(),
            awake: AwakeRooms::default(),
            alarms: Arc::default(),
            storage,
            workers,
            kept: Mutex::default(),
            verdict: Notify::new(),
            panics: AtomicU64::new(0),
            started: AtomicBool::new(false),
        }
    }

    pub fn workers(&self) -> &Arc<Workers> {
        &self.workers
    }

    pub fn alarms(&self) -> &Arc<Alarms> {
        &self.alarms
    }

    pub fn storage(&self) -> &Arc<dyn Storage> {
        &self.storage
    }

    /// Lets a version serve its path, in place of an older version of its plugin where there is one. Rooms that open
    /// from now on start on it, and an open room moves to it when somebody enters, or with [`Fleet::swap`].
    pub fn put(&self, plugin: Plugin) -> Result<Arc<Plugin>, PathTaken> {
        let plugin = Arc::new(plugin);
        self.table.lock().put(Arc::clone(&plugin))?;
        Ok(plugin)
    }

    /// Takes a plugin out of service and closes its rooms. Their storage stays.
    pub fn retire(&self, key: &PluginKey) -> Option<Arc<Plugin>> {
        let retired = self.table.lock().retire(key)?;
        self.for_each_room(key, |room| room.mailbox.close_all(CloseReason::RETIRED));
        Some(retired)
    }

    /// The version that serves.
    pub fn get(&self, key: &PluginKey) -> Option<Arc<Plugin>> {
        self.table.lock().get(key).cloned()
    }

    /// The version that serves a path of a tenant. The path matches exactly.
    pub fn at(&self, tenant: &TenantName, path: &str) -> Option<Arc<Plugin>> {
        self.table.lock().at(tenant, path).cloned()
    }

    /// The version of a tenant's plugin of this name that serves or, where no name is given, of its only plugin.
    pub fn default_of(&self, tenant: &TenantName, name: Option<&PluginName>) -> Option<Arc<Plugin>> {
        self.table.lock().default_of(tenant, name).cloned()
    }

    /// The versions that serve, by tenant and plugin.
    pub fn serving(&self) -> Vec<Arc<Plugin>> {
        self.table.lock().serving().cloned().collect()
    }

    /// How many plugins of a tenant serve.
    pub fn count(&self, tenant: &TenantName) -> usize {
        self.table.lock().count(tenant)
    }

    /// Notes that every plugin of the folder was loaded or refused.
    pub fn note_started(&self) {
        self.started.store(true, Ordering::Relaxed);
    }

    /// A number that changes whenever a path, or a place among a tenant's plugins, becomes free: whoever was refused
    /// for want of one may try again.
    pub fn freed(&self) -> u64 {
        self.table.lock().freed
    }

    /// The open room of this name, or a new one on the version that serves at this moment. An open room is told to move
    /// to that version first, before it hears of whoever enters.
    pub fn enter(self: &Arc<Self>, key: &PluginKey, room: &RoomId) -> Result<RoomHandle, NoRoom> {
        let mut table = self.table.lock();
        let plugin = match table.look_up(key, room, Instant::now())? {
            LookedUp::Open(open, current) => {
                open.move_to(&current);
                return Ok(open);
            }
            LookedUp::New(plugin) => plugin,
        };
        let Some(place) = plugin.account().rooms.place() else {
            // Asks an empty room of the tenant to end, which makes a place.
            plugin.account().wanted.notify_one();
            return Err(NoRoom::TooMany);
        };
        let worker = self.workers.least_busy();
        let (room, task) = room::open(RoomSpec {
            key: RoomKey { plugin: key.clone(), room: room.clone() },
            plugin,
            place,
            worker,
            slow: self.workers.slow_runtime(worker).clone(),
            storage: Arc::clone(&self.storage),
            alarms: Arc::clone(&self.alarms),
            owner: Arc::clone(self) as _,
        });
        let is_trial = table.opened(&room);
        drop(table);
        if is_trial {
            let (tenant, name) = (key.tenant.as_str(), key.plugin.as_str());
            let (version, room) = (room.plugin().version.clone(), room.key.room.as_str());
            tracing::info!(tenant, plugin = name, version, room, "a room tries the version that is in quarantine");
        }
        self.run(Arc::clone(&room), task);
        Ok(room)
    }

    /// Why nobody could enter a room now, as far as the fleet knows without opening it.
    pub fn refuses(&self, key: &PluginKey, room: &RoomId) -> Option<NoRoom> {
        self.table.lock().refuses(key, room, Instant::now())
    }

    /// How long the first event of a client has to wait, because of faults that it caused; or that the client is refused
    /// for too many of them.
    pub fn admits(&self, plugin: &Plugin, client: &Visitor) -> Result<Duration, NoRoom> {
        let (table, now) = (self.table.lock(), Instant::now());
        let Some(tally) = table.line(&plugin.key).and_then(|line| line.tally(plugin)) else {
            return Ok(Duration::ZERO);
        };
        match tally.blame.refused_for(client, now) {
            Some(left) => Err(NoRoom::Refused(left)),
            None => Ok(tally.blame.slowed_for(client, plugin.limits(), now).unwrap_or_default()),
        }
    }

    /// A room that is open.
    pub fn find(&self, key: &RoomKey) -> Option<RoomHandle> {
        self.table.lock().find(key).cloned()
    }

    /// Up to `limit` open rooms of a plugin that come behind one, in ascending order of their names.
    pub fn rooms(&self, key: &PluginKey, after: Option<&str>, limit: usize) -> Vec<RoomHandle> {
        self.table.lock().line(key).map(|line| line.page(after, limit)).unwrap_or_default()
    }

    /// How many open rooms of a plugin run each version.
    pub fn rooms_by_version(&self, key: &PluginKey) -> BTreeMap<String, usize> {
        self.table.lock().line(key).map(table::Line::rooms_by_version).unwrap_or_default()
    }

    /// Looks at every open room of a plugin, some at a time: a room that opens or ends meanwhile may be missed.
    pub fn for_each_room(&self, key: &PluginKey, mut look: impl FnMut(&RoomHandle)) {
        let mut after: Option<RoomId> = None;
        loop {
            let rooms = self.rooms(key, after.as_ref().map(RoomId::as_str), ROOMS_A_HOLD);
            rooms.iter().for_each(&mut look);
            match rooms.last().filter(|_| rooms.len() == ROOMS_A_HOLD) {
                Some(last) => after = Some(last.key.room.clone()),
                None => return,
            }
        }
    }

    /// The figures of a plugin's open rooms, added up.
    pub fn sums(&self, key: &PluginKey) -> RoomSums {
        let mut sums = RoomSums::default();
        self.for_each_room(key, |room| {
            sums.rooms += 1;
            sums.sockets += room.stats.sockets.load(Ordering::Relaxed);
            sums.turns += room.stats.turns.load(Ordering::Relaxed);
            sums.bad_frames += room.stats.bad_frames.load(Ordering::Relaxed);
            // Whoever looks finds no verdict on a room that had no turn since.
            room.pace.lapse();
            sums.heavy += usize::from(room.pace.is_room_heavy());
        });
        sums
    }

    /// Moves every open room of a plugin to the version that serves, a few at a time.
    pub async fn swap(&self, plugin: &Arc<Plugin>) {
        let mut after: Option<RoomId> = None;
        loop {
            let rooms = self.rooms(&plugin.key, after.as_ref().map(RoomId::as_str), SWAPS_AT_ONCE);
            rooms.iter().for_each(|room| room.move_to(plugin));
            let Some(last) = rooms.last() else { return };
            after = Some(last.key.room.clone());
            tokio::time::sleep(SWAP_PAUSE).await;
        }
    }

    /// Has the rooms that went back from the version that serves try it again, because somebody deployed it once more.
    pub async fn try_again(&self, plugin: &Arc<Plugin>) {
        if let Some(line) = self.table.lock().line_mut(&plugin.key) {
            line.try_again();
        }
        self.swap(plugin).await;
    }

    /// The next version that its plugin has to go back from.
    pub async fn next_verdict(&self) -> Verdict {
        loop {
            if let Some(verdict) = self.table.lock().take_verdict() {
                return verdict;
            }
            self.verdict.notified().await;
        }
    }

    /// Whether a version was judged bad.
    pub fn is_condemned(&self, key: &PluginKey, version: &str) -> bool {
        self.table.lock().line(key).is_some_and(|line| line.is_condemned(version))
    }

    /// Since when and why a version is in quarantine; none where it is not.
    pub fn quarantine(&self, plugin: &Plugin) -> Option<Quarantine> {
        self.table.lock().line(&plugin.key)?.tally(plugin)?.quarantine(Instant::now()).cloned()
    }

    /// Ends a version's quarantine; false where it was in none.
    pub fn lift(&self, plugin: &Plugin) -> bool {
        let mut table = self.table.lock();
        let tally = table.line_mut(&plugin.key).and_then(|line| line.tally_mut(plugin));
        tally.is_some_and(|tally| tally.lift(Instant::now()))
    }

    /// Tells idle rooms that they may give up their instance, for as long as the server lives.
    pub async fn watch_idle(&self, engine: &GuestEngine) {
        loop {
            self.awake.until_filled().await;
            let pressed = tokio::time::timeout(IDLE_LOOK, engine.pressure.notified()).await.is_ok();
            self.awake.nudge(Instant::now(), if pressed { IDLE_UNDER_PRESSURE } else { IDLE_LOOK });
            if pressed {
                // A pause between two looks, however often waiting openings ask for one.
                tokio::time::sleep(IDLE_UNDER_PRESSURE).await;
            }
        }
    }

    /// Opens no more rooms and tells the open ones to close; answers how many are left.
    pub fn drain(&self) -> usize {
        let mut table = self.table.lock();
        if !std::mem::replace(&mut table.draining, true) {
            table.rooms().for_each(|room| room.mailbox.close_all(CloseReason::RESTART));
        }
        table.rooms().count()
    }

    /// Sockets that are in a room.
    pub fn sockets(&self) -> usize {
        self.table.lock().rooms().map(|room| room.stats.sockets.load(Ordering::Relaxed)).sum()
    }

    /// Rooms that ended in a panic of the host's own code.
    pub fn panics(&self) -> u64 {
        self.panics.load(Ordering::Relaxed)
    }

    /// Runs a room's task on the room's thread, and takes the room out of the table when the task ends.
    fn run(self: &Arc<Self>, room: RoomHandle, task: impl Future<Output = ()> + Send + 'static) {
        let fleet = Arc::clone(self);
        self.workers.runtime(room.worker).spawn(async move {
            let _place = fleet.workers.place_room(room.worker);
            let _end = Ending { fleet: &fleet, room: &room };
            // A panic ends this room alone: dropping its task closes its sockets, and `Ending` frees its name.
            if let Err(panic) = AssertUnwindSafe(task).catch_unwind().await {
                fleet.panics.fetch_add(1, Ordering::Relaxed);
                let (key, plugin) = (&room.key, room.plugin());
                let version = plugin.version.as_str();
                let (tenant, plugin) = (key.plugin.tenant.as_str(), key.plugin.plugin.as_str());
                let (room, cause) = (key.room.as_str(), words_of(&*panic));
                tracing::error!(tenant, plugin, version, room, %cause, "a bug in the server ended the room");
            }
        });
    }

    fn hash_of(room: &RoomKey) -> u64 {
        let mut hasher = DefaultHasher::new();
        room.hash(&mut hasher);
        hasher.finish()
    }
}

/// Takes a room out of the table when its task ends, however it ends.
struct Ending<'a> {
    fleet: &'a Fleet,
    room: &'a RoomHandle,
}

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.fleet.table.lock().ended(self.room);
    }
}

/// What a panic said.
fn words_of(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("a panic without words")
}
