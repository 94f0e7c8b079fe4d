//! What operators and tenants watch while it happens: lines of the log, failures, versions, figures. Whoever has something to
//! say asks first whether somebody listens, and nothing is formatted otherwise. Each reader has a queue with a bound: one
//! that is slow loses lines, and is told how many.

mod interest;
mod queue;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use parking_lot::RwLock;
use serde_json::Value;

pub use interest::{About, Interest, LiveListener, Topic, event};

use queue::{Popped, Queue};

/// Streams that may be open at once.
const STREAMS_MAX: usize = 16;
/// Of them, those of tenants: the operator always finds a place.
const STREAMS_OF_TENANTS_MAX: usize = 12;
/// Of these, those of one tenant.
const STREAMS_OF_TENANT_MAX: usize = 4;

/// As many streams are open as may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooManyStreams;

impl fmt::Display for TooManyStreams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "as many live streams are open as may be: {STREAMS_MAX}, of which tenants have {STREAMS_OF_TENANTS_MAX}, \
             and one tenant {STREAMS_OF_TENANT_MAX}"
        )
    }
}

/// Everybody who listens.
#[derive(Debug, Default)]
pub struct Live {
    queues: RwLock<Vec<Arc<Queue>>>,
    /// How many that are, to be read without the lock.
    open: AtomicUsize,
}

impl Live {
    /// Whether anybody listens to anything.
    pub fn is_heard(&self) -> bool {
        self.open.load(Ordering::Relaxed) > 0
    }

    /// Tells a line to those who want it. It is made once, and only where somebody does.
    pub fn tell(&self, topic: Topic, about: About<'_>, line: impl FnOnce() -> Value) {
        self.tell_those(|_| true, topic, about, line);
    }

    /// The same for a line of which tenants hear less than the operator.
    pub fn tell_apart(&self, topic: Topic, about: About<'_>, line: impl Fn(bool) -> Value) {
        for of_operator in [true, false] {
            self.tell_those(|queue| queue.is_of_tenant() != of_operator, topic, about, || line(of_operator));
        }
    }

    fn tell_those(&self, those: impl Fn(&Queue) -> bool, topic: Topic, about: About<'_>, line: impl FnOnce() -> Value) {
        if !self.is_heard() {
            return;
        }
        let queues = self.queues.read();
        let is_wanted = |queue: &&Arc<Queue>| those(queue) && queue.interest.covers(topic, about);
        let mut wanted = queues.iter().filter(is_wanted).peekable();
        if wanted.peek().is_none() {
            return;
        }
        let event = event(topic.as_str(), &line());
        wanted.for_each(|queue| queue.push(&event));
    }

    /// Has each reader of figures get its own, in place of those that it has not read.
    pub fn tell_figures(&self, mut figures: impl FnMut(&Interest) -> Bytes) {
        let queues: Vec<_> = self.queues.read().clone();
        for queue in queues.iter().filter(|queue| queue.interest.topics.contains(&Topic::Figures)) {
            queue.put_figures(figures(&queue.interest));
        }
        self.forget_stuck();
    }

    /// Whether anybody listens to figures.
    pub fn shows_figures(&self) -> bool {
        self.is_heard() && self.queues.read().iter().any(|queue| queue.interest.topics.contains(&Topic::Figures))
    }

    /// Begins to listen. Where tenants have no place left, a tenant with few streams takes one of the tenant with most.
    pub fn listen(self: &Arc<Self>, listener: LiveListener, interest: Interest) -> Result<LiveReader, TooManyStreams> {
        self.forget_stuck();
        let mut queues = self.queues.write();
        let of_this = queues.iter().filter(|queue| queue.listener == listener).count();
        if listener != LiveListener::Operator {
            if of_this >= STREAMS_OF_TENANT_MAX {
                return Err(TooManyStreams);
            }
            let of_tenants = queues.iter().filter(|queue| queue.is_of_tenant()).count();
            if of_tenants >= STREAMS_OF_TENANTS_MAX || queues.len() >= STREAMS_MAX {
                let gives = gives_way(&queues, of_this).ok_or(TooManyStreams)?;
                queues.remove(gives).end();
            }
        }
        if queues.len() >= STREAMS_MAX {
            return Err(TooManyStreams);
        }
        let queue = Arc::new(Queue::new(listener, interest));
        queues.push(Arc::clone(&queue));
        self.open.store(queues.len(), Ordering::Relaxed);
        Ok(LiveReader::new(Arc::clone(self), queue))
    }

    /// Ends the streams of readers that read nothing for long: others get their places.
    fn forget_stuck(&self) {
        if self.queues.read().iter().any(|queue| queue.is_stuck()) {
            self.retain(|queue| !queue.end_if_stuck());
        }
    }

    fn retain(&self, keep: impl Fn(&Arc<Queue>) -> bool) {
        let mut queues = self.queues.write();
        queues.retain(keep);
        self.open.store(queues.len(), Ordering::Relaxed);
    }
}

/// The oldest stream of the tenant that has most, for a tenant that has so many; none where both had the same to complain of
/// afterwards. A tenant without any always finds a place: what ended begins again a little later, and so all take turns.
fn gives_way(queues: &[Arc<Queue>], of_this: usize) -> Option<usize> {
    let count = |listener: &LiveListener| queues.iter().filter(|queue| queue.listener == *listener).count();
    let of_tenants = || queues.iter().enumerate().filter(|(_, queue)| queue.is_of_tenant());
    let most = of_tenants().map(|(_, queue)| count(&queue.listener)).max()?;
    let gives = || of_tenants().find(|(_, queue)| count(&queue.listener) == most).map(|(at, _)| at);
    (of_this == 0 || most > of_this + 1).then(gives).flatten()
}

/// Somebody who listens, until this is dropped.
#[derive(Debug)]
pub struct LiveReader {
    live: Arc<Live>,
    queue: Arc<Queue>,
}

impl LiveReader {
    fn new(live: Arc<Live>, queue: Arc<Queue>) -> Self {
        Self { live, queue }
    }

    /// Puts in what the reader gets before all else.
    pub fn begin_with(&self, first: &Bytes) {
        self.queue.push(first);
    }

    /// The next event of the stream; none where it ended.
    pub async fn next(&self) -> Option<Bytes> {
        loop {
            match self.queue.pop() {
                Popped::Line(line) => return Some(line),
                Popped::Ended => return None,
                Popped::Nothing => self.queue.changed.notified().await,
            }
        }
    }
}

impl Drop for LiveReader {
    fn drop(&mut self) {
        self.live.retain(|queue| !Arc::ptr_eq(queue, &self.queue));
    }
}

#[cfg(test)]
mod tests;
