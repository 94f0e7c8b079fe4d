//! A room's task: it takes one mail after the other, and gives each event that is wanted one turn.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::json;
use tokio::runtime::Handle;
use tokio::time::Instant;

use super::commit::Delivered;
use super::dispatch::cause_of;
use super::failure::TurnFailure;
use super::handle::{HostTarget, Mail, Request, RoomHandle, RoomView};
use super::outbound::Outbound;
use super::supervision::Faults;
use crate::model::effect::{Audience, Emit};
use crate::model::event::{ClientEvent, Event, SocketId, hook};
use crate::model::json::Json;
use crate::model::limits::Limits;
use crate::model::members::Members;
use crate::model::meta::Meta;
use crate::model::names::DEFAULT;
use crate::model::turn::{StorageUse, Turn};
use crate::plugin::instance::{Instance, Outcome};
use crate::plugin::unix_ms;
use crate::protocol::close::CloseReason;
use crate::storage::{RoomStorage, Storage};
use crate::tenant::lane::Lane;

/// A room's state; owned by its task alone.
pub(super) struct Room {
    pub(super) shared: RoomHandle,
    pub(super) limits: Arc<Limits>,
    pub(super) members: Members,
    pub(super) outbound: HashMap<SocketId, Arc<Outbound>>,
    pub(super) storage: Arc<dyn RoomStorage>,
    /// None until the first event, and after a fault.
    pub(super) instance: Option<Instance>,
    /// Why the next instance is told to rebuild what the last one knew.
    restore: Option<RestoreReason>,
    /// What was delivered since the room's sockets last had a chance to write.
    pub(super) unyielded: Delivered,
    pub(super) faults: Faults,
    /// The tenant's lane on the room's thread.
    pub(super) lane: Arc<Lane>,
    /// Where calls of a plugin run that take long.
    pub(super) slow: Handle,
    shutting_down: bool,
}

/// Why a new instance has to rebuild what the last one knew, as `$restore` is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RestoreReason {
    /// The last instance was lost in a turn.
    Crash,
}

impl RestoreReason {
    fn as_str(self) -> &'static str {
        match self {
            Self::Crash => "crash",
        }
    }
}

/// Runs a room until nobody is in it any more, or the server shuts down.
pub async fn run(shared: RoomHandle, storage: Arc<dyn Storage>, slow: Handle) {
    let end = EndOfRoom(Arc::clone(&shared));
    let storage = match storage.open(&shared.key).await {
        Ok(storage) => storage,
        Err(why) => return tracing::error!(room = %shared.key, "{why}"),
    };
    let limits = Arc::clone(shared.plugin.limits());
    let room = Room {
        lane: Arc::clone(shared.plugin.account().lane()),
        slow,
        shared,
        limits,
        members: Members::default(),
        outbound: HashMap::new(),
        storage,
        instance: None,
        restore: None,
        unyielded: Delivered::default(),
        faults: Faults::default(),
        shutting_down: false,
    };
    let (lane, pace) = (Arc::clone(&room.lane), Arc::clone(room.shared.plugin.pace()));
    lane.run(&pace, room.live()).await;
    drop(end);
}

/// However a room's task ends, a panic included: its mailbox closes, and sockets that still wait in it are told.
struct EndOfRoom(RoomHandle);

impl Drop for EndOfRoom {
    fn drop(&mut self) {
        let stats = &self.0.stats;
        let (turns, bad_frames) = (stats.turns.swap(0, Ordering::Relaxed), stats.bad_frames.swap(0, Ordering::Relaxed));
        self.0.plugin.totals.room_ended(turns, bad_frames);
        for mail in self.0.mailbox.close() {
            if let Mail::Connect { outbound, .. } = mail {
                outbound.close(self.0.end_reason());
            }
        }
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.drop_instance();
        self.outbound.values().for_each(|outbound| outbound.close(self.shared.end_reason()));
    }
}

impl Room {
    async fn live(mut self) {
        let (lane, shared) = (Arc::clone(&self.lane), Arc::clone(&self.shared));
        let mut empty_since = None;
        while let Some(mail) = self.next_mail(&mut empty_since).await {
            // Administration asks for what is known already and waits for no CPU time of the tenant's.
            if matches!(mail, Mail::Connect { .. } | Mail::Event { .. } | Mail::Disconnect { .. }) {
                let shutting_down = self.shutting_down;
                lane.start(|| shutting_down || shared.mailbox.ends()).await;
            }
            self.take(mail).await;
            if self.is_ending() {
                return;
            }
            // A turn that ends at its first poll would never let its thread's other tasks run.
            tokio::task::consume_budget().await;
        }
    }

