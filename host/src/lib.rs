//! Parlor: a server for realtime rooms whose logic is somebody else's code, as WebAssembly components.
//!
//! A plugin is a component that serves the contract `parlor:room`. The server accepts the WebSockets, opens a room for
//! each address that clients name, and gives the plugin one event after the other. One event is one **turn**: what the
//! plugin asked for in it (emits, writes, joins, timers) happens as a whole, after the writes are durable, or not at all.
//!
//! # Who uses this crate
//!
//! The program `parlor`, through [`cli`] alone, and the tests. Nothing here is a stable interface: authors of plugins use
//! an SDK (`parlor-guest`, or `@parlor/guest` for TypeScript), operators the program, backends the API over HTTP.
//!
//! # Where to begin
//!
//! - `README.md` and `docs/` say what Parlor does and how to use it.
//! - `ARCHITECTURE.md` is the map of the modules: which may rest on which, what one event passes, and the invariants.
//! - `SECURITY.md` says who is trusted with what, and where each threat is stopped.
//! - `wit/` is the contract between host and plugins.

pub mod alarms;
pub mod cli;
pub mod clock;
pub mod config;
pub mod deploy;
pub mod files;
pub mod fleet;
pub mod folder;
pub mod guest;
pub mod harness;
pub mod live;
pub mod logs;
pub mod model;
pub mod plugin;
pub mod protocol;
pub mod randomness;
pub mod room;
pub mod roots;
pub mod seldom;
pub mod server;
pub mod session;
pub mod socket;
pub mod storage;
pub mod tenant;
pub mod traces;
pub mod watchdog;
pub mod workers;
