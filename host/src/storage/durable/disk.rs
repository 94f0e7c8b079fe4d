//! Where tenants' files are, and how the store reads and writes them.

use std::fmt;
use std::fs::{self, DirBuilder, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind};
use std::ops::Bound;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use redb::backends::FileBackend;
use redb::{BackendError, StorageBackend};
use rustix::fs::{Advice, fadvise};

use crate::model::names::TenantName;

/// The extension of a tenant's file.
const EXTENSION: &str = "redb";
/// The extension of a file that is not complete yet.
const PARTIAL: &str = "redb-new";

/// Which file it is, whatever its name. No other file is taken for it while somebody has it open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileId {
    pub device: u64,
    pub inode: u64,
}

/// A file that was opened, and which one it is.
pub type OpenedFile = (Box<dyn StorageBackend>, FileId);

impl FileId {
    fn of(file: &Metadata) -> Self {
        Self { device: file.dev(), inode: file.ino() }
    }
}

/// Holds the tenants' files. Tests have a disk that fails.
pub trait Disk: Send + Sync + fmt::Debug {
    /// The name of a tenant's file, for people.
    fn name(&self, tenant: &TenantName) -> String;

    /// Opens a tenant's file, if there is one. `after_failure` tells the disk to read the file itself again, since the
    /// system's cache may hold writes that never reached it.
    fn open(&self, tenant: &TenantName, after_failure: bool) -> io::Result<Option<OpenedFile>>;

    /// Which file has the tenant's name now, if there is one.
    fn id(&self, tenant: &TenantName) -> io::Result<Option<FileId>>;

    /// Makes an empty file beside the tenant's.
    fn create(&self, tenant: &TenantName) -> io::Result<OpenedFile>;

    /// Makes the file that `create` made the tenant's, or fails and changes nothing. Fails as well where the tenant has
    /// a file and `replace` is false.
    fn install(&self, tenant: &TenantName, replace: bool) -> io::Result<()>;

    /// Lists the tenants that have a file.
    fn tenants(&self) -> io::Result<Vec<TenantName>>;
}

/// A folder that holds a file for each tenant.
#[derive(Debug)]
pub struct TenantFolder(PathBuf);

impl TenantFolder {
    /// Creates the folder if it is missing. Only the server's user may enter it.
    pub fn create(path: &Path) -> io::Result<Self> {
        let missing: Vec<&Path> =
            path.ancestors().take_while(|path| !path.as_os_str().is_empty() && !path.exists()).collect();
        DirBuilder::new().recursive(true).mode(0o700).create(path)?;
        // A file survives a power cut only if the folders on its path do: sync each new folder's parent.
        for made in missing {
            let parent = made.parent().filter(|parent| !parent.as_os_str().is_empty());
            File::open(parent.unwrap_or(Path::new(".")))?.sync_all()?;
        }
        Ok(Self(path.to_owned()))
    }

    /// Names a folder, which may not exist.
    pub fn at(path: &Path) -> Self {
        Self(path.to_owned())
    }

    pub fn path(&self, tenant: &TenantName) -> PathBuf {
        self.0.join(format!("{tenant}.{EXTENSION}"))
    }

    fn partial(&self, tenant: &TenantName) -> PathBuf {
        self.0.join(format!("{tenant}.{PARTIAL}"))
    }

    /// Makes new, renamed and removed names in the folder durable.
    pub fn sync(&self) -> io::Result<()> {
        File::open(&self.0)?.sync_all()
    }

    /// Removes an incomplete file that nobody wants any more.
    pub fn discard(&self, tenant: &TenantName) {
        // If this fails, the next attempt overwrites the file.
        let _ = fs::remove_file(self.partial(tenant));
    }
}

impl Disk for TenantFolder {
    fn name(&self, tenant: &TenantName) -> String {
        self.path(tenant).display().to_string()
    }

    fn open(&self, tenant: &TenantName, after_failure: bool) -> io::Result<Option<OpenedFile>> {
        let file = match OpenOptions::new().read(true).write(true).open(self.path(tenant)) {
            Ok(file) => file,
            Err(why) if why.kind() == ErrorKind::NotFound => return Ok(None),
            Err(why) => return Err(why),
        };
        if after_failure {
            // A write that failed may stay in the system's cache and look as if it had reached the disk: drop the
            // cache.
            let _ = fadvise(&file, 0, None, Advice::DontNeed);
        }
        Ok(Some(opened(file)?))
    }

    fn id(&self, tenant: &TenantName) -> io::Result<Option<FileId>> {
        match fs::metadata(self.path(tenant)) {
            Ok(file) => Ok(Some(FileId::of(&file))),
            Err(why) if why.kind() == ErrorKind::NotFound => Ok(None),
            Err(why) => Err(why),
        }
    }

    fn create(&self, tenant: &TenantName) -> io::Result<OpenedFile> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let partial = self.partial(tenant);
        // After a crash in `install` this is a second name of the tenant's own file, which must not be emptied.
        if fs::metadata(&partial).is_ok_and(|file| file.nlink() > 1) {
            fs::remove_file(&partial)?;
        }
        let file = options.open(&partial)?;
        // Another process may be making this file right now: only whoever gets the lock may empty it.
        file.try_lock()?;
        file.set_len(0)?;
        file.unlock()?;
        opened(file)
    }

    fn install(&self, tenant: &TenantName, replace: bool) -> io::Result<()> {
        let (partial, path) = (self.partial(tenant), self.path(tenant));
        if replace {
            fs::rename(partial, path)?;
        } else {
            // Unlike a rename, a link fails if another process made the file meanwhile.
            fs::hard_link(&partial, path)?;
            fs::remove_file(partial)?;
        }
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
                Err(why) => tracing::warn!("{} belongs to no tenant: {why}", path.display()),
            }
        }
        tenants.sort();
        Ok(tenants)
    }
}

fn opened(file: File) -> io::Result<OpenedFile> {
    let id = FileId::of(&file.metadata()?);
    let backend = FileBackend::new(file).map_err(|why| io::Error::other(why.to_string()))?;
    Ok((Box::new(backend), id))
}

/// Says whether a commit may have reached the disk: whether the file's header was written.
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

/// Writes the file's header last. The store writes the header, which names the new state, and pages in any order, then
/// syncs once. This holds the header back until that sync. If a page does not fit on the disk, which is the common
/// failure, the header was not written, so the commit has certainly not happened.
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
