//! The layout of a tenant's file: its tables, their keys, and how a batch changes them.

use std::collections::HashMap;
use std::ops::Bound;

use redb::{ReadTransaction, ReadableTable, ReadableTableMetadata, Table, TableDefinition, WriteTransaction};

use super::errors::FileError;
use crate::model::names::{PluginKey, PluginName, RoomId, RoomKey, TenantName};
use crate::storage::page::take_values;
use crate::storage::{Batch, PageBounds, StoredPage, UnixMs};

/// The version of this layout. The server does not touch a file with a higher one.
pub const FORMAT: u64 = 1;

/// Numbers about the file itself, by name.
const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");
/// The bytes, the number of keys and the alarm of each room that stores something.
const ROOMS: TableDefinition<'_, &[u8], (u64, u64, Option<u64>)> = TableDefinition::new("rooms");
/// Every value, by room and key.
const ENTRIES: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("entries");

const META_FORMAT: &str = "format";
/// How many groups of batches the file has stored. Each transaction adds one, so the number tells whether a group whose
/// commit reported a failure reached the disk all the same.
const META_SEQUENCE: &str = "sequence";
/// Separates plugin, room and key. No name contains it; a key may, since it comes last.
const SEPARATOR: u8 = 0;

/// A room's key in the table of rooms, and the prefix of its entries' keys: plugin, separator, room id.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RoomRowKey(Vec<u8>);

impl RoomRowKey {
    pub fn of(room: &RoomKey) -> Self {
        let (plugin, id) = (room.plugin.plugin.as_str(), room.room.as_str());
        Self([plugin.as_bytes(), &[SEPARATOR], id.as_bytes()].concat())
    }

    fn entry(&self, key: &str) -> Vec<u8> {
        [&self.0, [SEPARATOR].as_slice(), key.as_bytes()].concat()
    }
}

/// A room's row in the table of rooms. A room that stores nothing has no row.
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

    /// Counts an entry.
    pub fn add(&mut self, key: &str, value: &[u8]) {
        self.bytes += (key.len() + value.len()) as u64;
        self.keys += 1;
    }

    /// Takes an entry out of the count.
    fn subtract(&mut self, key: &str, value: &[u8]) -> Result<(), FileError> {
        let bytes = self.bytes.checked_sub((key.len() + value.len()) as u64);
        match (bytes, self.keys.checked_sub(1)) {
            (Some(bytes), Some(keys)) => (self.bytes, self.keys) = (bytes, keys),
            _ => return Err(FileError::Corrupt("a room has more entries than it counts".to_owned())),
        }
        Ok(())
    }
}

/// The state of the file after a group of batches.
#[derive(Debug)]
pub struct AppliedGroup {
    /// For each batch, in order, the row of its room after the group.
    pub rows: Vec<RoomRow>,
    /// How many rooms the tenant has.
    pub rooms: u64,
    /// The sequence number of the group.
    pub sequence: u64,
}

/// Creates the tables of a new file.
pub fn create(transaction: &WriteTransaction) -> Result<(), FileError> {
    let mut meta = transaction.open_table(META)?;
    meta.insert(META_FORMAT, FORMAT)?;
    meta.insert(META_SEQUENCE, 0)?;
    transaction.open_table(ROOMS)?;
    transaction.open_table(ENTRIES)?;
    Ok(())
}

/// What a group does to one room.
struct RoomChange<'a> {
    place: &'a RoomRowKey,
    /// The last word about its alarm.
    alarm: Option<Option<UnixMs>>,
    row: RoomRow,
}

/// What a batch does to one entry of a room, which is the one of this number in the group.
struct EntryChange<'a> {
    entry: Vec<u8>,
    room: usize,
    key: &'a str,
    value: Option<&'a [u8]>,
}

/// Applies batches as if in order: of several that write the same key, only what the last one says is written. Entries are
/// written in the order in which the file has them, so that neighbours in a page follow each other.
pub fn apply<'a>(
    transaction: &WriteTransaction,
    group: impl Iterator<Item = (&'a RoomRowKey, &'a Batch)>,
) -> Result<AppliedGroup, FileError> {
    let mut rooms = transaction.open_table(ROOMS)?;
    let (mut changed, mut changes, mut rooms_of_batches) = (Vec::new(), Vec::new(), Vec::new());
    let mut numbers: HashMap<&RoomRowKey, usize> = HashMap::new();
    for (place, batch) in group {
        let room = *numbers.entry(place).or_insert(changed.len());
        if room == changed.len() {
            let row = rooms.get(place.0.as_slice())?.map(|row| RoomRow::of(row.value())).unwrap_or_default();
            changed.push(RoomChange { place, alarm: None, row });
        }
        changed[room].alarm = batch.alarm.or(changed[room].alarm);
        let change = |(key, value): (&'a String, &'a Option<Vec<u8>>)| EntryChange {
            entry: place.entry(key),
            room,
            key,
            value: value.as_deref(),
        };
        changes.extend(batch.writes.iter().map(change));
        rooms_of_batches.push(room);
    }
    // A stable sort: of the same entry, the last change stays the last.
    changes.sort_by(|one, other| one.entry.cmp(&other.entry));
    apply_entries(&mut transaction.open_table(ENTRIES)?, &changes, &mut changed)?;
    for RoomChange { place, alarm, row } in &mut changed {
        row.alarm = alarm.unwrap_or(row.alarm);
        if row.is_known() {
            rooms.insert(place.0.as_slice(), (row.bytes, row.keys, row.alarm))?;
        } else {
            rooms.remove(place.0.as_slice())?;
        }
    }
    let mut meta = transaction.open_table(META)?;
    let sequence = meta.get(META_SEQUENCE)?.map_or(0, |number| number.value()) + 1;
    meta.insert(META_SEQUENCE, sequence)?;
    let rows = rooms_of_batches.into_iter().map(|room| changed[room].row).collect();
    Ok(AppliedGroup { rows, rooms: rooms.len()?, sequence })
}

