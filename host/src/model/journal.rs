//! How changes are taken back: each is noted with its undoing, and turns are marks between the notes.

use std::collections::VecDeque;

/// A place in a journal: between two changes.
pub type Mark = u64;

/// The changes that may still have to be taken back, the oldest first.
#[derive(Debug)]
pub struct Journal<U> {
    undos: VecDeque<U>,
    /// How many were kept for good before these.
    kept: Mark,
}

impl<U> Default for Journal<U> {
    fn default() -> Self {
        Self { undos: VecDeque::new(), kept: 0 }
    }
}

impl<U> Journal<U> {
    /// Notes how the change that is made now is taken back.
    pub fn note(&mut self, undo: U) {
        self.undos.push_back(undo);
    }

    /// The place behind all changes so far.
    pub fn mark(&self) -> Mark {
        self.kept + self.undos.len() as Mark
    }

    /// What came before this place stays for good.
    pub fn keep(&mut self, before: Mark) {
        while self.kept < before && self.undos.pop_front().is_some() {
            self.kept += 1;
        }
    }

    /// The last change behind a place, to be taken back now.
    pub fn take_back(&mut self, behind: Mark) -> Option<U> {
        if self.mark() > behind { self.undos.pop_back() } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_cannot_be_taken_back() {
        let mut journal = Journal::default();
        journal.note('a');
        let first = journal.mark();
        journal.note('b');
        journal.note('c');
        journal.keep(first);
        let last = journal.mark();
        journal.note('d');
        assert_eq!(journal.take_back(last), Some('d'));
        assert_eq!(journal.take_back(last), None);
        assert_eq!(
            [journal.take_back(first), journal.take_back(first), journal.take_back(0)],
            [Some('c'), Some('b'), None]
        );
        assert_eq!(journal.mark(), first);
    }
}
