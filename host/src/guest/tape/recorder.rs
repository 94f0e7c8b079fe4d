//! Records the life of an instance, frame by frame, in memory.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;

use super::blob::Blob;
use super::data::{BetweenTurns, TapeBase, TapedAnswer, TapedCall, TapedEnd, TapedVerdict};
use super::frames::{self, FrameKind};
use super::spare;
use super::wasi::WasiTape;
use super::write::TapeWrite;
use crate::guest::bindings::parlor::room::types::Event as WitEvent;
use crate::tenant::Account;

/// How much more than its bound a tape may hold for a moment: a call of the guest ends before the room can begin another tape.
const BEYOND: usize = 1 << 20;

/// The call whose answer differs each time.
const DRAWING: &str = "random.get_bytes";

/// Of a tape's bytes, the part from which on it has the place for all of them at once: a tape that gets so far fills up soon, and
/// would otherwise be copied each time that it has doubled.
const GROWN_PART: usize = 8;

/// Of a tape's bytes, the part up to which what the room stores is taken along.
const STORAGE_PART: usize = 4;

/// How many times as much as it begins with a tape holds at least, so that what it begins with costs a part of its turns: a room of
/// 10,000 sockets begins with 1 MiB.
const BASES: usize = 4;

/// What a tape holds more than its bound because of that, at most.
const MORE_FOR_BASE: usize = 4 << 20;

/// The part of an instance's memory that its tape holds at least: behind each tape another instance is made, whose pages the kernel hands
/// out and clears anew. Of a turn in Go that was a fifth.
const MEMORY_PART: usize = 4;

/// What a tape holds more than its bound because of that, at most.
const MORE_FOR_MEMORY: usize = 2 << 20;

/// How much one tape holds, beside what it begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TapeBound {
    pub turns: u64,
    pub bytes: usize,
}

impl TapeBound {
    /// Up to which size a tape takes along what the room stores.
    pub fn storage_bytes(self) -> usize {
        self.bytes / STORAGE_PART
    }
}

/// The tape of an instance that lives.
#[derive(Debug)]
pub struct Recorder {
    bytes: Vec<u8>,
    /// Of them, those of the frame that it begins with: a room with many members must not fill each tape before its first turn.
    base_bytes: usize,
    bound: TapeBound,
    /// The bytes of the instance's memories when its last call ended.
    memory_bytes: usize,
    /// The number of the last turn, counted over all lives of the room.
    turn: u64,
    turns: u64,
    /// Where the frame of the call begins that the host is answering.
    open: Option<usize>,
    /// One call of the guest made more calls than a tape holds: there is nothing to replay.
    is_lost: bool,
    pub wasi: Arc<WasiTape>,
    /// The random bytes that the guest is given in place of others, each with the arguments of its call and its answer; empty but
    /// for a life that is compared with another.
    given: VecDeque<(Vec<u8>, Vec<u8>)>,
    account: Arc<Account>,
    /// What the tenant's account counts of it.
    charged: usize,
}

impl Recorder {
    /// Begins a tape, which counts as the tenant's memory.
    pub fn new(base: &TapeBase, bound: TapeBound, account: Arc<Account>) -> Self {
        Self::with_wasi(base, bound, account, WasiTape::recording())
    }

    /// The same, for a life that is compared with another one: what it draws comes from there.
    pub fn comparing(base: &TapeBase, bound: TapeBound, account: Arc<Account>) -> Self {
        Self::with_wasi(base, bound, account, WasiTape::replaying())
    }

    fn with_wasi(base: &TapeBase, bound: TapeBound, account: Arc<Account>, wasi: Arc<WasiTape>) -> Self {
        let (turn, given) = (base.turns_before, VecDeque::new());
        let (open, is_lost, mut bytes, memory_bytes) = (None, false, Vec::new(), 0);
        frames::whole(&mut bytes, FrameKind::Base, base);
        let base_bytes = bytes.len();
        let mut new = Self {
            bytes,
            base_bytes,
            bound,
            memory_bytes,
            turn,
            turns: 0,
            open,
            is_lost,
            wasi,
            given,
            account,
            charged: 0,
        };
        new.charge();
        new
    }

