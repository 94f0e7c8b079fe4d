//! Turns: how an event is given to an instance, and what follows where that fails.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use futures_util::future::{BoxFuture, FutureExt as _};
use serde_json::json;

use super::actor::Room;
use super::commit::Lost;
use super::failure::TurnFailure;
use super::gate::{Origin, TurnKind};
use super::slow::aside;
use crate::clock::Instant;
use crate::clock::unix_ms;
use crate::guest::instance::{Fault, Instance, OpenError, Outcome};
use crate::model::event::{Event, Payload, hook};
use crate::model::json::Json;
use crate::model::refusal::Bound;
use crate::model::turn::{StorageUse, Turn};
use crate::storage::StoredRoom;

/// How often a room that has sockets waits for a place for its instance (`instance-wait-ms`) before it closes.
const TRIES_OF_A_ROOM_IN_USE: u32 = 5;

/// Why a new instance has to rebuild what the last one knew, as `$restore` is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RestoreReason {
    /// The last instance was lost in a turn.
    Crash,
    /// The server started anew since the room was last open.
    Restart,
    /// The room slept.
    Wake,
    /// The room moved to another version, or back.
    Swap,
}

impl RestoreReason {
    /// Of a room that keeps something and is opened.
    pub(super) fn of_opening(first: bool) -> Self {
        if first { Self::Restart } else { Self::Wake }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Crash => "crash",
            Self::Restart => "restart",
            Self::Wake => "wake",
            Self::Swap => "swap",
        }
    }
}

impl Room {
    /// Whether the instance, where there is one, asks for a hook.
    pub(super) fn asks_for(&self, hook: &str) -> bool {
        self.instance.as_ref().is_some_and(|instance| instance.registrations().has(hook))
    }

    /// Whether the plugin asks for a hook: the instance, or, while the room sleeps, the next one in its `init`.
    pub(super) fn wants(&self, hook: &str) -> bool {
        match &self.instance {
            Some(instance) => instance.registrations().has(hook),
            None => self.plugin.events.iter().any(|event| event == hook),
        }
    }

    /// One event and what follows from it.
    pub(super) async fn give(&mut self, event: Event) {
        if let Err((origin, failure)) = self.turn(event).await {
            self.tell(&origin, &failure);
            self.follow_up(&origin, &failure).await;
        }
    }

    /// What follows a failed turn: a new instance where the old one is lost, and `$error` in a turn of its own, whose
    /// failure nothing follows.
    pub(super) async fn follow_up(&mut self, origin: &Origin, failure: &TurnFailure) {
        if !self.make_ready().await || !failure.runs_error_hook() || !self.asks_for(hook::ERROR) {
            return;
        }
        let payload = Json::of(&json!({ "event": origin.name, "code": failure.code, "message": failure.message }));
        if let Err((origin, again)) = self.turn(Event::hook(hook::ERROR, Some(payload), origin.socket, unix_ms())).await
        {
            self.tell(&origin, &again);
        }
    }

    /// Makes sure that there is an instance, and that it was told what it has to rebuild. False where none can be made: the
    /// room ends.
    pub(super) async fn make_ready(&mut self) -> bool {
        let mut tries = 0;
        while !self.is_ending() {
            if self.instance.is_none()
                && let Err(why) = self.open_instance().await
            {
                tries += 1;
                if !why.is_of_code() && !self.outbound.is_empty() && tries < TRIES_OF_A_ROOM_IN_USE {
                    continue;
                }
                let suspended = self.suspended.take();
                if !why.is_of_code() || !self.go_back(&why.to_string(), suspended) {
                    self.cannot_open(&why);
                    return false;
                }
            }
            if self.instance.is_some() && self.restore_instance().await {
                return true;
            }
        }
        false
    }

