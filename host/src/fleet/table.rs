//! What serves, where each room is, on which version, and how that version fails: plain data under one lock.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::refusal::{NoRoom, PathTaken};
use super::tally::Tally;
use super::trial::{Condemned, SwapTrial, Verdict};
use crate::clock::Instant;
use crate::model::names::{PluginKey, PluginName, RoomId, RoomKey, TenantName};
use crate::model::visitor::Visitor;
use crate::plugin::version::Plugin;
use crate::room::handle::RoomHandle;

/// The table: a line for each plugin that serves or has open rooms.
#[derive(Debug, Default)]
pub(super) struct Table {
    lines: BTreeMap<PluginKey, Line>,
    paths: HashMap<TenantName, HashMap<String, PluginKey>>,
    /// How often a path or a place among a tenant's plugins became free.
    pub(super) freed: u64,
    pub(super) draining: bool,
}

/// One plugin.
#[derive(Debug, Default)]
pub(super) struct Line {
    /// The version that serves; none where the plugin is retired and its rooms are about to end.
    current: Option<Arc<Plugin>>,
    /// The current version, and those that open rooms still run.
    versions: Vec<Running>,
    /// The open rooms.
    rooms: BTreeMap<RoomId, RoomHandle>,
    trial: SwapTrial,
    condemned: Condemned,
}

/// A version that serves or that rooms run.
#[derive(Debug)]
struct Running {
    plugin: Arc<Plugin>,
    /// How many rooms run it.
    rooms: usize,
    tally: Tally,
}

impl Table {
    /// Lets a version serve its path, in place of an older version of its plugin where there is one. Refuses a path that
    /// another plugin of the tenant serves.
    pub(super) fn put(&mut self, plugin: Arc<Plugin>) -> Result<(), PathTaken> {
        let paths = self.paths.entry(plugin.key.tenant.clone()).or_default();
        if let Some(other) = paths.get(plugin.path.as_str()).filter(|other| **other != plugin.key) {
            return Err(PathTaken { path: plugin.path.to_string(), by: other.clone() });
        }
        let line = self.lines.entry(plugin.key.clone()).or_default();
        if let Some(older) = line.current.as_ref().filter(|older| older.path != plugin.path) {
            paths.remove(older.path.as_str());
            self.freed += 1;
        }
        paths.insert(plugin.path.as_str().to_owned(), plugin.key.clone());
        line.put(plugin);
        Ok(())
    }

    /// Takes a plugin out of service: its path leads nowhere from now on.
    pub(super) fn retire(&mut self, key: &PluginKey) -> Option<Arc<Plugin>> {
        let line = self.lines.get_mut(key)?;
        let retired = line.current.take()?;
        if let Some(paths) = self.paths.get_mut(&key.tenant) {
            paths.remove(retired.path.as_str());
            if paths.is_empty() {
                self.paths.remove(&key.tenant);
            }
        }
        self.freed += 1;
        self.prune(key);
        Some(retired)
    }

    pub(super) fn get(&self, key: &PluginKey) -> Option<&Arc<Plugin>> {
        self.lines.get(key)?.current.as_ref()
    }

    pub(super) fn at(&self, tenant: &TenantName, path: &str) -> Option<&Arc<Plugin>> {
        self.get(self.paths.get(tenant)?.get(path)?)
    }

    /// The version of the plugin of this name or, where no name is given, of the only one that serves.
    pub(super) fn default_of(&self, tenant: &TenantName, name: Option<&PluginName>) -> Option<&Arc<Plugin>> {
        let mut keys = self.paths.get(tenant)?.values().filter(|key| name.is_none_or(|name| key.plugin == *name));
        let only = keys.next()?;
        keys.next().is_none().then(|| self.get(only)).flatten()
    }

    /// How many plugins of a tenant serve.
    pub(super) fn count(&self, tenant: &TenantName) -> usize {
        self.paths.get(tenant).map_or(0, HashMap::len)
    }

    /// The versions that serve, by tenant and plugin.
    pub(super) fn serving(&self) -> impl Iterator<Item = &Arc<Plugin>> {
        self.lines.values().filter_map(|line| line.current.as_ref())
    }

    pub(super) fn line(&self, key: &PluginKey) -> Option<&Line> {
        self.lines.get(key)
    }

    pub(super) fn line_mut(&mut self, key: &PluginKey) -> Option<&mut Line> {
        self.lines.get_mut(key)
    }

