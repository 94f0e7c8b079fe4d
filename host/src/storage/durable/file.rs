//! A tenant's open file.

use std::sync::Arc;

use redb::{Builder, Database, DatabaseError, ReadTransaction, ReadableDatabase, StorageBackend};

use super::disk::{Disk, FileId, HeaderLast, HeaderWritten};
use super::errors::{FileError, guarded, of_io};
use super::layout::{self, AppliedGroup, FORMAT, RoomRowKey};
use crate::model::names::TenantName;
use crate::storage::{Batch, StorageError, StoredTenant};

/// How many bytes of an open file the store may cache. Its default is 1 GiB, too much for a file per tenant; and rooms
/// cache what they use themselves.
const CACHE_BYTES: usize = 4 << 20;
/// Where the store's header has the version of the store's own format, and the version that this program knows.
const STORE_FORMAT_OFFSET: u64 = 64;
const STORE_FORMAT: u8 = 3;

/// A tenant's open file, locked against other processes.
#[derive(Debug)]
pub struct TenantFile {
    database: Database,
    header_written: HeaderWritten,
    tenant: TenantName,
    name: Arc<str>,
    pub id: FileId,
}

/// Why a commit did not return success.
#[derive(Debug)]
pub enum Uncommitted {
    /// Nothing of the group is stored.
    Absent(StorageError),
    /// The group may have reached the disk. The sequence number in the file, opened again, will tell.
    InDoubt { why: StorageError, applied: AppliedGroup },
}

impl TenantFile {
    /// Opens a tenant's file, if there is one.
    pub fn open(disk: &dyn Disk, tenant: &TenantName, after_failure: bool) -> Result<Option<Self>, StorageError> {
        let name = disk.name(tenant);
        let Some((backend, id)) = disk.open(tenant, after_failure).map_err(|why| of_io(why, &name))? else {
            return Ok(None);
        };
        let header_written = HeaderWritten::default();
        let opened = guarded(|| {
            check_header(backend.as_ref())?;
            let backend = HeaderLast::new(backend, header_written.clone());
            let database = builder().create_with_backend(backend)?;
            check_format(&database.begin_read()?)?;
            Ok(database)
        });
        let database = opened.map_err(|why| why.of(&name))?;
        Ok(Some(Self { database, header_written, tenant: tenant.clone(), name: name.into(), id }))
    }

    /// Creates an empty file for a tenant. It appears as a whole or not at all.
    pub fn create(disk: &dyn Disk, tenant: &TenantName) -> Result<Self, StorageError> {
        Self::prepare(disk, tenant)?.close()?;
        Self::install(disk, tenant, false)
    }

    /// Creates an empty file beside the tenant's.
    pub fn prepare(disk: &dyn Disk, tenant: &TenantName) -> Result<Self, StorageError> {
        let name = disk.name(tenant);
        let (backend, id) = disk.create(tenant).map_err(|why| of_io(why, &name))?;
        let header_written = HeaderWritten::default();
        let made = guarded(|| {
            let database = builder().create_with_backend(HeaderLast::new(backend, header_written.clone()))?;
            let transaction = database.begin_write()?;
            layout::create(&transaction)?;
            transaction.commit()?;
            Ok(database)
        });
        let database = made.map_err(|why| why.of(&name))?;
        Ok(Self { database, header_written, tenant: tenant.clone(), name: name.into(), id })
    }

    /// Makes the prepared file the tenant's, and opens it. The caller must have closed it.
    pub fn install(disk: &dyn Disk, tenant: &TenantName, replace: bool) -> Result<Self, StorageError> {
        let name = disk.name(tenant);
        disk.install(tenant, replace).map_err(|why| of_io(why, &name))?;
        let gone = || of_io(std::io::ErrorKind::NotFound.into(), &name);
        Self::open(disk, tenant, false)?.ok_or_else(gone)
    }

    /// Closes the file properly, so that the next open need not scan all of it.
    pub fn close(self) -> Result<(), StorageError> {
        let Self { database, name, .. } = self;
        guarded(|| Ok(database.close()?)).map_err(|why| why.of(&name))
    }

