//! Tools of the operator for a tenant's file that no server holds: check, count, export, replace, delete.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use super::disk::TenantFolder;
use super::errors::{FileError, of_io};
use super::file::{TenantFile, Uncommitted};
use super::layout::{self, RoomRow, RoomRowKey};
use crate::model::names::{RoomKey, TenantName};
use crate::storage::{Batch, StorageError, StorageErrorKind, UnixMs};

/// A tenant's file, opened and locked by one of the tools.
#[derive(Debug)]
pub struct Inspected {
    file: TenantFile,
    tenant: TenantName,
    pub path: PathBuf,
}

/// What one room stores, in summary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomSummary {
    pub room: RoomKey,
    pub keys: u64,
    pub bytes: u64,
    pub alarm: Option<UnixMs>,
}

/// What a check found.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Findings {
    pub rooms: u64,
    pub entries: u64,
    pub bytes: u64,
    /// What is wrong, one line each.
    pub wrong: Vec<String>,
}

impl Inspected {
    /// Opens a tenant's file, if there is one.
    pub fn open(folder: &Path, tenant: &TenantName) -> Result<Option<Self>, StorageError> {
        let disk = TenantFolder::at(folder);
        let file = TenantFile::open(&disk, tenant, false)?;
        Ok(file.map(|file| Self { file, tenant: tenant.clone(), path: disk.path(tenant) }))
    }

    /// Closes the file properly.
    pub fn close(self) -> Result<(), StorageError> {
        self.file.close()
    }

    /// Lists every room, in the order of plugins and rooms.
    pub fn rooms(&self) -> Result<Vec<RoomSummary>, StorageError> {
        rooms(&self.file, &self.tenant)
    }

    /// Calls `each` with every entry, in the order of plugins, rooms and keys, until `each` fails.
    pub fn each_entry<E>(
        &self,
        mut each: impl FnMut(&RoomKey, &str, &[u8]) -> Result<(), E>,
    ) -> Result<Result<(), E>, StorageError> {
        let mut enough = None;
        let read = self.file.read(|transaction| {
            layout::each_entry(transaction, &self.tenant, |room, key, value| {
                each(room, key, value).map_err(|why| {
                    enough = Some(why);
                    // Only ends the walk: the caller gets `why`.
                    FileError::Corrupt(String::new())
                })
            })
        });
        match enough {
            Some(why) => Ok(Err(why)),
            None => read.map(Ok),
        }
    }

    /// Checks the store's pages, that all names are valid, and that each room has the entries that it counts.
    pub fn check(&mut self) -> Result<Findings, StorageError> {
        let mut findings = Findings::default();
        if !self.file.check_pages()? {
            findings.wrong.push("some pages of the file were damaged; they have been repaired".to_owned());
        }
        let mut counted: BTreeMap<RoomKey, RoomRow> = BTreeMap::new();
        let walked = self.each_entry(|room, key, value| {
            counted.entry(room.clone()).or_default().add(key, value);
            Ok::<(), StorageError>(())
        })?;
        walked?;
        for RoomSummary { room, keys, bytes, alarm } in self.rooms()? {
            findings.rooms += 1;
            let found = counted.remove(&room).unwrap_or_default();
            findings.entries += found.keys;
            findings.bytes += found.bytes;
            if (found.keys, found.bytes) != (keys, bytes) {
                findings.wrong.push(format!(
                    "{room} counts {keys} keys and {bytes} bytes, and has {} and {}",
                    found.keys, found.bytes
                ));
            }
            if keys == 0 && alarm.is_none() {
                findings.wrong.push(format!("{room} is listed and has nothing"));
            }
        }
        for (room, row) in counted {
            findings.wrong.push(format!("{room} has {} keys and is not listed", row.keys));
        }
        Ok(findings)
    }
}

fn rooms(file: &TenantFile, tenant: &TenantName) -> Result<Vec<RoomSummary>, StorageError> {
    let mut rooms = Vec::new();
    file.read(|transaction| {
        layout::each_room(transaction, tenant, |room, row| {
            rooms.push(RoomSummary { room, keys: row.keys, bytes: row.bytes, alarm: row.alarm });
            Ok(())
        })
    })?;
    Ok(rooms)
}

/// A new file for a tenant, which replaces the old one as a whole or not at all.
#[derive(Debug)]
pub struct Replacement {
    disk: TenantFolder,
    tenant: TenantName,
    /// Kept open and locked until the new file is in place, so that no server opens the old one meanwhile.
    old: Option<Inspected>,
    new: Option<TenantFile>,
}

impl Replacement {
    /// Begins a new file. Creates the folder if it is missing.
    pub fn begin(folder: &Path, tenant: &TenantName) -> Result<Self, StorageError> {
        let disk = TenantFolder::create(folder).map_err(|why| of_io(why, &folder.display()))?;
        let old = Inspected::open(folder, tenant)?;
        let new = TenantFile::prepare(&disk, tenant)?;
        Ok(Self { disk, tenant: tenant.clone(), old, new: Some(new) })
    }

    /// The file that it will replace.
    pub fn old(&self) -> Option<&Inspected> {
        self.old.as_ref()
    }

    /// Adds batches to rooms, all in one transaction.
    pub fn add(&self, batches: &[(RoomKey, Batch)]) -> Result<(), StorageError> {
        let places: Vec<RoomRowKey> = batches.iter().map(|(room, _)| RoomRowKey::of(room)).collect();
        let group = places.iter().zip(batches.iter().map(|(_, batch)| batch));
        match self.new.as_ref().map(|new| new.commit(group)) {
            Some(Err(Uncommitted::Absent(why) | Uncommitted::InDoubt { why, .. })) => Err(why),
            Some(Ok(_)) | None => Ok(()),
        }
    }

    /// Lists every room that was added.
    pub fn rooms(&self) -> Result<Vec<RoomSummary>, StorageError> {
        self.new.as_ref().map_or(Ok(Vec::new()), |new| rooms(new, &self.tenant))
    }

    /// Replaces the old file by the new one.
    pub fn finish(mut self) -> Result<(), StorageError> {
        self.new.take().map_or(Ok(()), TenantFile::close)?;
        TenantFile::install(&self.disk, &self.tenant, self.old.is_some())?.close()
    }
}

impl Drop for Replacement {
    fn drop(&mut self) {
        self.new = None;
        self.disk.discard(&self.tenant);
    }
}

/// Deletes a tenant's file, even a damaged one. Returns whether there was one.
pub fn delete(folder: &Path, tenant: &TenantName) -> Result<bool, StorageError> {
    let disk = TenantFolder::at(folder);
    let path = disk.path(tenant);
    let name = path.display();
    let file = match File::open(&path) {
        Err(why) if why.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        opened => opened.map_err(|why| of_io(why, &name))?,
    };
    // A server holds this lock while it has the file open.
    if let Err(fs::TryLockError::WouldBlock) = file.try_lock() {
        let message = format!("{name} is in use by another process");
        return Err(StorageError { kind: StorageErrorKind::InUse, message });
    }
    fs::remove_file(&path).and_then(|()| disk.sync()).map_err(|why| of_io(why, &name))?;
    Ok(true)
}
