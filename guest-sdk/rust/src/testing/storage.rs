//! The room's keys and values: those that are committed, and what a turn makes of them.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
};

use crate::{
    bindings::parlor::room::storage::{Entry, Page},
    host::types::Refusal,
};

use super::bounds::{self, exceeded, invalid};

/// The keys and values of a room. A turn works on a copy, which replaces the original when it commits.
#[derive(Debug, Clone, Default)]
pub(crate) struct Storage {
    entries: BTreeMap<String, Vec<u8>>,
    /// Bytes of all keys and values.
    room_bytes: usize,
    /// The bytes that this turn wrote. A key that it wrote twice counts twice.
    written_bytes: usize,
}

impl Storage {
    /// The copy that a turn works on.
    pub(crate) fn of_turn(&self) -> Self {
        Storage { written_bytes: 0, ..self.clone() }
    }

    pub(crate) fn committed(&self, key: &str) -> Option<&[u8]> {
        self.entries.get(key).map(Vec::as_slice)
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &String> {
        self.entries.keys()
    }

    pub(crate) fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Refusal> {
        check_key(key)?;
        Ok(self.entries.get(key).cloned())
    }

    pub(crate) fn get_many(&self, keys: &[String]) -> Result<Vec<Option<Vec<u8>>>, Refusal> {
        check_keys(keys.len())?;
        let values: Vec<Option<Vec<u8>>> = keys.iter().map(|key| self.get(key)).collect::<Result<_, _>>()?;
        check_call_bytes(values.iter().flatten().map(Vec::len).sum())?;
        Ok(values)
    }

    pub(crate) fn put(&mut self, key: &str, value: &[u8]) -> Result<(), Refusal> {
        check_value(value)?;
        self.write(&[(key, Some(value))]).map(drop)
    }

    pub(crate) fn put_many(&mut self, entries: &[Entry]) -> Result<(), Refusal> {
        check_written_keys(entries.iter().map(|entry| &entry.key))?;
        entries.iter().try_for_each(|entry| check_value(&entry.value))?;
        check_call_bytes(entries.iter().map(|entry| entry.key.len() + entry.value.len()).sum())?;
        let writes: Vec<_> = entries.iter().map(|entry| (entry.key.as_str(), Some(entry.value.as_slice()))).collect();
        self.write(&writes).map(drop)
    }

    pub(crate) fn delete(&mut self, key: &str) -> Result<bool, Refusal> {
        Ok(self.write(&[(key, None)])? > 0)
    }

    pub(crate) fn delete_many(&mut self, keys: &[String]) -> Result<u32, Refusal> {
        check_written_keys(keys.iter())?;
        let writes: Vec<_> = keys.iter().map(|key| (key.as_str(), None)).collect();
        self.write(&writes)
    }

    pub(crate) fn scan(&self, prefix: &str, after: Option<&str>, limit: u32) -> Result<Page, Refusal> {
        if !(1..=bounds::SCAN_ENTRIES).contains(&limit) {
            return Err(invalid(format!("limit must be 1 to {}, not {limit}", bounds::SCAN_ENTRIES)));
        }
        let start = match after {
            Some(after) if after >= prefix => Bound::Excluded(after),
            _ => Bound::Included(prefix),
        };
        let found = self.entries.range::<str, _>((start, Bound::Unbounded));
        let mut page = Page { entries: Vec::new(), next: None };
        let mut bytes = 0;
        for (key, value) in found.take_while(|(key, _)| key.starts_with(prefix)) {
            let is_past = bytes + value.len() > bounds::SCAN_BYTES && !page.entries.is_empty();
            if is_past || page.entries.len() == limit as usize {
                page.next = page.entries.last().map(|entry| entry.key.clone());
                break;
            }
            bytes += key.len() + value.len();
            page.entries.push(Entry { key: key.clone(), value: value.clone() });
        }
        Ok(page)
    }

    /// Writes all of these keys, or refuses and writes none. Returns how many of them had a value.
    fn write(&mut self, writes: &[(&str, Option<&[u8]>)]) -> Result<u32, Refusal> {
        writes.iter().try_for_each(|(key, _)| check_key(key))?;
        let (mut room_bytes, mut written_bytes, mut grows) = (self.room_bytes, self.written_bytes, false);
        for (key, value) in writes {
            let old_bytes = self.entries.get(*key).map_or(0, |old| key.len() + old.len());
            let new_bytes = value.map_or(0, |value| key.len() + value.len());
            grows |= new_bytes > old_bytes;
            room_bytes = room_bytes - old_bytes + new_bytes;
            written_bytes += key.len() + value.map_or(0, <[u8]>::len);
        }
        if grows && room_bytes > bounds::STORAGE_ROOM_BYTES {
            return Err(exceeded("storage-room-bytes"));
        }
        if written_bytes > bounds::STORAGE_BYTES_PER_TURN {
            return Err(exceeded("storage-bytes-per-turn"));
        }
        (self.room_bytes, self.written_bytes) = (room_bytes, written_bytes);
        let old = writes.iter().filter_map(|(key, value)| match value {
            Some(value) => self.entries.insert((*key).to_owned(), value.to_vec()),
            None => self.entries.remove(*key),
        });
        Ok(old.count() as u32)
    }
}

/// How keys begin that the host keeps for itself.
const RESERVED: &str = "\0parlor/";

fn check_key(key: &str) -> Result<(), Refusal> {
    match key.len() {
        _ if key.starts_with(RESERVED) => Err(invalid("keys that begin with \\0parlor/ are the host's own")),
        0 => Err(invalid("a key must not be empty")),
        1..=bounds::STORAGE_KEY_BYTES => Ok(()),
        _ => Err(exceeded("storage-key-bytes")),
    }
}

fn check_value(value: &[u8]) -> Result<(), Refusal> {
    if value.len() > bounds::STORAGE_VALUE_BYTES { Err(exceeded("storage-value-bytes")) } else { Ok(()) }
}

/// Checks how many keys one call names: at most 128, and a key as often as it is named.
fn check_keys(keys: usize) -> Result<(), Refusal> {
    if keys > bounds::STORAGE_KEYS_PER_CALL { Err(exceeded("storage-keys-per-call")) } else { Ok(()) }
}

/// Checks the keys of one call that writes, which names each once.
fn check_written_keys<'a>(keys: impl ExactSizeIterator<Item = &'a String>) -> Result<(), Refusal> {
    check_keys(keys.len())?;
    let mut seen = BTreeSet::new();
    match keys.into_iter().find(|key| !seen.insert(*key)) {
        Some(twice) => Err(invalid(format!("the key {twice:?} is named twice"))),
        None => Ok(()),
    }
}

fn check_call_bytes(bytes: usize) -> Result<(), Refusal> {
    if bytes > bounds::STORAGE_BYTES_PER_CALL { Err(exceeded("storage-bytes-per-call")) } else { Ok(()) }
}
