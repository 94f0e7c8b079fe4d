//! `parlor:room/storage`: the room's keys and values as the turn sees them, its own writes included.

use std::collections::HashSet;
use std::sync::Arc;

use super::super::bindings::parlor::room::storage::{Entry, Host, Page};
use super::super::state::GuestState;
use crate::guest::call_error::{CallError, CallResult};
use crate::model::names::RESERVED_KEYS_END;
use crate::model::refusal::{Bound, Refusal};
use crate::model::turn::{KeyWrite, check_key, check_value};
use crate::storage::view::StorageView;
use crate::storage::{PageBounds, StorageError};

/// A page ends early at this many bytes.
const PAGE_BYTES: usize = 256 << 10;
/// How many entries a page has at most.
const PAGE_ENTRIES_MAX: u32 = 1_000;

impl From<StorageError> for CallError {
    fn from(why: StorageError) -> Self {
        tracing::error!("{why}");
        Self::Refused(Refusal::Other("the host's storage failed".to_owned()))
    }
}

impl GuestState {
    fn room_storage(&self) -> CallResult<Arc<StorageView>> {
        Ok(self.storage.clone().ok_or(Refusal::NoTurn)?)
    }

    /// Reads values as this turn sees them, its own writes included; `None` where they have more than `bytes_max` bytes
    /// together.
    async fn read(&mut self, keys: &[&str], bytes_max: usize) -> CallResult<Option<Vec<Option<Vec<u8>>>>> {
        let turn = self.turn()?;
        keys.iter().try_for_each(|key| check_key(key, turn.limits()))?;
        let storage = self.room_storage()?;
        let written = &self.current_turn().ok_or(Refusal::NoTurn)?.effects().batch.writes;
        Ok(storage.get(keys, written, bytes_max).await?)
    }

    /// Counts keys that the plugin asked for itself.
    fn note_reads(&mut self, keys: usize) {
        if let Some(turn) = self.current_turn() {
            turn.note_reads(keys);
        }
    }

    /// Writes all of these keys, or refuses and writes none. Returns how many of them had a value.
    async fn write(&mut self, writes: Vec<(String, Option<Vec<u8>>)>) -> CallResult<u32> {
        let keys: Vec<&str> = writes.iter().map(|(key, _)| key.as_str()).collect();
        let old = self.read(&keys, usize::MAX).await?.unwrap_or_default();
        let old_bytes = old.iter().zip(&keys).map(|(old, key)| old.as_ref().map_or(0, |old| key.len() + old.len()));
        let old_bytes: Vec<usize> = old_bytes.collect();
        let Some(turn) = self.current_turn() else {
            return Err(Refusal::NoTurn.into());
        };
        turn.write(
            writes
                .into_iter()
                .zip(old_bytes)
                .map(|((key, value), old)| KeyWrite { key, value, old_bytes: old })
                .collect(),
        )?;
        Ok(old.iter().flatten().count() as u32)
    }

    /// Checks how many keys one call names: at most `storage-keys-per-call`, and a key as often as it is named.
    fn check_keys(&self, keys: usize) -> Result<(), Refusal> {
        match keys <= self.context.limits.storage_keys_per_call {
            true => Ok(()),
            false => Err(Refusal::LimitExceeded(Bound::StorageKeysPerCall)),
        }
    }

    /// Checks the keys of one call that writes, which names each once.
    fn check_written_keys<'a>(&self, keys: impl ExactSizeIterator<Item = &'a String>) -> Result<(), Refusal> {
        self.check_keys(keys.len())?;
        let mut seen = HashSet::new();
        match keys.into_iter().find(|key| !seen.insert(*key)) {
            Some(twice) => Err(Refusal::invalid(format!("the key {twice:?} is named twice"))),
            None => Ok(()),
        }
    }

    fn check_call_bytes(&self, bytes: usize) -> Result<(), Refusal> {
        match bytes <= self.context.limits.storage_bytes_per_call {
            true => Ok(()),
            false => Err(Refusal::LimitExceeded(Bound::StorageBytesPerCall)),
        }
    }
}

impl Host for GuestState {
    async fn get(&mut self, key: String) -> CallResult<Option<Vec<u8>>> {
        let values = self.read(&[&key], usize::MAX).await?;
        self.note_reads(1);
        Ok(values.and_then(|mut values| values.pop().flatten()))
    }

    async fn get_many(&mut self, keys: Vec<String>) -> CallResult<Vec<Option<Vec<u8>>>> {
        self.check_keys(keys.len())?;
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        let bytes_max = self.context.limits.storage_bytes_per_call;
        let values = self.read(&keys, bytes_max).await?;
        self.note_reads(keys.len());
        Ok(values.ok_or(Refusal::LimitExceeded(Bound::StorageBytesPerCall))?)
    }

    async fn put(&mut self, key: String, value: Vec<u8>) -> CallResult<()> {
        check_value(&value, &self.context.limits)?;
        self.write(vec![(key, Some(value))]).await?;
        Ok(())
    }

    async fn put_many(&mut self, entries: Vec<Entry>) -> CallResult<()> {
        self.check_written_keys(entries.iter().map(|entry| &entry.key))?;
        entries.iter().try_for_each(|entry| check_value(&entry.value, &self.context.limits))?;
        self.check_call_bytes(entries.iter().map(|entry| entry.key.len() + entry.value.len()).sum())?;
        self.write(entries.into_iter().map(|Entry { key, value }| (key, Some(value))).collect()).await?;
        Ok(())
    }

    async fn delete(&mut self, key: String) -> CallResult<bool> {
        Ok(self.write(vec![(key, None)]).await? > 0)
    }

    async fn delete_many(&mut self, keys: Vec<String>) -> CallResult<u32> {
        self.check_written_keys(keys.iter())?;
        self.write(keys.into_iter().map(|key| (key, None)).collect()).await
    }

    async fn scan(&mut self, prefix: String, after: Option<String>, limit: u32) -> CallResult<Page> {
        if !(1..=PAGE_ENTRIES_MAX).contains(&limit) {
            return Err(Refusal::invalid(format!("limit must be 1 to {PAGE_ENTRIES_MAX}, not {limit}")).into());
        }
        let bounds = PageBounds { entries: limit as usize, bytes: PAGE_BYTES };
        let storage = self.room_storage()?;
        let written = &self.turn()?.effects().batch.writes;
        let mut page = storage.scan(&prefix, after.as_deref(), bounds, written).await?;
        if let Some(rest) = page.leave_out_reserved(&prefix, bounds) {
            page.append(storage.scan(&prefix, Some(RESERVED_KEYS_END), rest, written).await?);
        }
        self.note_reads(page.entries.len());
        let last = page.entries.last().filter(|_| !page.is_last);
        let next = last.map(|(key, _)| key.clone());
        Ok(Page { entries: page.entries.into_iter().map(|(key, value)| Entry { key, value }).collect(), next })
    }
}
