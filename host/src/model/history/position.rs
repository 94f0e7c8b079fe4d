//! Where an entry of a history stands.

use std::fmt;
use std::sync::Arc;

/// The position of an entry: which ring it is of, and its number within it.
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

/// The number within this epoch that a position names; none where it is of another, or no position at all.
pub(super) fn seq_in(epoch: &str, position: &str) -> Option<u64> {
    let (of, seq) = position.rsplit_once('.')?;
    // `parse` would take a sign.
    let is_number = of == epoch && seq.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| seq.parse().ok()).flatten()
}
