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
use crate::model::event::{Event, hook};
use crate::model::json::Json;
use crate::model::turn::{StorageUse, Turn};
use crate::plugin::instance::Outcome;
use crate::plugin::unix_ms;

/// Why a new instance has to rebuild what the last one knew, as `$restore` is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RestoreReason {
    /// The last instance was lost in a turn.
    Crash,
    /// The server started anew since the room was last open.
    Restart,
    /// The room slept.
    Wake,
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
        }
    }
}

impl Room {
    /// Whether the instance, where there is one, asks for a hook.
    pub(super) fn asks_for(&self, hook: &str) -> bool {
        self.instance.as_ref().is_some_and(|instance| instance.registrations().has(hook))
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

    /// Makes sure that there is an instance, and that one that follows a lost one was told to rebuild what it needs.
    /// False where none can be made: the room ends. A `$restore` that fails keeps no event from being handled.
    pub(super) async fn make_ready(&mut self) -> bool {
        if self.is_ending() || (self.instance.is_none() && !self.open_instance().await) {
            return false;
        }
        let Some(reason) = self.restore.take().filter(|_| self.asks_for(hook::RESTORE)) else { return true };
        let payload = Json::of(&json!({ "reason": reason.as_str() }));
        if let Err((origin, failure)) = self.turn(Event::hook(hook::RESTORE, Some(payload), None, unix_ms())).await {
            self.tell(&origin, &failure);
            self.restore = None;
        }
        !self.is_ending() && (self.instance.is_some() || self.open_instance().await)
    }

    /// Runs one turn: it commits, or it leaves no trace. A turn whose writes fail later is among the lost then.
    pub(super) async fn turn(&mut self, event: Event) -> Result<(), (Origin, TurnFailure)> {
        let origin = Origin::of(&event);
        let Some(instance) = self.instance.take() else {
            return Err((origin, TurnFailure::no_instance()));
        };
        let turn = self.begin(&event, origin.kind);
        let call = instance.run(event, turn);
        let heavy = self.shared.plugin.pace().is_heavy();
        let (instance, turn, outcome) = match (self.gate.is_empty(), heavy) {
            (true, false) => call.await,
            (true, true) => aside(&self.slow, &self.shared.plugin, call).await,
            (false, false) => self.beside(call.boxed()).await,
            (false, true) => self.beside(aside(&self.slow, &self.shared.plugin, call).boxed()).await,
        };
        let wants_ping = instance.registrations().has_ping();
        self.instance = Some(instance);
        if self.shared.wants_ping.load(Ordering::Relaxed) != wants_ping {
            self.shared.wants_ping.store(wants_ping, Ordering::Relaxed);
        }
        if let Outcome::Faulted(fault) = &outcome {
            // wasmtime never enters the store of a guest that trapped or was cut off.
            self.lose_instance();
            self.faulted(origin.kind == TurnKind::Restore, &fault.to_string());
        }
        if let Some(broken) = &mut self.broken {
            // It ran on what is not there.
            broken.turns.push(Lost { origin, output: None });
            self.state = turn.roll_back();
            self.recover();
            return Ok(());
        }
        let failure = match (outcome, turn.poison()) {
            (Outcome::Done(_), None) => {
                self.commit(origin, turn).await;
                self.recover();
                return Ok(());
            }
            (Outcome::Faulted(fault), _) => TurnFailure::of_fault(&fault),
            (Outcome::Done(_) | Outcome::Failed(_), Some(bound)) => TurnFailure::of_bound(bound),
            (Outcome::Failed(failure), None) => TurnFailure::of_guest(failure),
        };
        self.state = turn.roll_back();
        self.recover();
        Err((origin, failure))
    }

    /// The room's state goes with the turn.
    fn begin(&mut self, event: &Event, kind: TurnKind) -> Box<Turn> {
        let (account, tenant) = (self.shared.plugin.account(), &self.shared.key.plugin.tenant);
        let may_keep = || self.backing.storage.rooms(tenant) < account.limits.storage_rooms_per_tenant;
        let storage = StorageUse {
            room_bytes: self.storage.bytes(),
            tenant_left_bytes: account.storage.left(),
            may_keep: self.storage.keeps_something() || may_keep(),
            alarm: self.storage.alarm(),
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
            tokio::select! {
                biased;
                done = &mut call => return done,
                settled = self.gate.settled() => self.settle(settled).await,
            }
        }
        call.await
    }

    /// Drops an instance that cannot or must not be entered again.
    pub(super) fn lose_instance(&mut self) {
        self.drop_instance();
        self.restore = Some(RestoreReason::Crash);
    }

    /// Gives up the instance while nobody needs it. The next event makes another.
    pub(super) fn sleep(&mut self) {
        if self.instance.is_some() {
            self.drop_instance();
            self.restore.get_or_insert(RestoreReason::Wake);
        }
    }

    /// Makes an instance; false where that fails, which is told in the log and ends the room.
    async fn open_instance(&mut self) -> bool {
        // It may take long: what was said already does not wait for it.
        self.until_said().await;
        self.back_off().await;
        let shared = &self.shared;
        // Boxed: what opening needs would otherwise be part of the room's task for all of its life.
        let (plugin, room, storage) = (Arc::clone(&shared.plugin), shared.key.room.clone(), Arc::clone(&self.storage));
        let pace = Arc::clone(plugin.pace());
        let mut opening = Box::pin(async move { plugin.open(room, storage).await });
        let opened = match pace.until_heavy(&mut opening).await {
            Some(opened) => opened,
            None => aside(&self.slow, &self.shared.plugin, opening).await,
        };
        match opened {
            Ok(instance) => {
                self.shared.wants_ping.store(instance.registrations().has_ping(), Ordering::Relaxed);
                self.instance = Some(instance);
                true
            }
            Err(why) => {
                self.cannot_open(&why);
                false
            }
        }
    }
}
