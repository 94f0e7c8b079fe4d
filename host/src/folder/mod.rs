//! Folders in which plugins and projects lie: what is in them, that something in them may have changed, and which file is whole.

pub mod scan;
pub mod watch;
pub mod watcher;
