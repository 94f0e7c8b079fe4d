//! What a room and its tenant keep, as a turn finds it and changes it.

use std::fmt;
use std::sync::Arc;

use crate::model::effect::UnixMs;
use crate::model::limits::Limits;
use crate::model::names::RESERVED_KEYS;
use crate::model::refusal::{Bound, Refusal};

/// What a tenant's rooms may keep together. A turn asks at each write, so that neither many writes of one turn nor the turns
/// of two rooms pass a bound together.
pub trait TenantStorage: Send + Sync + fmt::Debug {
    /// Whether one more room of the tenant may begin to keep something.
    fn admits_another_room(&self) -> bool;

    /// Takes so many bytes more, if that stays within the tenant's bound.
    fn take(&self, bytes: usize) -> bool;

    /// Gives back bytes that were taken.
    fn give(&self, bytes: usize);
}

/// What is stored when a turn begins; kept up with what it writes.
#[derive(Debug, Clone, Default)]
pub struct StorageUse {
    /// Bytes of the room's keys and values. The tenant's bound counts them already.
    pub room_bytes: usize,
    /// Whether the room keeps a key or an alarm, so that it is one of those that its tenant may have.
    pub keeps_already: bool,
    /// When the room's alarm is due.
    pub alarm: Option<UnixMs>,
    /// None where nobody counts what the turn keeps.
    pub tenant: Option<Arc<dyn TenantStorage>>,
}

impl StorageUse {
    /// Whether the room may keep anything at all.
    pub(super) fn may_keep(&self) -> bool {
        self.keeps_already || self.tenant.as_ref().is_none_or(|tenant| tenant.admits_another_room())
    }
}

/// What the tenant's bound counts for the room beyond what was stored before the turn. It is given back when the turn leaves
/// no trace, however that comes about.
#[derive(Debug, Default)]
pub(super) struct StorageCharge {
    tenant: Option<Arc<dyn TenantStorage>>,
    /// What the tenant's bound counted before the turn.
    before: usize,
    /// The same, with the most that the turn has needed so far. What a turn frees it may fill again itself; others may have
    /// it when the turn has committed.
    charged: usize,
}

impl StorageCharge {
    pub(super) fn new(storage: &StorageUse) -> Self {
        Self { tenant: storage.tenant.clone(), before: storage.room_bytes, charged: storage.room_bytes }
    }

    /// Takes what the room needs to keep so many bytes; false where the tenant's bound does not allow it.
    pub(super) fn cover(&mut self, bytes: usize) -> bool {
        let Some(growth) = bytes.checked_sub(self.charged).filter(|growth| *growth > 0) else { return true };
        let is_taken = self.tenant.as_ref().is_none_or(|tenant| tenant.take(growth));
        if is_taken {
            self.charged = bytes;
        }
        is_taken
    }

    /// The turn commits: from now on the tenant's bound counts what the room keeps with it.
    pub(super) fn settle(mut self, bytes: usize) {
        self.before = bytes;
    }
}

impl Drop for StorageCharge {
    fn drop(&mut self) {
        let excess = self.charged.saturating_sub(self.before);
        if let Some(tenant) = self.tenant.as_ref().filter(|_| excess > 0) {
            tenant.give(excess);
        }
    }
}

/// Refuses a key that no room may have.
pub fn check_key(key: &str, limits: &Limits) -> Result<(), Refusal> {
    match key.len() {
        0 => Err(Refusal::invalid("a key must not be empty")),
        _ if key.starts_with(RESERVED_KEYS) => {
            Err(Refusal::invalid(format!("keys that begin with {RESERVED_KEYS:?} are the host's own")))
        }
        len if len > limits.storage_key_bytes => Err(Refusal::LimitExceeded(Bound::StorageKeyBytes)),
        _ => Ok(()),
    }
}

/// Refuses a value that is too large.
pub fn check_value(value: &[u8], limits: &Limits) -> Result<(), Refusal> {
    match value.len() <= limits.storage_value_bytes {
        true => Ok(()),
        false => Err(Refusal::LimitExceeded(Bound::StorageValueBytes)),
    }
}

/// A write of one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyWrite {
    pub key: String,
    /// `None` deletes the key.
    pub value: Option<Vec<u8>>,
    /// The bytes of the key and its value before.
    pub old_bytes: usize,
}
