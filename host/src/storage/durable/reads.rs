//! One tenant's reads, run one after the other, so that a tenant that reads much leaves threads to others.

use std::collections::VecDeque;
use std::fmt;

use parking_lot::Mutex;

/// Rooms bound it: each waits for its answer before it asks again.
pub struct ReadQueue<J>(Mutex<QueuedReads<J>>);

struct QueuedReads<J> {
    jobs: VecDeque<J>,
    scheduled: bool,
    closed: bool,
}

impl<J> Default for ReadQueue<J> {
    fn default() -> Self {
        Self(Mutex::new(QueuedReads { jobs: VecDeque::new(), scheduled: false, closed: false }))
    }
}

impl<J> fmt::Debug for ReadQueue<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadQueue").field("jobs", &self.0.lock().jobs.len()).finish_non_exhaustive()
    }
}

impl<J> ReadQueue<J> {
    /// Queues a read. Returns whether the tenant needs a turn of a reader.
    pub fn add(&self, job: J) -> bool {
        let mut reads = self.0.lock();
        if reads.closed {
            return false;
        }
        reads.jobs.push_back(job);
        !std::mem::replace(&mut reads.scheduled, true)
    }

    /// Takes the first read, for a turn of a reader; [`ReadQueue::end_turn`] must follow.
    pub fn take(&self) -> Option<J> {
        self.0.lock().jobs.pop_front()
    }

    /// Ends a turn. Returns whether the tenant needs another one.
    pub fn end_turn(&self) -> bool {
        let mut reads = self.0.lock();
        reads.scheduled = !reads.jobs.is_empty();
        reads.scheduled
    }

    /// Accepts nothing any more. What is in the queue is still done.
    pub fn close(&self) {
        self.0.lock().closed = true;
    }

    /// Drops all reads; whoever waits for them sees that.
    pub fn clear(&self) {
        self.0.lock().jobs.clear();
    }
}
