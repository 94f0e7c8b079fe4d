//! A tenant's file, with its queues of writes and reads.

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
use super::errors::FileError;
use super::file::{TenantFile, Uncommitted};
use super::layout::{self, AppliedGroup, RoomRowKey};
use super::queue::{DoubtfulGroup, NextWriteTurn, OpenRoom, QueuedBatch, QueuedOpening, WriteQueue};
use crate::clock::Instant;
use crate::model::names::TenantName;
use crate::storage::{Durable, StorageError, StorageErrorKind, StoredTenant};

/// A read, for a reader thread to run.
pub type ReadJob = Box<dyn FnOnce(&TenantStore) + Send>;

/// After a group of this many batches, the next one waits a moment for more.
const BATCHES_OF_MANY: usize = 4;
/// The longest such wait. It is never longer than the last commit took.
const GATHER_MAX: Duration = Duration::from_millis(1);

#[derive(Debug)]
pub struct TenantStore {
    pub name: TenantName,
    disk: Arc<dyn Disk>,
    file: RwLock<OpenFile>,
    /// Whether the file failed: it is opened again before anybody uses it.
    broken: AtomicBool,
    rooms: AtomicUsize,
    /// How many rooms are open.
    handles: AtomicUsize,
    /// Whether a reader will look soon whether the file can be closed.
    idle_noted: AtomicBool,
    pub writes: Mutex<WriteQueue>,
    /// How long the next group waits for more batches, in microseconds.
    gather_us: AtomicU64,
    reads: Mutex<ReadQueue>,
}

#[derive(Debug, Default)]
struct OpenFile {
    file: Option<TenantFile>,
    /// Whether it failed when it was last open.
    after_failure: bool,
}

/// The tenant's reads, run one after the other, so that a tenant that reads much leaves threads to others.
#[derive(Default)]
struct ReadQueue {
    jobs: VecDeque<ReadJob>,
    scheduled: bool,
    closed: bool,
}

impl fmt::Debug for ReadQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadQueue").field("jobs", &self.jobs.len()).finish_non_exhaustive()
    }
}

impl TenantStore {
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

    /// How many rooms store something; 0 until the file was read once.
    pub fn rooms(&self) -> usize {
        self.rooms.load(Ordering::Relaxed)
    }

    /// A room was opened.
    pub fn enter(&self) {
        self.handles.fetch_add(1, Ordering::AcqRel);
    }

    /// A room closed. Returns whether a reader should look later whether the file can be closed.
    pub fn leave(&self) -> bool {
        self.handles.fetch_sub(1, Ordering::AcqRel) == 1 && !self.idle_noted.swap(true, Ordering::AcqRel)
    }

    /// Closes the file if no room is open. Whoever needs it later opens it again.
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

    /// Queues a read. Returns whether the tenant needs a turn of a reader.
    pub fn add_read(&self, job: ReadJob) -> bool {
        let mut reads = self.reads.lock();
        if reads.closed {
            return false;
        }
        reads.jobs.push_back(job);
        !std::mem::replace(&mut reads.scheduled, true)
    }

    /// Runs one read. Returns whether the tenant needs another turn.
    pub fn read_turn(&self) -> bool {
        let job = self.reads.lock().jobs.pop_front();
        if let Some(job) = job {
            job(self);
        }
        let mut reads = self.reads.lock();
        reads.scheduled = !reads.jobs.is_empty();
        reads.scheduled
    }

    /// Reads from the last durable state; `None` if there is no file.
    pub fn read<T>(
        &self,
        work: impl FnOnce(&ReadTransaction) -> Result<T, FileError>,
    ) -> Result<Option<T>, StorageError> {
        let done = self.with_file(false, |file| file.read(work))?;
        done.transpose().inspect_err(|_| self.broken.store(true, Ordering::Release))
    }

