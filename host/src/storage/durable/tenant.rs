//! A tenant's file and what waits for it.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::{Mutex, RwLock, RwLockReadGuard, RwLockWriteGuard};
use redb::ReadTransaction;
use rustix::time::{ClockId, clock_gettime};
use tokio::sync::oneshot;

use super::disk::Disk;
use super::errors::Failure;
use super::file::{TenantFile, Uncommitted};
use super::layout::{self, Applied, RoomPlace};
use super::queue::{Doubt, Due, Opening, Queue, RoomState, Waiting};
use crate::clock::Instant;
use crate::model::names::TenantName;
use crate::storage::{Durable, StorageError, StorageErrorKind, Stored};

/// Something to be read on a thread for that.
pub type Job = Box<dyn FnOnce(&Tenant) + Send>;

/// A group of so many is worth a wait for the next one.
const BATCHES_OF_MANY: usize = 4;
/// The longest such wait; it is never longer than the last commit took.
const GATHER_MAX: Duration = Duration::from_millis(1);

#[derive(Debug)]
pub struct Tenant {
    pub name: TenantName,
    disk: Arc<dyn Disk>,
    file: RwLock<OpenFile>,
    /// The file failed, and is opened anew before it is used again.
    broken: AtomicBool,
    rooms: AtomicUsize,
    /// Rooms that are open.
    handles: AtomicUsize,
    /// Somebody will look whether any is left.
    idle_noted: AtomicBool,
    pub writes: Mutex<Queue>,
    /// How long the next group waits for more batches, in microseconds.
    gather_us: AtomicU64,
    reads: Mutex<Reads>,
}

#[derive(Debug, Default)]
struct OpenFile {
    file: Option<TenantFile>,
    /// It was broken when it was open last.
    after_failure: bool,
}

/// What is to be read, one after the other: a tenant that reads much shares the threads with others.
#[derive(Default)]
struct Reads {
    jobs: VecDeque<Job>,
    scheduled: bool,
    closed: bool,
}

impl fmt::Debug for Reads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reads").field("jobs", &self.jobs.len()).finish_non_exhaustive()
    }
}

impl Tenant {
    pub fn new(name: TenantName, disk: Arc<dyn Disk>) -> Self {
        Self {
            name,
            disk,
            file: RwLock::default(),
            broken: AtomicBool::new(false),
            rooms: AtomicUsize::new(0),
            handles: AtomicUsize::new(0),
            idle_noted: AtomicBool::new(false),
            writes: Mutex::default(),
            gather_us: AtomicU64::new(0),
            reads: Mutex::default(),
        }
    }

    /// Rooms with a key or an alarm, as far as the file was looked at.
    pub fn rooms(&self) -> usize {
        self.rooms.load(Ordering::Relaxed)
    }

    /// A room was opened.
    pub fn enter(&self) {
        self.handles.fetch_add(1, Ordering::AcqRel);
    }

    /// A room is gone. Says whether somebody should look later whether any came back.
    pub fn leave(&self) -> bool {
        self.handles.fetch_sub(1, Ordering::AcqRel) == 1 && !self.idle_noted.swap(true, Ordering::AcqRel)
    }

    /// Closes the file where no room is open. Whatever still needs it opens it again.
    pub fn close_if_idle(&self) {
        self.idle_noted.store(false, Ordering::Release);
        let mut open = self.file.write();
        if self.handles.load(Ordering::Acquire) > 0 || self.broken.load(Ordering::Acquire) {
            return;
        }
        if let Some(Err(why)) = open.file.take().map(TenantFile::close) {
            open.after_failure = true;
            tracing::warn!("{why}");
        }
    }

    /// Queues something to be read. Says whether the tenant needs a turn of a reader for it.
    pub fn add_read(&self, job: Job) -> bool {
        let mut reads = self.reads.lock();
        if reads.closed {
            return false;
        }
        reads.jobs.push_back(job);
        !std::mem::replace(&mut reads.scheduled, true)
    }

    /// Reads one thing. Says whether the tenant needs another turn.
    pub fn read_turn(&self) -> bool {
        let job = self.reads.lock().jobs.pop_front();
        if let Some(job) = job {
            job(self);
        }
        let mut reads = self.reads.lock();
        reads.scheduled = !reads.jobs.is_empty();
        reads.scheduled
    }

