//! One tenant's queue of batches, and when a writer serves it next.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::gather::Gathering;
use super::layout::{AppliedGroup, RoomRow, RoomRowKey};
use crate::clock::Instant;
use crate::storage::{Batch, Durability, Durable, StorageError};

/// How long a relaxed batch waits for others to share its sync.
const RELAXED_WAIT: Duration = Duration::from_millis(20);
/// How long to wait before asking a disk that does not answer again whether a group reached it.
const RETRY: Duration = Duration::from_millis(250);
/// How much one transaction takes, so that no tenant holds up others for long.
const BATCHES_PER_GROUP: usize = 1_024;
const BYTES_PER_GROUP: usize = 8 << 20;

/// An open room, as its handle and the queue share it.
#[derive(Debug)]
pub struct OpenRoom {
    pub place: RoomRowKey,
    /// The room's row after its last durable batch.
    pub row: Mutex<RoomRow>,
    /// Which of the tenant's files the room rests on: see [`super::slot::FileSlot::generation`].
    pub generation: u64,
    /// Whether a batch failed and the room does not know yet. Changes only under the queue's lock.
    failed: AtomicBool,
}

impl OpenRoom {
    pub fn new(place: RoomRowKey, row: RoomRow, generation: u64) -> Arc<Self> {
        Arc::new(Self { place, row: Mutex::new(row), generation, failed: AtomicBool::new(false) })
    }
}

/// A batch in the queue.
#[derive(Debug)]
pub struct QueuedBatch {
    pub room: Arc<OpenRoom>,
    pub batch: Batch,
    pub answer: oneshot::Sender<Result<Durable, StorageError>>,
}

/// A request to open a room, behind the batches of its last owner.
#[derive(Debug)]
pub struct QueuedOpening {
    pub place: RoomRowKey,
    pub answer: oneshot::Sender<Result<Arc<OpenRoom>, StorageError>>,
}

#[derive(Debug)]
enum QueuedWork {
    Batch { waiting: QueuedBatch, durability: Durability, since: Instant },
    Open(QueuedOpening),
}

/// A group of which nobody knows yet whether it reached the disk. Its rooms are answered once that is known.
#[derive(Debug)]
pub struct DoubtfulGroup {
    pub group: Vec<QueuedBatch>,
    pub applied: AppliedGroup,
    pub why: StorageError,
}

