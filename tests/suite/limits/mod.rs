//! The bounds that a plugin or a client can reach, each set low and told by its name.

mod calls;
mod clients;
mod logs;
mod settings;
