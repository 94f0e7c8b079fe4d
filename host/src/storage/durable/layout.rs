//! What is in a tenant's file: its tables, their keys, and what a batch changes in them.

use std::collections::HashMap;
use std::ops::Bound;

use redb::{ReadTransaction, ReadableTable, ReadableTableMetadata, Table, TableDefinition, WriteTransaction};

use super::errors::Failure;
use crate::model::names::{PluginKey, PluginName, RoomId, RoomKey, TenantName};
use crate::storage::{Batch, Entry, UnixMs};

/// The version of all that stands here. A file with a larger one is left alone.
pub const FORMAT: u64 = 1;

/// Facts about the file itself, by name.
const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");
/// Bytes, keys and alarm of each room that has any.
const ROOMS: TableDefinition<'_, &[u8], (u64, u64, Option<u64>)> = TableDefinition::new("rooms");
/// Every value, by room and key.
const ENTRIES: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("entries");

const META_FORMAT: &str = "format";
/// How many groups of batches the file has taken. It grows with each, in the same transaction, so that it tells
/// whether a group whose commit failed reached the disk all the same.
const META_SEQUENCE: &str = "sequence";
/// Stands between plugin, room and key: no name holds it, and a key comes last.
const SEPARATOR: u8 = 0;

/// A room's place in the tables: its plugin, a zero, its id.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RoomPlace(Vec<u8>);

impl RoomPlace {
    pub fn of(room: &RoomKey) -> Self {
        let (plugin, id) = (room.plugin.plugin.as_str(), room.room.as_str());
        Self([plugin.as_bytes(), &[SEPARATOR], id.as_bytes()].concat())
    }

    fn entry(&self, key: &str) -> Vec<u8> {
        [&self.0, [SEPARATOR].as_slice(), key.as_bytes()].concat()
    }
}

/// A room's line in the table of rooms. A room that has nothing has no line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RoomRow {
    pub bytes: u64,
    pub keys: u64,
    pub alarm: Option<UnixMs>,
}

impl RoomRow {
    pub fn is_known(&self) -> bool {
        self.keys > 0 || self.alarm.is_some()
    }

    fn of((bytes, keys, alarm): (u64, u64, Option<u64>)) -> Self {
        Self { bytes, keys, alarm }
    }

    /// What an entry adds.
    pub fn add(&mut self, key: &str, value: &[u8]) {
        self.bytes += (key.len() + value.len()) as u64;
        self.keys += 1;
    }

    /// What goes with an entry.
    fn subtract(&mut self, key: &str, value: &[u8]) -> Result<(), Failure> {
        let bytes = self.bytes.checked_sub((key.len() + value.len()) as u64);
        match (bytes, self.keys.checked_sub(1)) {
            (Some(bytes), Some(keys)) => (self.bytes, self.keys) = (bytes, keys),
            _ => return Err(Failure::Corrupt("a room has more entries than it counts".to_owned())),
        }
        Ok(())
    }
}

/// What a group of batches made of the file.
#[derive(Debug)]
pub struct Applied {
    /// The row of each batch's room behind it, in the order of the batches.
    pub rows: Vec<RoomRow>,
    /// Rooms of the tenant.
    pub rooms: u64,
    /// The sequence number of the group.
    pub sequence: u64,
}

/// Makes the tables of a new file.
pub fn create(transaction: &WriteTransaction) -> Result<(), Failure> {
    let mut meta = transaction.open_table(META)?;
    meta.insert(META_FORMAT, FORMAT)?;
    meta.insert(META_SEQUENCE, 0)?;
    transaction.open_table(ROOMS)?;
    transaction.open_table(ENTRIES)?;
    Ok(())
}

/// Applies batches in their order.
pub fn apply<'a>(
    transaction: &WriteTransaction,
    group: impl Iterator<Item = (&'a RoomPlace, &'a Batch)>,
) -> Result<Applied, Failure> {
    let mut rooms = transaction.open_table(ROOMS)?;
    let mut entries = transaction.open_table(ENTRIES)?;
    let mut touched: HashMap<&RoomPlace, RoomRow> = HashMap::new();
    let mut rows = Vec::new();
    for (place, batch) in group {
        let mut row = match touched.get(place) {
            Some(row) => *row,
            None => rooms.get(place.0.as_slice())?.map(|row| RoomRow::of(row.value())).unwrap_or_default(),
        };
        apply_one(&mut entries, place, batch, &mut row)?;
        touched.insert(place, row);
        rows.push(row);
    }
    for (place, row) in touched {
        if row.is_known() {
            rooms.insert(place.0.as_slice(), (row.bytes, row.keys, row.alarm))?;
        } else {
            rooms.remove(place.0.as_slice())?;
        }
    }
    let mut meta = transaction.open_table(META)?;
    let sequence = meta.get(META_SEQUENCE)?.map_or(0, |number| number.value()) + 1;
    meta.insert(META_SEQUENCE, sequence)?;
    Ok(Applied { rows, rooms: rooms.len()?, sequence })
}

