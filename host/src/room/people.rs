//! Who is in a room, and the queues to their sockets. This part knows the wire format, but no plugins and no storage.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use super::mailbox::{ListedSocket, Mailbox};
use super::outbound::Outbound;
use super::turn::{Output, WordsForSender};
use super::visitors::Visitors;
use crate::clock::unix_ms;
use crate::model::body::{Body, Payload};
use crate::model::effect::{Acknowledgement, Audience, Close, Emit, UnixMs, Whom};
use crate::model::event::{BySocket, SocketId, hook};
use crate::model::history::HistoryAnswer;
use crate::model::json::Json;
use crate::model::limits::Limits;
use crate::model::meta::Meta;
use crate::model::names::DEFAULT;
use crate::model::state::LentState;
use crate::model::visitor::Visitor;
use crate::protocol::close::CloseReason;
use crate::protocol::wire::EncodedEmit;
use crate::tenant::lane::Lane;
use crate::traces::TraceParent;

/// A fan-out gives way to other tasks of its thread after it woke so many sockets: each writes before the next of these
/// tasks runs, some 8 us, and several rooms of a tenant may be at it at the same time.
const SOCKETS_AT_ONCE: usize = 32;
/// A fan-out also gives way after so many frames, most of them for sockets that it woke already.
const FRAMES_AT_ONCE: usize = 256;
/// A fan-out also gives way after so many bytes for one socket: a quarter of what a socket's queue holds, so that
/// nobody who reads is taken for slow.
const BYTES_AT_ONCE: usize = 256 << 10;

/// The sockets of a room.
#[derive(Debug, Default)]
pub(super) struct People {
    /// Members, timers and asks. While a turn runs, the turn has them and this is empty.
    pub(super) state: LentState,
    outbound: BySocket<Arc<Outbound>>,
    /// Sockets that the room closes because their user made its code fault too often: it listens to them no more.
    sent_away: HashSet<SocketId>,
    /// Sockets whose plugin was told that their line broke.
    known_lost: HashSet<SocketId>,
    /// How many emits there were.
    emits: u64,
    pub(super) visitors: Visitors,
    /// The socket that left last, with the span that its turns are parts of: its `$disconnect` comes yet.
    left: Option<(SocketId, TraceParent)>,
    /// The users that the plugin was told of with `$user-join`, as far as it wants to know, until `$user-leave`.
    known_users: HashSet<String>,
    /// The socket whose `$connect` runs.
    pub(super) arriving: Option<SocketId>,
    unyielded: Unyielded,
}

/// What the room queued since it last let its sockets write.
#[derive(Debug, Default)]
struct Unyielded {
    /// Sockets that had nothing to write before.
    sockets: usize,
    frames: usize,
    bytes: usize,
}

impl Unyielded {
    fn is_enough(&self) -> bool {
        self.sockets >= SOCKETS_AT_ONCE || self.frames >= FRAMES_AT_ONCE || self.bytes >= BYTES_AT_ONCE
    }
}

impl People {
    /// How many sockets are connected. Counts those that a turn closed until their connection has ended.
    pub(super) fn sockets(&self) -> usize {
        self.outbound.len()
    }

    pub(super) fn nobody_is_here(&self) -> bool {
        self.outbound.is_empty()
    }

    /// Makes a socket a member.
    pub(super) fn admit(&mut self, socket: SocketId, meta: Meta, outbound: Arc<Outbound>) {
        self.state.members.insert(socket, meta);
        self.outbound.insert(socket, outbound);
    }

    /// Who is behind a socket that is here, or was until lately.
    pub(super) fn visitor(&self, socket: SocketId) -> Option<Arc<Visitor>> {
        let here = self.outbound.get(&socket).map(|outbound| &outbound.visitor);
        here.or_else(|| self.visitors.of(socket)).cloned()
    }

    /// The span that the turns of a socket are parts of, where somebody wants to know.
    pub(super) fn trace(&self, socket: SocketId) -> Option<TraceParent> {
        match self.outbound.get(&socket) {
            Some(outbound) => outbound.trace.as_deref().copied(),
            None => self.left.filter(|(left, _)| *left == socket).map(|(_, trace)| trace),
        }
    }

    /// Lets a socket wait before its next event.
    pub(super) fn slow(&self, socket: SocketId, pause: Duration) {
        if let Some(outbound) = self.outbound.get(&socket) {
            outbound.pause(pause);
        }
    }

    /// Sends a socket away, and all others here of the same user.
    pub(super) fn send_away(&mut self, socket: SocketId, visitor: &Visitor) {
        let is_same_user = |other: &Visitor| other.user().is_some() && other.user() == visitor.user();
        let theirs = self.outbound.iter().filter(|(id, outbound)| **id == socket || is_same_user(&outbound.visitor));
        for (id, outbound) in theirs {
            self.sent_away.insert(*id);
            outbound.close(CloseReason::CLIENT_FAULTS);
        }
    }

