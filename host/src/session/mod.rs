//! Sessions of Engine.IO, over which clients of Socket.IO speak to rooms: one connection, by polling or over a WebSocket,
//! to up to so many namespaces, each with a seat in a room.

mod conversation;
mod heartbeat;
mod knock;
mod polling;
mod probe;
mod reception;
mod run;
mod socket;
mod table;

pub use knock::{Knock, PollAnswer, PostAnswer};
pub use probe::Opening;
pub use reception::{NotAdmitted, Reception};
pub use run::{NewSession, Session};
pub use table::{Sessions, new_id};
