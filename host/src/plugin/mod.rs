//! Versions of plugins, and how a file becomes one: it is read, checked, compiled and linked, and its `init` is called.

pub mod anatomy;
pub mod carried;
pub mod compiler;
pub mod failures;
pub mod loader;
pub mod origin;
mod places;
pub mod probe;
pub mod tapes;
pub mod version;