/// When a writer serves the tenant next, with the number of that turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextWriteTurn {
    Now(u64),
    At(Instant, u64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum QueueStage {
    #[default]
    Idle,
    Later,
    Ready,
    Running,
}

/// One tenant's queue. Rooms bound it: each waits for its answers before it adds more than its limits allow.
#[derive(Debug, Default)]
pub struct WriteQueue {
    waiting: VecDeque<QueuedWork>,
    /// How many entries are strict: somebody waits for them.
    strict: usize,
    stage: QueueStage,
    /// The number of the last turn that was scheduled. Earlier ones are out of date.
    turn: u64,
    /// When that turn is due, while the queue waits for it.
    due: Option<Instant>,
    gathering: Gathering,
    pub doubt: Option<DoubtfulGroup>,
    closed: bool,
}

impl WriteQueue {
    /// Adds a batch. Gives it back if an earlier batch of its room failed, or if the store is closed.
    pub fn add(&mut self, waiting: QueuedBatch, durability: Durability) -> Result<Option<NextWriteTurn>, QueuedBatch> {
        if self.closed || waiting.room.failed.load(Ordering::Relaxed) {
            return Err(waiting);
        }
        let since = Instant::now();
        self.strict += usize::from(durability == Durability::Strict);
        self.waiting.push_back(QueuedWork::Batch { waiting, durability, since });
        Ok(match durability {
            Durability::Strict => self.due(since),
            Durability::Relaxed if self.stage == QueueStage::Idle => Some(self.later(since + RELAXED_WAIT)),
            Durability::Relaxed => None,
        })
    }

    /// Adds a request to open a room. If the store is closed, it drops the request, and whoever waits sees that.
    pub fn add_opening(&mut self, opening: QueuedOpening) -> Option<NextWriteTurn> {
        if self.closed {
            return None;
        }
        self.strict += 1;
        self.waiting.push_back(QueuedWork::Open(opening));
        self.due(Instant::now())
    }

    /// When the next turn is, if that changes because somebody began to wait for it.
    fn due(&mut self, now: Instant) -> Option<NextWriteTurn> {
        match self.stage {
            QueueStage::Ready | QueueStage::Running => return None,
            // While a group is in doubt, the retry decides when the disk is asked again, not each new batch.
            QueueStage::Later if self.doubt.is_some() => return None,
            QueueStage::Later | QueueStage::Idle => {}
        }
        match self.gathering.until(self.waiting.len(), now) {
            None => Some(self.now()),
            Some(until) if self.due.is_some_and(|due| due <= until) => None,
            Some(until) => Some(self.later(until)),
        }
    }

    fn now(&mut self) -> NextWriteTurn {
        self.stage = QueueStage::Ready;
        self.due = None;
        self.turn += 1;
        NextWriteTurn::Now(self.turn)
    }

    fn later(&mut self, when: Instant) -> NextWriteTurn {
        self.stage = QueueStage::Later;
        self.due = Some(when);
        self.turn += 1;
        NextWriteTurn::At(when, self.turn)
    }

    /// Begins a turn. Returns false if it is out of date.
    pub fn begin(&mut self, turn: u64) -> bool {
        let begins = turn == self.turn && matches!(self.stage, QueueStage::Later | QueueStage::Ready);
        if begins {
            self.stage = QueueStage::Running;
            self.due = None;
        }
        begins
    }

    /// Takes the batches of one transaction, and the rooms to open after it.
    pub fn take_group(&mut self) -> (Vec<QueuedBatch>, Vec<QueuedOpening>) {
        let (mut batches, mut openings) = (Vec::new(), Vec::new());
        let mut bytes = 0;
        while let Some(work) = self.waiting.front() {
            if let QueuedWork::Batch { waiting, .. } = work {
                bytes += size(&waiting.batch);
                if batches.len() == BATCHES_PER_GROUP || (bytes > BYTES_PER_GROUP && !batches.is_empty()) {
                    break;
                }
            }
            match self.take_first() {
                Some(QueuedWork::Batch { waiting, .. }) => batches.push(waiting),
                Some(QueuedWork::Open(opening)) => openings.push(opening),
                None => break,
            }
        }
        self.gathering.end(batches.len());
        (batches, openings)
    }

    fn take_first(&mut self) -> Option<QueuedWork> {
        let work = self.waiting.pop_front();
        self.strict -= usize::from(work.as_ref().is_some_and(is_strict));
        work
    }

    /// Ends a turn that made so many batches durable, whose commit took so long. Returns when the next one is.
    pub fn end_committed(&mut self, batches: usize, took: Duration) -> Option<NextWriteTurn> {
        self.gathering.follow((batches, self.waiting.len(), BATCHES_PER_GROUP), took, Instant::now());
        self.end()
    }

    /// Ends a turn. Returns when the next one is.
    pub fn end(&mut self) -> Option<NextWriteTurn> {
        self.stage = QueueStage::Idle;
        if self.doubt.is_some() {
            // When the process ends, nobody waits for the answer any more.
            return (!self.closed).then(|| self.later(Instant::now() + RETRY));
        }
        match self.waiting.front() {
            None => None,
            Some(QueuedWork::Batch { since, .. }) if self.strict == 0 => {
                let when = *since + RELAXED_WAIT;
                Some(self.later(when))
            }
            Some(_) => self.due(Instant::now()),
        }
    }

    /// Ends a turn that panicked, and with it what it had taken. Returns when the next one is.
    pub fn end_after_panic(&mut self) -> Option<NextWriteTurn> {
        self.stage = QueueStage::Idle;
        let waits = !self.waiting.is_empty() || (self.doubt.is_some() && !self.closed);
        waits.then(|| self.later(Instant::now() + RETRY))
    }

    /// Takes the entries of all rooms that have no batch in doubt: these can be answered at once.
    pub fn take_all_but_doubted(&mut self) -> (Vec<QueuedBatch>, Vec<QueuedOpening>) {
        let doubted = self.doubt.iter().flat_map(|doubt| &doubt.group);
        let doubted: Vec<RoomRowKey> = doubted.map(|waiting| waiting.room.place.clone()).collect();
        let (mut batches, mut openings) = (Vec::new(), Vec::new());
        for _ in 0..self.waiting.len() {
            let strict = self.strict;
            match self.take_first() {
                Some(QueuedWork::Batch { waiting, .. }) if !doubted.contains(&waiting.room.place) => {
                    batches.push(waiting)
                }
                Some(QueuedWork::Open(opening)) if !doubted.contains(&opening.place) => openings.push(opening),
                Some(stays) => {
                    self.strict = strict;
                    self.waiting.push_back(stays);
                }
                None => {}
            }
        }
        (batches, openings)
    }

    /// Puts back rooms that cannot be opened yet.
    pub fn put_back(&mut self, openings: Vec<QueuedOpening>) {
        self.strict += openings.len();
        openings.into_iter().rev().for_each(|opening| self.waiting.push_front(QueuedWork::Open(opening)));
    }

    /// Marks the rooms of failed batches, and takes their later batches out of the queue.
    pub fn fail(&mut self, failed: &[QueuedBatch]) -> Vec<QueuedBatch> {
        failed.iter().for_each(|waiting| waiting.room.failed.store(true, Ordering::Relaxed));
        let mut follow = Vec::new();
        for _ in 0..self.waiting.len() {
            let strict = self.strict;
            match self.take_first() {
                Some(QueuedWork::Batch { waiting, .. }) if waiting.room.failed.load(Ordering::Relaxed) => {
                    follow.push(waiting)
                }
                Some(stays) => {
                    self.strict = strict;
                    self.waiting.push_back(stays);
                }
                None => {}
            }
        }
        follow
    }

    /// Accepts batches of the room again.
    pub fn resume(&mut self, room: &OpenRoom) {
        room.failed.store(false, Ordering::Relaxed);
    }

    /// Accepts nothing any more. What is in the queue is still done.
    pub fn close(&mut self) {
        self.closed = true;
    }

    pub fn is_closed(&self) -> bool {
        self.closed
    }

    /// Drops all entries; whoever waits for them sees that.
    pub fn clear(&mut self) {
        self.waiting.clear();
        self.doubt = None;
    }
}

fn is_strict(work: &QueuedWork) -> bool {
    !matches!(work, QueuedWork::Batch { durability: Durability::Relaxed, .. })
}

fn size(batch: &Batch) -> usize {
    batch.writes.iter().map(|(key, value)| key.len() + value.as_ref().map_or(0, Vec::len)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::names::{PluginKey, PluginName, RoomId, RoomKey, TenantName};

    fn room(id: &str) -> Arc<OpenRoom> {
        let plugin = PluginKey { tenant: TenantName::default_tenant(), plugin: PluginName::new("p").unwrap() };
        OpenRoom::new(RoomRowKey::of(&RoomKey { plugin, room: RoomId::new(id).unwrap() }), RoomRow::default(), 0)
    }

    fn waiting(room: &Arc<OpenRoom>, bytes: usize) -> QueuedBatch {
        let writes = [("k".to_owned(), Some(vec![0; bytes]))].into();
        QueuedBatch { room: Arc::clone(room), batch: Batch { writes, alarm: None }, answer: oneshot::channel().0 }
    }

    #[test]
    fn a_relaxed_batch_waits_and_a_strict_one_takes_it_along() {
        let (mut queue, room) = (WriteQueue::default(), room("r"));
        let Ok(Some(NextWriteTurn::At(_, first))) = queue.add(waiting(&room, 1), Durability::Relaxed) else {
            panic!("{queue:?}")
        };
        assert!(matches!(queue.add(waiting(&room, 1), Durability::Relaxed), Ok(None)));
        let Ok(Some(NextWriteTurn::Now(second))) = queue.add(waiting(&room, 1), Durability::Strict) else {
            panic!("{queue:?}")
        };
        assert!(!queue.begin(first) && queue.begin(second));
        assert_eq!(queue.take_group().0.len(), 3);
        assert!(matches!(queue.add(waiting(&room, 1), Durability::Relaxed), Ok(None)), "it runs");
        assert!(matches!(queue.end(), Some(NextWriteTurn::At(..))));
    }

    #[test]
    fn a_group_is_bounded_in_batches_and_bytes() {
        let (mut queue, room) = (WriteQueue::default(), room("r"));
        for _ in 0..BATCHES_PER_GROUP + 1 {
            queue.add(waiting(&room, 1), Durability::Strict).unwrap();
        }
        assert_eq!(queue.take_group().0.len(), BATCHES_PER_GROUP);
        assert!(matches!(queue.end(), Some(NextWriteTurn::Now(_))));
        assert_eq!(queue.take_group().0.len(), 1);
        for _ in 0..3 {
            queue.add(waiting(&room, BYTES_PER_GROUP / 2), Durability::Strict).unwrap();
        }
        assert_eq!(queue.take_group().0.len(), 1);
    }

    #[test]
    fn what_waits_behind_a_failed_batch_goes_until_the_room_resumes() {
        let (mut queue, one, other) = (WriteQueue::default(), room("one"), room("other"));
        for room in [&one, &other, &one] {
            queue.add(waiting(room, 1), Durability::Strict).unwrap();
        }
        assert_eq!(queue.fail(&[waiting(&one, 1)]).len(), 2);
        assert!(queue.add(waiting(&one, 1), Durability::Strict).is_err());
        queue.resume(&one);
        assert!(queue.add(waiting(&one, 1), Durability::Strict).is_ok());
        assert_eq!((queue.take_group().0.len(), queue.strict), (2, 0));
    }
}
