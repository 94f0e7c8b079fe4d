//! How a turn becomes true: storage first, then members, then emits in call order, then closes.

use std::borrow::Cow;
use std::sync::atomic::Ordering;

use super::actor::Room;
use super::failure::TurnFailure;
use crate::model::effect::{Close, Emit};
use crate::model::turn::Turn;
use crate::protocol::close::CloseReason;
use crate::protocol::verani;
use crate::storage::{Batch, Durability};

/// A fan-out gives way to other tasks of its thread after so many deliveries.
const DELIVERIES_AT_ONCE: usize = 256;
/// The same in bytes that one socket may have been sent meanwhile: a quarter of what its queue holds, so that nobody who
/// reads is taken for slow.
const BYTES_AT_ONCE: usize = 256 << 10;

/// How much a room has queued without giving way.
#[derive(Debug, Default)]
pub(super) struct Delivered {
    frames: usize,
    bytes: usize,
}

impl Room {
    /// Nothing is said before what was written is safe; where writing fails, nothing is said at all.
    pub(super) async fn commit(&mut self, mut turn: Box<Turn>) -> Result<(), TurnFailure> {
        let writes = turn.take_writes();
        if !writes.is_empty() {
            let before = self.storage.bytes();
            let batch = Batch { writes, alarm: None };
            if let Err(why) = self.storage.commit(batch, Durability::Strict).await {
                self.members = turn.roll_back();
                // What the instance remembers may rest on what was not written.
                self.lose_instance();
                return Err(TurnFailure::of_storage(&why));
            }
            self.shared.plugin.account().storage.change(before, self.storage.bytes());
        }
        self.shared.stats.turns.fetch_add(1, Ordering::Relaxed);
        let (members, effects) = turn.commit();
        self.members = members;
        for emit in effects.emits {
            self.deliver(emit).await;
        }
        for Close { socket, code, reason } in effects.closes {
            if let Some(outbound) = self.outbound.get(&socket) {
                outbound.close(CloseReason { code, reason: Cow::Owned(reason) });
            }
        }
        Ok(())
    }

    /// Queues one frame, encoded once, for each socket of the audience that is still there.
    pub(super) async fn deliver(&mut self, emit: Emit) {
        let frame = verani::encode(&emit.channel, &emit.event, &emit.data);
        self.unyielded.bytes += frame.len();
        for id in emit.audience.iter() {
            if let Some(outbound) = self.outbound.get(&id) {
                outbound.push(frame.clone());
            }
            self.unyielded.frames += 1;
            if self.unyielded.frames >= DELIVERIES_AT_ONCE || self.unyielded.bytes >= BYTES_AT_ONCE {
                self.unyielded = Delivered::default();
                self.lane.give_way().await;
            }
        }
    }
}
