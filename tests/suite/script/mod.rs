//! Plugins in TypeScript beside plugins in Rust: what holds for one holds for the other.

mod edges;
mod failures;
mod rooms;
mod swaps;
mod text;
