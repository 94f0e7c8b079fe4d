//! Parlor: a server that hosts realtime rooms whose logic is somebody else's code, as WebAssembly components.
//!
//! `ARCHITECTURE.md` is the map, and says which module may rest on which.

#![deny(unsafe_code)]

pub mod cli;
pub mod config;
pub mod model;
pub mod plugin;
pub mod protocol;
pub mod room;
pub mod router;
pub mod server;
pub mod socket;
pub mod storage;
pub mod tenant;
pub mod watch;
pub mod workers;
