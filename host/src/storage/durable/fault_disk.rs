//! A disk in memory that fails on demand. The real store runs on top of it.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, ErrorKind};
use std::ops::Bound;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use parking_lot::Mutex;
use redb::{BackendError, StorageBackend};

use super::disk::{Disk, FileId, OpenedFile};
use super::{DurableStorage, IDLE};
use crate::model::names::TenantName;
use crate::storage::NobodyPays;

/// The unit in which a power cut loses data, in bytes.
const PIECE: usize = 512;
/// The unit in which files take space on the disk, in bytes.
const BLOCK: usize = 4_096;

/// How an operation fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DiskFault {
    /// A write, a change of length, a sync or a rename fails and does nothing.
    Fails,
    /// A write fails after its first half. A rename happens, and its sync fails.
    Torn,
    /// A sync fails, and what it should have made durable is lost.
    SyncLoses,
    /// A sync succeeds, and reports a failure.
    SyncLies,
    /// Every operation fails until the power is back. Data that was not synced is lost, as a whole or in pieces.
    PowerCut,
}

/// Which operations fail.
#[derive(Debug, Clone, Copy)]
pub struct FaultPlan {
    pub fault: DiskFault,
    /// How many operations succeed first.
    pub after: usize,
    /// Whether all later operations fail as well, reads included, until the disk is mended.
    pub for_good: bool,
}

#[derive(Debug, Default)]
pub struct FaultDisk(Arc<Mutex<FaultDiskState>>);

#[derive(Debug, Default)]
struct FaultDiskState {
    files: BTreeMap<String, MemoryFile>,
    /// Files that lost their names.
    elsewhere: BTreeMap<String, MemoryFile>,
    plan: Option<FaultPlan>,
    operations: usize,
    fired: bool,
    dead: bool,
    /// How often the power came back. A handle from before does nothing any more.
    boots: usize,
    blocks_free: Option<usize>,
    sync_takes: BTreeMap<String, Duration>,
    /// The tenants of which the next look for a file panics.
    panics: BTreeSet<String>,
    handles: usize,
    /// How many files were made.
    made: u64,
}

#[derive(Debug, Default, Clone)]
struct MemoryFile {
    /// Which file it is, whatever its name.
    number: u64,
    now: Vec<u8>,
    durable: Vec<u8>,
    /// The writes since the last sync.
    unsynced: Vec<(usize, Vec<u8>)>,
    blocks: BTreeSet<usize>,
    /// The handle that has locked the file, until it is closed.
    holder: Option<usize>,
}

impl FaultDisk {
    pub fn shared(&self) -> Arc<dyn Disk> {
        Arc::new(Self(Arc::clone(&self.0)))
    }

    /// A store on this disk.
    pub fn storage(&self, writers: usize) -> DurableStorage {
        DurableStorage::on(self.shared(), writers, IDLE, Arc::new(NobodyPays), Arc::default()).unwrap()
    }

    /// Plans a fault, counted from now on.
    pub fn plan(&self, plan: FaultPlan) {
        let mut state = self.0.lock();
        state.plan = Some(plan);
        state.operations = 0;
        state.fired = false;
    }

    /// Whether the planned fault has happened.
    pub fn fired(&self) -> bool {
        self.0.lock().fired
    }

    /// Whether every operation fails.
    pub fn is_dead(&self) -> bool {
        self.0.lock().dead
    }

    /// Ends all faults.
    pub fn mend(&self) {
        let mut state = self.0.lock();
        state.plan = None;
        state.dead = false;
        state.blocks_free = None;
    }

    /// Leaves space for this many blocks.
    pub fn leave_blocks(&self, blocks: usize) {
        self.0.lock().blocks_free = Some(blocks);
    }

    /// Has the next look for a tenant's file panic, as a bug in the server would.
    pub fn panic_once(&self, tenant: &str) {
        self.0.lock().panics.insert(tenant.to_owned());
    }

    /// Moves a tenant's file elsewhere, whoever has it open.
    pub fn take_away(&self, tenant: &str) {
        let mut state = self.0.lock();
        let file = state.files.remove(tenant).unwrap();
        state.elsewhere.insert(tenant.to_owned(), file);
    }

