//! Rooms: one task each, which runs one event at a time and has no lock around its state.

/// Writes a line of the log about a room: whose it is comes before all other fields. A span for each room would say the same,
/// and every idle room would pay for it: the subscriber keeps an entry with the formatted fields for as long as a span lives.
/// It would also move `tenant`, `plugin` and `room` away from the top of a line in JSON, where operators look for them.
macro_rules! log {
    ($level:ident, $room:expr, $($rest:tt)+) => {{
        let room: &crate::model::names::RoomKey = $room;
        let (tenant, plugin) = (room.plugin.tenant.as_str(), room.plugin.plugin.as_str());
        tracing::$level!(tenant, plugin, room = room.room.as_str(), $($rest)+)
    }};
}

mod actor;
mod code;
mod conductor;
pub mod handle;
mod judgement;
mod ledger;
mod line;
mod mailbox;
mod open;
pub mod outbound;
pub mod owner;
mod people;
mod plan;
mod ring;
mod turn;
mod visitors;

pub use open::{RoomSpec, open};
