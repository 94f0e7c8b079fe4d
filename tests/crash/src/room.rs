//! One room as all its clients know it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::alarms::Alarms;
use crate::ledger::Ledger;
use crate::seen::Losses;

/// A room, over all lives of the server.
#[derive(Debug)]
pub struct Room {
    pub tenant: &'static str,
    pub name: String,
    pub relaxed: bool,
    model: Mutex<Model>,
}

/// What must be in it.
#[derive(Debug)]
pub struct Model {
    pub ledger: Ledger,
    pub alarms: Alarms,
    pub losses: Losses,
}

/// What happened in all rooms.
#[derive(Debug, Default)]
pub struct Counts {
    /// Turns whose sender saw their answer.
    pub acknowledged: AtomicU64,
    /// Acknowledgements, each behind what its turn said.
    pub acks: AtomicU64,
    /// Frames that were checked, of all clients.
    pub checked: AtomicU64,
    pub resent: AtomicU64,
    pub audits: AtomicU64,
    /// Rooms that were compared as a whole after a restart.
    pub rooms: AtomicU64,
    pub latest_ring_ms: AtomicU64,
}

impl Counts {
    pub fn add(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

impl Room {
    pub fn new(tenant: &'static str, name: String, relaxed: bool) -> Self {
        let model = Model { ledger: Ledger::new(relaxed), alarms: Alarms::new(relaxed), losses: Losses::default() };
        Self { tenant, name, relaxed, model: Mutex::new(model) }
    }

    pub fn model(&self) -> MutexGuard<'_, Model> {
        self.model.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn path(&self) -> String {
        format!("/t/{}/ledger?room={}", self.tenant, self.name)
    }
}
