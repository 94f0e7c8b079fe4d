//! Rooms: one task each, which runs one event at a time and has no lock around its state.

/// Writes a line of the log about a room: whose it is comes before all other fields.
macro_rules! log {
    ($level:ident, $room:expr, $($rest:tt)+) => {{
        let room: &crate::model::names::RoomKey = $room;
        let (tenant, plugin) = (room.plugin.tenant.as_str(), room.plugin.plugin.as_str());
        tracing::$level!(tenant, plugin, room = room.room.as_str(), $($rest)+)
    }};
}

mod actor;
mod commit;
mod dispatch;
mod due;
mod failure;
mod gate;
pub mod handle;
mod life;
mod mailbox;
pub mod outbound;
pub mod owner;
mod slow;
mod supervision;
mod suspend;
mod turns;

pub use actor::{RoomSpec, open};