    /// Gives a new instance what the last one handed over, or tells it to rebuild that. False where the instance is lost
    /// in that, and another one is to be made. A `$restore` that fails keeps no event from being handled.
    async fn restore_instance(&mut self) -> bool {
        let Some(reason) = self.restore.take() else { return true };
        if let Some(suspended) = self.suspended.take().filter(|_| self.asks_for(hook::RESUME)) {
            let event = Event::hook_with(hook::RESUME, suspended.state(), unix_ms());
            let Err((origin, failure)) = self.turn(event).await else { return self.instance.is_some() };
            self.tell(&origin, &failure);
            let why = format!("{}: {}", hook::RESUME, failure.message);
            if self.go_back(&why, Some(suspended)) {
                return false;
            }
            if self.instance.is_none() {
                self.restore = Some(reason);
                return false;
            }
        }
        if !self.asks_for(hook::RESTORE) {
            return true;
        }
        let payload = Json::of(&json!({ "reason": reason.as_str() }));
        if let Err((origin, failure)) = self.turn(Event::hook(hook::RESTORE, Some(payload), None, unix_ms())).await {
            self.tell(&origin, &failure);
            let lost = self.instance.is_none();
            if lost && self.go_back(&format!("{}: {}", hook::RESTORE, failure.message), None) {
                return false;
            }
            self.restore = None;
        }
        self.instance.is_some()
    }

    /// Runs one turn: it commits, or it leaves no trace. A turn whose writes fail later is among the lost then.
    pub(super) async fn turn(&mut self, event: Event) -> Result<(), (Origin, TurnFailure)> {
        let origin = Origin::of(&event);
        if self.shared.stats.note_turn(Instant::now()) {
            self.owner.awoke(&self.shared);
        }
        self.idle = false;
        // A version on trial may be unable to do what the one before can.
        let again = self.trial.as_ref().filter(|_| origin.kind.is_given_again()).map(|_| event.clone());
        let Some(instance) = self.instance.take() else {
            return Err((origin, TurnFailure::no_instance()));
        };
        let turn = self.begin(&event, origin.kind);
        let (turn, outcome) = self.call(instance, event, turn).await;
        if let Outcome::Faulted(fault) = &outcome {
            self.lost_in(origin.kind, fault);
        }
        if let Some(broken) = &mut self.broken {
            // It ran on what is not there.
            broken.turns.push(Lost { origin, output: None });
            self.undo(turn);
            return Ok(());
        }
        let failure = match (outcome, turn.poison()) {
            (Outcome::Done(answer), None) => match self.handed_over(origin.kind, answer) {
                Ok(()) => {
                    self.commit(origin, turn).await;
                    self.recover();
                    self.passed();
                    return Ok(());
                }
                Err(bound) => TurnFailure::of_bound(bound),
            },
            (Outcome::Faulted(fault), _) => match again {
                Some(event) => {
                    self.undo(turn);
                    self.go_back(&format!("{} {fault}", event.name), None);
                    return self.turn_again(event).await;
                }
                None => TurnFailure::of_fault(&fault),
            },
            (Outcome::Done(_) | Outcome::Failed(_), Some(bound)) => TurnFailure::of_bound(bound),
            (Outcome::Failed(failure), None) => TurnFailure::of_guest(failure),
        };
        self.undo(turn);
        Err((origin, failure))
    }

    /// Gives an event to the instance, which is back in its place afterwards; on a thread of low priority where the plugin's
    /// calls take long.
    async fn call(&mut self, instance: Box<Instance>, event: Event, turn: Box<Turn>) -> (Box<Turn>, Outcome) {
        let call = instance.run(event, turn);
        let heavy = self.plugin.pace().is_heavy();
        let (instance, turn, outcome) = match (self.gate.is_empty(), heavy) {
            (true, false) => call.await,
            (true, true) => aside(&self.slow, &self.plugin, call).await,
            (false, false) => self.beside(call.boxed()).await,
            (false, true) => self.beside(aside(&self.slow, &self.plugin, call).boxed()).await,
        };
        let wants_ping = instance.registrations().has_ping();
        self.instance = Some(instance);
        if self.shared.wants_ping.load(Ordering::Relaxed) != wants_ping {
            self.shared.wants_ping.store(wants_ping, Ordering::Relaxed);
        }
        (turn, outcome)
    }

