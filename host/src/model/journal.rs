//! An undo log: each change is noted with what undoes it, and marks between the notes say where turns begin and end.

use std::collections::VecDeque;

/// A position in a journal, between two changes.
pub type Mark = u64;

/// The changes that may still be undone, the oldest first.
#[derive(Debug)]
pub struct Journal<U> {
    undos: VecDeque<U>,
    /// How many older changes are final.
    kept: Mark,
}

impl<U> Default for Journal<U> {
    fn default() -> Self {
        Self { undos: VecDeque::new(), kept: 0 }
    }
}

impl<U> Journal<U> {
    /// Notes what undoes the change that the caller makes now.
    pub fn note(&mut self, undo: U) {
        self.undos.push_back(undo);
    }

    /// The position behind all changes so far.
    pub fn mark(&self) -> Mark {
        self.kept + self.undos.len() as Mark
    }

    /// Makes all changes before `before` final.
    pub fn make_final(&mut self, before: Mark) {
        while self.kept < before && self.undos.pop_front().is_some() {
            self.kept += 1;
        }
    }

    /// Takes out the last change behind `behind`, which the caller undoes now.
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
        journal.make_final(first);
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
