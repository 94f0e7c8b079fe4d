//! The fleet as the owner of rooms: it hears what they report, and draws the consequences for their version.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;

use super::Fleet;
use super::table::Line;
use super::tally::Quarantining;
use crate::clock::Instant;
use crate::model::effect::EmitElsewhere;
use crate::model::names::{PluginKey, RoomKey};
use crate::model::text::for_log;
use crate::model::visitor::Visitor;
use crate::plugin::version::Plugin;
use crate::room::handle::{RequestNotTaken, RoomHandle, RoomRequest};
use crate::room::owner::{Penalty, RoomOwner};

impl RoomOwner for Fleet {
    fn moved(&self, room: &RoomHandle, to: &Arc<Plugin>) {
        self.table.lock().moved(room, to);
    }

    fn awoke(&self, room: &RoomHandle) {
        self.awake.add(room);
    }

    fn faulted_unprovoked(&self, plugin: &Plugin, why: &str) {
        self.judge(plugin, |line| line.tally_mut(plugin)?.faulted_unprovoked(why, plugin.limits(), Instant::now()));
    }

    fn faulted(&self, plugin: &Plugin, by: &Visitor) -> Penalty {
        let mut table = self.table.lock();
        let tally = table.line_mut(&plugin.key).and_then(|line| line.tally_mut(plugin));
        // A version that is forgotten has no more rooms, and nobody to slow down.
        tally.map_or(Penalty::Slowed(Duration::ZERO), |tally| tally.blame.fault(by, plugin.limits(), Instant::now()))
    }

    fn crashed(&self, room: &RoomHandle, plugin: &Plugin, why: &str, suspects: Vec<Arc<Visitor>>) {
        self.judge(plugin, |line| {
            let (tally, others) = line.crashed(room, plugin)?;
            tally.crashed(&room.key.room, suspects, others, why, plugin.limits(), Instant::now())
        });
    }

    fn stayed(&self, plugin: &Plugin) {
        if let Some(line) = self.table.lock().line_mut(&plugin.key) {
            line.stayed(plugin);
        }
    }

    fn went_back(&self, from: &Plugin, why: &str, by: Option<Arc<Visitor>>) {
        let mut table = self.table.lock();
        if table.line_mut(&from.key).is_some_and(|line| line.went_back(from, why, by)) {
            self.verdict.notify_one();
        }
    }

    fn is_condemned(&self, plugin: &Plugin) -> bool {
        Self::is_condemned(self, &plugin.key, &plugin.version)
    }

    fn say_elsewhere(&self, from: &PluginKey, emit: EmitElsewhere) {
        let EmitElsewhere { plugin, room, to, event, data } = emit;
        let plugin = PluginKey { tenant: from.tenant.clone(), plugin: plugin.unwrap_or_else(|| from.plugin.clone()) };
        let key = RoomKey { plugin, room };
        // A room that is not open has nobody in it.
        let Some(room) = self.find(&key) else { return };
        let (sent, _) = oneshot::channel();
        if let Err(RequestNotTaken::Full) = room.mailbox.request(RoomRequest::Emit { to, event, data, sent }) {
            let (tenant, plugin) = (from.tenant.as_str(), from.plugin.as_str());
            tracing::warn!(tenant, plugin, into = %key, "an emit into another room is dropped: too many wait there");
        }
    }

    fn note_kept(&self, room: &RoomKey, keeps: bool) -> bool {
        let (mut kept, hash) = (self.kept.lock(), Self::hash_of(room));
        if keeps { !kept.insert(hash) } else { kept.remove(&hash) }
    }
}

impl Fleet {
    /// Counts a fault against a version. Where that puts the version into quarantine, closes its rooms.
    fn judge(&self, plugin: &Plugin, count: impl FnOnce(&mut Line) -> Option<Quarantining>) {
        let mut table = self.table.lock();
        let Some(line) = table.line_mut(&plugin.key) else { return };
        let Some(Quarantining { why, pause }) = count(line) else { return };
        let rooms = line.on(plugin);
        drop(table);
        let (tenant, name, version) = (plugin.key.tenant.as_str(), plugin.key.plugin.as_str(), plugin.version.as_str());
        tracing::error!(tenant, plugin = name, version, "the version is quarantined for {pause:?}: {}", for_log(&why));
        rooms.iter().for_each(|room| room.mailbox.quarantine());
    }
}