fn apply_one(
    entries: &mut Table<'_, &'static [u8], &'static [u8]>,
    place: &RoomPlace,
    batch: &Batch,
    row: &mut RoomRow,
) -> Result<(), Failure> {
    for (key, value) in &batch.writes {
        let entry = place.entry(key);
        let old = match value {
            Some(value) => entries.insert(entry.as_slice(), value.as_slice())?,
            None => entries.remove(entry.as_slice())?,
        };
        if let Some(old) = old {
            row.subtract(key, old.value())?;
        }
        if let Some(value) = value {
            row.add(key, value);
        }
    }
    row.alarm = batch.alarm.unwrap_or(row.alarm);
    Ok(())
}

/// The version that the file says it has; none where it is no file of ours.
pub fn format(transaction: &ReadTransaction) -> Result<Option<u64>, Failure> {
    match transaction.open_table(META) {
        Ok(meta) => Ok(meta.get(META_FORMAT)?.map(|format| format.value())),
        Err(redb::TableError::TableDoesNotExist(_)) => Ok(None),
        Err(why) => Err(why.into()),
    }
}

pub fn sequence(transaction: &ReadTransaction) -> Result<u64, Failure> {
    Ok(transaction.open_table(META)?.get(META_SEQUENCE)?.map_or(0, |number| number.value()))
}

pub fn room_count(transaction: &ReadTransaction) -> Result<u64, Failure> {
    Ok(transaction.open_table(ROOMS)?.len()?)
}

pub fn row(transaction: &ReadTransaction, place: &RoomPlace) -> Result<RoomRow, Failure> {
    let rooms = transaction.open_table(ROOMS)?;
    Ok(rooms.get(place.0.as_slice())?.map(|row| RoomRow::of(row.value())).unwrap_or_default())
}

pub fn get(transaction: &ReadTransaction, place: &RoomPlace, keys: &[String]) -> Result<Vec<Option<Vec<u8>>>, Failure> {
    let entries = transaction.open_table(ENTRIES)?;
    let value = |key: &String| Ok(entries.get(place.entry(key).as_slice())?.map(|value| value.value().to_vec()));
    keys.iter().map(value).collect()
}

pub fn scan(
    transaction: &ReadTransaction,
    place: &RoomPlace,
    prefix: &str,
    after: Option<&str>,
    limit: usize,
) -> Result<Vec<Entry>, Failure> {
    let entries = transaction.open_table(ENTRIES)?;
    let (all, behind) = (place.entry(prefix), after.filter(|after| *after >= prefix).map(|after| place.entry(after)));
    let start = behind.as_deref().map_or(Bound::Included(all.as_slice()), Bound::Excluded);
    let mut found = Vec::new();
    for entry in entries.range::<&[u8]>((start, Bound::Unbounded))? {
        let (entry, value) = entry?;
        if found.len() >= limit || !entry.value().starts_with(&all) {
            break;
        }
        let key = entry.value().get(all.len() - prefix.len()..).unwrap_or_default();
        found.push((text(key)?.to_owned(), value.value().to_vec()));
    }
    Ok(found)
}

/// Every room with its row, in the order of their names.
pub fn each_room(
    transaction: &ReadTransaction,
    tenant: &TenantName,
    mut each: impl FnMut(RoomKey, RoomRow) -> Result<(), Failure>,
) -> Result<(), Failure> {
    for line in transaction.open_table(ROOMS)?.iter()? {
        let (place, row) = line?;
        let (plugin, room) = place.value().split_at(separator(place.value())?);
        each(room_key(tenant, plugin, &room[1..])?, RoomRow::of(row.value()))?;
    }
    Ok(())
}

/// Every entry, in the order of plugins, rooms and keys.
pub fn each_entry(
    transaction: &ReadTransaction,
    tenant: &TenantName,
    mut each: impl FnMut(&RoomKey, &str, &[u8]) -> Result<(), Failure>,
) -> Result<(), Failure> {
    // The names are checked once a room.
    let mut last: Option<(Vec<u8>, RoomKey)> = None;
    for entry in transaction.open_table(ENTRIES)?.iter()? {
        let (place, value) = entry?;
        let place = place.value();
        let plugin_end = separator(place)?;
        let (plugin, rest) = (&place[..plugin_end], &place[plugin_end + 1..]);
        let (room, key) = rest.split_at(separator(rest)?);
        let prefix = &place[..plugin_end + 1 + room.len()];
        let key_of_room = match last.take() {
            Some((known, room)) if known == prefix => room,
            _ => room_key(tenant, plugin, room)?,
        };
        each(&key_of_room, text(&key[1..])?, value.value())?;
        last = Some((prefix.to_vec(), key_of_room));
    }
    Ok(())
}

fn separator(place: &[u8]) -> Result<usize, Failure> {
    let end = place.iter().position(|byte| *byte == SEPARATOR);
    end.ok_or_else(|| Failure::Corrupt(format!("{:?} names no room", String::from_utf8_lossy(place))))
}

fn room_key(tenant: &TenantName, plugin: &[u8], room: &[u8]) -> Result<RoomKey, Failure> {
    let bad = |why| Failure::Corrupt(format!("a room has a name that it cannot have: {why}"));
    let plugin = PluginName::new(text(plugin)?).map_err(bad)?;
    let room = RoomId::new(text(room)?).map_err(bad)?;
    Ok(RoomKey { plugin: PluginKey { tenant: tenant.clone(), plugin }, room })
}

fn text(bytes: &[u8]) -> Result<&str, Failure> {
    std::str::from_utf8(bytes).map_err(|_| Failure::Corrupt("a name or key is no UTF-8".to_owned()))
}
