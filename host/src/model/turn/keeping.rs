//! What a turn asks the room to keep: keys and values, the alarm, timers.

use super::storage::KeyWrite;
use super::{Turn, require_name};
use crate::clock::Instant;
use crate::model::effect::UnixMs;
use crate::model::json::Json;
use crate::model::refusal::{Bound, Refusal};
use crate::model::timers::Timer;

impl Turn {
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
    pub fn set_timer(&mut self, name: String, due: Instant, data: Option<Json>) -> Result<(), Refusal> {
        require_name("a timer's name", &name)?;
        let timers = &mut self.state.timers;
        if timers.len() >= self.limits.timers_per_room && !timers.has(&name) {
            return Err(Refusal::LimitExceeded(Bound::TimersPerRoom));
        }
        timers.change(name, Some(Timer { due, data, set_by: self.caused_by }));
        Ok(())
    }

    /// Removes a timer. Returns whether it was set.
    pub fn cancel_timer(&mut self, name: String) -> bool {
        let timers = &mut self.state.timers;
        timers.has(&name) && timers.change(name, None)
    }
}
