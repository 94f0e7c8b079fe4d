//! Plugins in Go: what authors read when something goes wrong, what garbage collection does to a room, the bindings, and
//! projects.

mod bindings;
mod faults;
mod garbage;
mod projects;
