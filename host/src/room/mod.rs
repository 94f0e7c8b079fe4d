//! Rooms: one task each, which runs one event at a time and has no lock around its state.

mod actor;
mod commit;
mod dispatch;
mod failure;
pub mod handle;
mod mailbox;
pub mod outbound;
mod slow;
mod supervision;

pub use actor::run;
