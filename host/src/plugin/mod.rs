//! What a version of a plugin is, and how a file becomes one: read, checked, compiled, linked, rehearsed.

pub mod anatomy;
pub mod compiler;
pub mod failures;
pub mod loader;
pub mod origin;
pub mod probe;
pub mod version;
