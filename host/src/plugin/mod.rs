//! Guests: how a file becomes a plugin, and how a plugin's code is called.
//!
//! Everything that knows wasmtime is in here. It knows no sockets and no HTTP.

pub mod anatomy;
mod bindings;
pub mod compiler;
mod convert;
mod cpu;
pub mod engine;
pub mod folder;
mod guest_log;
mod imports;
pub mod instance;
pub mod loader;
mod memory;
pub mod origin;
pub mod probe;
pub mod registry;
mod state;
pub mod supervisor;
mod wasi;
pub mod watcher;

pub use guest_log::printable;
pub use imports::unix_ms;
pub use state::RoomContext;
