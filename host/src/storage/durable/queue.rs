//! What waits to be written for one tenant, and when its turn is.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::layout::{Applied, RoomPlace, RoomRow};
use crate::clock::Instant;
use crate::storage::{Batch, Durability, Durable, StorageError};

/// How long a batch that nobody waits for waits for others.
const RELAXED_WAIT: Duration = Duration::from_millis(20);
/// When to look again whether a group reached a disk that does not answer.
const RETRY: Duration = Duration::from_millis(250);
/// What goes into one transaction at most, so that none holds up other tenants for long.
const BATCHES_PER_GROUP: usize = 1_024;
const BYTES_PER_GROUP: usize = 8 << 20;

/// What handles of a room share with the queue.
#[derive(Debug)]
pub struct RoomState {
    pub place: RoomPlace,
    /// As the last durable batch left it.
    pub row: Mutex<RoomRow>,
    /// A batch failed, and the room has not heard of it yet. Changed under the queue's lock alone.
    failed: AtomicBool,
}

impl RoomState {
    pub fn new(place: RoomPlace, row: RoomRow) -> Arc<Self> {
        Arc::new(Self { place, row: Mutex::new(row), failed: AtomicBool::new(false) })
    }
}

/// A batch that waits.
#[derive(Debug)]
pub struct Waiting {
    pub room: Arc<RoomState>,
    pub batch: Batch,
    pub answer: oneshot::Sender<Result<Durable, StorageError>>,
}

/// A room that is to be opened behind the batches of its last owner.
#[derive(Debug)]
pub struct Opening {
    pub place: RoomPlace,
    pub answer: oneshot::Sender<Result<Arc<RoomState>, StorageError>>,
}

#[derive(Debug)]
enum Work {
    Batch { waiting: Waiting, durability: Durability, since: Instant },
    Open(Opening),
}

/// A group that may have reached the disk or not. Nobody is answered before that is known.
#[derive(Debug)]
pub struct Doubt {
    pub group: Vec<Waiting>,
    pub applied: Applied,
    pub why: StorageError,
}