    /// The next mail; none when the room has been empty for long enough, or gives way to others that need its place.
    async fn next_mail(&mut self, empty_since: &mut Option<Instant>) -> Option<Mail> {
        let (mailbox, plugin) = (&self.shared.mailbox, &self.shared.plugin);
        if !self.outbound.is_empty() {
            *empty_since = None;
            return Some(mailbox.next().await);
        }
        // Counted from the last socket's end: requests of administration keep no empty room.
        let since = *empty_since.get_or_insert_with(Instant::now);
        let linger = Duration::from_millis(self.limits.room_linger_ms);
        let until = if self.shutting_down { since } else { since + linger };
        loop {
            tokio::select! {
                biased;
                mail = mailbox.next() => return Some(mail),
                () = tokio::time::sleep_until(until) => {}
                () = plugin.engine().wanted.notified() => {}
                () = plugin.account().wanted.notified() => {}
            }
            if mailbox.close_if_empty() {
                return None;
            }
        }
    }

    async fn take(&mut self, mail: Mail) {
        match mail {
            Mail::Connect { socket, meta, outbound } => self.connect(socket, meta, outbound).await,
            Mail::Event { socket, event, accepted_at } => {
                self.client_event(socket, event, accepted_at).await;
                if let Some(outbound) = self.outbound.get(&socket) {
                    outbound.handled();
                }
                return;
            }
            Mail::Disconnect { socket, reason } => self.disconnect(socket, reason).await,
            Mail::Request(request) => return self.answer(request).await,
            Mail::Shutdown => {
                self.shutting_down = true;
                self.outbound.values().for_each(|outbound| outbound.close(CloseReason::RESTART));
            }
            Mail::Quarantined => self.end(CloseReason::QUARANTINED),
        }
        let stats = &self.shared.stats;
        stats.sockets.store(self.members.count(), Ordering::Relaxed);
        stats.users.store(self.members.user_count(), Ordering::Relaxed);
    }

    /// A socket is a member from its own `$connect` turn on, and none if that fails.
    async fn connect(&mut self, socket: SocketId, meta: Meta, outbound: Arc<Outbound>) {
        if self.shutting_down {
            return outbound.close(CloseReason::RESTART);
        }
        if self.outbound.len() >= self.limits.sockets_per_room {
            return outbound.close(CloseReason::ROOM_FULL);
        }
        if !self.make_ready().await {
            return outbound.close(self.shared.end_reason());
        }
        self.members.insert(socket, meta);
        self.outbound.insert(socket, outbound);
        if !self.asks_for(hook::CONNECT) {
            return;
        }
        if let Err(failure) = self.turn(Event::hook(hook::CONNECT, None, Some(socket), unix_ms())).await {
            self.tell(hook::CONNECT, Some(socket), &failure);
            // Before anyone rebuilds who is here: this socket is not.
            self.members.forget(socket);
            if let Some(outbound) = self.outbound.remove(&socket) {
                outbound.close(CloseReason::CONNECT_FAILED);
            }
            self.follow_up(hook::CONNECT, None, &failure).await;
        }
    }

    async fn client_event(&mut self, socket: SocketId, event: ClientEvent, accepted_at: f64) {
        // A socket that a turn closed is heard no more, whatever it still sends.
        if !self.members.is_present(socket) || !self.make_ready().await {
            return;
        }
        let Some(instance) = &self.instance else { return };
        let Some(cause) = cause_of(&event.name, |name| instance.registrations().has(name)) else {
            return;
        };
        let event = Event {
            cause: cause.to_owned(),
            name: event.name,
            channel: event.channel,
            payload: event.payload,
            socket: Some(socket),
            answer_wanted: false,
            accepted_at,
        };
        self.give(event).await;
    }

    /// The socket is out of all counts and channels in its own `$disconnect`; its meta can still be read.
    async fn disconnect(&mut self, socket: SocketId, reason: CloseReason) {
        if self.outbound.remove(&socket).is_none() {
            return;
        }
        self.members.depart(socket);
        if !self.make_ready().await {
            tracing::error!(room = %self.shared.key, socket, "no instance could be made for its $disconnect");
        } else if self.asks_for(hook::DISCONNECT) {
            let payload = Json::of(&json!({ "code": reason.code, "reason": reason.reason }));
            self.give(Event::hook(hook::DISCONNECT, Some(payload), Some(socket), unix_ms())).await;
        }
        self.members.forget(socket);
    }

    async fn answer(&mut self, request: Request) {
        match request {
            Request::View { view } => {
                let users = self.members.user_ids();
                // Whoever asked may have gone; then nobody needs the answer.
                let _ = view.send(RoomView { sockets: self.members.count(), users });
            }
            Request::Sockets { after, limit, sockets } => {
                let found = self.members.present_after(after).take(limit);
                let _ = sockets.send(found.map(|(id, meta)| (id, meta.clone())).collect());
            }
            Request::Emit { to, event, data, sent } => {
                let (audience, channel) = match to {
                    HostTarget::Channel(name) => (Audience::all(self.members.channel(&name)), name),
                    HostTarget::User(id) => (Audience::all(self.members.user(&id)), DEFAULT.to_owned()),
                };
                let count = audience.len() as u32;
                self.deliver(Emit { audience, channel, event, data }).await;
                let _ = sent.send(count);
            }
        }
    }