    /// The instance faulted: wasmtime never enters the store of a guest that trapped or was cut off. A version on trial is
    /// not judged by its supervisor, for the room goes back.
    fn lost_in(&mut self, kind: TurnKind, fault: &Fault) {
        self.lose_instance();
        if self.trial.is_none() {
            self.faulted(kind, &fault.to_string());
        }
    }

    /// A turn leaves no trace.
    fn undo(&mut self, turn: Box<Turn>) {
        self.state = turn.roll_back();
        self.recover();
    }

    /// The same event for the version before: the turn that failed left no trace.
    fn turn_again(&mut self, event: Event) -> BoxFuture<'_, Result<(), (Origin, TurnFailure)>> {
        Box::pin(async move {
            if self.make_ready().await {
                return self.turn(event).await;
            }
            Err((Origin::of(&event), TurnFailure::no_instance()))
        })
    }

    /// Keeps what `$suspend` answered.
    fn handed_over(&mut self, kind: TurnKind, answer: Option<Payload>) -> Result<(), Bound> {
        if kind != TurnKind::Suspend {
            return Ok(());
        }
        if answer.as_ref().is_some_and(|state| state.bytes() > self.limits.suspend_bytes) {
            return Err(Bound::SuspendBytes);
        }
        self.answer = answer;
        Ok(())
    }

    /// The room's state goes with the turn.
    fn begin(&mut self, event: &Event, kind: TurnKind) -> Box<Turn> {
        // Most plugins keep nothing, and no turn of theirs asks what is kept.
        let storage = if self.plugin.keeps || kind == TurnKind::Alarm {
            let (account, tenant) = (self.plugin.account(), &self.shared.key.plugin.tenant);
            let may_keep = || self.all_storage.rooms(tenant) < account.limits.storage_rooms_per_tenant;
            let StoredRoom { bytes, alarm, is_known } = self.storage.kept();
            let tenant_left_bytes = account.storage.left();
            StorageUse { room_bytes: bytes, tenant_left_bytes, may_keep: is_known || may_keep(), alarm }
        } else {
            StorageUse::default()
        };
        let state = std::mem::take(&mut self.state);
        let mut turn = Turn::begin(state, storage, event.socket, event.accepted_at, Arc::clone(&self.limits));
        if kind == TurnKind::Alarm {
            turn.forget_alarm();
        }
        Box::new(turn)
    }

    /// Waits for a call, and lets out meanwhile what the gate need not hold any more.
    async fn beside<T>(&mut self, mut call: BoxFuture<'_, T>) -> T {
        while !self.gate.is_empty() {
            let settled = tokio::select! {
                biased;
                done = &mut call => return done,
                settled = self.gate.settled() => settled,
            };
            // Boxed: it would be part of the room's task for all of its life. What is said may give way to others in the
            // tenant's lane, and the call may stand in that line before it: both have to go on, or neither does.
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

    /// Drops an instance that cannot or must not be entered again.
    pub(super) fn lose_instance(&mut self) {
        self.drop_instance();
        self.restore = Some(RestoreReason::Crash);
    }

    async fn open_instance(&mut self) -> Result<(), OpenError> {
        // It may take long: what was said already does not wait for it.
        self.until_said().await;
        self.back_off().await;
        // Boxed: what opening needs would otherwise be part of the room's task for all of its life.
        let (plugin, room) = (Arc::clone(&self.plugin), self.shared.key.room.clone());
        let (pace, storage) = (Arc::clone(plugin.pace()), Arc::clone(&self.storage));
        let mut opening = Box::pin(async move { plugin.open(room, storage).await });
        let instance = match pace.until_heavy(&mut opening).await {
            Some(opened) => opened?,
            None => aside(&self.slow, &self.plugin, opening).await?,
        };
        self.shared.wants_ping.store(instance.registrations().has_ping(), Ordering::Relaxed);
        self.shared.stats.awake.store(true, Ordering::Relaxed);
        self.owner.awoke(&self.shared);
        self.instance = Some(Box::new(instance));
        Ok(())
    }
}
