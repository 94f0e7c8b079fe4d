//! A tenant's store: its file, with its queues of writes and reads.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::disk::Disk;
use super::file::Uncommitted;
use super::layout::{self, AppliedGroup, RoomRowKey};
use super::pool::PoolPlace;
use super::queue::{DoubtfulGroup, NextWriteTurn, OpenRoom, QueuedBatch, QueuedOpening, WriteQueue};
use super::reads::ReadQueue;
use super::slot::FileSlot;
use crate::clock::Instant;
use crate::model::names::TenantName;
use crate::storage::{Durable, Payer, StorageError, StorageErrorKind};

/// A read, for a reader thread to run.
pub type ReadJob = Box<dyn FnOnce(&TenantStore) + Send>;

#[derive(Debug)]
pub struct TenantStore {
    pub name: TenantName,
    pub payer: Arc<dyn Payer>,
    /// Its places in the lines for the threads that write and that read.
    pub writing: PoolPlace,
    pub reading: PoolPlace,
    pub slot: FileSlot,
    /// How many rooms are open.
    handles: AtomicUsize,
    /// Whether a reader will look soon whether the file can be closed.
    idle_noted: AtomicBool,
    pub writes: Mutex<WriteQueue>,
    pub reads: ReadQueue<ReadJob>,
}

impl TenantStore {
    pub fn new(name: TenantName, disk: Arc<dyn Disk>, payer: Arc<dyn Payer>) -> Self {
        Self {
            slot: FileSlot::new(name.clone(), disk),
            name,
            writing: PoolPlace::new(payer.weight()),
            reading: PoolPlace::new(payer.weight()),
            payer,
            handles: AtomicUsize::new(0),
            idle_noted: AtomicBool::new(false),
            writes: Mutex::default(),
            reads: ReadQueue::default(),
        }
    }

    /// A room was opened.
    pub fn enter(&self) {
        self.handles.fetch_add(1, Ordering::AcqRel);
    }

    /// A room closed. Returns whether a reader should look later whether the file can be closed.
    pub fn leave(&self) -> bool {
        self.handles.fetch_sub(1, Ordering::AcqRel) == 1 && !self.idle_noted.swap(true, Ordering::AcqRel)
    }

    /// Closes the file if no room is open.
    pub fn close_if_idle(&self) {
        self.idle_noted.store(false, Ordering::Release);
        self.slot.close_unless(|| self.handles.load(Ordering::Acquire) > 0);
    }

    /// Commits the queue's next group. Returns when the next turn is.
    pub fn write_turn(&self, turn: u64) -> Option<NextWriteTurn> {
        if !self.writes.lock().begin(turn) {
            return None;
        }
        if let Err(why) = self.settle() {
            return self.wait_for_disk(&why);
        }
        let (group, openings) = self.writes.lock().take_group();
        let batches = group.len();
        let start = Instant::now();
        if let Err(why) = self.commit(group) {
            self.writes.lock().put_back(openings);
            return self.wait_for_disk(&why);
        }
        let took = start.elapsed();
        for QueuedOpening { place, answer } in openings {
            // Whoever asked may not wait any more.
            let _ = answer.send(self.open_room(place));
        }
        self.writes.lock().end_committed(batches, took)
    }

    fn open_room(&self, place: RoomRowKey) -> Result<Arc<OpenRoom>, StorageError> {
        // Where the file is gone, the read tells what is in its place.
        let _ = self.slot.check_name();
        let row = self.slot.read(|transaction| layout::row(transaction, &place))?.unwrap_or_default();
        Ok(OpenRoom::new(place, row, self.slot.generation()))
    }

