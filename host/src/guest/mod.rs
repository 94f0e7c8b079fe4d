//! What runs a guest: the wasmtime engine, an instance with its bounds, and what the host offers it. It knows no files, no
//! sockets and no HTTP.

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