    /// The room that a name leads to: one that is open, or none yet on the version that serves.
    pub(super) fn look_up(&self, key: &PluginKey, room: &RoomId, now: Instant) -> Result<LookedUp, NoRoom> {
        if self.draining {
            return Err(NoRoom::Draining);
        }
        let line = self.lines.get(key).ok_or(NoRoom::NotServed)?;
        let current = line.current.as_ref().ok_or(NoRoom::NotServed)?;
        if let Some(open) = line.rooms.get(room).filter(|open| !open.mailbox.is_closed()) {
            return Ok(LookedUp::Open(Arc::clone(open), Arc::clone(current)));
        }
        line.refuses(current, room, now).map_or_else(|| Ok(LookedUp::New(Arc::clone(current))), Err)
    }

    /// Why nobody may enter a room on the version that serves now.
    pub(super) fn refuses(&self, key: &PluginKey, room: &RoomId, now: Instant) -> Option<NoRoom> {
        let line = self.lines.get(key)?;
        line.refuses(line.current.as_ref()?, room, now)
    }

    /// Notes an open room, in place of one of the same name that is about to end. Says whether the room tries a version
    /// that is in quarantine.
    pub(super) fn opened(&mut self, room: &RoomHandle) -> bool {
        let line = self.lines.entry(room.key.plugin.clone()).or_default();
        line.count(room);
        if let Some(before) = line.rooms.insert(room.key.room.clone(), Arc::clone(room)) {
            line.uncount(&before);
        }
        let (plugin, now) = (room.plugin(), Instant::now());
        line.tally_mut(&plugin).is_some_and(|tally| tally.breaker.opens(&room.key.room, plugin.limits(), now))
    }

    /// Notes that the room runs another version from now on.
    pub(super) fn moved(&mut self, room: &RoomHandle, to: &Arc<Plugin>) {
        let Some(line) = self.lines.get_mut(&room.key.plugin) else { return room.set_plugin(Arc::clone(to)) };
        let was_counted = line.uncount(room);
        room.set_plugin(Arc::clone(to));
        if was_counted {
            line.count(room);
        }
    }

    /// Takes out a room whose task ended.
    pub(super) fn ended(&mut self, room: &RoomHandle) {
        let Some(line) = self.lines.get_mut(&room.key.plugin) else { return };
        line.uncount(room);
        if line.holds(room) {
            line.rooms.remove(&room.key.room);
            if let Some(running) = line.running_mut(&room.plugin()) {
                running.tally.breaker.ended(&room.key.room, Instant::now());
            }
        }
        // A room that crashed was uncounted before.
        line.forget_unused();
        self.prune(&room.key.plugin);
    }

    pub(super) fn find(&self, key: &RoomKey) -> Option<&RoomHandle> {
        self.lines.get(&key.plugin)?.rooms.get(&key.room)
    }

    /// All open rooms.
    pub(super) fn rooms(&self) -> impl Iterator<Item = &RoomHandle> {
        self.lines.values().flat_map(|line| line.rooms.values())
    }

    /// Takes out a verdict that nobody has acted on yet.
    pub(super) fn take_verdict(&mut self) -> Option<Verdict> {
        self.lines.iter_mut().find_map(|(key, line)| {
            let why = line.trial.take_verdict()?;
            let version = line.current.as_ref()?.version.clone();
            Some(Verdict { plugin: key.clone(), version, why })
        })
    }

    /// Forgets a plugin that serves no more and has no room.
    fn prune(&mut self, key: &PluginKey) {
        if self.lines.get(key).is_some_and(|line| line.current.is_none() && line.rooms.is_empty()) {
            self.lines.remove(key);
        }
    }
}

/// Where a name leads.
pub(super) enum LookedUp {
    /// To a room that is open, and to the version that serves now.
    Open(RoomHandle, Arc<Plugin>),
    /// To a room that is still to be opened on this version.
    New(Arc<Plugin>),
}

impl Line {
    fn put(&mut self, plugin: Arc<Plugin>) {
        self.condemned.forgive(&plugin.version);
        self.trial = SwapTrial::of(self.rooms.len());
        self.versions.push(Running { plugin: Arc::clone(&plugin), rooms: 0, tally: Tally::default() });
        self.current = Some(plugin);
        self.forget_unused();
    }

    /// Whether this room, and not a later one of the same name, stands in the table.
    fn holds(&self, room: &RoomHandle) -> bool {
        self.rooms.get(&room.key.room).is_some_and(|open| Arc::ptr_eq(open, room))
    }

    fn is_current(&self, plugin: &Plugin) -> bool {
        self.current.as_ref().is_some_and(|current| current.serial == plugin.serial)
    }

