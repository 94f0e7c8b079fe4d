//! Turns, one at a time. The conductor has the code handle an event, judges the outcome, commits it to the ledger and
//! has the people told. Where one of these fails, it does what follows.

mod byhand;
mod histories;
mod losses;
mod spans;
mod waking;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt as _};
use serde_json::json;

use super::code::{Code, Consequence};
use super::handle::RoomHandle;
use super::judgement::{Circumstances, Judgement, judge};
use super::ledger::Ledger;
use super::owner::Penalty;
use super::people::People;
use super::turn::{FailedTurn, Origin, Output, TurnEnd, TurnFailure, TurnKind};
use crate::alarms::Alarms;
use crate::clock::unix_ms;
use crate::guest::instance::{Fault, Outcome};
use crate::model::body::Body;
use crate::model::effect::Acknowledgement;
use crate::model::event::{Event, SocketId, hook};
use crate::model::json::Json;
use crate::model::limits::Limits;
use crate::model::refusal::Bound;
use crate::model::text::{for_log, printable};
use crate::model::turn::{StorageUse, Turn, TurnTally};
use crate::plugin::failures::FailureRecord;
use crate::protocol::close::CloseReason;
use crate::storage::{Durability, Durable, StorageError, StorageErrorKind};
use crate::tenant::costs::TurnCost;
use crate::tenant::latency::Timed;

/// The three parts of a room, and the turns that run through them.
pub(super) struct Conductor {
    /// What the room shares with others: its key, its mailbox and its figures.
    pub(super) door: RoomHandle,
    pub(super) people: People,
    pub(super) ledger: Ledger,
    pub(super) code: Code,
    pub(super) alarms: Arc<Alarms>,
    pub(super) limits: Arc<Limits>,
    /// When the client's event that the room handles got its place, by `clock::now_ns`; 0 for all else.
    pub(super) accepted_ns: u64,
    /// Whether the room knows which histories its storage holds.
    pub(super) knows_histories: bool,
}

/// When an alarm that failed rings again: after the first time, which doubles, and after the longest at most.
pub(super) fn alarm_retries(limits: &Limits) -> [Duration; 2] {
    [limits.alarm_retry_ms, limits.alarm_retry_max_ms].map(Duration::from_millis)
}

impl Conductor {
    /// Ends the room after what it is doing now, and closes its sockets with this reason.
    pub(super) fn end(&mut self, reason: CloseReason) {
        // Who ends it first says why.
        let _ = self.door.ended_with.set(reason);
    }

    /// Notes that the room has handled one of a socket's events.
    pub(super) fn handled(&mut self, socket: SocketId) {
        self.accepted_ns = 0;
        self.people.handled(socket);
    }

    pub(super) fn is_ending(&self) -> bool {
        self.door.ended_with.get().is_some()
    }

    pub(super) fn durability(&self) -> Durability {
        self.code.plugin().durability
    }

    /// Gives an event a turn, and does what follows if it fails. Answers what the handler answered, where the turn
    /// committed and its sender waits for no acknowledgement.
    pub(super) async fn give(&mut self, event: Event) -> Option<Body> {
        match self.turn(event).await {
            TurnEnd::Committed(answer) => answer,
            TurnEnd::Lost => None,
            TurnEnd::Failed(failed) => {
                self.tell(&failed).await;
                self.follow_up(&failed).await;
                None
            }
        }
    }

    /// Does what follows a failed turn: makes a new instance where the old one is lost, and runs `$error` in a turn of
    /// its own. If that fails, the log says so and nothing more follows.
    pub(super) async fn follow_up(&mut self, FailedTurn { origin, failure }: &FailedTurn) {
        if !self.make_ready().await || !failure.runs_error_hook() || !self.code.asks_for(hook::ERROR) {
            return;
        }
        let payload = Json::of(&json!({ "event": origin.name, "code": failure.code, "message": failure.message }));
        let hook = Event::hook(hook::ERROR, Some(payload), origin.socket, unix_ms());
        let event = Event { caused_by: origin.caused_by, ..hook };
        if let TurnEnd::Failed(again) = self.turn(event).await {
            self.tell(&again).await;
        }
    }