    /// Closes a socket, and listens to it no more; false where it is not here.
    pub(super) fn kick(&mut self, socket: SocketId) -> bool {
        let Some(outbound) = self.outbound.get(&socket) else { return false };
        self.sent_away.insert(socket);
        outbound.close(CloseReason::KICKED);
        true
    }

    /// Takes back the membership of a socket whose `$connect` failed.
    pub(super) fn refuse(&mut self, socket: SocketId) {
        let user = self.state.members.meta(socket).map(|meta| meta.user_id.clone());
        self.state.members.forget(socket);
        user.map(|user| self.user_is_gone(&user));
        self.sent_away.remove(&socket);
        self.known_lost.remove(&socket);
        if let Some(outbound) = self.outbound.remove(&socket) {
            outbound.close(CloseReason::CONNECT_FAILED);
        }
    }

    /// Takes a socket out of all counts and channels; its meta can still be read until [`People::forget`]. False where
    /// the socket is not here any more.
    pub(super) fn depart(&mut self, socket: SocketId) -> bool {
        let Some(outbound) = self.outbound.remove(&socket) else { return false };
        self.visitors.note(socket, &outbound.visitor);
        self.left = outbound.trace.as_deref().map(|trace| (socket, *trace));
        self.sent_away.remove(&socket);
        self.known_lost.remove(&socket);
        self.state.members.depart(socket);
        true
    }

    /// Notes the user of a socket that came. Answers the user where this is the first socket.
    pub(super) fn first_of_user(&mut self, socket: SocketId) -> Option<String> {
        let members = &self.state.members;
        let user = members.meta(socket).filter(|_| members.is_present(socket)).map(|meta| meta.user_id.clone())?;
        self.known_users.insert(user.clone()).then_some(user)
    }

    /// The user of a socket that departed, where no other socket of the user is left.
    pub(super) fn last_of_user(&mut self, socket: SocketId) -> Option<String> {
        let user = self.state.members.meta(socket)?.user_id.clone();
        self.user_is_gone(&user).then_some(user)
    }

    /// Whether a user that was known has no socket left.
    fn user_is_gone(&mut self, user: &str) -> bool {
        self.state.members.user(user).is_empty() && self.known_users.remove(user)
    }

    /// A new instance that wants to know of users knows those that are here, but for one that is about to come.
    pub(super) fn know_users(&mut self, wants: bool) {
        match wants {
            true if self.known_users.is_empty() => {
                let members = &self.state.members;
                let comes = |user: &String| members.user(user).as_slice() == self.arriving.as_slice();
                self.known_users = members.user_ids().into_iter().filter(|user| !comes(user)).collect();
            }
            true => {}
            false => self.known_users = HashSet::new(),
        }
    }

