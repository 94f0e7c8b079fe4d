//! What a room tells its owner, and what it asks it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::handle::RoomHandle;
use crate::model::effect::EmitElsewhere;
use crate::model::names::{PluginKey, RoomKey};
use crate::model::visitor::Visitor;
use crate::plugin::version::Plugin;

/// What a client gets for a fault of the code that it caused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Penalty {
    /// Its next event has to wait so long.
    Slowed(Duration),
    /// It is sent away, and refused for a while.
    Refused,
}

/// Whoever opened a room: in a server the fleet, which knows where each room is, on which version, and how versions
/// fail. Every call is short and waits for nothing.
pub trait RoomOwner: Send + Sync + fmt::Debug {
    /// The room's next instances are of this version.
    fn moved(&self, room: &RoomHandle, to: &Arc<Plugin>);

    /// The room has an instance and works: it may be asked to give the instance up when nothing happens in it.
    fn awoke(&self, room: &RoomHandle);

    /// The version's code faulted in a call that no client caused.
    fn faulted_unprovoked(&self, plugin: &Plugin, why: &str);

    /// A client's event made the version's code fault.
    fn faulted(&self, plugin: &Plugin, by: &Visitor) -> Penalty;

    /// The room faulted too often, and closes for a while. The suspects were in it lately.
    fn crashed(&self, room: &RoomHandle, plugin: &Plugin, why: &str, suspects: Vec<Arc<Visitor>>);

    /// The room tried a version for long enough, and stays on it.
    fn stayed(&self, plugin: &Plugin);

    /// The room tried a version that failed, and went back to the one before; in an event of this client, where it was
    /// one.
    fn went_back(&self, from: &Plugin, why: &str, by: Option<Arc<Visitor>>);

    /// Whether a version was judged bad, so that no room goes back to it.
    fn is_condemned(&self, plugin: &Plugin) -> bool;

    /// A room of this plugin says something in another room.
    fn say_elsewhere(&self, from: &PluginKey, emit: EmitElsewhere);

    /// The room opens or ends, and `keeps` says whether it has anything in storage. Answers what `keeps` was at the
    /// last such call since the server started; false if there was none.
    fn note_kept(&self, room: &RoomKey, keeps: bool) -> bool;
}

/// The owner of a room that stands alone, such as a probe's: it counts nothing, and nothing follows from what the room reports.
#[derive(Debug)]
pub struct NoFleet;

impl RoomOwner for NoFleet {
    fn moved(&self, room: &RoomHandle, to: &Arc<Plugin>) {
        room.set_plugin(Arc::clone(to));
    }
    fn awoke(&self, _: &RoomHandle) {}
    fn faulted_unprovoked(&self, _: &Plugin, _: &str) {}
    fn faulted(&self, _: &Plugin, _: &Visitor) -> Penalty {
        Penalty::Slowed(Duration::ZERO)
    }
    fn crashed(&self, _: &RoomHandle, _: &Plugin, _: &str, _: Vec<Arc<Visitor>>) {}
    fn stayed(&self, _: &Plugin) {}
    fn went_back(&self, _: &Plugin, _: &str, _: Option<Arc<Visitor>>) {}
    fn is_condemned(&self, _: &Plugin) -> bool {
        false
    }
    fn say_elsewhere(&self, _: &PluginKey, _: EmitElsewhere) {}
    fn note_kept(&self, _: &RoomKey, _: bool) -> bool {
        false
    }
}
