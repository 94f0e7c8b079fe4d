//! A room's task: it takes one mail after the other, and gives each event that is wanted one turn.

use std::collections::{HashMap, VecDeque};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::json;
use tokio::runtime::Handle;

use super::commit::{Broken, Delivered, Lost};
use super::dispatch::cause_of;
use super::failure::TurnFailure;
use super::gate::Gate;
use super::handle::{HostTarget, Mail, Request, RoomHandle, RoomShared, RoomView};
use super::outbound::Outbound;
use super::owner::RoomOwner;
use super::supervision::Faults;
use super::suspend::{Suspended, Trial};
use super::turns::RestoreReason;
use crate::alarms::Alarms;
use crate::clock::unix_ms;
use crate::guest::instance::Instance;
use crate::model::effect::{Audience, Emit};
use crate::model::event::{ClientEvent, Event, Payload, SocketId, hook};
use crate::model::json::Json;
use crate::model::limits::Limits;
use crate::model::meta::Meta;
use crate::model::names::{DEFAULT, RoomKey};
use crate::model::state::{RoomState, StateMark};
use crate::plugin::version::Plugin;
use crate::protocol::close::CloseReason;
use crate::storage::{Storage, view};
use crate::tenant::account::CounterPlace;
use crate::tenant::lane::Lane;
use crate::workers::WorkerId;

/// A room's state; owned by its task alone.
pub(super) struct Room {
    pub(super) shared: RoomHandle,
    /// The version that the room is on.
    pub(super) plugin: Arc<Plugin>,
    pub(super) limits: Arc<Limits>,
    /// Away with the turn while one runs.
    pub(super) state: RoomState,
    pub(super) outbound: HashMap<SocketId, Arc<Outbound>>,
    pub(super) storage: Arc<view::StorageView>,
    pub(super) all_storage: Arc<dyn Storage>,
    pub(super) alarms: Arc<Alarms>,
    pub(super) owner: Arc<dyn RoomOwner>,
    /// Turns that wait for their writes.
    pub(super) gate: Gate,
    /// Up to where the state is safe, where it could not be told yet.
    pub(super) settled_to: Option<StateMark>,
    /// Writes that failed while the state was away.
    pub(super) broken: Option<Box<Broken>>,
    /// Turns that were lost with their writes, and of which nobody was told yet.
    pub(super) lost: VecDeque<(Lost, TurnFailure)>,
    /// None until the first event, and after a fault.
    pub(super) instance: Option<Box<Instance>>,
    /// What the last instance handed over to the next one.
    pub(super) suspended: Option<Suspended>,
    /// What the last turn answered, where it was `$suspend`.
    pub(super) answer: Option<Payload>,
    /// The version that the room came from, while it tries its own.
    pub(super) trial: Option<Trial>,
    /// Nothing happened for a while.
    pub(super) idle: bool,
    /// Why the next instance is told to rebuild what the last one knew.
    pub(super) restore: Option<RestoreReason>,
    /// What was delivered since the room's sockets last had a chance to write.
    pub(super) unyielded: Delivered,
    pub(super) faults: Faults,
    /// The tenant's lane on the room's thread.
    pub(super) lane: Arc<Lane>,
    /// Where calls of a plugin run that take long.
    pub(super) slow: Handle,
    /// The room closes, and its sockets are told this.
    pub(super) closing: Option<CloseReason>,
}

/// What a room is opened with.
pub struct RoomSpec {
    pub key: RoomKey,
    /// The version that the room begins on.
    pub plugin: Arc<Plugin>,
    /// Its place among its tenant's rooms.
    pub place: CounterPlace,
    /// The thread that the room's task is to run on.
    pub worker: WorkerId,
    /// Where calls of its plugin run that take long.
    pub slow: Handle,
    pub storage: Arc<dyn Storage>,
    pub alarms: Arc<Alarms>,
    pub owner: Arc<dyn RoomOwner>,
}

/// Puts a room together: others reach it by the handle, and whoever opens it runs the task on the room's thread. The task ends
/// when nobody is in the room any more, or the server shuts down.
pub fn open(spec: RoomSpec) -> (RoomHandle, impl Future<Output = ()> + Send + 'static) {
    let RoomSpec { key, plugin, place, worker, slow, storage, alarms, owner } = spec;
    let handle = Arc::new(RoomShared::new(key, plugin, worker, place));
    (Arc::clone(&handle), run(handle, storage, alarms, owner, slow))
}

async fn run(
    shared: RoomHandle,
    all_storage: Arc<dyn Storage>,
    alarms: Arc<Alarms>,
    owner: Arc<dyn RoomOwner>,
    slow: Handle,
) {
    let end = EndOfRoom(Arc::clone(&shared), Arc::clone(&alarms));
    let storage = match all_storage.open(&shared.key).await {
        Ok(storage) => storage,
        Err(why) => {
            log!(error, &shared.key, "the room cannot be opened: {why}");
            // Nobody else can have said why it ends.
            let _ = shared.ended_with.set(CloseReason::STORAGE_FAILED);
            return;
        }
    };
    let plugin = shared.plugin();
    let limits = Arc::clone(plugin.limits());
    let is_known = storage.kept().is_known;
    let was_open = owner.note_kept(&shared.key, is_known);
    let restore = is_known.then(|| RestoreReason::of_opening(!was_open));
    let room = Box::new(Room {
        lane: Arc::clone(plugin.account().lane()),
        slow,
        storage: Arc::new(view::StorageView::new(storage, limits.storage_cache_bytes)),
        shared,
        plugin,
        limits,
        all_storage,
        alarms,
        owner,
        state: RoomState::default(),
        outbound: HashMap::new(),
        gate: Gate::default(),
        settled_to: None,
        broken: None,
        lost: VecDeque::new(),
        instance: None,
        suspended: None,
        answer: None,
        trial: None,
        idle: false,
        restore,
        unyielded: Delivered::default(),
        faults: Faults::default(),
        closing: None,
    });
    let (lane, pace) = (Arc::clone(&room.lane), Arc::clone(room.plugin.pace()));
    // Pinned here: what is handed on would be part of the room's task twice.
    lane.run(&pace, pin!(room.live())).await;
    drop(end);
}

