//! Which epoch each number of a history is of. A position names an entry by both: two entries may have the same number, one
//! of a room that was forgotten and one of the room that went on without it, and never the same epoch. So each opening of a
//! room begins an epoch for what is said from then on, and entries of its storage keep theirs.

use std::sync::Arc;

use super::position::HistoryPosition;

/// Epochs under which clients may hear what is not stored, since nobody waits for the disk, begin with this.
const EARLY: &str = "r";

/// Makes an epoch of a word that none had before, which consists of digits of base 16.
pub fn epoch_of(word: &str, is_early: bool) -> Arc<str> {
    format!("{}{word}", if is_early { EARLY } else { "" }).into()
}

/// The epochs of a history, by the number from which on they hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct HistoryEpochs(Vec<(u64, Arc<str>)>);

impl HistoryEpochs {
    pub(super) fn new(epoch: Arc<str>) -> Self {
        Self(vec![(0, epoch)])
    }

    /// From this number on, which is no lower than any before, another epoch holds.
    pub(super) fn go_on(&mut self, from: u64, epoch: &Arc<str>) {
        if self.0.last().is_none_or(|(_, last)| last != epoch) {
            self.0.push((from, Arc::clone(epoch)));
        }
    }

    /// The epoch of what is said next.
    pub(super) fn current(&self) -> Arc<str> {
        self.0.last().map_or_else(|| "".into(), |(_, epoch)| Arc::clone(epoch))
    }

    /// The epoch of a number, where it is known.
    pub(super) fn of(&self, seq: u64) -> Option<&Arc<str>> {
        let behind = self.0.partition_point(|(from, _)| *from <= seq);
        behind.checked_sub(1).map(|place| &self.0[place].1)
    }

    pub(super) fn position(&self, seq: u64) -> HistoryPosition {
        HistoryPosition { epoch: self.of(seq).cloned().unwrap_or_else(|| self.current()), seq }
    }

    /// The number that a position names; none where it is of another history, or no position at all.
    pub(super) fn seq_in(&self, position: &str) -> Option<u64> {
        let (epoch, seq) = position.rsplit_once('.')?;
        // `parse` would take a sign.
        let seq = if seq.bytes().all(|byte| byte.is_ascii_digit()) { seq.parse().ok()? } else { return None };
        (&**self.of(seq)? == epoch).then_some(seq)
    }

    /// Takes from all numbers up to the last that clients may have heard early what they are known by: something that others
    /// heard may be missing between them. They are of this epoch instead.
    pub(super) fn doubt_what_was_early(&mut self, epoch: &Arc<str>) {
        if let Some(last) = self.0.iter().rposition(|(_, epoch)| epoch.starts_with(EARLY)) {
            self.0.splice(..=last, [(0, Arc::clone(epoch))]);
        }
    }
}
