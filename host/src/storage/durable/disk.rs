//! Where the files of tenants are, and how the store reaches them.

use std::fmt;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::ops::Bound;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use redb::backends::FileBackend;
use redb::{BackendError, StorageBackend};
use rustix::fs::{Advice, fadvise};

use crate::model::names::TenantName;

/// The extension of a tenant's file, which is the store's own.
const EXTENSION: &str = "redb";
/// The extension of a file that is being made.
const PARTIAL: &str = "redb-new";

/// What holds the files. The tests have one that fails.
pub trait Disk: Send + Sync + fmt::Debug {
    /// A tenant's file, for people.
    fn name(&self, tenant: &TenantName) -> String;

    /// Opens a tenant's file, where there is one. After a failure nothing that the system only remembers may be believed.
    fn open(&self, tenant: &TenantName, after_failure: bool) -> io::Result<Option<Box<dyn StorageBackend>>>;

    /// Makes an empty file that is not the tenant's yet.
    fn create(&self, tenant: &TenantName) -> io::Result<Box<dyn StorageBackend>>;

    /// Makes what was created the tenant's file, or fails and does not.
    fn install(&self, tenant: &TenantName) -> io::Result<()>;

    /// The tenants that have a file.
    fn tenants(&self) -> io::Result<Vec<TenantName>>;
}

/// A folder with a file a tenant.
#[derive(Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// Makes the folder where it is missing, for the server's user alone.
    pub fn create(path: &Path) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(path)?;
        Ok(Self(path.to_owned()))
    }

    /// A folder which need not exist.
    pub fn at(path: &Path) -> Self {
        Self(path.to_owned())
    }

    pub fn path(&self, tenant: &TenantName) -> PathBuf {
        self.0.join(format!("{tenant}.{EXTENSION}"))
    }

    fn partial(&self, tenant: &TenantName) -> PathBuf {
        self.0.join(format!("{tenant}.{PARTIAL}"))
    }

    /// Makes what happened to the names in the folder durable.
    pub fn sync(&self) -> io::Result<()> {
        File::open(&self.0)?.sync_all()
    }

    /// Removes what was being made and is not wanted any more.
    pub fn discard(&self, tenant: &TenantName) {
        // What stays is written over by the next attempt.
        let _ = fs::remove_file(self.partial(tenant));
    }
}

impl Disk for Folder {
    fn name(&self, tenant: &TenantName) -> String {
        self.path(tenant).display().to_string()
    }

    fn open(&self, tenant: &TenantName, after_failure: bool) -> io::Result<Option<Box<dyn StorageBackend>>> {
        let file = match OpenOptions::new().read(true).write(true).open(self.path(tenant)) {
            Ok(file) => file,
            Err(why) if why.kind() == ErrorKind::NotFound => return Ok(None),
            Err(why) => return Err(why),
        };
        if after_failure {
            // A write that failed stays in the system's cache, where it looks as if it had reached the disk.
            let _ = fadvise(&file, 0, None, Advice::DontNeed);
        }
        Ok(Some(Box::new(backend(file)?)))
    }

    fn create(&self, tenant: &TenantName) -> io::Result<Box<dyn StorageBackend>> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(true).mode(0o600);
        Ok(Box::new(backend(options.open(self.partial(tenant))?)?))
    }

    fn install(&self, tenant: &TenantName) -> io::Result<()> {
        fs::rename(self.partial(tenant), self.path(tenant))?;
        self.sync()
    }

    fn tenants(&self) -> io::Result<Vec<TenantName>> {
        let mut tenants = Vec::new();
        for entry in fs::read_dir(&self.0)? {
            let path = entry?.path();
            if path.extension().is_none_or(|extension| extension != EXTENSION) {
                continue;
            }
            match TenantName::new(&path.file_stem().unwrap_or_default().to_string_lossy()) {
                Ok(tenant) => tenants.push(tenant),
                Err(why) => tracing::warn!("{} is nobody's: {why}", path.display()),
            }
        }
        tenants.sort();
        Ok(tenants)
    }
}

fn backend(file: File) -> io::Result<FileBackend> {
    FileBackend::new(file).map_err(|why| io::Error::other(why.to_string()))
}

/// Whether a commit can have reached the disk.
#[derive(Debug, Clone, Default)]
pub struct HeaderWritten(Arc<AtomicBool>);

impl HeaderWritten {
    pub fn forget(&self) {
        self.0.store(false, Ordering::Release);
    }

    pub fn get(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// Writes the file's first page last. The store names a new state in its header and writes header and pages in any order
/// before it syncs once. Here the header waits for that sync: where a page finds no room on the disk, which is the common
/// failure, the commit is known not to have happened.
#[derive(Debug)]
pub struct HeaderLast {
    inner: Box<dyn StorageBackend>,
    written: HeaderWritten,
    waiting: Mutex<Option<Vec<u8>>>,
}

impl HeaderLast {
    pub fn new(inner: Box<dyn StorageBackend>, written: HeaderWritten) -> Self {
        Self { inner, written, waiting: Mutex::new(None) }
    }
}

impl StorageBackend for HeaderLast {
    fn len(&self) -> io::Result<u64> {
        self.inner.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.inner.read(offset, out)?;
        let waiting = self.waiting.lock();
        if let (0, Some(header)) = (offset, waiting.as_ref()) {
            let length = header.len().min(out.len());
            out[..length].copy_from_slice(&header[..length]);
        }
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.inner.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        if let Some(header) = self.waiting.lock().take() {
            self.written.0.store(true, Ordering::Release);
            self.inner.write(0, &header)?;
        }
        self.inner.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        if offset == 0 {
            *self.waiting.lock() = Some(data.to_vec());
            return Ok(());
        }
        self.inner.write(offset, data)
    }

    fn close(&self) -> io::Result<()> {
        self.inner.close()
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.inner.try_lock_range(start, end)
    }

    fn try_lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.inner.try_lock_shared_range(start, end)
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.inner.lock_range(start, end)
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.inner.lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.inner.unlock_range(start, end)
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.inner.query_lock_range(start, end)
    }
}
