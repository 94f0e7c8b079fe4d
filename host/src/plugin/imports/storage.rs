//! `parlor:room/storage`: the room's keys and values, with the turn's own writes laid over them.

use std::ops::Bound as RangeBound;
use std::sync::Arc;

use super::super::bindings::parlor::room::storage::{Entry, Host, Page};
use super::super::state::GuestState;
use super::{CallError, CallResult};
use crate::model::refusal::{Bound, Refusal};
use crate::storage::{RoomStorage, StorageError};

/// Where a page ends early.
const PAGE_BYTES: usize = 256 << 10;
/// The most entries of a page.
const PAGE_ENTRIES_MAX: u32 = 1_000;

impl From<StorageError> for CallError {
    fn from(why: StorageError) -> Self {
        tracing::error!("{why}");
        Self::Refused(Refusal::Other("the host's storage failed".to_owned()))
    }
}

impl GuestState {
    fn room_storage(&self) -> CallResult<Arc<dyn RoomStorage>> {
        Ok(self.storage.clone().ok_or(Refusal::NoTurn)?)
    }

    /// The value that this turn sees.
    async fn read(&mut self, key: &str) -> CallResult<Option<Vec<u8>>> {
        let turn = self.turn()?;
        check_key(key, turn.limits().storage_key_bytes)?;
        match turn.written(key) {
            Some(value) => Ok(value.map(<[u8]>::to_vec)),
            None => Ok(self.room_storage()?.get(key).await?),
        }
    }

    async fn write(&mut self, key: String, value: Option<Vec<u8>>) -> CallResult<bool> {
        let old = self.read(&key).await?;
        let old_bytes = old.as_ref().map_or(0, |old| key.len() + old.len());
        let Some(turn) = self.current_turn() else {
            return Err(Refusal::NoTurn.into());
        };
        turn.write(key, value, old_bytes)?;
        Ok(old.is_some())
    }
}

fn check_key(key: &str, max: usize) -> Result<(), Refusal> {
    match key.len() {
        0 => Err(Refusal::invalid("a key must not be empty")),
        len if len > max => Err(Refusal::LimitExceeded(Bound::StorageKeyBytes)),
        _ => Ok(()),
    }
}

impl Host for GuestState {
    async fn get(&mut self, key: String) -> CallResult<Option<Vec<u8>>> {
        self.read(&key).await
    }

    async fn put(&mut self, key: String, value: Vec<u8>) -> CallResult<()> {
        if value.len() > self.context.limits.storage_value_bytes {
            return Err(Refusal::LimitExceeded(Bound::StorageValueBytes).into());
        }
        self.write(key, Some(value)).await?;
        Ok(())
    }

    async fn delete(&mut self, key: String) -> CallResult<bool> {
        self.write(key, None).await
    }

    async fn scan(&mut self, prefix: String, after: Option<String>, limit: u32) -> CallResult<Page> {
        if !(1..=PAGE_ENTRIES_MAX).contains(&limit) {
            return Err(Refusal::invalid(format!("limit must be 1 to {PAGE_ENTRIES_MAX}, not {limit}")).into());
        }
        let start = match &after {
            Some(after) if *after >= prefix => RangeBound::Excluded(after.clone()),
            _ => RangeBound::Included(prefix.clone()),
        };
        // This turn's writes of the whole prefix; the stored entries are read around them.
        let mut written: std::collections::BTreeMap<String, Option<Vec<u8>>> = self
            .turn()?
            .effects()
            .writes
            .range::<String, _>((start, RangeBound::Unbounded))
            .take_while(|(key, _)| key.starts_with(&prefix))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        let limit = limit as usize;
        // Deleted keys take no place on the page, so that many more are read, and one to know whether more follow.
        let hidden = written.values().filter(|value| value.is_none()).count();
        let stored = self.room_storage()?.scan(&prefix, after.as_deref(), limit + hidden + 1).await?;
        for (key, value) in stored {
            written.entry(key).or_insert(Some(value));
        }
        let mut page = Page { entries: Vec::new(), next: None };
        let mut bytes = 0;
        for (key, value) in written.into_iter().filter_map(|(key, value)| Some((key, value?))) {
            let full = page.entries.len() == limit || (bytes + value.len() > PAGE_BYTES && !page.entries.is_empty());
            if full {
                page.next = page.entries.last().map(|entry: &Entry| entry.key.clone());
                break;
            }
            bytes += key.len() + value.len();
            page.entries.push(Entry { key, value });
        }
        Ok(page)
    }
}