/// When the tenant's next turn is, and its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    Now(u64),
    At(Instant, u64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Stage {
    #[default]
    Idle,
    Later,
    Ready,
    Running,
}

/// One tenant's queue. Whoever adds to it waits for the answer, and bounds with that what is in it.
#[derive(Debug, Default)]
pub struct Queue {
    waiting: VecDeque<Work>,
    /// How much of that somebody waits for.
    strict: usize,
    stage: Stage,
    /// The number of the last turn. Those before it were overtaken.
    turn: u64,
    pub doubt: Option<Doubt>,
    closed: bool,
}

impl Queue {
    /// Adds a batch, or gives it back where an earlier one of its room failed or the store is closed.
    pub fn add(&mut self, waiting: Waiting, durability: Durability) -> Result<Option<Due>, Waiting> {
        if self.closed || waiting.room.failed.load(Ordering::Relaxed) {
            return Err(waiting);
        }
        let since = Instant::now();
        self.strict += usize::from(durability == Durability::Strict);
        self.waiting.push_back(Work::Batch { waiting, durability, since });
        Ok(match durability {
            Durability::Strict => self.due_now(),
            Durability::Relaxed if self.stage == Stage::Idle => Some(self.later(since + RELAXED_WAIT)),
            Durability::Relaxed => None,
        })
    }

    /// Adds a room to be opened; whoever asks hears nothing where the store is closed.
    pub fn add_opening(&mut self, opening: Opening) -> Option<Due> {
        if self.closed {
            return None;
        }
        self.strict += 1;
        self.waiting.push_back(Work::Open(opening));
        self.due_now()
    }

    fn due_now(&mut self) -> Option<Due> {
        // A disk that does not answer is asked again in its time, not as often as somebody wants to write.
        let waits = self.stage == Stage::Idle || (self.stage == Stage::Later && self.doubt.is_none());
        waits.then(|| self.now())
    }

    fn now(&mut self) -> Due {
        self.stage = Stage::Ready;
        self.turn += 1;
        Due::Now(self.turn)
    }

    fn later(&mut self, when: Instant) -> Due {
        self.stage = Stage::Later;
        self.turn += 1;
        Due::At(when, self.turn)
    }

    /// Begins a turn, unless it was overtaken.
    pub fn begin(&mut self, turn: u64) -> bool {
        let begins = turn == self.turn && matches!(self.stage, Stage::Later | Stage::Ready);
        if begins {
            self.stage = Stage::Running;
        }
        begins
    }

    /// Takes what one transaction may hold, and the rooms that are to be opened behind it.
    pub fn take_group(&mut self) -> (Vec<Waiting>, Vec<Opening>) {
        let (mut batches, mut openings) = (Vec::new(), Vec::new());
        let mut bytes = 0;
        while let Some(work) = self.waiting.front() {
            if let Work::Batch { waiting, .. } = work {
                bytes += size(&waiting.batch);
                if batches.len() == BATCHES_PER_GROUP || (bytes > BYTES_PER_GROUP && !batches.is_empty()) {
                    break;
                }
            }
            match self.take_first() {
                Some(Work::Batch { waiting, .. }) => batches.push(waiting),
                Some(Work::Open(opening)) => openings.push(opening),
                None => break,
            }
        }
        (batches, openings)
    }

    fn take_first(&mut self) -> Option<Work> {
        let work = self.waiting.pop_front();
        self.strict -= usize::from(work.as_ref().is_some_and(is_strict));
        work
    }

    /// Ends a turn, and says when the next is.
    pub fn end(&mut self) -> Option<Due> {
        self.stage = Stage::Idle;
        if self.doubt.is_some() {
            // At the end of the process nobody waits for the answer any more.
            return (!self.closed).then(|| self.later(Instant::now() + RETRY));
        }
        match self.waiting.front() {
            None => None,
            Some(Work::Batch { since, .. }) if self.strict == 0 => {
                let when = *since + RELAXED_WAIT;
                Some(self.later(when))
            }
            Some(_) => Some(self.now()),
        }
    }

    /// What waits of rooms that have nothing in doubt: it need not wait for the disk.
    pub fn take_all_but(&mut self, doubt: &Doubt) -> (Vec<Waiting>, Vec<Opening>) {
        let doubted: Vec<&RoomPlace> = doubt.group.iter().map(|waiting| &waiting.room.place).collect();
        let (mut batches, mut openings) = (Vec::new(), Vec::new());
        for _ in 0..self.waiting.len() {
            let strict = self.strict;
            match self.take_first() {
                Some(Work::Batch { waiting, .. }) if !doubted.contains(&&waiting.room.place) => batches.push(waiting),
                Some(Work::Open(opening)) if !doubted.contains(&&opening.place) => openings.push(opening),
                Some(stays) => {
                    self.strict = strict;
                    self.waiting.push_back(stays);
                }
                None => {}
            }
        }
        (batches, openings)
    }

    /// Puts rooms back that cannot be opened yet.
    pub fn put_back(&mut self, openings: Vec<Opening>) {
        self.strict += openings.len();
        openings.into_iter().rev().for_each(|opening| self.waiting.push_front(Work::Open(opening)));
    }

    /// Marks the rooms of batches that failed, and takes what waits behind them.
    pub fn fail(&mut self, failed: &[Waiting]) -> Vec<Waiting> {
        failed.iter().for_each(|waiting| waiting.room.failed.store(true, Ordering::Relaxed));
        let mut follow = Vec::new();
        for _ in 0..self.waiting.len() {
            let strict = self.strict;
            match self.take_first() {
                Some(Work::Batch { waiting, .. }) if waiting.room.failed.load(Ordering::Relaxed) => {
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

    /// The room goes on from what is durable.
    pub fn resume(&mut self, room: &RoomState) {
        room.failed.store(false, Ordering::Relaxed);
    }

    /// Takes nothing any more. What is in the queue is still done.
    pub fn close(&mut self) {
        self.closed = true;
    }

    pub fn is_closed(&self) -> bool {
        self.closed
    }

    /// Drops what nobody will do any more; whoever waits for it hears that.
    pub fn clear(&mut self) {
        self.waiting.clear();
        self.doubt = None;
    }
}

fn is_strict(work: &Work) -> bool {
    !matches!(work, Work::Batch { durability: Durability::Relaxed, .. })
}

fn size(batch: &Batch) -> usize {
    batch.writes.iter().map(|(key, value)| key.len() + value.as_ref().map_or(0, Vec::len)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::names::{PluginKey, PluginName, RoomId, RoomKey, TenantName};

    fn room(id: &str) -> Arc<RoomState> {
        let plugin = PluginKey { tenant: TenantName::default_tenant(), plugin: PluginName::new("p").unwrap() };
        RoomState::new(RoomPlace::of(&RoomKey { plugin, room: RoomId::new(id).unwrap() }), RoomRow::default())
    }

    fn waiting(room: &Arc<RoomState>, bytes: usize) -> Waiting {
        let writes = [("k".to_owned(), Some(vec![0; bytes]))].into();
        Waiting { room: Arc::clone(room), batch: Batch { writes, alarm: None }, answer: oneshot::channel().0 }
    }

    #[test]
    fn a_relaxed_batch_waits_and_a_strict_one_takes_it_along() {
        let (mut queue, room) = (Queue::default(), room("r"));
        let Ok(Some(Due::At(_, first))) = queue.add(waiting(&room, 1), Durability::Relaxed) else {
            panic!("{queue:?}")
        };
        assert!(matches!(queue.add(waiting(&room, 1), Durability::Relaxed), Ok(None)));
        let Ok(Some(Due::Now(second))) = queue.add(waiting(&room, 1), Durability::Strict) else { panic!("{queue:?}") };
        assert!(!queue.begin(first) && queue.begin(second));
        assert_eq!(queue.take_group().0.len(), 3);
        assert!(matches!(queue.add(waiting(&room, 1), Durability::Relaxed), Ok(None)), "it runs");
        assert!(matches!(queue.end(), Some(Due::At(..))));
    }

    #[test]
    fn a_group_is_bounded_in_batches_and_bytes() {
        let (mut queue, room) = (Queue::default(), room("r"));
        for _ in 0..BATCHES_PER_GROUP + 1 {
            queue.add(waiting(&room, 1), Durability::Strict).unwrap();
        }
        assert_eq!(queue.take_group().0.len(), BATCHES_PER_GROUP);
        assert!(matches!(queue.end(), Some(Due::Now(_))));
        assert_eq!(queue.take_group().0.len(), 1);
        for _ in 0..3 {
            queue.add(waiting(&room, BYTES_PER_GROUP / 2), Durability::Strict).unwrap();
        }
        assert_eq!(queue.take_group().0.len(), 1);
    }

    #[test]
    fn what_waits_behind_a_failed_batch_goes_until_the_room_resumes() {
        let (mut queue, one, other) = (Queue::default(), room("one"), room("other"));
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
