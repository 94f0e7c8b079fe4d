//! Test a room with `cargo test`: no wasm, no server.
//!
//! A [`TestRoom`] means what the server means: an event is a turn that commits or leaves no trace, emits are counted at
//! the call and arrive at the commit, `authorize` runs before `on_connect` in an instance of its own, a failed
//! `on_connect` undoes the membership, an error runs `on_error` in a turn of its own. Timers and the alarm run in
//! virtual time: [`TestRoom::advance`] lets it pass, in no time, and asks time out in it. [`TestRoom::sleep`] and [`TestRoom::swap`] take the
//! instance away as the server does. The server's bounds on emits, host calls, names, timers, storage and suspended
//! states hold at their defaults. What it does not have are bounds on CPU time and memory, and a panic is the test's.

mod answers;
mod asks;
mod bounds;
mod builder;
mod clients;
mod company;
mod filled;
mod frame;
mod histories;
pub(crate) mod imports;
mod instance;
mod members;
mod request;
mod room;
mod schedule;
mod socket;
mod storage;
mod suspend;
mod time;
mod turn;
mod world;

pub use self::{builder::Builder, request::request, room::TestRoom, socket::TestSocket, time::TestTimer};