    /// Puts a copy of the file that was taken away in the place of the tenant's.
    pub fn put_copy_back(&self, tenant: &str) {
        let mut state = self.0.lock();
        state.made += 1;
        let copy = MemoryFile { number: state.made, holder: None, ..state.elsewhere[tenant].clone() };
        state.files.insert(tenant.to_owned(), copy);
    }

    pub fn slow_sync(&self, tenant: &str, takes: Duration) {
        self.0.lock().sync_takes.insert(tenant.to_owned(), takes);
    }

    /// Turns the power on again. `seed` decides which pieces of unsynced data survived; with 0 none did.
    pub fn power_on(&self, seed: u64) {
        self.mend();
        let mut state = self.0.lock();
        state.boots += 1;
        let mut random = seed;
        for file in state.files.values_mut() {
            let unsynced = std::mem::take(&mut file.unsynced);
            let length = file.now.len();
            file.now = file.durable.clone();
            for (offset, data) in unsynced {
                for (place, piece) in data.chunks(PIECE).enumerate() {
                    random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    if seed != 0 && random >> 63 == 1 {
                        put(&mut file.now, offset + place * PIECE, piece);
                    }
                }
            }
            // A file's new length may have survived by itself.
            if seed % 2 == 1 && file.now.len() < length {
                file.now.resize(length, 0);
            }
            file.durable = file.now.clone();
            file.holder = None;
        }
    }

    fn handle(&self, name: &str) -> OpenedFile {
        let mut state = self.0.lock();
        state.handles += 1;
        let (boot, number) = (state.boots, state.handles);
        let id = id_of(&state.files[name]);
        (Box::new(FaultDiskHandle { state: Arc::clone(&self.0), name: name.to_owned(), boot, number }), id)
    }
}

fn put(bytes: &mut Vec<u8>, offset: usize, data: &[u8]) {
    if bytes.len() < offset + data.len() {
        bytes.resize(offset + data.len(), 0);
    }
    bytes[offset..offset + data.len()].copy_from_slice(data);
}

fn id_of(file: &MemoryFile) -> FileId {
    FileId { device: 0, inode: file.number }
}

fn failed() -> io::Error {
    io::Error::from_raw_os_error(5)
}

impl FaultDiskState {
    /// Somebody looks for a tenant's file.
    fn look_for(&mut self, tenant: &str) {
        assert!(!self.panics.remove(tenant), "as the test asks for");
    }

    /// Counts an operation, and says how it fails, if it does.
    fn fault(&mut self) -> Option<DiskFault> {
        let plan = self.plan?;
        self.operations += 1;
        if self.operations == plan.after + 1 {
            self.fired = true;
            self.dead = plan.for_good || plan.fault == DiskFault::PowerCut;
            return Some(plan.fault);
        }
        self.dead.then_some(DiskFault::Fails)
    }
}

impl Disk for FaultDisk {
    fn name(&self, tenant: &TenantName) -> String {
        format!("{tenant} on the fault disk")
    }

    fn open(&self, tenant: &TenantName, _: bool) -> io::Result<Option<OpenedFile>> {
        let mut state = self.0.lock();
        state.look_for(tenant.as_str());
        if state.dead {
            return Err(failed());
        }
        let there = state.files.contains_key(tenant.as_str());
        drop(state);
        Ok(there.then(|| self.handle(tenant.as_str())))
    }

    fn id(&self, tenant: &TenantName) -> io::Result<Option<FileId>> {
        let mut state = self.0.lock();
        state.look_for(tenant.as_str());
        Ok(state.files.get(tenant.as_str()).map(id_of))
    }

    fn create(&self, tenant: &TenantName) -> io::Result<OpenedFile> {
        let name = format!("{tenant}-new");
        let mut state = self.0.lock();
        if state.fault().is_some() {
            return Err(failed());
        }
        state.made += 1;
        let number = state.made;
        state.files.insert(name.clone(), MemoryFile { number, ..MemoryFile::default() });
        drop(state);
        Ok(self.handle(&name))
    }

    fn install(&self, tenant: &TenantName, _: bool) -> io::Result<()> {
        let mut state = self.0.lock();
        let fault = state.fault();
        if fault.is_none() || fault == Some(DiskFault::Torn) {
            let file = state.files.remove(&format!("{tenant}-new")).ok_or(ErrorKind::NotFound)?;
            state.files.insert(tenant.to_string(), file);
        }
        fault.map_or(Ok(()), |_| Err(failed()))
    }

