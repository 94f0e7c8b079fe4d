//! Parlor: a server that hosts realtime rooms whose logic is somebody else's code, as WebAssembly components.
//!
//! `ARCHITECTURE.md` is the map, and says which module may rest on which.

pub mod alarms;
pub mod cli;
pub mod clock;
pub mod config;
pub mod deploy;
pub mod files;
pub mod fleet;
pub mod folder;
pub mod guest;
pub mod model;
pub mod plugin;
pub mod protocol;
pub mod room;
pub mod server;
pub mod socket;
pub mod storage;
pub mod tenant;
pub mod workers;
