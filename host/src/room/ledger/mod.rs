//! How turns become durable. The ledger hands a turn's writes to the store, holds what the turn says until they are
//! durable, and takes everything back where they fail. It runs no task, and knows neither sockets nor plugins: its
//! owner tells it what happened, and it answers what may be said now.
//!
//! What it promises: nothing that a turn says overtakes what an earlier turn said. Nobody hears of a turn before its
//! writes and those before it are durable, or, under relaxed durability, at most 100 ms behind the oldest of them.
//! Where writes fail, every later turn fails with them. What rests on no writes reaches its socket in any case, in its
//! place in the order.

mod bounds;
mod gate;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use self::bounds::TenantBounds;
use self::gate::{Gate, HeldBatch, HeldTurn};
use super::turn::{FailedTurn, Loss, Origin, Output, TurnFailure};
use crate::model::effect::{Acknowledgement, Batch, Effects, UnixMs};
use crate::model::history::{HISTORY_PREFIX, HistoryWrite, StoredHistories};
use crate::model::limits::Limits;
use crate::model::state::{RoomState, StateMark};
use crate::model::turn::{EndedTurn, StorageUse, TenantStorage};
use crate::storage::view::StorageView;
use crate::storage::{Durability, Durable, PageBounds, Storage, StorageError, StoredRoom};
use crate::tenant::Account;
use crate::tenant::costs::HandlerPlace;
use crate::traces::TraceParent;

/// How much of the stored histories one read takes.
const HISTORY_PAGE: PageBounds = PageBounds { entries: 512, bytes: 256 << 10 };

/// A room's turns and writes on their way to the disk.
pub(super) struct Ledger {
    view: Arc<StorageView>,
    backend: Arc<dyn Storage>,
    account: Arc<Account>,
    /// The tenant's bounds, which turns check at each write; made for the first turn that may write.
    bounds: Option<Arc<dyn TenantStorage>>,
    gate: Gate,
    /// What the room keeps, batches on their way included. A copy of what the view knows, so that turns need no lock
    /// for it. `is_known` once the room asked to keep anything.
    kept: StoredRoom,
    /// Up to where the state is safe; set while the state is away with a turn, for [`Ledger::reconcile`].
    kept_to: Option<StateMark>,
    /// Writes that failed while the state was away with a turn.
    broken: Option<Box<Broken>>,
    /// Turns that were lost with their writes, until [`Ledger::next_loss`] takes them.
    lost: VecDeque<Loss>,
}

/// Writes failed, and with them every turn from theirs on.
struct Broken {
    /// The state before the first of these turns.
    start: StateMark,
    losses: Vec<Loss>,
    failure: TurnFailure,
}

/// What follows when the oldest turn is settled.
#[derive(Debug, Default)]
pub(super) struct Settled {
    /// What may be said now.
    pub(super) output: Option<Output>,
    /// Whether the durable alarm changed.
    pub(super) sets_alarm: bool,
    /// How long the turn's writes were on their way, where it made any.
    pub(super) commit_wait: Option<Duration>,
    /// The handler of that turn.
    pub(super) handler: HandlerPlace,
    /// Its span, where somebody wants to know of it.
    pub(super) span: Option<Box<TraceParent>>,
}

impl Ledger {
    pub(super) fn new(view: Arc<StorageView>, backend: Arc<dyn Storage>, account: Arc<Account>) -> Self {
        Self {
            kept: view.kept(),
            view,
            backend,
            account,
            bounds: None,
            gate: Gate::default(),
            kept_to: None,
            broken: None,
            lost: VecDeque::new(),
        }
    }

    /// The room's storage, for its instances.
    pub(super) fn view(&self) -> &Arc<StorageView> {
        &self.view
    }

    /// What a turn that may write has to know of the room's storage, without a lock.
    pub(super) fn storage_use(&mut self) -> StorageUse {
        let bounds = self.bounds.get_or_insert_with(|| {
            Arc::new(TenantBounds { account: Arc::clone(&self.account), backend: Arc::clone(&self.backend) })
        });
        let StoredRoom { bytes, alarm, is_known } = self.kept;
        StorageUse { room_bytes: bytes, keeps_already: is_known, alarm, tenant: Some(Arc::clone(bounds)) }
    }

