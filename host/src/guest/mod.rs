//! Running guests: the wasmtime engine, instances with their limits, and what the host offers them. This module knows
//! no files, no sockets and no HTTP.

mod bindings;
mod call_error;
mod context;
mod convert;
mod cpu;
pub mod engine;
mod fault;
pub mod imports;
pub mod instance;
mod log;
mod memory;
mod metering;
mod returned;
pub mod state;
pub mod tape;
pub mod ticker;
mod wasi;

pub use context::RoomContext;
