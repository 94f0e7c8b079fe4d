//! Plugins in C: what authors read when something goes wrong, the edges of what the SDK takes, the bindings, the header, and
//! projects.

mod bindings;
mod edges;
mod faults;
mod projects;
