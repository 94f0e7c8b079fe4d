//! `parlor plugins` and `parlor rollback`: commands that ask a running server through its API.

mod arguments;
mod client;
mod plugins;
mod rollback;

pub use arguments::{PluginsArgs, RollbackArgs};
pub use plugins::plugins;
pub use rollback::rollback;
