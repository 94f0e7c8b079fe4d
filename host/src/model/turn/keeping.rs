//! What a turn asks the room to keep: keys and values, the alarm, timers.

use std::fmt;
use std::sync::Arc;

use super::{Turn, require_name};
use crate::model::effect::UnixMs;
use crate::model::refusal::{Bound, Refusal};
use crate::model::timers::Timer;

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
    fn may_keep(&self) -> bool {
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
    fn cover(&mut self, bytes: usize) -> bool {
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
        if let (Some(tenant), Some(excess)) = (&self.tenant, self.charged.checked_sub(self.before)) {
            tenant.give(excess);
        }
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

impl Turn {
    /// This turn's own write of a key, where it made one.
    pub fn written(&self, key: &str) -> Option<Option<&[u8]>> {
        self.effects.batch.writes.get(key).map(Option::as_deref)
    }

    /// Writes all of these keys, or none of them.
    pub fn write(&mut self, writes: Vec<KeyWrite>) -> Result<(), Refusal> {
        let mut room_bytes = self.storage.room_bytes;
        let mut written_bytes = self.written_bytes;
        let mut grows = false;
        for KeyWrite { key, value, old_bytes } in &writes {
            let new_bytes = value.as_ref().map_or(0, |value| key.len() + value.len());
            grows |= new_bytes > *old_bytes;
            room_bytes = room_bytes.saturating_sub(*old_bytes) + new_bytes;
            written_bytes += key.len() + value.as_ref().map_or(0, Vec::len);
        }
        if grows && !self.storage.may_keep() {
            return Err(Refusal::LimitExceeded(Bound::StorageRoomsPerTenant));
        }
        if grows && room_bytes > self.limits.storage_room_bytes {
            return Err(Refusal::LimitExceeded(Bound::StorageRoomBytes));
        }
        if written_bytes > self.limits.storage_bytes_per_turn {
            return Err(Refusal::LimitExceeded(Bound::StorageBytesPerTurn));
        }
        // The last of the checks: what is taken here is taken.
        if !self.charge.cover(room_bytes) {
            return Err(Refusal::LimitExceeded(Bound::StorageTenantBytes));
        }
        self.storage.room_bytes = room_bytes;
        self.written_bytes = written_bytes;
        self.effects.batch.writes.extend(writes.into_iter().map(|write| (write.key, write.value)));
        Ok(())
    }

    /// When the alarm is due, with this turn's own change.
    pub fn alarm(&self) -> Option<UnixMs> {
        self.effects.batch.alarm.unwrap_or(self.storage.alarm)
    }

    /// Sets the alarm, or clears it.
    pub fn set_alarm(&mut self, due: Option<UnixMs>) -> Result<(), Refusal> {
        if due.is_some() && !self.storage.may_keep() {
            return Err(Refusal::LimitExceeded(Bound::StorageRoomsPerTenant));
        }
        self.effects.batch.alarm = Some(due);
        Ok(())
    }

    /// Clears the alarm, which rings in this turn. The turn may set it again.
    pub fn forget_alarm(&mut self) {
        self.effects.batch.alarm = Some(None);
    }

    /// Refuses data that is too large for a timer, before anybody parses it.
    pub fn check_timer_size(&self, bytes: usize) -> Result<(), Refusal> {
        if bytes > self.limits.timer_bytes { Err(Refusal::LimitExceeded(Bound::TimerBytes)) } else { Ok(()) }
    }

    /// Sets a timer, in place of one of the same name. The caller has checked the size of its data.
    pub fn set_timer(&mut self, name: String, timer: Timer) -> Result<(), Refusal> {
        require_name("a timer's name", &name)?;
        let timers = &mut self.state.timers;
        if timers.len() >= self.limits.timers_per_room && !timers.has(&name) {
            return Err(Refusal::LimitExceeded(Bound::TimersPerRoom));
        }
        timers.change(name, Some(timer));
        Ok(())
    }

    /// Removes a timer. Returns whether it was set.
    pub fn cancel_timer(&mut self, name: String) -> bool {
        let timers = &mut self.state.timers;
        timers.has(&name) && timers.change(name, None)
    }
}