    /// Runs one turn: it commits, or it leaves no trace. Where its writes fail later, it becomes one of the lost turns.
    pub(super) async fn turn(&mut self, event: Event) -> TurnEnd {
        let (origin, span) = self.originate(&event);
        self.code.note_turn();
        let again = self.code.can_go_back_from(origin.kind).then(|| Box::new(event.clone()));
        let Some(instance) = self.code.take() else {
            return TurnEnd::Failed(FailedTurn { origin, failure: TurnFailure::no_instance() });
        };
        let turn = self.begin(&event, origin.kind);
        let (instance, turn, outcome) = if self.ledger.is_settled() {
            self.code.call(instance, event, turn).await
        } else {
            self.settling_meanwhile(self.code.call_meanwhile(instance, event, turn).boxed()).await
        };
        let executed = self.code.put_back(instance);
        if self.ledger.view().is_gone() {
            self.end(CloseReason::STORAGE_FAILED);
        }
        if let Outcome::Faulted(fault) = &outcome {
            self.faulted(&origin, fault);
        }
        let judgement = judge(
            outcome,
            Circumstances {
                poison: turn.poison(),
                rests_on_failed_writes: self.ledger.is_broken(),
                answer_bytes_max: match origin.kind {
                    TurnKind::Suspend => Some((self.limits.suspend_bytes, Bound::SuspendBytes)),
                    _ => origin.ack.map(|_| (self.limits.emit_bytes, Bound::EmitBytes)),
                },
                again,
            },
        );
        let cost = self.note_cost(&origin, executed, &turn, &judgement);
        self.end_span(span, &origin, &cost, &judgement);
        self.code.note_verdict(|| judgement.taped());
        match judgement {
            Judgement::Commit(mut answer) => {
                let acknowledgement = origin.acknowledged(&mut answer);
                self.commit(origin, acknowledgement, turn).await;
                if self.code.passed() {
                    self.give_up_histories();
                }
                TurnEnd::Committed(answer)
            }
            Judgement::Lost => {
                self.ledger.lose(origin);
                self.undo(turn);
                TurnEnd::Lost
            }
            Judgement::Fail(failure) => {
                self.undo(turn);
                TurnEnd::Failed(FailedTurn { origin, failure })
            }
            Judgement::GoBack { event, why } => {
                self.undo(turn);
                let by = event.caused_by.and_then(|socket| self.people.visitor(socket));
                let failed = self.code.go_back(&why, None);
                let end = self.turn_again(*event).await;
                // An event that neither version can take says nothing of the new one.
                let is_fault = matches!(&end, TurnEnd::Failed(again) if again.failure.is_fault());
                match failed {
                    Some(_) if is_fault => self.door.forgive(),
                    Some(failed) => self.code.report_back(&failed, &why, by),
                    None => {}
                }
                end
            }
        }
    }

    /// Counts what a turn cost for its handler. What a turn that left no trace asked for was not done.
    fn note_cost(&self, origin: &Origin, cpu_ns: u64, turn: &Turn, judgement: &Judgement) -> TurnCost {
        let failed = match judgement {
            Judgement::Commit(_) => false,
            Judgement::Fail(failure) => !failure.for_sender,
            Judgement::Lost | Judgement::GoBack { .. } => true,
        };
        let is_done = matches!(judgement, Judgement::Commit(_));
        let TurnTally { emits, bytes, deliveries, reads, writes } = turn.tally();
        let done = |count: usize| if is_done { count } else { 0 };
        let (emits, bytes, deliveries) = (done(emits), done(bytes), done(deliveries));
        let cost = TurnCost { failed, cpu_ns, emits, bytes, deliveries, reads, writes: done(writes) };
        self.code.plugin().handlers.note(origin.handler, &cost);
        cost
    }