    /// Summarises the file. It does not stay open for this: of many tenants no room is open.
    pub fn stored(&self) -> Result<StoredTenant, StorageError> {
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

    /// Opens the file, again if it failed, and creates it if it is missing and `create` says so. The lock that this
    /// returns keeps the file open: if somebody closed it in between, it would look as if it did not exist.
    fn open_file(&self, create: bool) -> Result<RwLockReadGuard<'_, OpenFile>, StorageError> {
        let mut open = self.file.write();
        if self.broken.swap(false, Ordering::AcqRel) {
            open.after_failure = true;
            // The error that broke the file was reported already.
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

    /// Commits the queue's next group. Returns when the next turn is.
    pub fn write_turn(&self, turn: u64) -> Option<NextWriteTurn> {
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
        let batches = group.len();
        let start = Instant::now();
        if let Err(doubt) = self.commit(group) {
            self.writes.lock().put_back(openings);
            return self.wait_for_disk(doubt);
        }
        self.note_group(batches, start.elapsed());
        for QueuedOpening { place, answer } in openings {
            // Whoever asked may not wait any more.
            let _ = answer.send(self.open_room(place));
        }
        self.writes.lock().end()
    }

    /// Waits a moment for more batches, if the last group was large: a commit costs the same for one batch as for many.
    fn gather(&self) {
        let gather = Duration::from_micros(self.gather_us.load(Ordering::Relaxed));
        if !gather.is_zero() {
            std::thread::sleep(gather);
        }
    }

    /// Notes the size of a group. Rooms that get their answers together tend to write together again.
    fn note_group(&self, batches: usize, took: Duration) {
        let wait = if batches >= BATCHES_OF_MANY { took.min(GATHER_MAX) } else { Duration::ZERO };
        self.gather_us.store(wait.as_micros() as u64, Ordering::Relaxed);
    }

    fn open_room(&self, place: RoomRowKey) -> Result<Arc<OpenRoom>, StorageError> {
        let row = self.read(|transaction| layout::row(transaction, &place))?.unwrap_or_default();
        Ok(OpenRoom::new(place, row))
    }

    fn commit(&self, group: Vec<QueuedBatch>) -> Result<(), DoubtfulGroup> {
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
                self.settle(DoubtfulGroup { group, applied, why })
            }
        }
    }

    /// Opens the file again and looks whether a group reached it. Keeps the group in doubt if the file cannot be read
    /// for a reason that may pass.
    fn settle(&self, doubt: DoubtfulGroup) -> Result<(), DoubtfulGroup> {
        match self.read(layout::sequence) {
            Ok(sequence) if sequence >= Some(doubt.applied.sequence) => {
                self.succeed(doubt.group, &doubt.applied, Duration::ZERO);
            }
            Ok(_) => self.fail(doubt.group, &doubt.why),
            Err(why) if matches!(why.kind, StorageErrorKind::Corrupt | StorageErrorKind::Newer) => {
                // Nobody can read the file any more, so the batches are lost.
                self.fail(doubt.group, &why);
            }
            Err(why) => return Err(DoubtfulGroup { why, ..doubt }),
        }
        Ok(())
    }

    /// Keeps a group in doubt until the disk answers. All other rooms get an error at once.
    fn wait_for_disk(&self, doubt: DoubtfulGroup) -> Option<NextWriteTurn> {
        let why = doubt.why.clone();
        let mut queue = self.writes.lock();
        let (batches, openings) = queue.take_all_but(&doubt);
        queue.doubt = Some(doubt);
        drop(queue);
        self.fail(batches, &why);
        for QueuedOpening { answer, .. } in openings {
            let _ = answer.send(Err(why.clone()));
        }
        self.writes.lock().end()
    }

    fn succeed(&self, group: Vec<QueuedBatch>, applied: &AppliedGroup, cpu: Duration) {
        self.rooms.store(applied.rooms as usize, Ordering::Relaxed);
        for (QueuedBatch { room, answer, .. }, row) in group.into_iter().zip(&applied.rows) {
            *room.row.lock() = *row;
            // The room may have closed before.
            let _ = answer.send(Ok(Durable { cpu }));
        }
    }

    /// Answers the first failed batch of each room with the reason, and later ones that an earlier batch failed.
    fn fail(&self, group: Vec<QueuedBatch>, why: &StorageError) {
        let follow = self.writes.lock().fail(&group);
        let mut told: Vec<Arc<OpenRoom>> = Vec::new();
        for QueuedBatch { room, answer, .. } in group {
            let first = !told.iter().any(|other| Arc::ptr_eq(other, &room));
            let _ = answer.send(Err(if first { why.clone() } else { self.follows() }));
            told.push(room);
        }
        for QueuedBatch { answer, .. } in follow {
            let _ = answer.send(Err(self.follows()));
        }
    }

    /// The error for a batch that the queue did not accept.
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

    /// Awaits an answer. Fails if the store closes before there is one.
    pub async fn answer<T>(&self, answer: oneshot::Receiver<Result<T, StorageError>>) -> Result<T, StorageError> {
        answer.await.unwrap_or_else(|_| Err(self.closed()))
    }

    /// Accepts nothing any more.
    pub fn stop(&self) {
        self.writes.lock().close();
        self.reads.lock().closed = true;
    }

    /// Drops what is still queued, and closes the file.
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
