//! Rooms: one task each, which runs one event at a time and has no lock around its state.

mod actor;
pub mod alarms;
pub mod backing;
mod commit;
mod dispatch;
mod due;
mod failure;
mod gate;
pub mod handle;
mod life;
mod mailbox;
pub mod outbound;
mod slow;
mod supervision;
mod suspend;
pub mod swaps;
mod turns;

pub use actor::run;