    /// The code faulted: whoever caused it is slowed or sent away, and after one fault too many the room ends.
    fn faulted(&mut self, origin: &Origin, fault: &Fault) {
        // What took too long may have waited for others.
        let caused_by = origin.caused_by.filter(|_| !matches!(fault, Fault::Timeout));
        let culprit = caused_by.and_then(|socket| Some((socket, self.people.visitor(socket)?)));
        let by = culprit.as_ref().map(|(_, visitor)| visitor);
        let Consequence { penalty, ends } = self.code.faulted(by, &fault.to_string(), &self.people.visitors);
        match (culprit, penalty) {
            (Some((socket, _)), Some(Penalty::Slowed(pause))) => self.people.slow(socket, pause),
            (Some((socket, visitor)), Some(Penalty::Refused)) => self.people.send_away(socket, &visitor),
            _ => {}
        }
        if let Some(reason) = ends {
            self.end(reason);
        }
    }

    /// Gives the same event to the version before, as if for the first time: the turn that failed left no trace.
    fn turn_again(&mut self, event: Event) -> BoxFuture<'_, TurnEnd> {
        Box::pin(async move {
            if self.make_ready().await {
                return self.turn(event).await;
            }
            TurnEnd::Failed(FailedTurn { origin: Origin::of(&event), failure: TurnFailure::no_instance() })
        })
    }

    /// Begins a turn, which takes the room's state with it until it ends or is undone.
    fn begin(&mut self, event: &Event, kind: TurnKind) -> Box<Turn> {
        // Most plugins store nothing, and their turns need not know what is stored.
        let asks_what_is_stored = self.code.plugin().can_store || kind == TurnKind::Alarm;
        let storage = if asks_what_is_stored { self.ledger.storage_use() } else { StorageUse::default() };
        let state = self.people.state.lend();
        let Event { socket, caused_by, accepted_at, .. } = *event;
        let mut turn = Turn::begin(state, storage, socket, caused_by, accepted_at, Arc::clone(&self.limits));
        if kind == TurnKind::Alarm {
            turn.forget_alarm();
        }
        Box::new(turn)
    }

    /// Commits a turn that succeeded. What it says leaves at once where neither it nor a turn before it waits for
    /// writes.
    async fn commit(&mut self, origin: Origin, answer: Option<Acknowledgement>, turn: Box<Turn>) {
        let (state, mut ended) = turn.end();
        self.people.state.bring_back(state);
        if let Some(socket) = origin.welcomes() {
            ended.histories = self.people.histories_for(socket, &self.limits);
        }
        let durability = self.durability();
        let output = self.ledger.commit(&mut self.people.state, origin, ended, answer, durability);
        self.say(output).await;
        self.reconcile();
    }

    /// Rolls back a turn, so that it leaves no trace.
    fn undo(&mut self, turn: Box<Turn>) {
        self.people.state.bring_back(turn.roll_back());
        self.reconcile();
    }

    /// Applies to the state, which is back from a turn, what became of writes meanwhile.
    fn reconcile(&mut self) {
        if self.ledger.reconcile(&mut self.people.state) {
            // What the instance remembers may rest on the writes that failed.
            self.code.lose();
            self.knows_histories = false;
            self.doubt_what_was_heard();
            self.alarms.ensure(&self.door.key, self.ledger.durable_alarm());
        }
    }

    /// Sends what may leave now, and under relaxed durability the outputs that wait behind it.
    async fn say(&mut self, mut next: Option<Output>) {
        // Spoken where it lies: each time that it moved, it would be copied, for every message.
        while let Some(output) = &mut next {
            let mut elsewhere = Vec::new();
            if let Output::Turn { elsewhere: said, .. } = output {
                self.door.stats.turns.fetch_add(1, Ordering::Relaxed);
                elsewhere = std::mem::take(said);
            }
            self.people.say(output, self.code.lane(), &self.door.mailbox).await;
            self.code.say_elsewhere(elsewhere).await;
            next = self.ledger.next_relaxed(self.durability());
        }
    }

    /// Waits for a call, and meanwhile sends the outputs whose writes become durable.
    async fn settling_meanwhile<T>(&mut self, mut call: BoxFuture<'_, T>) -> T {
        while !self.ledger.is_settled() {
            let settled = tokio::select! {
                biased;
                done = &mut call => return done,
                settled = self.ledger.settled() => settled,
            };
            // Boxed, so that it takes no memory of the room's task at other times. Sending may give way in the tenant's
            // lane, and the call may stand in the same line before it: unless both are polled, neither goes on.
            let mut settling = Box::pin(self.settle(settled));
            let mut done = None;
            loop {
                tokio::select! {
                    biased;
                    () = &mut settling => break,
                    answer = &mut call, if done.is_none() => done = Some(answer),
                }
            }
            drop(settling);
            if let Some(done) = done {
                return done;
            }
        }
        call.await
    }

    /// Takes the oldest turn from the gate: its writes are durable, or failed. The room's state may be away with a turn.
    async fn settle(&mut self, settled: Result<Durable, StorageError>) {
        if let Err(why) = &settled {
            log!(error, &self.door.key, cause = %why, "a turn's writes failed");
            if why.kind == StorageErrorKind::Gone {
                // What the room knows is what a file said that is gone.
                self.end(CloseReason::STORAGE_FAILED);
            }
        }
        let settled = self.ledger.settle(&settled);
        if let Some(wait) = settled.commit_wait {
            self.code.plugin().totals.latencies.note(Timed::CommitWait, wait.as_nanos() as u64);
            self.code.plugin().handlers.note_wait(settled.handler, wait);
            self.tell_of_commit(settled.span.as_deref(), wait);
        }
        if settled.sets_alarm {
            self.alarms.set(&self.door.key, self.ledger.durable_alarm());
        }
        let durability = self.durability();
        let output = settled.output.or_else(|| self.ledger.next_relaxed(durability));
        self.say(output).await;
    }

    /// Takes the oldest turn from the gate while no turn runs, so that the state can follow at once.
    pub(super) async fn take_up(&mut self, settled: Result<Durable, StorageError>) {
        self.settle(settled).await;
        self.reconcile();
    }

    /// Waits until the oldest turn at the gate is settled, and takes it up. Only while no turn runs.
    pub(super) async fn settle_next(&mut self) {
        let settled = self.ledger.settled().await;
        self.take_up(settled).await;
    }

    /// Waits until the gate holds back no output.
    pub(super) async fn until_said(&mut self) {
        while self.ledger.holds_output() {
            self.settle_next().await;
        }
    }

    /// Waits until all writes of the room are durable, or have failed.
    pub(super) async fn until_settled(&mut self) {
        while !self.ledger.is_settled() {
            self.settle_next().await;
        }
    }

    /// Logs a failed turn, and tells the sender of the event what it may know.
    pub(super) async fn tell(&mut self, failed @ FailedTurn { origin, failure }: &FailedTurn) {
        let (key, version, event) = (&self.door.key, self.code.plugin().version.as_str(), origin.name.as_str());
        let (code, message) = (printable(&failure.code), printable(&failure.message));
        if failure.for_sender {
            log!(debug, key, version, event, code, "rejected: {}", for_log(&message));
        } else {
            log!(warn, key, version, event, code, "turn failed: {}", for_log(&message));
            self.code.plugin().record(failure.kind, FailureRecord::now(Some(key.room.clone()), event, &code, &message));
        }
        self.say_in_order(failed.words_for_sender()).await;
    }

    /// Says what rests on no writes, behind all that the room said before.
    pub(super) async fn say_in_order(&mut self, words: Option<Output>) {
        let words = words.and_then(|words| self.ledger.in_order(&self.people.state, words));
        self.say(words).await;
    }

    /// Has the alarm ring again, because its turn failed.
    pub(super) fn alarm_failed(&self) {
        let [first, longest] = alarm_retries(&self.limits);
        self.alarms.failed(&self.door.key, first, longest);
    }
}