    /// Summarises a file that is not open. This only reads it, unless it was not closed properly and needs repair.
    pub fn summary(disk: &dyn Disk, tenant: &TenantName) -> Result<Option<StoredTenant>, StorageError> {
        let name = disk.name(tenant);
        let Some((backend, _)) = disk.open(tenant, false).map_err(|why| of_io(why, &name))? else { return Ok(None) };
        let looked = guarded(|| {
            check_header(backend.as_ref())?;
            let backend = HeaderLast::new(backend, HeaderWritten::default());
            let database = match builder().open_read_only_with_backend(backend) {
                Err(DatabaseError::RepairAborted) => return Ok(None),
                opened => opened?,
            };
            let transaction = database.begin_read()?;
            check_format(&transaction)?;
            stored(&transaction, tenant).map(Some)
        });
        match looked.map_err(|why| why.of(&name))? {
            Some(stored) => Ok(Some(stored)),
            None => match Self::open(disk, tenant, false)? {
                Some(file) => file.stored().and_then(|stored| file.close().map(|()| Some(stored))),
                None => Ok(None),
            },
        }
    }

    /// Makes a group of batches durable, all or none.
    pub fn commit<'a>(
        &self,
        group: impl Iterator<Item = (&'a RoomRowKey, &'a Batch)>,
    ) -> Result<AppliedGroup, Uncommitted> {
        let prepared = guarded(|| {
            let transaction = self.database.begin_write()?;
            let applied = layout::apply(&transaction, group)?;
            Ok((transaction, applied))
        });
        let (transaction, applied) = prepared.map_err(|why| Uncommitted::Absent(why.of(&self.name)))?;
        self.header_written.forget();
        match guarded(|| Ok(transaction.commit()?)) {
            Ok(()) => Ok(applied),
            Err(why) if self.header_written.get() => Err(Uncommitted::InDoubt { why: why.of(&self.name), applied }),
            Err(why) => Err(Uncommitted::Absent(why.of(&self.name))),
        }
    }

    /// Reads from the last durable state.
    pub fn read<T>(&self, work: impl FnOnce(&ReadTransaction) -> Result<T, FileError>) -> Result<T, StorageError> {
        let done = guarded(|| work(&self.database.begin_read()?));
        done.map_err(|why| why.of(&self.name))
    }

    /// Summarises the file.
    pub fn stored(&self) -> Result<StoredTenant, StorageError> {
        self.read(|transaction| stored(transaction, &self.tenant))
    }

    /// Has the store check its pages and repair what it can. Returns whether nothing needed repair.
    pub fn check_pages(&mut self) -> Result<bool, StorageError> {
        let database = &mut self.database;
        guarded(|| Ok(database.check_integrity()?)).map_err(|why| why.of(&self.name))
    }
}

fn builder() -> Builder {
    let mut builder = Builder::new();
    builder.set_cache_size(CACHE_BYTES);
    builder
}

/// Refuses two files that the store would not: an empty one, which it would take for new, and one of a later format,
/// which it would call damaged.
fn check_header(backend: &dyn StorageBackend) -> Result<(), FileError> {
    let length = backend.len()?;
    if length <= STORE_FORMAT_OFFSET {
        return Err(FileError::Corrupt(format!("it has only {length} bytes")));
    }
    let mut head = [0; STORE_FORMAT_OFFSET as usize + 1];
    backend.read(0, &mut head)?;
    if head.starts_with(b"redb") && head[STORE_FORMAT_OFFSET as usize] > STORE_FORMAT {
        return Err(FileError::Newer(
            "was written by a later version of Parlor: its pages are of another kind".to_owned(),
        ));
    }
    Ok(())
}

fn check_format(transaction: &ReadTransaction) -> Result<(), FileError> {
    match layout::format(transaction)? {
        Some(FORMAT) => Ok(()),
        Some(newer) if newer > FORMAT => Err(FileError::Newer(format!(
            "was written by a later version of Parlor: its format is {newer}, and this version knows formats up to {FORMAT}"
        ))),
        _ => Err(FileError::Corrupt("it does not say which format it has".to_owned())),
    }
}

fn stored(transaction: &ReadTransaction, tenant: &TenantName) -> Result<StoredTenant, FileError> {
    let mut stored = StoredTenant::default();
    layout::each_room(transaction, tenant, |room, row| {
        stored.bytes += row.bytes as usize;
        stored.rooms += 1;
        stored.alarms.extend(row.alarm.map(|alarm| (alarm, room)));
        Ok(())
    })?;
    stored.alarms.sort();
    Ok(stored)
}