/// An alarm that found its room at its end comes again after this.
const ALARM_AFTER_END: Duration = Duration::from_millis(100);

/// However a room's task ends, a panic included: its mailbox closes, and sockets that still wait in it are told.
struct EndOfRoom(RoomHandle, Arc<Alarms>);

impl Drop for EndOfRoom {
    fn drop(&mut self) {
        let stats = &self.0.stats;
        let (turns, bad_frames) = (stats.turns.swap(0, Ordering::Relaxed), stats.bad_frames.swap(0, Ordering::Relaxed));
        self.0.plugin().totals.room_ended(turns, bad_frames);
        for mail in self.0.mailbox.close() {
            match mail {
                Mail::Connect { outbound, .. } => outbound.close(self.0.end_reason()),
                Mail::Alarm { .. } => self.1.postpone(&self.0.key, ALARM_AFTER_END),
                _ => {}
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
    pub(super) async fn take(&mut self, mail: Mail) {
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
            Mail::Alarm { due, attempt } => return self.alarm_due(due, attempt).await,
            Mail::Swap(plugin) => return self.swap(plugin).await,
            Mail::Idle => {
                self.idle = true;
                return;
            }
            Mail::Close(reason) => {
                self.until_said().await;
                self.outbound.values().for_each(|outbound| outbound.close(reason.clone()));
                self.closing = Some(reason);
            }
            Mail::Quarantined => self.end(CloseReason::QUARANTINED),
        }
        let stats = &self.shared.stats;
        stats.sockets.store(self.state.members.count(), Ordering::Relaxed);
        stats.users.store(self.state.members.user_count(), Ordering::Relaxed);
    }

    /// A socket is a member from its own `$connect` turn on, and none if that fails.
    async fn connect(&mut self, socket: SocketId, meta: Meta, outbound: Arc<Outbound>) {
        if let Some(reason) = &self.closing {
            return outbound.close(reason.clone());
        }
        if self.outbound.len() >= self.limits.sockets_per_room {
            return outbound.close(CloseReason::ROOM_FULL);
        }
        if !self.make_ready().await {
            return outbound.close(self.shared.end_reason());
        }
        self.state.members.insert(socket, meta);
        self.outbound.insert(socket, outbound);
        if !self.asks_for(hook::CONNECT) {
            return;
        }
        if let Err((origin, failure)) = self.turn(Event::hook(hook::CONNECT, None, Some(socket), unix_ms())).await {
            self.tell(&origin, &failure);
            // Before anyone rebuilds who is here: this socket is not.
            self.refuse(socket);
            self.follow_up(&origin, &failure).await;
        }
    }

    /// Undoes the membership of a socket whose `$connect` failed.
    pub(super) fn refuse(&mut self, socket: SocketId) {
        self.state.members.forget(socket);
        if let Some(outbound) = self.outbound.remove(&socket) {
            outbound.close(CloseReason::CONNECT_FAILED);
        }
    }

    async fn client_event(&mut self, socket: SocketId, event: ClientEvent, accepted_at: f64) {
        if !self.state.members.is_present(socket) && self.outbound.contains_key(&socket) {
            // Closed by a turn: for good only when that turn's writes are safe.
            self.until_said().await;
            self.follow_losses().await;
        }
        // A socket that a turn closed is heard no more, whatever it still sends.
        if !self.state.members.is_present(socket) {
            return;
        }
        // What nobody wants wakes no room.
        if cause_of(&event.name, |name| self.wants(name)).is_none() || !self.make_ready().await {
            return;
        }
        let Some(cause) = cause_of(&event.name, |name| self.wants(name)) else { return };
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
        self.state.members.depart(socket);
        // What nobody wants wakes no room.
        if self.wants(hook::DISCONNECT) && !self.make_ready().await {
            log!(error, &self.shared.key, socket, "no instance could be made for its $disconnect");
        }
        if self.asks_for(hook::DISCONNECT) {
            let payload = Json::of(&json!({ "code": reason.code, "reason": reason.reason }));
            self.give(Event::hook(hook::DISCONNECT, Some(payload), Some(socket), unix_ms())).await;
        }
        self.state.members.forget(socket);
    }

    async fn answer(&mut self, request: Request) {
        match request {
            Request::View { view } => {
                let users = self.state.members.user_ids();
                // Whoever asked may have gone; then nobody needs the answer.
                let _ = view.send(RoomView { sockets: self.state.members.count(), users });
            }
            Request::Sockets { after, limit, sockets } => {
                let found = self.state.members.present_after(after).take(limit);
                let _ = sockets.send(found.map(|(id, meta)| (id, meta.clone())).collect());
            }
            Request::Emit { to, event, data, sent } => {
                // It overtakes nothing.
                self.until_said().await;
                let (audience, channel) = match to {
                    HostTarget::Channel(name) => (Audience::all(self.state.members.channel(&name)), name),
                    HostTarget::User(id) => (Audience::all(self.state.members.user(&id)), DEFAULT.to_owned()),
                };
                let count = audience.len() as u32;
                self.deliver(Emit { audience, channel, event, data }).await;
                let _ = sent.send(count);
            }
        }
    }
}