    /// The frames so far; none where one call was more than a tape holds.
    pub fn frames(&self) -> Option<&[u8]> {
        (!self.is_lost).then_some(&*self.bytes)
    }

    /// The number of the last turn.
    pub fn turn(&self) -> u64 {
        self.turn
    }

    /// How many turns it holds.
    pub fn turns(&self) -> u64 {
        self.turns
    }

    /// Whether another tape should follow.
    pub fn is_full(&self) -> bool {
        self.is_lost || self.turns >= self.bound.turns || self.recorded_bytes() >= self.bytes_max()
    }

    /// How much it holds, beside what it begins with.
    fn bytes_max(&self) -> usize {
        let for_base = (BASES * self.base_bytes).min(MORE_FOR_BASE);
        let for_memory = (self.memory_bytes / MEMORY_PART).min(MORE_FOR_MEMORY);
        self.bound.bytes.max(for_base).max(for_memory)
    }

    /// How much was recorded behind the frame that it begins with.
    fn recorded_bytes(&self) -> usize {
        self.bytes.len().saturating_sub(self.base_bytes)
    }

    /// `init` begins.
    pub fn begin_init(&mut self) {
        self.frame(FrameKind::Begin, &(self.turn, None::<()>));
    }

    /// A turn begins.
    pub fn begin_turn(&mut self, event: &WitEvent, arguments: u32, attachments: &[Bytes]) {
        self.turn += 1;
        self.turns += 1;
        let attachments: Vec<Blob<'_>> = attachments.iter().map(|bytes| Blob(bytes)).collect();
        self.frame(FrameKind::Begin, &(self.turn, Some((event, arguments, attachments))));
    }

    /// The guest calls the host. [`Recorder::answered`] must follow, unless the guest is cut off in this call.
    pub fn called<A: TapeWrite>(&mut self, name: &str, args: &A) {
        if self.is_lost {
            return;
        }
        if self.recorded_bytes() > 2 * self.bytes_max() + BEYOND {
            self.lose();
            return;
        }
        let start = frames::open(&mut self.bytes, FrameKind::Call);
        self.bytes.push(name.len() as u8);
        self.bytes.extend_from_slice(name.as_bytes());
        let at = self.bytes.len();
        self.bytes.extend_from_slice(&[0; frames::LENGTH_BYTES]);
        args.write_to(&mut self.bytes);
        frames::close(&mut self.bytes, at);
        self.open = Some(start);
    }

    /// The host answers.
    pub fn answered<T: TapeWrite>(&mut self, answer: &TapedAnswer<T>) {
        if let Some(start) = self.open.take() {
            answer.write_to(&mut self.bytes);
            frames::close(&mut self.bytes, start);
        }
    }

    /// Takes what another life drew in its call of this number.
    pub fn give(&mut self, calls: &[TapedCall], end: &TapedEnd) {
        self.wasi.give(&end.clocks, &end.random);
        let drawn = calls.iter().filter(|call| call.name == DRAWING);
        self.given = drawn.map(|call| (call.args.clone(), call.answer.clone())).collect();
    }

    /// The answer that is given in place of another one, as postcard writes it.
    pub fn given<A: TapeWrite>(&mut self, name: &str, args: &A) -> Option<Vec<u8>> {
        if self.given.is_empty() || name != DRAWING {
            return None;
        }
        let mut written = Vec::new();
        args.write_to(&mut written);
        self.given.pop_front().filter(|(args, _)| *args == written).map(|(_, answer)| answer)
    }

    /// The call of the guest ends, whose instance has so much memory then.
    pub fn ended(&mut self, end: TapedEnd, memory_bytes: usize) {
        self.memory_bytes = memory_bytes;
        // A call that nobody answered, because the guest was cut off while it waited, is left out.
        if let Some(start) = self.open.take() {
            self.bytes.truncate(start);
        }
        let Some((clocks, random)) = self.wasi.take() else { return self.lose() };
        self.frame(FrameKind::End, &TapedEnd { clocks, random, ..end });
        self.grow();
        self.charge();
    }

