//! A turn: one event that one instance handles. It collects what the guest asks for, and enforces the limits of a turn.

mod emits;
mod keeping;
mod storage;

use std::sync::Arc;

use bytes::Bytes;

use super::asks::AskKey;
use super::effect::{Close, Effects, Whom};
use super::event::SocketId;
use super::history::{Histories, HistoryAnswer};
use super::limits::Limits;
use super::members::Members;
use super::meta::{Meta, checked_fields};
use super::names::is_short_name;
use super::refusal::{Bound, Refusal};
use super::state::{RoomState, StateMark};
use crate::clock::Instant;

pub use storage::{KeyWrite, StorageUse, TenantStorage, check_key, check_value};

use storage::StorageCharge;

/// The close codes that a guest may use beside 3000 to 4999, which belong to applications.
const GUEST_CLOSE_CODES: [u16; 5] = [1000, 1008, 1011, 1012, 1013];
/// How many bytes of reason a close frame has space for (RFC 6455, 5.5).
pub const CLOSE_REASON_BYTES_MAX: usize = 123;

/// Whom a guest's emit is for.
#[derive(Debug, Clone)]
pub enum EmitTarget {
    Socket(SocketId),
    /// If the sender is in a channel of this name: the others in it. Otherwise the user of this name.
    Named(String),
    Channel(String),
    ChannelExcept {
        channel: String,
        clients: Vec<String>,
    },
    /// Some of a room's sockets, without those of the excluded client ids.
    Some {
        whom: Whom,
        excluded: Vec<String>,
    },
    User(String),
    Clients(Vec<String>),
}

/// A turn in progress. It owns the room's state while it runs, so that its reads see its own changes.
#[derive(Debug)]
pub struct Turn {
    state: Box<RoomState>,
    /// The mark of the state before the turn.
    start: StateMark,
    storage: StorageUse,
    charge: StorageCharge,
    /// Bytes of all keys and values that the turn wrote, one over the other too.
    written_bytes: usize,
    sender: Option<SocketId>,
    /// The socket whose doing the turn is, see [`Event`](crate::model::event::Event).
    caused_by: Option<SocketId>,
    accepted_at: f64,
    limits: Arc<Limits>,
    effects: Effects,
    /// How many arguments the event has, and what its placeholders name.
    inbox: (u32, Vec<Bytes>),
    /// What comes with the next emit, ask or answer.
    enclosed: Enclosed,
    /// The asks of this turn.
    asked: Vec<AskKey>,
    calls: Calls,
    emits: usize,
    emit_bytes: usize,
    deliveries: usize,
    reads: usize,
    poison: Option<Bound>,
}

/// What the guest gave for its next emit, ask or answer.
#[derive(Debug, Default)]
pub struct Enclosed {
    attachments: Vec<Bytes>,
    is_spread: bool,
}

/// What a turn that succeeded leaves beside the room's state.
#[derive(Debug)]
pub struct EndedTurn {
    /// The state before it.
    pub start: StateMark,
    pub effects: Effects,
    /// Bytes of the room's keys and values with the turn's writes. The tenant's bound counts them from now on.
    pub room_bytes: usize,
    /// What the socket that the turn lets in hears first of what it missed.
    pub histories: Vec<HistoryAnswer>,
}

/// How much a turn asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TurnTally {
    pub emits: usize,
    /// Bytes of what it emitted, each emit counted once.
    pub bytes: usize,
    /// The sockets that its emits are for, added up.
    pub deliveries: usize,
    /// Keys that it read.
    pub reads: usize,
    /// Keys that it wrote.
    pub writes: usize,
}

/// The guest made too many calls behind a bound that it had already passed.
#[derive(Debug)]
pub struct CallsExhausted;

/// Whether a call is still within `host-calls-per-turn`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    Within,
    Past,
}

/// Counts the host calls during one call into a guest.
#[derive(Debug, Default)]
pub struct Calls {
    made: u32,
    after_bound: u32,
}

impl Calls {
    /// Counts a call. `past` says whether the guest had exceeded another limit before.
    pub fn count(&mut self, limits: &Limits, past: bool) -> Result<Counted, CallsExhausted> {
        self.made = self.made.saturating_add(1);
        let over = self.made > limits.host_calls_per_turn;
        if over || past {
            self.after_bound += 1;
            if self.after_bound > limits.calls_after_bound {
                return Err(CallsExhausted);
            }
        }
        Ok(if over { Counted::Past } else { Counted::Within })
    }
}

impl Turn {
    pub fn begin(
        state: Box<RoomState>,
        storage: StorageUse,
        sender: Option<SocketId>,
        caused_by: Option<SocketId>,
        accepted_at: f64,
        limits: Arc<Limits>,
    ) -> Self {
        Self {
            start: state.mark(),
            state,
            charge: StorageCharge::new(&storage),
            storage,
            written_bytes: 0,
            sender,
            caused_by,
            accepted_at,
            limits,
            effects: Effects::default(),
            inbox: (0, Vec::new()),
            enclosed: Enclosed::default(),
            asked: Vec::new(),
            calls: Calls::default(),
            emits: 0,
            emit_bytes: 0,
            deliveries: 0,
            reads: 0,
            poison: None,
        }
    }

