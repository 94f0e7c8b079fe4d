//! A tenant's file, open.

use std::sync::Arc;

use redb::{Builder, Database, DatabaseError, ReadTransaction, ReadableDatabase, StorageBackend};

use super::disk::{Disk, HeaderLast, HeaderWritten};
use super::errors::{Failure, guarded, of_io};
use super::layout::{self, Applied, FORMAT, RoomPlace};
use crate::model::names::TenantName;
use crate::storage::{Batch, StorageError, Stored};

/// What an open file may keep of itself in memory. The store's own default is 1 GiB, and there is a file a tenant; rooms
/// keep what they use themselves.
const CACHE_BYTES: usize = 4 << 20;
/// Where the store's header says which version of its own format the file has, and the one that we know.
const STORE_FORMAT_OFFSET: u64 = 64;
const STORE_FORMAT: u8 = 3;

/// A tenant's file. Only one process holds it.
#[derive(Debug)]
pub struct TenantFile {
    database: Database,
    header_written: HeaderWritten,
    tenant: TenantName,
    name: Arc<str>,
}

/// A group was not committed, as far as anybody can say.
#[derive(Debug)]
pub enum Uncommitted {
    /// Nothing of it is there.
    Absent(StorageError),
    /// It may have reached the disk: the file, opened anew, tells by its sequence number.
    InDoubt { why: StorageError, applied: Applied },
}

impl TenantFile {
    /// Opens a tenant's file, where there is one.
    pub fn open(disk: &dyn Disk, tenant: &TenantName, after_failure: bool) -> Result<Option<Self>, StorageError> {
        let name = disk.name(tenant);
        let Some(backend) = disk.open(tenant, after_failure).map_err(|why| of_io(why, &name))? else {
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
        Ok(Some(Self { database, header_written, tenant: tenant.clone(), name: name.into() }))
    }

    /// Makes a tenant's file, with nothing in it. It appears as a whole or not at all.
    pub fn create(disk: &dyn Disk, tenant: &TenantName) -> Result<Self, StorageError> {
        Self::prepare(disk, tenant)?.close()?;
        Self::install(disk, tenant)
    }

    /// Makes a file that is not the tenant's yet.
    pub fn prepare(disk: &dyn Disk, tenant: &TenantName) -> Result<Self, StorageError> {
        let name = disk.name(tenant);
        let backend = disk.create(tenant).map_err(|why| of_io(why, &name))?;
        let header_written = HeaderWritten::default();
        let made = guarded(|| {
            let database = builder().create_with_backend(HeaderLast::new(backend, header_written.clone()))?;
            let transaction = database.begin_write()?;
            layout::create(&transaction)?;
            transaction.commit()?;
            Ok(database)
        });
        let database = made.map_err(|why| why.of(&name))?;
        Ok(Self { database, header_written, tenant: tenant.clone(), name: name.into() })
    }

    /// Makes the prepared file, which must be closed, the tenant's.
    pub fn install(disk: &dyn Disk, tenant: &TenantName) -> Result<Self, StorageError> {
        let name = disk.name(tenant);
        disk.install(tenant).map_err(|why| of_io(why, &name))?;
        let gone = || of_io(std::io::ErrorKind::NotFound.into(), &name);
        Self::open(disk, tenant, false)?.ok_or_else(gone)
    }

    /// Closes the file in order, so that the next open need not look through all of it.
    pub fn close(self) -> Result<(), StorageError> {
        let Self { database, name, .. } = self;
        guarded(|| Ok(database.close()?)).map_err(|why| why.of(&name))
    }

    /// What is kept, of a file that is not open. It is written to only where it was not closed in order.
    pub fn summary(disk: &dyn Disk, tenant: &TenantName) -> Result<Option<Stored>, StorageError> {
        let name = disk.name(tenant);
        let Some(backend) = disk.open(tenant, false).map_err(|why| of_io(why, &name))? else { return Ok(None) };
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

    /// Makes a group of batches durable, as a whole.
    pub fn commit<'a>(&self, group: impl Iterator<Item = (&'a RoomPlace, &'a Batch)>) -> Result<Applied, Uncommitted> {
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
    pub fn read<T>(&self, work: impl FnOnce(&ReadTransaction) -> Result<T, Failure>) -> Result<T, StorageError> {
        let done = guarded(|| work(&self.database.begin_read()?));
        done.map_err(|why| why.of(&self.name))
    }

    /// What is kept.
    pub fn stored(&self) -> Result<Stored, StorageError> {
        self.read(|transaction| stored(transaction, &self.tenant))
    }

    /// The store's own check of its pages, which repairs what can be repaired: whether there was nothing to repair.
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

/// Tells apart what the store has one word for, or none: an empty file, which it would take for a new one, and a file of
/// a later version of its own.
fn check_header(backend: &dyn StorageBackend) -> Result<(), Failure> {
    let length = backend.len()?;
    if length <= STORE_FORMAT_OFFSET {
        return Err(Failure::Corrupt(format!("it has only {length} bytes")));
    }
    let mut head = [0; STORE_FORMAT_OFFSET as usize + 1];
    backend.read(0, &mut head)?;
    if head.starts_with(b"redb") && head[STORE_FORMAT_OFFSET as usize] > STORE_FORMAT {
        return Err(Failure::Newer(
            "was written by a later version of Parlor: its pages are of another kind".to_owned(),
        ));
    }
    Ok(())
}

fn check_format(transaction: &ReadTransaction) -> Result<(), Failure> {
    match layout::format(transaction)? {
        Some(FORMAT) => Ok(()),
        Some(newer) if newer > FORMAT => Err(Failure::Newer(format!(
            "was written by a later version of Parlor: its format is {newer}, and {FORMAT} is the last that is known here"
        ))),
        _ => Err(Failure::Corrupt("it does not say which format it has".to_owned())),
    }
}

fn stored(transaction: &ReadTransaction, tenant: &TenantName) -> Result<Stored, Failure> {
    let mut stored = Stored::default();
    layout::each_room(transaction, tenant, |room, row| {
        stored.bytes += row.bytes as usize;
        stored.rooms += 1;
        stored.alarms.extend(row.alarm.map(|alarm| (alarm, room)));
        Ok(())
    })?;
    stored.alarms.sort();
    Ok(stored)
}
