//! Where an entry of a history stands.

use std::fmt;
use std::sync::Arc;

/// The position of an entry: its epoch, and its number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryPosition {
    pub epoch: Arc<str>,
    pub seq: u64,
}

impl fmt::Display for HistoryPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.epoch, self.seq)
    }
}
