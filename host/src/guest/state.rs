//! The data of an instance's store: what the host knows of the instance.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::context::RoomContext;
use super::cpu::CpuMeter;
use super::log::GuestLog;
use super::memory::MemoryLimit;
use super::tape::Tape;
use super::ticker::Ticker;
use super::wasi::GuestWasi;
use crate::model::event::hook;
use crate::model::history::HistoryKeep;
use crate::model::limits::Limits;
use crate::model::refusal::{Bound, Refusal};
use crate::model::turn::{Calls, Turn};
use crate::storage::view::StorageView;
use crate::tenant::Paced;
use crate::tenant::lane::ReservedCpu;

/// What the guest is being called for, and so which imports it may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Between calls, and in `authorize`: only imports that read.
    Outside,
    /// In `init`: it may register for events as well.
    Init,
    /// In `handle`: every import, and what acts adds to the turn.
    Turn,
}

/// The events that an instance is registered for.
#[derive(Debug, Default, Clone)]
pub struct Registrations {
    names: BTreeSet<String>,
    /// The channels whose history is kept.
    histories: Vec<HistoryKeep>,
    /// Whether `ping` is among them. The room's sockets ask at every keepalive.
    ping: bool,
}

/// The event that a client's bare keepalive raises.
const PING: &str = "ping";

impl Registrations {
    pub fn has(&self, event: &str) -> bool {
        self.names.contains(event)
    }

    /// Whether a client's bare keepalive is an event for this plugin.
    pub fn has_ping(&self) -> bool {
        self.ping
    }

    /// All registered events, in ascending order.
    pub fn names(&self) -> Vec<String> {
        self.names.iter().cloned().collect()
    }

    pub fn add(&mut self, event: String, limits: &Limits) -> Result<(), Refusal> {
        if event.starts_with('$') && !hook::ALL.contains(&event.as_str()) {
            return Err(Refusal::invalid(format!("this host has no hook {event:?}; it has {}", hook::ALL.join(", "))));
        }
        if !crate::model::names::is_short_name(&event) {
            return Err(Refusal::invalid(format!("an event's name must be 1 to 128 bytes, not {}", event.len())));
        }
        if !self.names.contains(&event) && self.names.len() >= limits.registrations {
            return Err(Refusal::LimitExceeded(Bound::Registrations));
        }
        self.ping |= event == PING;
        self.names.insert(event);
        Ok(())
    }

    /// The channels whose history is kept.
    pub fn histories(&self) -> &[HistoryKeep] {
        &self.histories
    }

    /// Has a channel's history kept, as the last call for it says.
    pub fn want_history(&mut self, keep: HistoryKeep, limits: &Limits) -> Result<(), Refusal> {
        if keep.entries > limits.history_entries {
            return Err(Refusal::LimitExceeded(Bound::HistoryEntries));
        }
        if keep.ttl.as_millis() > u128::from(limits.history_ttl_ms) {
            return Err(Refusal::LimitExceeded(Bound::HistoryTtlMs));
        }
        self.histories.retain(|known| known.channel != keep.channel);
        if self.histories.len() >= limits.history_channels {
            return Err(Refusal::LimitExceeded(Bound::HistoryChannels));
        }
        self.histories.push(keep);
        Ok(())
    }

    pub fn remove(&mut self, event: &str) {
        self.ping &= event != PING;
        self.names.remove(event);
    }
}

/// The data of an instance's store.
pub struct GuestState {
    pub context: Arc<RoomContext>,
    pub phase: Phase,
    /// The current turn; between turns an empty one, which nobody acts on.
    pub turn: Box<Turn>,
    pub registrations: Registrations,
    /// The room's storage; `None` outside of rooms.
    pub storage: Option<Arc<StorageView>>,
    pub cpu: Arc<CpuMeter>,
    /// CPU time of the tenant that is reserved for the current call, once that turned out to be long.
    pub reserved: Option<ReservedCpu>,
    pub memory: MemoryLimit,
    pub log: Arc<GuestLog>,
    pub wasi: GuestWasi,
    /// Counts host calls in `init` and `authorize`, outside of turns.
    pub calls: Calls,
    /// Whether an import stopped the guest because it went on calling past a limit.
    pub calls_exhausted: bool,
    /// What the guest is told and answered is recorded here, or comes from here.
    pub tape: Tape,
}

impl GuestState {
    pub fn new(context: Arc<RoomContext>, storage: Option<Arc<StorageView>>, ticker: Arc<Ticker>, tape: Tape) -> Self {
        let log = Arc::new(GuestLog::new(Arc::clone(&context)));
        Self {
            phase: Phase::Outside,
            turn: Box::new(Turn::empty(Arc::clone(&context.limits))),
            registrations: Registrations::default(),
            storage,
            cpu: Arc::new(CpuMeter::new(ticker)),
            reserved: None,
            memory: MemoryLimit::new(
                context.limits.memory_bytes,
                context.limits.table_elements,
                Arc::clone(&context.account.memory),
            ),
            wasi: GuestWasi::new(Arc::clone(&log), context.limits.wasi_handles, tape.wasi().cloned()),
            log,
            calls: Calls::default(),
            calls_exhausted: false,
            tape,
            context,
        }
    }

    /// What the current call is a sample of.
    fn pace(&self) -> &dyn Paced {
        match &self.context.room_pace {
            Some(room) if self.phase == Phase::Turn => &**room,
            _ => &*self.context.pace,
        }
    }

    /// Notes that the current call is long, as soon as it is.
    pub fn tell_if_long(&self) {
        let pace = self.pace();
        if let Some(slices) = self.cpu.turned_long(pace.long_from()) {
            pace.note_long(slices / pace.long_from());
        }
    }

    /// Notes how long the call was that ends now.
    pub fn tell_length(&self) {
        self.tell_if_long();
        if !self.cpu.is_told() {
            self.pace().note_short();
        }
    }
}
