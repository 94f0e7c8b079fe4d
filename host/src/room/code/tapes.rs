//! The tapes of a room's instances.

use std::sync::Arc;

use super::Code;
use crate::guest::instance::Instance;
use crate::guest::tape::data::{BetweenTurns, TapeBase, TapedVerdict};
use crate::guest::tape::recorder::TapeBound;
use crate::plugin::tapes::TapeShelf;

/// With so many turns a tape says enough of what led to a failure, and the one before is forgotten.
const ENOUGH_TURNS: u64 = 100;

impl Code {
    /// What the next instance's tape begins with, of what the code knows, and how much it holds; none where nothing is recorded, or there is an
    /// instance.
    pub(in crate::room) fn new_base(&self) -> Option<(TapeBase, TapeBound)> {
        let shelf = self.plugin.tapes.as_ref().filter(|_| self.instance.is_none())?;
        let reason = self.owed.as_ref().map_or("open", |owed| owed.reason.as_str());
        let of_plugin = self.plugin.tape_base(shelf, &self.room.key.room);
        let base = TapeBase { reason: reason.to_owned(), turns_before: self.tapes.turns, ..of_plugin };
        Some((base, shelf.bound()))
    }

    /// Notes what happens to the room between two turns.
    pub(in crate::room) fn note_between(&mut self, what: impl FnOnce() -> BetweenTurns) {
        if let Some(recorder) = self.instance.as_mut().and_then(|instance| instance.recorder()) {
            recorder.between(&what());
        }
    }

    /// Notes what became of the last turn, and keeps the tape of one that failed.
    pub(in crate::room) fn note_verdict(&mut self, verdict: impl FnOnce() -> TapedVerdict) {
        let Some(shelf) = &self.plugin.tapes else { return };
        let living = self.instance.as_mut().and_then(|instance| instance.recorder());
        let Some(recorder) = living.or(self.tapes.ended.as_deref_mut()) else { return };
        let verdict = verdict();
        recorder.judged(&verdict);
        let failed = matches!(&verdict, TapedVerdict::RolledBack { for_sender: false, .. });
        if failed && shelf.admits() {
            let (turn, is_short) = (recorder.turn(), recorder.turns() < ENOUGH_TURNS);
            let (shelf, frames) = (Arc::clone(shelf), recorder.frames().map(<[u8]>::to_vec));
            self.shelve(&shelf, turn.to_string(), frames);
            let before = self.tapes.before.take().filter(|_| is_short);
            if let Some(before) = before.as_ref().and_then(|before| before.frames()) {
                self.shelve(&shelf, format!("{turn}-before"), Some(before.to_vec()));
            }
        }
        if self.instance.is_none() {
            self.end_life(false);
        }
    }

    /// Whether the instance's tape is full, so that another should follow.
    pub(in crate::room) fn needs_checkpoint(&mut self) -> bool {
        let recorder = self.instance.as_mut().and_then(|instance| instance.recorder());
        recorder.is_some_and(|recorder| {
            if recorder.turns() >= ENOUGH_TURNS {
                self.tapes.before = None;
            }
            recorder.is_full()
        })
    }

    /// The life of an instance is over: its tape is forgotten, unless each life is kept. At a checkpoint it stays for a while.
    pub(super) fn end_life(&mut self, is_checkpoint: bool) {
        let Some(ended) = self.tapes.ended.take() else { return };
        let admitting = self.plugin.tapes.clone().filter(|shelf| ended.turns() > 0 && shelf.admits_life());
        if let Some(shelf) = admitting {
            self.shelve(&shelf, format!("{}-life", ended.turn()), ended.frames().map(<[u8]>::to_vec));
        }
        self.tapes.before = is_checkpoint.then_some(ended);
    }

    /// The room ends. Where the server does, what is written now waits for the disk: the process ends soon.
    pub(in crate::room) fn end(&mut self, is_drained: bool) {
        self.drop_instance();
        self.is_drained = is_drained;
        self.end_life(false);
    }

    /// Takes over the tape of an instance that ends.
    pub(super) fn end_tape(&mut self, instance: &mut Instance) {
        if let Some(recorder) = instance.take_recorder() {
            self.tapes.turns = recorder.turn();
            self.tapes.ended = Some(recorder);
        }
    }

    fn shelve(&self, shelf: &Arc<TapeShelf>, mark: String, frames: Option<Vec<u8>>) {
        match frames {
            Some(frames) => shelf.put(&self.room.key, mark, frames, (self.plugin.account(), self.is_drained)),
            None => log!(warn, &self.room.key, "one turn made more calls than a tape holds: it is not on any"),
        }
    }
}
