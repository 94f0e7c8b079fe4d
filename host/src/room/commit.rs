//! How turns become true: storage first, then members and timers, then emits in call order, then closes. Later turns run
//! meanwhile, on what earlier ones left; nothing that they say overtakes.

use std::borrow::Cow;
use std::sync::atomic::Ordering;

use super::actor::Room;
use super::failure::TurnFailure;
use super::gate::{Held, Origin, Output, TurnKind};
use crate::model::effect::{Batch, Close, Effects, Emit};
use crate::model::state::StateMark;
use crate::model::turn::Turn;
use crate::protocol::close::CloseReason;
use crate::protocol::verani;
use crate::storage::{Durability, Durable, StorageError};

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

/// Writes failed, and with them every turn from theirs on.
pub(super) struct Broken {
    /// The state before the first of these turns.
    start: StateMark,
    pub(super) turns: Vec<Lost>,
    pub(super) failure: TurnFailure,
}

/// A turn whose writes failed, or that rests on one.
pub(super) struct Lost {
    pub(super) origin: Origin,
    /// What was to be said of a rejection, which holds whatever becomes of the writes.
    pub(super) output: Option<Output>,
}

impl Room {
    /// A turn succeeded. It is said at once where it and the turns before it wrote nothing.
    pub(super) async fn commit(&mut self, origin: Origin, turn: Box<Turn>) {
        let bytes = turn.room_bytes();
        let (state, start, Effects { batch, emits, closes }) = turn.end();
        self.state = state;
        let output = Output::Turn { emits, closes };
        if batch.is_empty() && self.gate.is_empty() {
            self.state.keep(self.state.mark());
            return self.say(output).await;
        }
        let mut held = Held::new(origin, start, self.state.mark(), output);
        self.write(&mut held, batch, bytes);
        self.gate.push(held);
        self.let_out().await;
    }

    /// Hands over a turn's writes. `bytes` is what the room's entries take with them.
    fn write(&self, held: &mut Held, batch: Batch, bytes: usize) {
        if batch.is_empty() {
            return;
        }
        self.plugin.account().storage.change(self.storage.kept().bytes, bytes);
        held.bytes += batch.bytes();
        held.sets_alarm = batch.alarm.is_some();
        held.batch = Some(self.storage.write(batch, bytes, self.plugin.durability));
    }

    /// Forgets the alarm outside of any turn.
    pub(super) fn forget_alarm(&mut self, origin: Origin) {
        let (mark, nothing) = (self.state.mark(), Output::Turn { emits: Vec::new(), closes: Vec::new() });
        let mut held = Held::new(origin, mark, mark, nothing);
        self.write(&mut held, Batch { alarm: Some(None), ..Batch::default() }, self.storage.kept().bytes);
        self.gate.push(held);
    }

    /// Says what was rejected, behind all that was said before.
    pub(super) fn hold_rejection(&mut self, origin: Origin, failure: TurnFailure) {
        let (mark, socket) = (self.state.mark(), origin.socket);
        let origin = Origin { kind: TurnKind::Rejected, ..origin };
        self.gate.push(Held::new(origin, mark, mark, Output::Rejection { socket, failure }));
    }

    /// The oldest turn at the gate is settled. The room's state may be away with a turn that runs.
    pub(super) async fn settle(&mut self, settled: Result<Durable, StorageError>) {
        let durable = match settled {
            Ok(durable) => durable,
            Err(why) => return self.fail(&why),
        };
        let Some(held) = self.gate.pop() else { return };
        if let Some((number, _)) = held.batch {
            self.plugin.account().cpu.charge(durable.cpu.as_nanos() as u64);
            self.storage.written(number);
        }
        self.settled_to = Some(held.end);
        if held.sets_alarm {
            self.alarms.set(&self.shared.key, self.storage.durable_alarm());
        }
        if let Some(output) = held.output {
            self.say(output).await;
        }
        self.let_out().await;
    }

    /// Waits until the oldest turn at the gate is settled. Not for while a turn runs.
    pub(super) async fn settle_next(&mut self) {
        let settled = self.gate.settled().await;
        self.settle(settled).await;
        self.recover();
    }

    /// Waits until nothing is held back.
    pub(super) async fn until_said(&mut self) {
        while self.gate.holds_output() {
            self.settle_next().await;
        }
    }

    /// Notes that writes failed; what follows is for when the state is back.
    fn fail(&mut self, why: &StorageError) {
        let held = self.gate.fail();
        let Some(start) = held.first().map(|first| first.start) else { return };
        let turns = held.into_iter().map(|held| Lost { origin: held.origin, output: held.output });
        self.broken = Some(Box::new(Broken {
            start,
            turns: turns.collect(),
            failure: TurnFailure::of_storage(&self.shared, why),
        }));
    }

    /// Keeps what is settled; after a failed write, goes back to what is durable.
    pub(super) fn recover(&mut self) {
        if let Some(mark) = self.settled_to.take() {
            self.state.keep(mark);
        }
        let Some(broken) = self.broken.take() else { return };
        let Broken { start, turns, failure } = *broken;
        self.state.roll_back(start);
        let before = self.storage.kept().bytes;
        self.storage.failed();
        self.plugin.account().storage.change(before, self.storage.kept().bytes);
        // What the instance remembers may rest on what was not written.
        self.lose_instance();
        self.alarms.ensure(&self.shared.key, self.storage.durable_alarm());
        self.lost.extend(turns.into_iter().map(|lost| (lost, failure.clone())));
    }

    /// What follows for each turn that was lost: it is told, and `$error` runs, after `$restore`.
    pub(super) async fn follow_losses(&mut self) {
        while let Some((Lost { origin, output }, failure)) = self.lost.pop_front() {
            if origin.kind == TurnKind::Rejected {
                if let Some(rejection) = output {
                    self.say(rejection).await;
                }
                continue;
            }
            self.tell(&origin, &failure);
            match (origin.kind, origin.socket) {
                (TurnKind::Connect, Some(socket)) => self.refuse(socket),
                (TurnKind::Alarm, _) => self.alarm_failed(),
                _ => {}
            }
            if !matches!(origin.kind, TurnKind::Error | TurnKind::Restore | TurnKind::Resume) {
                self.follow_up(&origin, &failure).await;
            }
        }
    }

    /// Under relaxed durability, says what may be lost for a moment.
    async fn let_out(&mut self) {
        if self.plugin.durability == Durability::Relaxed {
            while let Some(output) = self.gate.next_relaxed() {
                self.say(output).await;
            }
        }
    }

    async fn say(&mut self, output: Output) {
        let (emits, closes) = match output {
            Output::Turn { emits, closes } => (emits, closes),
            Output::Rejection { socket, failure } => return self.send_error(socket, &failure),
        };
        self.shared.stats.turns.fetch_add(1, Ordering::Relaxed);
        for emit in emits {
            self.deliver(emit).await;
        }
        for Close { socket, code, reason } in closes {
            if let Some(outbound) = self.outbound.get(&socket) {
                outbound.close(CloseReason { code, reason: Cow::Owned(reason) });
            }
        }
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