    /// A turn of nothing, in nobody's room.
    pub fn empty(limits: Arc<Limits>) -> Self {
        Self::begin(Box::default(), StorageUse::default(), None, None, 0.0, limits)
    }

    /// Takes what came with the event beside its payload.
    pub fn receive(&mut self, arguments: u32, attachments: Vec<Bytes>) {
        self.inbox = (arguments, attachments);
    }

    /// How many arguments the event has.
    pub fn arguments(&self) -> u32 {
        self.inbox.0
    }

    /// What the placeholders of the event's payload name.
    pub fn attachments(&self) -> &[Bytes] {
        &self.inbox.1
    }

    pub fn accepted_at(&self) -> f64 {
        self.accepted_at
    }

    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The limit that the turn exceeded, if any: then it cannot commit.
    pub fn poison(&self) -> Option<Bound> {
        self.poison
    }

    pub fn effects(&self) -> &Effects {
        &self.effects
    }

    /// Counts keys that the guest reads.
    pub fn note_reads(&mut self, keys: usize) {
        self.reads += keys;
    }

    /// What the guest has asked for so far.
    pub fn tally(&self) -> TurnTally {
        let Self { emits, emit_bytes: bytes, deliveries, reads, .. } = *self;
        TurnTally { emits, bytes, deliveries, reads, writes: self.effects.batch.writes.len() }
    }

    /// The end of a turn that succeeded: the state as the turn left it, and what is to be done.
    pub fn end(mut self) -> (Box<RoomState>, EndedTurn) {
        if !self.asked.is_empty() {
            self.state.asks.start(&self.asked, Instant::now());
        }
        let room_bytes = self.storage.room_bytes;
        self.charge.settle(room_bytes);
        (self.state, EndedTurn { start: self.start, effects: self.effects, room_bytes, histories: Vec::new() })
    }

    /// Ends a turn that failed: returns the state as it was before.
    pub fn roll_back(mut self) -> Box<RoomState> {
        self.state.roll_back(self.start);
        self.state
    }

    /// Counts a host call. The caller refuses a call that is past the limit, and stops a guest that goes on regardless.
    pub fn count_call(&mut self) -> Result<Counted, CallsExhausted> {
        let counted = self.calls.count(&self.limits, self.poison.is_some())?;
        if counted == Counted::Past {
            self.poison.get_or_insert(Bound::HostCallsPerTurn);
        }
        Ok(counted)
    }

    pub fn members(&self) -> &Members {
        &self.state.members
    }

    pub fn histories(&self) -> &Histories {
        &self.state.histories
    }

    pub fn meta(&self, socket: SocketId) -> Result<&Meta, Refusal> {
        self.state.members.meta(socket).ok_or(Refusal::NoSuchSocket)
    }

    pub fn set_fields(&mut self, socket: SocketId, fields: String) -> Result<(), Refusal> {
        self.require_present(socket)?;
        self.state.members.set_fields(socket, checked_fields(fields, &self.limits)?);
        Ok(())
    }

    pub fn join(&mut self, socket: SocketId, channel: &str) -> Result<(), Refusal> {
        self.require_present(socket)?;
        require_name("the channel", channel)?;
        let channels = &self.meta(socket)?.channels;
        if channels.len() >= self.limits.channels_per_socket && !channels.iter().any(|name| name == channel) {
            return Err(Refusal::LimitExceeded(Bound::ChannelsPerSocket));
        }
        self.state.members.join(socket, channel);
        Ok(())
    }

    pub fn leave(&mut self, socket: SocketId, channel: &str) -> Result<(), Refusal> {
        self.require_present(socket)?;
        self.state.members.leave(socket, channel);
        Ok(())
    }

    /// Closes a socket behind what the turn emits to it. Of several closes of one socket in a turn the first counts.
    pub fn close(&mut self, socket: SocketId, code: u16, reason: String) -> Result<(), Refusal> {
        let is_closed = self.effects.closes.iter().any(|close| close.socket == socket);
        if !is_closed {
            self.require_present(socket)?;
        }
        if !GUEST_CLOSE_CODES.contains(&code) && !(3000..5000).contains(&code) {
            return Err(Refusal::invalid(format!(
                "the close code {code} must be 1000, 1008, 1011 to 1013 or 3000 to 4999"
            )));
        }
        if reason.len() > CLOSE_REASON_BYTES_MAX {
            return Err(Refusal::invalid(format!("a close reason must be at most {CLOSE_REASON_BYTES_MAX} bytes")));
        }
        if !is_closed {
            self.state.members.close(socket);
            self.effects.closes.push(Close { socket, code, reason });
        }
        Ok(())
    }

    /// Notes that the turn exceeded a limit: whatever the guest does, it cannot commit any more.
    fn exceed(&mut self, bound: Bound) -> Refusal {
        self.poison.get_or_insert(bound);
        Refusal::LimitExceeded(bound)
    }

    fn require_present(&self, socket: SocketId) -> Result<(), Refusal> {
        if self.state.members.is_present(socket) { Ok(()) } else { Err(Refusal::NoSuchSocket) }
    }
}

fn require_name(what: &str, name: &str) -> Result<(), Refusal> {
    if is_short_name(name) {
        Ok(())
    } else {
        Err(Refusal::invalid(format!("{what} must be 1 to 128 bytes, not {}", name.len())))
    }
}