    /// The histories that the room's storage holds. Only while all turns are settled.
    pub(super) async fn stored_histories(&mut self) -> Result<StoredHistories, StorageError> {
        let mut stored = StoredHistories::default();
        if !self.is_anything_stored() {
            return Ok(stored);
        }
        let (nothing, mut after) = (BTreeMap::new(), None);
        loop {
            let page = self.view.scan(HISTORY_PREFIX, after.as_deref(), HISTORY_PAGE, &nothing).await?;
            page.entries.iter().for_each(|(key, value)| stored.add(key, value));
            match page.entries.last() {
                Some((key, _)) if !page.is_last => after = Some(key.clone()),
                _ => return Ok(stored),
            }
        }
    }

    /// When the alarm is due, by the latest write, durable or not.
    pub(super) fn alarm(&self) -> Option<UnixMs> {
        self.kept.alarm
    }

    /// When the durable alarm is due.
    pub(super) fn durable_alarm(&self) -> Option<UnixMs> {
        self.view.durable_alarm()
    }

    /// Whether the room's storage holds anything.
    pub(super) fn is_anything_stored(&self) -> bool {
        self.kept.is_known
    }

    /// Whether no turn waits for its writes.
    pub(super) fn is_settled(&self) -> bool {
        self.gate.is_empty()
    }

    /// Whether the next turn must wait until the oldest one is settled.
    pub(super) fn is_full(&self, limits: &Limits) -> bool {
        self.gate.is_full(limits)
    }

    /// Whether something waits to be said.
    pub(super) fn holds_output(&self) -> bool {
        self.gate.holds_output()
    }

    /// Commits a turn that succeeded, whose state is back, with its acknowledgement. Answers what may be said now: what the
    /// turn says, where
    /// neither it nor a turn before it has writes on their way.
    pub(super) fn commit(
        &mut self,
        state: &mut RoomState,
        origin: Origin,
        ended: EndedTurn,
        answer: Option<Acknowledgement>,
        durability: Durability,
    ) -> Option<Output> {
        let EndedTurn { start, effects: Effects { batch, emits, elsewhere, closes }, room_bytes, histories } = ended;
        let accepted_ns = origin.accepted_ns;
        let output =
            Output::Turn { welcomes: origin.welcomes(), histories, emits, answer, elsewhere, closes, accepted_ns };
        if batch.is_empty() && self.gate.is_empty() {
            state.make_final(state.mark());
            return Some(output);
        }
        let batch = self.write(batch, room_bytes, durability);
        self.gate.push(HeldTurn::new(Some(origin), start, state.mark(), output).with_batch(batch));
        self.next_relaxed(durability)
    }

    /// Hands a turn's writes to the store. `bytes` is what the room's entries take after them, as charged to the tenant.
    fn write(&mut self, batch: Batch, bytes: usize, durability: Durability) -> Option<HeldBatch> {
        if batch.is_empty() {
            return None;
        }
        let alarm = batch.alarm.unwrap_or(self.kept.alarm);
        self.kept = StoredRoom { bytes, alarm, is_known: true };
        let sets_alarm = batch.alarm.is_some();
        let batch_bytes = batch.bytes();
        let (number, written) = self.view.write(batch, bytes, durability);
        Some(HeldBatch { number, written, bytes: batch_bytes, sets_alarm })
    }

    /// Forgets the alarm outside of any turn.
    pub(super) fn forget_alarm(&mut self, state: &RoomState, origin: Origin, durability: Durability) {
        let batch = Batch { alarm: Some(None), ..Batch::default() };
        self.change(state, origin, batch, self.kept.bytes, durability);
    }

    /// Changes what the storage holds of histories, outside of any turn: entries go that nobody can ask for any more, or gaps
    /// begin.
    pub(super) fn change_histories(&mut self, state: &RoomState, changed: Vec<HistoryWrite>, durability: Durability) {
        let before: usize = changed.iter().map(|write| write.old_bytes).sum();
        let after: usize = changed.iter().map(HistoryWrite::new_bytes).sum();
        self.account.storage.change(before, after);
        let writes = changed.into_iter().map(|write| (write.key, write.value)).collect();
        let left = (self.kept.bytes + after).saturating_sub(before);
        self.change(state, Origin::of_host("history"), Batch { writes, ..Batch::default() }, left, durability);
    }