    /// Commits a group, or fails it. An error means that nobody knows yet whether it reached the disk; then it is in doubt.
    fn commit(&self, group: Vec<QueuedBatch>) -> Result<(), StorageError> {
        let (group, stale) = self.without_stale(group);
        self.fail(stale, &self.slot.gone());
        if group.is_empty() {
            return Ok(());
        }
        let write = || {
            self.slot.check_name().map_err(Uncommitted::Absent)?;
            let batches = group.iter().map(|waiting| (&waiting.room.place, &waiting.batch));
            match self.slot.with_file(true, |file| file.commit(batches)) {
                Ok(Some(outcome)) => outcome,
                Ok(None) => Err(Uncommitted::Absent(self.closed())),
                Err(why) => Err(Uncommitted::Absent(why)),
            }
        };
        // A commit itself turns panics into errors: one that comes from here came before it.
        match catch_unwind(AssertUnwindSafe(write)) {
            Ok(Ok(applied)) => self.succeed(group, &applied),
            Ok(Err(Uncommitted::Absent(why))) => {
                self.slot.distrust();
                self.fail(group, &why);
            }
            Ok(Err(Uncommitted::InDoubt { why, applied })) => {
                self.slot.distrust();
                self.writes.lock().doubt = Some(DoubtfulGroup { group, applied, why });
                return self.settle();
            }
            Err(panic) => {
                self.slot.distrust();
                self.fail(group, &self.cut_off());
                resume_unwind(panic);
            }
        }
        Ok(())
    }

    /// Takes out the batches of rooms whose file is gone.
    fn without_stale(&self, group: Vec<QueuedBatch>) -> (Vec<QueuedBatch>, Vec<QueuedBatch>) {
        let generation = self.slot.generation();
        group.into_iter().partition(|waiting| waiting.room.generation == generation)
    }

    /// Opens the file again and looks whether the group in doubt reached it. It stays in doubt if the file cannot be read
    /// for a reason that may pass.
    fn settle(&self) -> Result<(), StorageError> {
        let sequence = self.writes.lock().doubt.as_ref().map(|doubt| doubt.applied.sequence);
        let Some(sequence) = sequence else { return Ok(()) };
        let found = match self.slot.read(layout::sequence) {
            Ok(found) => Ok(found >= Some(sequence)),
            // Nobody can read the file any more, so the batches are lost.
            Err(why)
                if matches!(why.kind, StorageErrorKind::Corrupt | StorageErrorKind::Newer | StorageErrorKind::Gone) =>
            {
                Err(why)
            }
            Err(why) => {
                if let Some(doubt) = &mut self.writes.lock().doubt {
                    doubt.why = why.clone();
                }
                return Err(why);
            }
        };
        let Some(DoubtfulGroup { group, applied, why }) = self.writes.lock().doubt.take() else { return Ok(()) };
        match found {
            Ok(true) => self.succeed(group, &applied),
            Ok(false) => self.fail(group, &why),
            Err(why) => self.fail(group, &why),
        }
        Ok(())
    }

    /// Keeps the group that is in doubt until the disk answers. All other rooms get an error at once.
    fn wait_for_disk(&self, why: &StorageError) -> Option<NextWriteTurn> {
        let (batches, openings) = self.writes.lock().take_all_but_doubted();
        self.fail(batches, why);
        for QueuedOpening { answer, .. } in openings {
            let _ = answer.send(Err(why.clone()));
        }
        self.writes.lock().end()
    }

    fn succeed(&self, group: Vec<QueuedBatch>, applied: &AppliedGroup) {
        self.slot.note_rooms(applied.rooms);
        for (QueuedBatch { room, answer, .. }, row) in group.into_iter().zip(&applied.rows) {
            *room.row.lock() = *row;
            // The room may have closed before.
            let _ = answer.send(Ok(Durable));
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
        self.error(StorageErrorKind::Follows, "an earlier batch of the room failed")
    }

    fn closed(&self) -> StorageError {
        self.error(StorageErrorKind::Io, "it is closed: the server stops")
    }

    fn cut_off(&self) -> StorageError {
        self.error(StorageErrorKind::Io, "a bug in the server cut off what it did for the tenant; the log has a panic")
    }

    fn error(&self, kind: StorageErrorKind, why: &str) -> StorageError {
        StorageError { kind, message: format!("{}: {why}", self.slot.name()) }
    }

    /// Awaits an answer. Fails if the store closes before there is one, or a bug cuts off whoever should give it.
    pub async fn answer<T>(&self, answer: oneshot::Receiver<Result<T, StorageError>>) -> Result<T, StorageError> {
        let none = |_| Err(if self.writes.lock().is_closed() { self.closed() } else { self.cut_off() });
        answer.await.unwrap_or_else(none)
    }

    /// Accepts nothing any more.
    pub fn stop(&self) {
        self.writes.lock().close();
        self.reads.close();
    }

    /// Drops what is still queued, and closes the file.
    pub fn close(&self) -> Result<(), StorageError> {
        self.writes.lock().clear();
        self.reads.clear();
        self.slot.close()
    }
}
