//! Native code and functions on disk, by tenant: a tenant's code is found by itself alone, so that no load is faster because
//! another tenant has compiled the same component.

use std::collections::{BTreeMap, VecDeque};
use std::fs::{File, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use parking_lot::Mutex;

use super::packs;
use crate::files::PARTIAL;
use crate::model::limits::Limits;
use crate::model::names::TenantName;

/// The folder for native code within the data folder. Each tenant has a folder in it.
const FOLDER: &str = "compiled";
pub(super) const EXTENSION: &str = "cwasm";
/// What ends the name of a component that a script became.
pub(super) const SCRIPT_EXTENSION: &str = "script";
/// How often a process looks whether another one still compiles.
const POLL: Duration = Duration::from_millis(10);

/// The cache of a server.
#[derive(Debug)]
pub(super) struct Cache {
    pub folder: PathBuf,
    /// The folder of the packs of functions, whose names begin with their tenants'.
    pub functions: PathBuf,
    bytes_max: u64,
    /// The share of each tenant that compiled something since the start; the others have `share`.
    shares: Mutex<BTreeMap<TenantName, u64>>,
    share: u64,
    /// The lock of the folder, shared with other processes that use it.
    _in_use: File,
}

impl Cache {
    /// Makes the folders, and removes what nobody can use any more, unless another process is at work in them.
    pub fn open(data: &Path, limits: &Limits) -> anyhow::Result<Self> {
        let [folder, functions] = [FOLDER, packs::FOLDER].map(|name| data.join(name));
        for folder in [&folder, &functions] {
            private_folder(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
        }
        let in_use = File::open(&folder).with_context(|| format!("cannot open the folder {}", folder.display()))?;
        if in_use.try_lock().is_ok() {
            [&folder, &functions].into_iter().for_each(|folder| remove_stale(folder));
            folders_of(&folder).iter().for_each(|(_, own)| remove_stale(own));
            remove_unowned(&folder);
        }
        // Where a file system has no locks, unfinished files stay until somebody removes them.
        let _ = in_use.lock_shared();
        let (bytes_max, share) = (limits.compiled_cache_bytes, limits.compiled_cache_tenant_bytes);
        Ok(Self { folder, functions, bytes_max, shares: Mutex::default(), share, _in_use: in_use })
    }

    /// Where a file of a tenant's has its place. `share` are the bytes that the tenant keeps whatever others compile.
    pub fn file(&self, tenant: &TenantName, share: u64, name: &str) -> PathBuf {
        self.shares.lock().insert(tenant.clone(), share);
        self.folder.join(tenant.as_str()).join(name)
    }

    /// Makes the folder of a tenant whose code is to be written, and waits until no other process compiles for the tenant:
    /// what it makes is found then, and neither loses what the other one adds to the tenant's pack.
    pub fn lock(file: &Path, is_given_up: impl Fn() -> bool) -> io::Result<File> {
        let folder = file.parent().ok_or(ErrorKind::InvalidFilename)?;
        private_folder(folder)?;
        let folder = File::open(folder)?;
        // Where the file system has no locks, both compile, and the later one's pack counts.
        while matches!(folder.try_lock(), Err(TryLockError::WouldBlock)) && !is_given_up() {
            std::thread::sleep(POLL);
        }
        Ok(folder)
    }

    /// Deletes what was unused for longest, each time of the tenant that is furthest past its share, until
    /// `compiled-cache-bytes` is kept. Spares the file that was just made.
    pub fn forget_unused(&self, made: &Path) {
        let mut tenants = self.used_by_tenant();
        let mut total: u64 = tenants.values().map(|of| of.bytes).sum();
        while total > self.bytes_max {
            let greedy = tenants.values_mut().filter(|of| !of.files.is_empty());
            let Some(greedy) = greedy.max_by_key(|of| i128::from(of.bytes) - i128::from(of.share)) else { return };
            let Some(file) = greedy.files.pop_front().filter(|file| file.path != made) else { continue };
            // What cannot be removed is passed over.
            if std::fs::remove_file(&file.path).is_ok() {
                greedy.bytes -= file.bytes;
                total -= file.bytes;
            }
        }
    }

    fn used_by_tenant(&self) -> BTreeMap<String, TenantFiles> {
        let code = folders_of(&self.folder).into_iter().flat_map(|(tenant, folder)| {
            code_of(&folder).into_iter().map(move |file| (tenant.clone(), file)).collect::<Vec<_>>()
        });
        let packs = files_of(&self.functions, packs::is_pack);
        let packs = packs.into_iter().filter_map(|file| Some((packs::tenant_of(&file.path)?.to_owned(), file)));
        let mut tenants: BTreeMap<String, TenantFiles> = BTreeMap::new();
        for (tenant, file) in code.chain(packs) {
            let of = tenants.entry(tenant).or_default();
            of.bytes += file.bytes;
            of.files.push_back(file);
        }
        let shares = self.shares.lock();
        for (tenant, of) in &mut tenants {
            of.share = shares.get(tenant.as_str()).copied().unwrap_or(self.share);
            of.files.make_contiguous().sort_by_key(|file| file.used);
        }
        tenants
    }
}

/// What the cache holds of one tenant.
#[derive(Debug, Default)]
struct TenantFiles {
    bytes: u64,
    share: u64,
    /// What was unused for longest comes first.
    files: VecDeque<CachedFile>,
}

/// The bytes of all native code in a server's data folder.
pub fn compiled_bytes(data: &Path) -> u64 {
    let code = folders_of(&data.join(FOLDER)).into_iter().flat_map(|(_, folder)| code_of(&folder));
    code.map(|file| file.bytes).sum()
}

/// A file of a cache.
#[derive(Debug)]
struct CachedFile {
    path: PathBuf,
    bytes: u64,
    used: SystemTime,
}

fn code_of(folder: &Path) -> Vec<CachedFile> {
    let kinds = [EXTENSION, SCRIPT_EXTENSION];
    files_of(folder, |name| Path::new(name).extension().is_some_and(|kind| kinds.iter().any(|of| kind == *of)))
}

/// Lists a folder's files with certain names. Skips files that cannot be examined.
fn files_of(folder: &Path, is_it: impl Fn(&str) -> bool) -> Vec<CachedFile> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let entries = entries.flatten().filter(|entry| entry.file_name().to_str().is_some_and(&is_it));
    let kept = entries.filter_map(|entry| {
        let meta = entry.metadata().ok().filter(std::fs::Metadata::is_file)?;
        Some(CachedFile { path: entry.path(), bytes: meta.len(), used: meta.modified().ok()? })
    });
    kept.collect()
}

/// The folders of tenants, by name.
fn folders_of(folder: &Path) -> Vec<(String, PathBuf)> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let folders = entries.flatten().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    folders.filter_map(|entry| Some((entry.file_name().into_string().ok()?, entry.path()))).collect()
}