    /// Whether the instance, where there is one, asks for a hook.
    fn asks_for(&self, hook: &str) -> bool {
        self.instance.as_ref().is_some_and(|instance| instance.registrations().has(hook))
    }

    /// One event and what follows from it.
    async fn give(&mut self, event: Event) {
        let (name, socket) = (event.name.clone(), event.socket);
        if let Err(failure) = self.turn(event).await {
            self.tell(&name, socket, &failure);
            self.follow_up(&name, socket, &failure).await;
        }
    }

    /// What follows a failed turn: a new instance where the old one is lost, and `$error` in a turn of its own, whose
    /// failure nothing follows.
    async fn follow_up(&mut self, event: &str, socket: Option<SocketId>, failure: &TurnFailure) {
        if !self.make_ready().await || !failure.runs_error_hook() || !self.asks_for(hook::ERROR) {
            return;
        }
        let payload = Json::of(&json!({ "event": event, "code": failure.code, "message": failure.message }));
        if let Err(again) = self.turn(Event::hook(hook::ERROR, Some(payload), socket, unix_ms())).await {
            self.tell(hook::ERROR, socket, &again);
        }
    }

    /// Makes sure that there is an instance, and that one that follows a lost one was told to rebuild what it needs.
    /// False where none can be made: the room ends. A `$restore` that fails keeps no event from being handled.
    async fn make_ready(&mut self) -> bool {
        if self.is_ending() || (self.instance.is_none() && !self.open_instance().await) {
            return false;
        }
        let Some(reason) = self.restore.take().filter(|_| self.asks_for(hook::RESTORE)) else { return true };
        let payload = Json::of(&json!({ "reason": reason.as_str() }));
        if let Err(failure) = self.turn(Event::hook(hook::RESTORE, Some(payload), None, unix_ms())).await {
            self.tell(hook::RESTORE, None, &failure);
            self.restore = None;
        }
        !self.is_ending() && (self.instance.is_some() || self.open_instance().await)
    }

    /// Runs one turn: it commits, or it leaves no trace.
    async fn turn(&mut self, event: Event) -> Result<(), TurnFailure> {
        let Some(instance) = self.instance.take() else {
            return Err(TurnFailure::no_instance());
        };
        let members = std::mem::take(&mut self.members);
        let limits = Arc::clone(&self.limits);
        let storage = StorageUse {
            room_bytes: self.storage.bytes(),
            tenant_left_bytes: self.shared.plugin.account().storage.left(),
        };
        let is_restore = event.name == hook::RESTORE;
        let turn = Box::new(Turn::begin(members, storage, event.socket, event.accepted_at, limits));
        let call = instance.run(event, turn);
        let (instance, turn, outcome) =
            if self.shared.plugin.pace().is_heavy() { self.aside(call).await } else { call.await };
        let wants_ping = instance.registrations().has_ping();
        self.instance = Some(instance);
        if self.shared.wants_ping.load(Ordering::Relaxed) != wants_ping {
            self.shared.wants_ping.store(wants_ping, Ordering::Relaxed);
        }
        let failure = match (outcome, turn.poison()) {
            (Outcome::Done(_), None) => return self.commit(turn).await,
            (Outcome::Faulted(fault), _) => {
                // wasmtime never enters the store of a guest that trapped or was cut off.
                self.lose_instance();
                self.faulted(is_restore, &fault.to_string());
                TurnFailure::of_fault(&fault)
            }
            (Outcome::Done(_) | Outcome::Failed(_), Some(bound)) => TurnFailure::of_bound(bound),
            (Outcome::Failed(failure), None) => TurnFailure::of_guest(failure),
        };
        self.members = turn.roll_back();
        Err(failure)
    }

    /// Drops an instance that cannot or must not be entered again.
    pub(super) fn lose_instance(&mut self) {
        self.drop_instance();
        self.restore = Some(RestoreReason::Crash);
    }

    /// Makes an instance; false where that fails, which is told in the log and ends the room.
    async fn open_instance(&mut self) -> bool {
        self.back_off().await;
        let shared = &self.shared;
        // Boxed: what opening needs would otherwise be part of the room's task for all of its life.
        let (plugin, room, storage) = (Arc::clone(&shared.plugin), shared.key.room.clone(), Arc::clone(&self.storage));
        let pace = Arc::clone(plugin.pace());
        let mut opening = Box::pin(async move { plugin.open(room, storage).await });
        let opened = match pace.until_heavy(&mut opening).await {
            Some(opened) => opened,
            None => self.aside(opening).await,
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
