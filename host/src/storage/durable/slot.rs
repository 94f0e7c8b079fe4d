//! The place of a tenant's file: opened when somebody needs it, again after a failure, closed when no room is open, and
//! given up where somebody removed or replaced it, since what is written to a file without a name is lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use parking_lot::{RwLock, RwLockReadGuard, RwLockWriteGuard};
use redb::ReadTransaction;

use super::disk::{Disk, FileId};
use super::errors::{FileError, of_io};
use super::file::TenantFile;
use super::layout;
use crate::model::names::TenantName;
use crate::storage::{StorageError, StorageErrorKind, StoredTenant};

#[derive(Debug)]
pub struct FileSlot {
    tenant: TenantName,
    disk: Arc<dyn Disk>,
    open: RwLock<OpenFile>,
    /// Whether the file failed: it is opened again before anybody uses it.
    broken: AtomicBool,
    /// How many rooms store something.
    rooms: AtomicUsize,
    /// Counts the files that were gone. A room of an earlier count knows what another file said.
    generation: AtomicU64,
}

#[derive(Debug, Default)]
struct OpenFile {
    file: Option<TenantFile>,
    /// Whether it failed when it was last open.
    after_failure: bool,
    /// Which file it was when it failed: the next one must be the same.
    expected: Option<FileId>,
    /// Whether it was open when it lost its name, and no other has the name yet.
    is_gone: bool,
}

impl OpenFile {
    /// Closes a file that is of no use. What became of it was reported already.
    fn drop_file(&mut self) {
        if let Some(Err(why)) = self.file.take().map(TenantFile::close) {
            tracing::debug!("{why}");
        }
    }
}

impl FileSlot {
    pub fn new(tenant: TenantName, disk: Arc<dyn Disk>) -> Self {
        Self {
            tenant,
            disk,
            open: RwLock::default(),
            broken: AtomicBool::new(false),
            rooms: AtomicUsize::new(0),
            generation: AtomicU64::new(0),
        }
    }

    /// The file's name, for people.
    pub fn name(&self) -> String {
        self.disk.name(&self.tenant)
    }

    /// How many rooms store something; 0 until the file was read once.
    pub fn rooms(&self) -> usize {
        self.rooms.load(Ordering::Relaxed)
    }

    pub fn note_rooms(&self, rooms: u64) {
        self.rooms.store(rooms as usize, Ordering::Relaxed);
    }

    /// Which of the tenant's files is in use, counted by those that were gone.
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// Has the file opened again before anybody uses it, since nobody knows its state.
    pub fn distrust(&self) {
        self.broken.store(true, Ordering::Release);
    }

    /// Reads from the last durable state; `None` if there is no file.
    pub fn read<T>(
        &self,
        work: impl FnOnce(&ReadTransaction) -> Result<T, FileError>,
    ) -> Result<Option<T>, StorageError> {
        let done = self.with_file(false, |file| file.read(work))?;
        done.transpose().inspect_err(|_| self.distrust())
    }

    /// Summarises the file. It does not stay open for this: of many tenants no room is open.
    pub fn stored(&self) -> Result<StoredTenant, StorageError> {
        let open = self.open.write();
        let stored = match &open.file {
            Some(file) if !self.broken.load(Ordering::Acquire) => file.stored()?,
            _ => TenantFile::summary(self.disk.as_ref(), &self.tenant)?.unwrap_or_default(),
        };
        self.note_rooms(stored.rooms as u64);
        Ok(stored)
    }

    /// Uses the file, which is created if it is missing and `create` says so.
    pub fn with_file<T>(&self, create: bool, work: impl FnOnce(&TenantFile) -> T) -> Result<Option<T>, StorageError> {
        let mut open = self.open.read();
        if open.file.is_none() || self.broken.load(Ordering::Acquire) {
            drop(open);
            open = self.open_file(create)?;
        }
        Ok(open.file.as_ref().map(work))
    }

    /// Looks whether the open file still has its name, and gives it up where it does not. Somebody removed or replaced it.
    pub fn check_name(&self) -> Result<(), StorageError> {
        let Some(id) = self.open.read().file.as_ref().map(|file| file.id) else { return Ok(()) };
        let named = self.disk.id(&self.tenant).map_err(|why| of_io(why, &self.name()))?;
        if named == Some(id) {
            return Ok(());
        }
        let mut open = self.open.write();
        open.drop_file();
        Err(self.give_up(&mut open))
    }

    /// Notes that the file that was open is gone.
    fn give_up(&self, open: &mut OpenFile) -> StorageError {
        open.is_gone = true;
        open.expected = None;
        self.generation.fetch_add(1, Ordering::AcqRel);
        let why = self.gone();
        tracing::error!(
            tenant = self.tenant.as_str(),
            "the tenant's rooms end, and what they last wrote is lost: {}",
            why.message
        );
        why
    }

    /// The error for whoever knows what a file said that is gone.
    pub fn gone(&self) -> StorageError {
        let message = format!(
            "{} was removed or replaced while the server used it: put a file back, or restart the server to begin without one",
            self.name()
        );
        StorageError { kind: StorageErrorKind::Gone, message }
    }

    /// Opens the file, again if it failed, and creates it if it is missing and `create` says so. The lock that this
    /// returns keeps the file open: if somebody closed it in between, it would look as if it did not exist.
    fn open_file(&self, create: bool) -> Result<RwLockReadGuard<'_, OpenFile>, StorageError> {
        let mut open = self.open.write();
        if self.broken.swap(false, Ordering::AcqRel) {
            open.after_failure = true;
            open.expected = open.file.as_ref().map(|file| file.id).or(open.expected);
            open.drop_file();
        }
        if open.file.is_some() {
            return Ok(RwLockWriteGuard::downgrade(open));
        }
        let mut file = TenantFile::open(self.disk.as_ref(), &self.tenant, open.after_failure)?;
        if open.expected.is_some() && open.expected != file.as_ref().map(|file| file.id) {
            return Err(self.give_up(&mut open));
        }
        if file.is_none() && open.is_gone {
            // Rooms would begin anew, and what they write would keep the lost file from being put back.
            return Err(self.gone());
        }
        if file.is_none() && create {
            file = Some(TenantFile::create(self.disk.as_ref(), &self.tenant)?);
        }
        self.note_rooms(file.as_ref().map_or(Ok(0), |file| file.read(layout::room_count))?);
        *open = OpenFile { file, ..OpenFile::default() };
        Ok(RwLockWriteGuard::downgrade(open))
    }

    /// Closes the file, unless somebody needs it. Whoever needs it later opens it again.
    pub fn close_unless(&self, is_needed: impl FnOnce() -> bool) {
        let mut open = self.open.write();
        if is_needed() || self.broken.load(Ordering::Acquire) {
            return;
        }
        if let Some(Err(why)) = open.file.take().map(TenantFile::close) {
            open.after_failure = true;
            tracing::warn!("{why}");
        }
    }

    #[cfg(test)]
    pub fn is_open(&self) -> bool {
        self.open.read().file.is_some()
    }

    /// Closes the file for good.
    pub fn close(&self) -> Result<(), StorageError> {
        self.open.write().file.take().map_or(Ok(()), TenantFile::close)
    }
}
