//! The plugin of the health check, which `host/build/probe.rs` makes while the program is built.

/// Its component.
pub const COMPONENT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/probe.wasm"));

/// The event that it answers with the same event.
pub const EVENT: &str = "say";