    fn tenants(&self) -> io::Result<Vec<TenantName>> {
        let state = self.0.lock();
        let names = state.files.keys().filter(|name| !name.ends_with("-new"));
        Ok(names.map(|name| TenantName::new(name).unwrap()).collect())
    }
}

#[derive(Debug)]
struct FaultDiskHandle {
    state: Arc<Mutex<FaultDiskState>>,
    name: String,
    boot: usize,
    number: usize,
}

impl FaultDiskHandle {
    /// Runs an operation on the file. One that changes the file may meet the planned fault.
    fn with<T>(
        &self,
        changes: bool,
        work: impl FnOnce(&mut MemoryFile, Option<DiskFault>, &mut Option<usize>) -> io::Result<T>,
    ) -> io::Result<T> {
        let mut state = self.state.lock();
        if state.boots != self.boot {
            return Err(failed());
        }
        let fault = if changes { state.fault() } else { state.dead.then_some(DiskFault::Fails) };
        let mut free = state.blocks_free;
        let file = state.files.get_mut(&self.name).ok_or(ErrorKind::NotFound)?;
        let done = work(file, fault, &mut free);
        state.blocks_free = free;
        done
    }
}

impl StorageBackend for FaultDiskHandle {
    fn len(&self) -> io::Result<u64> {
        self.with(false, |file, fault, _| fault.map_or(Ok(file.now.len() as u64), |_| Err(failed())))
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.with(false, |file, fault, _| {
            let range = offset as usize..offset as usize + out.len();
            match (fault, file.now.get(range)) {
                (None, Some(bytes)) => out.copy_from_slice(bytes),
                (None, None) => return Err(ErrorKind::UnexpectedEof.into()),
                (Some(_), _) => return Err(failed()),
            }
            Ok(())
        })
    }

    fn close(&self) -> io::Result<()> {
        for file in self.state.lock().files.values_mut() {
            file.holder.take_if(|holder| *holder == self.number);
        }
        Ok(())
    }

    /// Locks the whole file, whatever range is asked for: there is one writer or none.
    fn try_lock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<bool, BackendError> {
        let mut state = self.state.lock();
        let file = state.files.get_mut(&self.name).ok_or(io::Error::from(ErrorKind::NotFound))?;
        Ok(*file.holder.get_or_insert(self.number) == self.number)
    }

    fn try_lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.try_lock_range(start, end)
    }

    fn unlock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<(), BackendError> {
        Ok(())
    }

    fn query_lock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<bool, BackendError> {
        Ok(false)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.with(true, |file, fault, _| {
            if fault.is_some() {
                return Err(failed());
            }
            file.now.resize(len as usize, 0);
            Ok(())
        })
    }

    fn sync_data(&self) -> io::Result<()> {
        let takes = self.state.lock().sync_takes.get(&self.name).copied();
        takes.into_iter().for_each(thread::sleep);
        self.with(true, |file, fault, _| {
            if fault.is_none() || fault == Some(DiskFault::SyncLies) {
                file.durable = file.now.clone();
                file.unsynced.clear();
            } else if fault == Some(DiskFault::SyncLoses) {
                file.now = file.durable.clone();
                file.unsynced.clear();
            }
            fault.map_or(Ok(()), |_| Err(failed()))
        })
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.with(true, |file, fault, free| {
            let offset = offset as usize;
            let written = match fault {
                None => data,
                Some(DiskFault::Torn) => &data[..data.len() / 2],
                Some(_) => return Err(failed()),
            };
            for block in offset / BLOCK..(offset + data.len()).div_ceil(BLOCK) {
                if !file.blocks.contains(&block) {
                    if *free == Some(0) {
                        return Err(ErrorKind::StorageFull.into());
                    }
                    *free = free.map(|free| free - 1);
                    file.blocks.insert(block);
                }
            }
            put(&mut file.now, offset, written);
            file.unsynced.push((offset, written.to_vec()));
            fault.map_or(Ok(()), |_| Err(failed()))
        })
    }
}