    /// The hook that says what became of a socket's line since the last; none where nothing did.
    pub(super) fn news_of_line(&mut self, socket: SocketId) -> Option<&'static str> {
        let is_lost = self.outbound.get(&socket)?.take_news();
        let was_lost = if is_lost { !self.known_lost.insert(socket) } else { self.known_lost.remove(&socket) };
        (is_lost != was_lost && self.is_heard(socket)).then_some(if is_lost { hook::LOST } else { hook::BACK })
    }

    /// Up to `limit` sockets with a number above `after`.
    pub(super) fn list(&self, after: SocketId, limit: usize) -> Vec<ListedSocket> {
        let is_detached = |id| self.outbound.get(&id).is_some_and(|outbound| outbound.is_lost());
        let found = self.state.members.present_after(after).take(limit);
        found.map(|(id, meta)| ListedSocket { id, meta: meta.clone(), detached: is_detached(id) }).collect()
    }

    /// Forgets what is known of a socket that departed.
    pub(super) fn forget(&mut self, socket: SocketId) {
        self.state.members.forget(socket);
    }

    /// Whether the room listens to the socket: it is a member, no turn closed it, and it is not sent away.
    pub(super) fn is_heard(&self, socket: SocketId) -> bool {
        self.state.members.is_present(socket) && !self.sent_away.contains(&socket)
    }

    /// Whether a turn closed the socket, which is still connected.
    pub(super) fn is_closing(&self, socket: SocketId) -> bool {
        !self.is_heard(socket) && self.outbound.contains_key(&socket)
    }

    /// Notes that the room has handled one of the socket's events.
    pub(super) fn handled(&self, socket: SocketId) {
        if let Some(outbound) = self.outbound.get(&socket) {
            outbound.handled();
        }
    }

    /// Closes every socket, behind what is queued for it.
    pub(super) fn close(&self, reason: &CloseReason) {
        self.outbound.values().for_each(|outbound| outbound.close(reason.clone()));
    }

    /// Sends what a turn said: its emits in the order of the calls, its acknowledgement, then its closes. A large fan-out goes at the pace of
    /// what the tenant may execute, until `mailbox` says that the room ends.
    pub(super) async fn say(&mut self, output: &Output, lane: &Lane, mailbox: &Mailbox) {
        let (welcomes, histories, emits, answer, closes, accepted_ns) = match output {
            Output::Turn { welcomes, histories, emits, answer, closes, accepted_ns, .. } => {
                (*welcomes, histories, emits, answer, closes, *accepted_ns)
            }
            Output::Welcome { socket, histories } => return self.welcome(*socket, histories),
            Output::Rejection(rejection) => return self.reject(rejection),
            Output::LastWords { socket, reason } => {
                return self.outbound.get(socket).map_or((), |outbound| outbound.close(reason.clone()));
            }
        };
        if let Some(socket) = welcomes {
            self.welcome(socket, histories);
        }
        for emit in emits {
            // What the history that the newcomer got ends with.
            let has_it = emit.at.is_some() && histories.iter().any(|answer| answer.channel == emit.channel);
            let without = welcomes.filter(|_| has_it);
            self.deliver(emit, without, accepted_ns, lane, mailbox).await;
        }
        if let Some(Acknowledgement { socket, id, body }) = answer
            && let Some(outbound) = self.outbound.get(socket)
        {
            outbound.push(outbound.wire.acknowledgement(*id, body.as_ref()).of_event(accepted_ns));
        }
        for Close { socket, code, reason } in closes {
            if let Some(outbound) = self.outbound.get(socket) {
                outbound.close(CloseReason::given(*code, reason.clone()));
            }
        }
    }

    /// Emits for the host itself; answers to how many sockets.
    pub(super) async fn announce(
        &mut self,
        to: Whom,
        event: String,
        data: Json,
        lane: &Lane,
        mailbox: &Mailbox,
    ) -> u32 {
        let audience = Audience::all(self.state.members.some(&to));
        let channel = to.channel.unwrap_or_else(|| DEFAULT.to_owned());
        let count = audience.len() as u32;
        let body = Body::of(Payload::Json(data));
        self.deliver(&Emit { audience, channel, event, body, ask: None, at: None }, None, 0, lane, mailbox).await;
        count
    }

    /// Tells a client that it is in the room, and what it missed.
    fn welcome(&self, socket: SocketId, histories: &[HistoryAnswer]) {
        let Some(outbound) = self.outbound.get(&socket) else { return };
        outbound.welcome();
        for answer in histories {
            outbound.wire.history(answer).map(|packet| outbound.push(packet));
        }
    }

    /// What a newcomer hears of the channels that it named, as far as it is in them, and as far as its queue has room.
    pub(super) fn histories_for(&self, socket: SocketId, limits: &Limits) -> Vec<HistoryAnswer> {
        let Some(outbound) = self.outbound.get(&socket) else { return Vec::new() };
        let mut left = outbound.room_for_histories();
        let is_in = |channel: &str| self.state.members.channel(channel).binary_search(&socket).is_ok();
        let answer = |(channel, after): &(String, Option<String>)| {
            let bytes = limits.history_answer_bytes.min(left);
            let answer = match is_in(channel) {
                true => self.state.histories.answer(channel, after.as_deref(), bytes, unix_ms() as UnixMs),
                false => HistoryAnswer::nothing(channel),
            };
            left = left.saturating_sub(answer.frame_bytes());
            answer
        };
        outbound.since.iter().map(answer).collect()
    }

    /// Queues one packet, encoded once for all that speak the same, for each socket of the audience that is still here.
    async fn deliver(
        &mut self,
        emit: &Emit,
        without: Option<SocketId>,
        accepted_ns: u64,
        lane: &Lane,
        mailbox: &Mailbox,
    ) {
        self.emits += 1;
        let mut encoded = EncodedEmit::new(emit, self.emits);
        self.unyielded.bytes += emit.body.bytes();
        for id in emit.audience.iter() {
            if let Some(outbound) = self.outbound.get(&id).filter(|_| Some(id) != without) {
                self.unyielded.sockets +=
                    usize::from(outbound.push(encoded.packet(&outbound.wire).of_event(accepted_ns)));
            }
            self.unyielded.frames += 1;
            if self.unyielded.is_enough() {
                self.unyielded = Unyielded::default();
                lane.give_way(|| mailbox.ends()).await;
            }
        }
    }

    /// Tells the sender of a rejected event why.
    fn reject(&self, WordsForSender { socket, ack, code, message }: &WordsForSender) {
        let Some((id, outbound)) = socket.and_then(|id| Some((id, self.outbound.get(&id)?))) else { return };
        let (wire, message) = (&outbound.wire, message.as_deref());
        if let Some(ack) = ack {
            outbound.push(wire.failure(*ack, code, message));
        } else if !outbound.refuse(message.unwrap_or(code)) {
            let channel = self.state.members.meta(id).map_or(DEFAULT, Meta::first_channel);
            outbound.push(wire.error(channel, code, message));
        }
    }
}

#[cfg(test)]
mod tests;
