//! Running guests: the wasmtime engine, instances with their limits, and what the host offers them. This module knows
//! no files, no sockets and no HTTP.

mod bindings;
mod convert;
mod cpu;
pub mod engine;
pub mod imports;
pub mod instance;
mod log;
mod memory;
pub mod state;
mod wasi;

pub use state::RoomContext;
