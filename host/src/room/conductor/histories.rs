//! Which channels' histories the room keeps, and what the host itself says to such a channel.

use std::sync::Arc;

use super::Conductor;
use crate::clock::unix_ms;
use crate::model::body::{Body, Payload};
use crate::model::effect::Whom;
use crate::model::event::SocketId;
use crate::model::history::{HistoryBounds, HistoryKeep, epoch_of};
use crate::model::json::Json;
use crate::model::turn::{EmitTarget, Turn};
use crate::protocol::close::CloseReason;
use crate::randomness;
use crate::room::turn::{Origin, Output};
use crate::storage::Durability;

/// An epoch that no history had before.
fn new_epoch(durability: Durability) -> Arc<str> {
    let mut bytes = [0; 6];
    let word = match randomness::fill(&mut bytes) {
        Ok(()) => bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>(),
        Err(_) => format!("{:x}", unix_ms() as u64),
    };
    epoch_of(&word, durability == Durability::Relaxed)
}

impl Conductor {
    /// Keeps the histories that a new instance asked for in its `init`, and no others. The first time, and after writes
    /// that failed, it reads what the room's storage holds.
    pub(super) async fn keep_histories(&mut self, wanted: &[HistoryKeep]) {
        let rereads = !std::mem::replace(&mut self.knows_histories, true);
        let changes = !self.people.state.histories.kept().eq(wanted);
        if !(changes || rereads && self.ledger.is_anything_stored()) {
            return self.give_up_histories();
        }
        self.until_settled().await;
        let stored = match rereads {
            true => self.ledger.stored_histories().await.map(Some),
            false => Ok(None),
        };
        let stored = match stored {
            Ok(stored) => stored,
            Err(why) => {
                log!(error, &self.door.key, cause = %why, "the room's histories cannot be read");
                return self.end(CloseReason::STORAGE_FAILED);
            }
        };
        let account = Arc::clone(self.code.plugin().account());
        let bounds = HistoryBounds { bytes: self.limits.history_bytes, memory: Some(account) };
        let durability = self.durability();
        let histories = &mut self.people.state.histories;
        if rereads {
            histories.forget_durable();
        }
        histories.keep_only(wanted, stored, bounds, || new_epoch(durability));
        if rereads {
            self.doubt_what_was_heard();
        }
        self.give_up_histories();
    }

    /// Gives up the histories that the code does not want. While the room may go back to a version that does, they only have
    /// a gap from now on.
    pub(super) fn give_up_histories(&mut self) {
        let histories = &mut self.people.state.histories;
        let changed = if self.code.is_on_trial() { histories.begin_gaps_aside() } else { histories.give_up_aside() };
        if !changed.is_empty() {
            self.ledger.change_histories(&self.people.state, changed, self.durability());
        }
    }

    /// Under relaxed durability clients may have heard what is not kept: what they heard last says nothing any more.
    pub(super) fn doubt_what_was_heard(&mut self) {
        if self.durability() == Durability::Relaxed {
            self.people.state.histories.renew(|| new_epoch(Durability::Relaxed));
        }
    }

    /// Emits for the host itself; answers to how many sockets. What is said to a channel whose history is kept is said in
    /// a turn, so that its history has it exactly if it leaves.
    pub(in crate::room) async fn announce(&mut self, to: Whom, event: String, data: Json) -> u32 {
        let kept = to.whole_channel().filter(|channel| self.people.state.histories.keeps(channel)).cloned();
        let Some(channel) = kept else {
            // So that the emit does not overtake what turns said before it.
            self.until_said().await;
            return self.people.announce(to, event, data, self.code.lane(), &self.door.mailbox).await;
        };
        // A turn in all but its code, so it waits as turns do where the disk is behind.
        while self.ledger.is_full(&self.limits) {
            self.settle_next().await;
        }
        let storage = self.ledger.storage_use();
        let state = self.people.state.lend();
        let mut turn = Box::new(Turn::begin(state, storage, None, None, unix_ms(), Arc::clone(&self.limits)));
        match turn.emit(EmitTarget::Channel(channel), event, Body::of(Payload::Json(data))) {
            Ok(count) => {
                self.commit(Origin::of_host("emit"), None, turn).await;
                count
            }
            Err(why) => {
                log!(warn, &self.door.key, "an emit of the API or of another room was not sent: {why}");
                self.undo(turn);
                0
            }
        }
    }

    /// What a newcomer hears of histories rested on writes that failed meanwhile.
    pub(super) fn as_it_is_now(&self, words: Output) -> Output {
        match words {
            Output::Welcome { socket, .. } => self.welcome(socket),
            words => words,
        }
    }

    /// What a newcomer hears where no handler wants to know of it.
    pub(in crate::room) fn welcome(&self, socket: SocketId) -> Output {
        Output::Welcome { socket, histories: self.people.histories_for(socket, &self.limits) }
    }
}