    /// Counts a room among those of its version.
    fn count(&mut self, room: &RoomHandle) {
        let plugin = room.plugin();
        room.counted.store(true, Ordering::Relaxed);
        match self.running_mut(&plugin) {
            Some(running) => running.rooms += 1,
            None => self.versions.push(Running { plugin, rooms: 1, tally: Tally::default() }),
        }
    }

    /// Takes a room out of the count of its version; says whether it was in it.
    fn uncount(&mut self, room: &RoomHandle) -> bool {
        let was_counted = self.take_out_of_count(room);
        if was_counted {
            self.forget_unused();
        }
        was_counted
    }

    /// Takes a room out of the count of its version, which stays known; says whether the room was counted.
    fn take_out_of_count(&mut self, room: &RoomHandle) -> bool {
        let was_counted = room.counted.swap(false, Ordering::Relaxed);
        if was_counted && let Some(running) = self.running_mut(&room.plugin()) {
            running.rooms = running.rooms.saturating_sub(1);
        }
        was_counted
    }

    /// Drops versions that neither serve nor run in a room: their code takes memory.
    fn forget_unused(&mut self) {
        let serving = self.current.as_ref().map(|current| current.serial);
        self.versions.retain(|running| running.rooms > 0 || Some(running.plugin.serial) == serving);
    }

    fn running(&self, plugin: &Plugin) -> Option<&Running> {
        self.versions.iter().find(|running| running.plugin.serial == plugin.serial)
    }

    fn running_mut(&mut self, plugin: &Plugin) -> Option<&mut Running> {
        self.versions.iter_mut().find(|running| running.plugin.serial == plugin.serial)
    }

    fn refuses(&self, current: &Plugin, room: &RoomId, now: Instant) -> Option<NoRoom> {
        let tally = &self.running(current)?.tally;
        let quarantined = tally.breaker.refuses(room, now).map(NoRoom::Quarantined);
        quarantined.or_else(|| tally.closed_for(room, now).map(NoRoom::Crashed))
    }

    /// The tally of a version that serves or that rooms run.
    pub(super) fn tally(&self, plugin: &Plugin) -> Option<&Tally> {
        self.running(plugin).map(|running| &running.tally)
    }

    pub(super) fn tally_mut(&mut self, plugin: &Plugin) -> Option<&mut Tally> {
        self.running_mut(plugin).map(|running| &mut running.tally)
    }

    /// Takes a room that crashed out of the count of its version. Answers that version's tally, and how many other rooms
    /// run it; the version itself is forgotten when the room ends at the earliest.
    pub(super) fn crashed(&mut self, room: &RoomHandle, plugin: &Plugin) -> Option<(&mut Tally, usize)> {
        self.take_out_of_count(room);
        self.running_mut(plugin).map(|running| (&mut running.tally, running.rooms))
    }

    /// Notes that a room stays on a version that it tried.
    pub(super) fn stayed(&mut self, plugin: &Plugin) {
        if self.is_current(plugin) {
            self.trial.stayed();
        }
    }

    /// Notes that a room went back from a version. Says whether the plugin has to go back as well.
    pub(super) fn went_back(&mut self, plugin: &Plugin, why: &str, by: Option<Arc<Visitor>>) -> bool {
        let condemned = self.is_current(plugin) && self.trial.went_back(why, by);
        if condemned {
            self.condemned.add(&plugin.version);
        }
        condemned
    }

    /// Lets the rooms that went back from the current version try it again.
    pub(super) fn try_again(&mut self) {
        self.trial = SwapTrial::of(self.rooms.len());
        if let Some(current) = &self.current {
            self.condemned.forgive(&current.version);
            self.rooms.values().for_each(|room| room.forgive());
        }
    }

    pub(super) fn is_condemned(&self, version: &str) -> bool {
        self.condemned.has(version)
    }

    /// Rooms that run each version.
    pub(super) fn rooms_by_version(&self) -> BTreeMap<String, usize> {
        let mut rooms = BTreeMap::new();
        for running in self.versions.iter().filter(|running| running.rooms > 0) {
            *rooms.entry(running.plugin.version.clone()).or_default() += running.rooms;
        }
        rooms
    }

    /// Up to `limit` open rooms that come behind one, in ascending order of their names.
    pub(super) fn page(&self, after: Option<&str>, limit: usize) -> Vec<RoomHandle> {
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        self.rooms.range::<str, _>((start, Bound::Unbounded)).take(limit).map(|(_, room)| Arc::clone(room)).collect()
    }

    /// The open rooms that run a version.
    pub(super) fn on(&self, plugin: &Plugin) -> Vec<RoomHandle> {
        self.rooms.values().filter(|room| room.plugin().serial == plugin.serial).cloned().collect()
    }
}
