//! Folders of plugins and projects: what is in them, when something in them may have changed, and which files are
//! complete.

pub mod scan;
pub mod scripts;
pub mod snapshot;
pub mod watch;
pub mod watcher;