    /// Makes place for all of the tape, once a part of it is there.
    fn grow(&mut self) {
        let bytes = self.bytes_max();
        let whole = self.base_bytes.saturating_add(bytes).saturating_add(bytes / GROWN_PART);
        if self.recorded_bytes() >= bytes / GROWN_PART && self.bytes.capacity() < whole && !self.is_full() {
            spare::grow(&mut self.bytes, whole);
        }
    }

    /// The room decides what becomes of the turn.
    pub fn judged(&mut self, verdict: &TapedVerdict) {
        self.frame(FrameKind::Verdict, verdict);
    }

    /// Something happens between two turns.
    pub fn between(&mut self, what: &BetweenTurns) {
        self.frame(FrameKind::Between, what);
    }

    fn frame<T: TapeWrite>(&mut self, kind: FrameKind, value: &T) {
        if !self.is_lost {
            frames::whole(&mut self.bytes, kind, value);
        }
    }

    fn lose(&mut self) {
        self.is_lost = true;
        self.open = None;
        self.bytes = Vec::new();
        self.charge();
    }

    fn charge(&mut self) {
        let bytes = self.bytes.capacity();
        if bytes == self.charged {
            // As at nearly every turn; the account is one for all threads.
            return;
        }
        if let Some(more) = bytes.checked_sub(self.charged) {
            self.account.memory.add(more);
        } else {
            self.account.memory.give(self.charged - bytes);
        }
        self.charged = bytes;
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.account.memory.give(self.charged);
        spare::keep(std::mem::take(&mut self.bytes));
    }
}

#[cfg(test)]
mod tests {
    use super::super::data::{TapedEffects, TapedOutcome};
    use super::*;
    use crate::model::limits::Layers;
    use crate::model::names::TenantName;
    use crate::tenant::Tenants;

    #[test]
    fn the_tape_of_an_instance_with_much_memory_holds_more() {
        let account = Tenants::new(Default::default(), Layers::default(), 1).account(&TenantName::default_tenant());
        for (memory_bytes, holds) in [(30_000, 10_000), (400_000, 100_000), (usize::MAX, MORE_FOR_MEMORY)] {
            let bound = TapeBound { turns: 9, bytes: 10_000 };
            let mut recorder = Recorder::new(&TapeBase::default(), bound, Arc::clone(&account));
            recorder.begin_init();
            let (outcome, effects) = (TapedOutcome::Answered(None), TapedEffects::default());
            let end = TapedEnd { outcome, clocks: Vec::new(), random: Vec::new(), cpu_ns: 0, effects };
            recorder.ended(end, memory_bytes);
            assert_eq!(recorder.bytes_max(), holds);
        }
    }

    #[test]
    fn what_a_tape_begins_with_fills_none_of_it() {
        let account = Tenants::new(Default::default(), Layers::default(), 1).account(&TenantName::default_tenant());
        let bound = TapeBound { turns: 9, bytes: 10_000 };
        // How many bytes it begins with, and how many calls of 2,000 bytes it then has place for.
        for (begins_with, calls) in [(0, 4), (2_000, 4), (10_000, 19), (3 * BEYOND, 2_071)] {
            let storage = Some(vec![("key".to_owned(), vec![0; begins_with])]);
            let base = TapeBase { storage, ..TapeBase::default() };
            let mut recorder = Recorder::new(&base, bound, Arc::clone(&account));
            assert!(!recorder.is_full(), "the room would sleep after each turn");
            for _ in 0..calls {
                recorder.called("storage.get", &vec![1_u8; 2_000]);
                recorder.answered(&TapedAnswer::Value(()));
            }
            assert!(!recorder.is_full() && recorder.frames().is_some(), "{begins_with}");
            recorder.called("storage.get", &vec![1_u8; 2_000]);
            recorder.called("storage.get", &vec![1_u8; 2_000]);
            assert!(recorder.is_full(), "{begins_with}");
        }
        assert_eq!(account.memory.used(), 0);
    }
}