/// Removes incomplete files of processes that died while they compiled.
fn remove_stale(folder: &Path) {
    for CachedFile { path, .. } in files_of(folder, |name| name.contains(PARTIAL)) {
        // If this fails, the next start tries again.
        let _ = std::fs::remove_file(path);
    }
}

/// Removes the code that an earlier version of this program kept for all tenants together.
fn remove_unowned(folder: &Path) {
    let old = code_of(folder);
    let removed = old.iter().filter(|file| std::fs::remove_file(&file.path).is_ok()).count();
    if removed > 0 {
        tracing::info!(
            files = removed,
            "compiled code of an earlier version of Parlor is gone from {}: each tenant has its own now, so every component \
             is compiled once more",
            folder.display()
        );
    }
}

/// Makes a folder that only this user can read and write.
pub(super) fn private_folder(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache(data: &Path, bytes_max: u64) -> Cache {
        let limits = Limits { compiled_cache_bytes: bytes_max, compiled_cache_tenant_bytes: 100, ..Limits::default() };
        Cache::open(data, &limits).unwrap()
    }

    /// Writes a file of so many bytes, unused for as many seconds as `age` says.
    fn write(cache: &Cache, tenant: &str, share: u64, name: &str, bytes: usize, age: u64) -> PathBuf {
        let file = cache.file(&TenantName::new(tenant).unwrap(), share, &format!("{name}.{EXTENSION}"));
        private_folder(file.parent().unwrap()).unwrap();
        std::fs::write(&file, vec![0; bytes]).unwrap();
        let used = SystemTime::now() - Duration::from_secs(age);
        File::options().append(true).open(&file).unwrap().set_modified(used).unwrap();
        file
    }

    #[test]
    fn who_is_furthest_past_its_share_loses_what_it_used_least() {
        let data = tempfile::tempdir().unwrap();
        let cache = cache(data.path(), 500);
        let good = write(&cache, "good", 100, "a", 100, 9_999);
        let large = write(&cache, "large", 300, "a", 300, 8_888);
        let greedy: Vec<_> = (0..5).map(|age| write(&cache, "greedy", 0, &age.to_string(), 50, age)).collect();
        cache.forget_unused(&greedy[0]);
        // 650 bytes, of which the greedy one has 250 beyond its share: its three oldest make 500 of it.
        let left: Vec<bool> = greedy.iter().map(|file| file.exists()).collect();
        assert_eq!((good.exists(), large.exists(), left), (true, true, vec![true, true, false, false, false]));
        // Its pack of functions counts as well, and goes as well.
        let pack = data.path().join("functions/greedy-0123456789abcdef.pack");
        std::fs::write(&pack, [0; 60]).unwrap();
        File::options().append(true).open(&pack).unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
        cache.forget_unused(&greedy[0]);
        assert!(!pack.exists() && greedy[1].exists() && good.exists() && large.exists());
    }

    #[test]
    fn what_was_just_made_stays_and_all_else_goes_for_it() {
        let data = tempfile::tempdir().unwrap();
        let cache = cache(data.path(), 1);
        let (old, made) = (write(&cache, "a", 0, "old", 10, 10), write(&cache, "a", 0, "made", 100, 20));
        let other = write(&cache, "b", 100, "other", 10, 0);
        cache.forget_unused(&made);
        assert!(made.exists() && !old.exists() && !other.exists());
    }

    #[test]
    fn code_that_belongs_to_no_tenant_is_gone_after_a_start() {
        let data = tempfile::tempdir().unwrap();
        let kept = write(&cache(data.path(), 500), "a", 0, "kept", 10, 0);
        let old = data.path().join("compiled/0123-4567.cwasm");
        std::fs::write(&old, "native code").unwrap();
        cache(data.path(), 500);
        assert!(kept.exists() && !old.exists());
        assert_eq!(compiled_bytes(data.path()), 10);
    }
}