    /// Writes what no turn asked for.
    fn change(&mut self, state: &RoomState, origin: Origin, batch: Batch, bytes: usize, durability: Durability) {
        let mark = state.mark();
        let (histories, emits, elsewhere, closes) = Default::default();
        let nothing =
            Output::Turn { welcomes: None, histories, emits, answer: None, elsewhere, closes, accepted_ns: 0 };
        let batch = self.write(batch, bytes, durability);
        self.gate.push(HeldTurn::new(Some(origin), mark, mark, nothing).with_batch(batch));
    }

    /// Takes what rests on no writes: a rejection, the close of a socket. Answers it at once where it overtakes nothing
    /// that waits.
    pub(super) fn in_order(&mut self, state: &RoomState, words: Output) -> Option<Output> {
        if !self.gate.holds_output() {
            return Some(words);
        }
        let mark = state.mark();
        self.gate.push(HeldTurn::new(None, mark, mark, words));
        None
    }

    /// Waits until the writes of the oldest turn are durable, or have failed; [`Ledger::settle`] must follow.
    pub(super) async fn settled(&mut self) -> Result<Durable, StorageError> {
        self.gate.settled().await
    }

    /// Takes the oldest turn from the gate, whose writes are durable or failed. The room's state may be away with a
    /// turn.
    pub(super) fn settle(&mut self, settled: &Result<Durable, StorageError>) -> Settled {
        if let Err(why) = settled {
            self.fail(why);
            return Settled::default();
        }
        let Some(held) = self.gate.pop() else { return Settled::default() };
        let commit_wait = held.waited();
        if let Some(number) = held.batch() {
            self.view.written(number);
            self.kept = self.view.kept();
        }
        self.kept_to = Some(held.end);
        let sets_alarm = held.sets_alarm();
        let (handler, span) = held.origin.map(|origin| (origin.handler, origin.span)).unwrap_or_default();
        Settled { sets_alarm, commit_wait, handler, span, output: held.output }
    }

    /// Under relaxed durability, the next output that may leave although it may still be lost. Call it until it answers
    /// none.
    pub(super) fn next_relaxed(&mut self, durability: Durability) -> Option<Output> {
        match durability {
            Durability::Relaxed => self.gate.next_relaxed(),
            Durability::Strict => None,
        }
    }

    /// Notes that writes failed. [`Ledger::reconcile`] does the rest, once the state is back.
    fn fail(&mut self, why: &StorageError) {
        let failure = TurnFailure::of_storage(why);
        let held = self.gate.fail();
        let Some(start) = held.first().map(|first| first.start) else { return };
        let loss = |held: HeldTurn| match held.origin {
            Some(origin) => {
                // Under relaxed durability the acknowledgement may have left, and then no other follows.
                let ack = origin.ack.filter(|_| held.output.is_some());
                Some(Loss::Turn(FailedTurn { origin: Origin { ack, ..origin }, failure: failure.clone() }))
            }
            // Words that have left already need nothing more.
            None => held.output.map(Loss::Words),
        };
        let losses = held.into_iter().filter_map(loss).collect();
        self.broken = Some(Box::new(Broken { start, losses, failure }));
    }

    /// Whether writes failed that the running turn rests on.
    pub(super) fn is_broken(&self) -> bool {
        self.broken.is_some()
    }

    /// Adds a turn to the lost ones, because the writes that it ran on failed meanwhile.
    pub(super) fn lose(&mut self, origin: Origin) {
        if let Some(broken) = &mut self.broken {
            broken.losses.push(Loss::Turn(FailedTurn { origin, failure: broken.failure.clone() }));
        }
    }

    /// Brings the state, which is back from a turn, up to date: keeps what is settled, and after a failed write rolls
    /// it back to what is durable. Says whether it rolled back: then what the instance remembers may rest on the lost
    /// writes.
    pub(super) fn reconcile(&mut self, state: &mut RoomState) -> bool {
        if let Some(mark) = self.kept_to.take() {
            state.make_final(mark);
        }
        let Some(broken) = self.broken.take() else { return false };
        let Broken { start, losses, .. } = *broken;
        state.roll_back(start);
        self.view.failed();
        let before = self.kept.bytes;
        self.kept = self.view.kept();
        self.account.storage.change(before, self.kept.bytes);
        self.lost.extend(losses);
        true
    }

    /// Whether there are lost turns that [`Ledger::next_loss`] has not taken.
    pub(super) fn has_losses(&self) -> bool {
        !self.lost.is_empty()
    }

    /// Takes the next loss, in the order of the turns.
    pub(super) fn next_loss(&mut self) -> Option<Loss> {
        self.lost.pop_front()
    }
}
