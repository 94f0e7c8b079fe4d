//! What the host keeps beside an instance: the data of its store.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use super::cpu::CpuMeter;
use super::log::GuestLog;
use super::memory::MemoryLimit;
use super::wasi::GuestWasi;
use crate::model::event::hook;
use crate::model::limits::Limits;
use crate::model::names::{PluginKey, RoomId};
use crate::model::refusal::{Bound, Refusal};
use crate::model::turn::{Calls, Turn};
use crate::storage::view::StorageView;
use crate::tenant::lane::ReservedCpu;
use crate::tenant::{Account, Pace};

/// Whom an instance belongs to.
#[derive(Debug, Clone)]
pub struct RoomContext {
    pub plugin: PluginKey,
    pub version: String,
    /// None for an instance that belongs to no room: a rehearsal at load, or an authorisation.
    pub room: Option<RoomId>,
    pub limits: Arc<Limits>,
    /// What the operator configured for the plugin.
    pub config: Arc<BTreeMap<String, String>>,
    /// Whom its use is charged to.
    pub account: Arc<Account>,
    /// Whether the plugin's calls take long; all its instances know.
    pub pace: Arc<Pace>,
}

/// What a guest is being called for, and so what it may ask of the host.
#[derive(Debug)]
pub enum Phase {
    /// Between calls, and in `authorize`: nothing that acts.
    Outside,
    /// In `init`: registrations.
    Init,
    Turn(Box<Turn>),
}

/// The events that an instance asked for.
#[derive(Debug, Default, Clone)]
pub struct Registrations {
    names: HashSet<String>,
    /// Whether `ping` is among them: a room's sockets ask at every keepalive.
    ping: bool,
}

/// The event of a bare keepalive.
const PING: &str = "ping";

impl Registrations {
    pub fn has(&self, event: &str) -> bool {
        self.names.contains(event)
    }

    /// Whether a bare keepalive is an event as well.
    pub fn has_ping(&self) -> bool {
        self.ping
    }

    /// All of them, in ascending order.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.names.iter().cloned().collect();
        names.sort_unstable();
        names
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

    pub fn remove(&mut self, event: &str) {
        self.ping &= event != PING;
        self.names.remove(event);
    }
}

/// The data of an instance's store.
pub struct GuestState {
    pub context: Arc<RoomContext>,
    pub phase: Phase,
    pub registrations: Registrations,
    /// None for an instance that belongs to no room.
    pub storage: Option<Arc<StorageView>>,
    pub cpu: Arc<CpuMeter>,
    /// CPU time of the tenant's that is set aside for the current call, once it turned out to be long.
    pub reserved: Option<ReservedCpu>,
    pub memory: MemoryLimit,
    pub log: Arc<GuestLog>,
    pub wasi: GuestWasi,
    /// Host calls outside of turns: in `init` and `authorize`.
    pub calls: Calls,
    /// Set by the import that stopped a guest for calling on behind a bound.
    pub calls_exhausted: bool,
}

impl GuestState {
    pub fn new(context: Arc<RoomContext>, storage: Option<Arc<StorageView>>) -> Self {
        let log = Arc::new(GuestLog::new(Arc::clone(&context)));
        Self {
            phase: Phase::Outside,
            registrations: Registrations::default(),
            storage,
            cpu: Arc::default(),
            reserved: None,
            memory: MemoryLimit::new(
                context.limits.memory_bytes,
                context.limits.table_elements,
                Arc::clone(&context.account.memory),
            ),
            wasi: GuestWasi::new(Arc::clone(&log), context.limits.wasi_handles),
            log,
            calls: Calls::default(),
            calls_exhausted: false,
            context,
        }
    }
}