    /// Reads from the last durable state; none where there is no file.
    pub fn read<T>(
        &self,
        work: impl FnOnce(&ReadTransaction) -> Result<T, Failure>,
    ) -> Result<Option<T>, StorageError> {
        let done = self.with_file(false, |file| file.read(work))?;
        done.transpose().inspect_err(|_| self.broken.store(true, Ordering::Release))
    }

    /// What is kept. A file that is closed is closed behind it as well: a server has many tenants of whom nobody is there.
    pub fn stored(&self) -> Result<Stored, StorageError> {
        let open = self.file.write();
        let stored = match &open.file {
            Some(file) if !self.broken.load(Ordering::Acquire) => file.stored()?,
            _ => TenantFile::summary(self.disk.as_ref(), &self.name)?.unwrap_or_default(),
        };
        self.rooms.store(stored.rooms, Ordering::Relaxed);
        Ok(stored)
    }

    fn with_file<T>(&self, create: bool, work: impl FnOnce(&TenantFile) -> T) -> Result<Option<T>, StorageError> {
        let mut open = self.file.read();
        if open.file.is_none() || self.broken.load(Ordering::Acquire) {
            drop(open);
            open = self.open_file(create)?;
        }
        Ok(open.file.as_ref().map(work))
    }

    /// Opens the file, anew where it is broken; makes it where it is missing and wanted. It stays open until its user is
    /// done: a file that somebody closed in between would look like one that is not there.
    fn open_file(&self, create: bool) -> Result<RwLockReadGuard<'_, OpenFile>, StorageError> {
        let mut open = self.file.write();
        if self.broken.swap(false, Ordering::AcqRel) {
            open.after_failure = true;
            // What it says of its own end is what it said before.
            if let Some(Err(why)) = open.file.take().map(TenantFile::close) {
                tracing::debug!("{why}");
            }
        }
        if open.file.is_some() {
            return Ok(RwLockWriteGuard::downgrade(open));
        }
        let mut file = TenantFile::open(self.disk.as_ref(), &self.name, open.after_failure)?;
        if file.is_none() && create {
            file = Some(TenantFile::create(self.disk.as_ref(), &self.name)?);
        }
        let rooms = file.as_ref().map_or(Ok(0), |file| file.read(layout::room_count))?;
        self.rooms.store(rooms as usize, Ordering::Relaxed);
        *open = OpenFile { file, after_failure: false };
        Ok(RwLockWriteGuard::downgrade(open))
    }

    /// Writes what waits. Says when the next turn is.
    pub fn write_turn(&self, turn: u64) -> Option<Due> {
        let doubt = {
            let mut queue = self.writes.lock();
            if !queue.begin(turn) {
                return None;
            }
            queue.doubt.take()
        };
        if let Some(Err(doubt)) = doubt.map(|doubt| self.settle(doubt)) {
            return self.wait_for_disk(doubt);
        }
        self.gather();
        let (group, openings) = self.writes.lock().take_group();
        let (batches, start) = (group.len(), Instant::now());
        if let Err(doubt) = self.commit(group) {
            self.writes.lock().put_back(openings);
            return self.wait_for_disk(doubt);
        }
        self.note_group(batches, start.elapsed());
        for Opening { place, answer } in openings {
            // Whoever does not wait any more wants no room.
            let _ = answer.send(self.open_room(place));
        }
        self.writes.lock().end()
    }

    /// Where many write at once, waits for a moment: a commit costs the same for one batch as for many.
    fn gather(&self) {
        let gather = Duration::from_micros(self.gather_us.load(Ordering::Relaxed));
        if !gather.is_zero() {
            std::thread::sleep(gather);
        }
    }

    /// Rooms whose answers came together write together again.
    fn note_group(&self, batches: usize, took: Duration) {
        let wait = if batches >= BATCHES_OF_MANY { took.min(GATHER_MAX) } else { Duration::ZERO };
        self.gather_us.store(wait.as_micros() as u64, Ordering::Relaxed);
    }

    fn open_room(&self, place: RoomPlace) -> Result<Arc<RoomState>, StorageError> {
        let row = self.read(|transaction| layout::row(transaction, &place))?.unwrap_or_default();
        Ok(RoomState::new(place, row))
    }

    fn commit(&self, group: Vec<Waiting>) -> Result<(), Doubt> {
        if group.is_empty() {
            return Ok(());
        }
        let before = thread_cpu();
        let batches = group.iter().map(|waiting| (&waiting.room.place, &waiting.batch));
        let outcome = match self.with_file(true, |file| file.commit(batches)) {
            Ok(Some(outcome)) => outcome,
            Ok(None) => Err(Uncommitted::Absent(self.closed())),
            Err(why) => Err(Uncommitted::Absent(why)),
        };
        match outcome {
            Ok(applied) => {
                let cpu = thread_cpu().saturating_sub(before) / u32::try_from(group.len()).unwrap_or(u32::MAX);
                self.succeed(group, &applied, cpu);
                Ok(())
            }
            Err(Uncommitted::Absent(why)) => {
                self.broken.store(true, Ordering::Release);
                self.fail(group, &why);
                Ok(())
            }
            Err(Uncommitted::InDoubt { why, applied }) => {
                self.broken.store(true, Ordering::Release);
                self.settle(Doubt { group, applied, why })
            }
        }
    }

    /// Opens the file anew and looks whether a group reached it. An error is an answer only where it is the truth.
    fn settle(&self, doubt: Doubt) -> Result<(), Doubt> {
        match self.read(layout::sequence) {
            Ok(sequence) if sequence >= Some(doubt.applied.sequence) => {
                self.succeed(doubt.group, &doubt.applied, Duration::ZERO);
            }
            Ok(_) => self.fail(doubt.group, &doubt.why),
            Err(why) if matches!(why.kind, StorageErrorKind::Corrupt | StorageErrorKind::Newer) => {
                // Nothing of the file can be read, by anyone.
                self.fail(doubt.group, &why);
            }
            Err(why) => return Err(Doubt { why, ..doubt }),
        }
        Ok(())
    }

    /// Keeps a group until the disk answers. Others need not wait for that to hear that it does not.
    fn wait_for_disk(&self, doubt: Doubt) -> Option<Due> {
        let why = doubt.why.clone();
        let mut queue = self.writes.lock();
        let (batches, openings) = queue.take_all_but(&doubt);
        queue.doubt = Some(doubt);
        drop(queue);
        self.fail(batches, &why);
        for Opening { answer, .. } in openings {
            let _ = answer.send(Err(why.clone()));
        }
        self.writes.lock().end()
    }

    fn succeed(&self, group: Vec<Waiting>, applied: &Applied, cpu: Duration) {
        self.rooms.store(applied.rooms as usize, Ordering::Relaxed);
        for (Waiting { room, answer, .. }, row) in group.into_iter().zip(&applied.rows) {
            *room.row.lock() = *row;
            // A room may be gone before its last batches are durable.
            let _ = answer.send(Ok(Durable { cpu }));
        }
    }

    /// Tells the first failed batch of each room why, and the others that they follow it.
    fn fail(&self, group: Vec<Waiting>, why: &StorageError) {
        let follow = self.writes.lock().fail(&group);
        let mut told: Vec<Arc<RoomState>> = Vec::new();
        for Waiting { room, answer, .. } in group {
            let first = !told.iter().any(|other| Arc::ptr_eq(other, &room));
            let _ = answer.send(Err(if first { why.clone() } else { self.follows() }));
            told.push(room);
        }
        for Waiting { answer, .. } in follow {
            let _ = answer.send(Err(self.follows()));
        }
    }

    /// The error of a batch that was not taken.
    pub fn not_taken(&self) -> StorageError {
        if self.writes.lock().is_closed() { self.closed() } else { self.follows() }
    }

    fn follows(&self) -> StorageError {
        let message = format!("{}: an earlier batch of the room failed", self.disk.name(&self.name));
        StorageError { kind: StorageErrorKind::Follows, message }
    }

    fn closed(&self) -> StorageError {
        let message = format!("{} is closed: the server stops", self.disk.name(&self.name));
        StorageError { kind: StorageErrorKind::Io, message }
    }

    /// The answer, or that the store was closed before there was one.
    pub async fn answer<T>(&self, answer: oneshot::Receiver<Result<T, StorageError>>) -> Result<T, StorageError> {
        answer.await.unwrap_or_else(|_| Err(self.closed()))
    }

    /// Takes nothing any more.
    pub fn stop(&self) {
        self.writes.lock().close();
        self.reads.lock().closed = true;
    }

    /// Closes the file, behind all that was done.
    pub fn close(&self) -> Result<(), StorageError> {
        self.writes.lock().clear();
        self.reads.lock().jobs.clear();
        self.file.write().file.take().map_or(Ok(()), TenantFile::close)
    }
}

fn thread_cpu() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(u64::try_from(now.tv_sec).unwrap_or(0), u32::try_from(now.tv_nsec).unwrap_or(0))
}