/// Writes the last of the changes of each entry.
fn apply_entries(
    entries: &mut Table<'_, &'static [u8], &'static [u8]>,
    changes: &[EntryChange<'_>],
    rooms: &mut [RoomChange<'_>],
) -> Result<(), FileError> {
    for (number, EntryChange { entry, room, key, value }) in changes.iter().enumerate() {
        if changes.get(number + 1).is_some_and(|next| next.entry == *entry) {
            continue;
        }
        let old = match value {
            Some(value) => entries.insert(entry.as_slice(), *value)?,
            None => entries.remove(entry.as_slice())?,
        };
        let row = &mut rooms[*room].row;
        if let Some(old) = old {
            row.subtract(key, old.value())?;
        }
        if let Some(value) = value {
            row.add(key, value);
        }
    }
    Ok(())
}

/// Reads the version of the file's layout; `None` for a file that is not Parlor's.
pub fn format(transaction: &ReadTransaction) -> Result<Option<u64>, FileError> {
    match transaction.open_table(META) {
        Ok(meta) => Ok(meta.get(META_FORMAT)?.map(|format| format.value())),
        Err(redb::TableError::TableDoesNotExist(_)) => Ok(None),
        Err(why) => Err(why.into()),
    }
}

pub fn sequence(transaction: &ReadTransaction) -> Result<u64, FileError> {
    Ok(transaction.open_table(META)?.get(META_SEQUENCE)?.map_or(0, |number| number.value()))
}

pub fn room_count(transaction: &ReadTransaction) -> Result<u64, FileError> {
    Ok(transaction.open_table(ROOMS)?.len()?)
}

pub fn row(transaction: &ReadTransaction, place: &RoomRowKey) -> Result<RoomRow, FileError> {
    let rooms = transaction.open_table(ROOMS)?;
    Ok(rooms.get(place.0.as_slice())?.map(|row| RoomRow::of(row.value())).unwrap_or_default())
}

pub fn get(
    transaction: &ReadTransaction,
    place: &RoomRowKey,
    keys: &[String],
    bytes_max: usize,
) -> Result<Vec<Option<Vec<u8>>>, FileError> {
    let entries = transaction.open_table(ENTRIES)?;
    let value = |key: &String| Ok(entries.get(place.entry(key).as_slice())?.map(|value| value.value().to_vec()));
    take_values(keys.iter().map(value), bytes_max)
}

pub fn scan(
    transaction: &ReadTransaction,
    place: &RoomRowKey,
    prefix: &str,
    after: Option<&str>,
    bounds: PageBounds,
) -> Result<StoredPage, FileError> {
    let entries = transaction.open_table(ENTRIES)?;
    let all = place.entry(prefix);
    let behind = after.filter(|after| *after >= prefix).map(|after| place.entry(after));
    let start = behind.as_deref().map_or(Bound::Included(all.as_slice()), Bound::Excluded);
    let range = entries.range::<&[u8]>((start, Bound::Unbounded))?.map(|entry| {
        let (entry, value) = entry?;
        if !entry.value().starts_with(&all) {
            return Ok(None);
        }
        let key = entry.value().get(all.len() - prefix.len()..).unwrap_or_default();
        Ok(Some((text(key)?.to_owned(), value.value().to_vec())))
    });
    StoredPage::take(range.map_while(Result::transpose), bounds)
}

/// Calls `each` with every room and its row, in the order of plugins and rooms.
pub fn each_room(
    transaction: &ReadTransaction,
    tenant: &TenantName,
    mut each: impl FnMut(RoomKey, RoomRow) -> Result<(), FileError>,
) -> Result<(), FileError> {
    for line in transaction.open_table(ROOMS)?.iter()? {
        let (place, row) = line?;
        let (plugin, room) = place.value().split_at(separator(place.value())?);
        each(room_key(tenant, plugin, &room[1..])?, RoomRow::of(row.value()))?;
    }
    Ok(())
}

/// Calls `each` with every entry, in the order of plugins, rooms and keys.
pub fn each_entry(
    transaction: &ReadTransaction,
    tenant: &TenantName,
    mut each: impl FnMut(&RoomKey, &str, &[u8]) -> Result<(), FileError>,
) -> Result<(), FileError> {
    // Check the names once a room, not once an entry.
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

fn separator(place: &[u8]) -> Result<usize, FileError> {
    let end = place.iter().position(|byte| *byte == SEPARATOR);
    end.ok_or_else(|| FileError::Corrupt(format!("{:?} names no room", String::from_utf8_lossy(place))))
}

fn room_key(tenant: &TenantName, plugin: &[u8], room: &[u8]) -> Result<RoomKey, FileError> {
    let bad = |why| FileError::Corrupt(format!("a room has a name that it cannot have: {why}"));
    let plugin = PluginName::new(text(plugin)?).map_err(bad)?;
    let room = RoomId::new(text(room)?).map_err(bad)?;
    Ok(RoomKey { plugin: PluginKey { tenant: tenant.clone(), plugin }, room })
}

fn text(bytes: &[u8]) -> Result<&str, FileError> {
    std::str::from_utf8(bytes).map_err(|_| FileError::Corrupt("a name or key is no UTF-8".to_owned()))
}
