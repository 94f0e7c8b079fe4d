//! A tenant's share of one worker's thread: one slice a round, whatever number of its rooms want to run.
//!
//! A round ends when the thread has looked at its sockets again. Until a tenant has used up its slice nothing of this
//! costs more than looking at the clock; after that its rooms line up, and one of them goes on in each round. A tenant
//! that owes CPU time starts nothing until it has waited for it; what is under way goes on.

use std::cell::Cell;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::{Poll, Waker};
use std::time::Duration;

use parking_lot::Mutex;
use rustix::time::{ClockId, clock_gettime};

use super::cpu::{CpuBucket, now_ns};
use super::pace::Pace;

/// What a tenant may execute on a thread before all else there gets its turn: an epoch tick, after which a running guest
/// is interrupted anyway.
pub const SLICE: Duration = Duration::from_millis(2);
const SLICE_NS: u64 = SLICE.as_nanos() as u64;
/// A slice that was begun longer ago than this is over: the thread has long looked at its sockets.
const ROUND_NS: u64 = 2 * SLICE_NS;
/// A poll that takes longer than this held up its thread: nothing interrupted it.
const LONG_POLL_NS: u64 = 2 * SLICE_NS;
/// What was executed is charged in portions of this size: the bucket is shared by threads.
const CHARGE_NS: u64 = 100_000;
/// Calls that outlive a slice and that a tenant that saved its whole burst may have under way at once.
const LONG_CALLS: u64 = 10;
/// The longest nap of a tenant that owes: meanwhile its debt may have become smaller, or the server may drain.
const NAP: Duration = Duration::from_millis(20);

/// One tenant on one thread. What is atomic here is used by that thread alone, which loads and stores instead of adding.
#[derive(Debug)]
pub struct Lane {
    bucket: Arc<CpuBucket>,
    /// When the slice was begun, and what of it was used before the poll that runs now.
    slice_begun_ns: AtomicU64,
    used_ns: AtomicU64,
    /// When the poll that runs now was begun.
    poll_begun_ns: AtomicU64,
    /// Executed but not charged yet, by the clock on the wall; and the thread's own CPU time when it was last charged.
    uncharged_ns: AtomicU64,
    charged_at_cpu_ns: AtomicU64,
    /// How many stand in line.
    waiting: AtomicUsize,
    line: Mutex<Line>,
}

/// Who waits for a slice, in order.
#[derive(Debug, Default)]
struct Line {
    next: u64,
    waiting: VecDeque<(u64, Waker)>,
}

impl Lane {
    pub fn new(bucket: Arc<CpuBucket>) -> Self {
        Self {
            bucket,
            slice_begun_ns: AtomicU64::new(0),
            used_ns: AtomicU64::new(0),
            poll_begun_ns: AtomicU64::new(0),
            uncharged_ns: AtomicU64::new(0),
            charged_at_cpu_ns: AtomicU64::new(0),
            waiting: AtomicUsize::new(0),
            line: Mutex::default(),
        }
    }

    /// Waits until something new may start: the tenant owes nothing, and it is its turn on this thread. Within
    /// [`Lane::run`]. `hurry` says that nothing is owed any more: the server drains.
    pub async fn start(&self, hurry: impl Fn() -> bool) {
        loop {
            let now = now_ns();
            if let Some(owed) = self.bucket.owes(now).filter(|_| !hurry()) {
                tokio::time::sleep(owed.min(NAP)).await;
            } else if self.waiting.load(Ordering::Relaxed) == 0 && self.has_slice(now) {
                return;
            } else {
                self.line_up().await;
                // Others of the tenant may have run up a debt meanwhile.
                if self.bucket.owes(now_ns()).is_none() || hurry() {
                    return;
                }
            }
        }
    }

    /// Waits until it is the tenant's turn on this thread, for what was started elsewhere. Within [`Lane::run`].
    pub async fn slice(&self) {
        if self.waiting.load(Ordering::Relaxed) > 0 || !self.has_slice(now_ns()) {
            self.line_up().await;
        }
    }

    /// Waits for the next round, behind the others of the tenant on this thread. Within [`Lane::run`].
    pub async fn next_slice(&self) {
        self.used_ns.store(SLICE_NS, Ordering::Relaxed);
        self.line_up().await;
    }

    /// Lets the thread look at its sockets, and waits for the next round where the slice is used up.
    pub async fn give_way(&self) {
        tokio::task::yield_now().await;
        if !self.has_slice(now_ns()) {
            self.line_up().await;
        }
    }

    /// Runs something of a plugin's and counts what it executes, not what it waits.
    pub async fn run<T>(&self, pace: &Pace, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        poll_fn(|context| {
            let begin = now_ns();
            self.poll_begun_ns.store(begin, Ordering::Relaxed);
            let polled = work.as_mut().poll(context);
            let took = now_ns() - begin;
            if took > LONG_POLL_NS {
                pace.used(executed_since(begin));
            }
            self.count(took);
            polled
        })
        .await
    }

    /// Reserves CPU time for a call that turns out to be long, so that not all rooms of a tenant begin such calls on what
    /// is left in its bucket: what the call may use, but no more than lets ten run at once. Given back when
    /// the value is dropped.
    pub fn reserve(&self, time: Duration) -> Reserved {
        let ns = (time.as_nanos() as u64).min(self.bucket.burst_ns() / LONG_CALLS);
        self.bucket.reserve(ns);
        Reserved { bucket: Arc::clone(&self.bucket), ns }
    }

    /// Stands in line until it is the first, and then waits for a new round, unless something of this one is left.
    async fn line_up(&self) {
        let place = InLine::join(self);
        place.first().await;
        if !self.has_slice(now_ns()) {
            tokio::task::yield_now().await;
            self.begin_slice(now_ns());
        }
    }

    /// Whether something of the slice is left.
    fn has_slice(&self, now: u64) -> bool {
        if now.saturating_sub(self.slice_begun_ns.load(Ordering::Relaxed)) > ROUND_NS {
            self.begin_slice(now);
            return true;
        }
        let of_this_poll = now.saturating_sub(self.poll_begun_ns.load(Ordering::Relaxed));
        self.used_ns.load(Ordering::Relaxed).saturating_add(of_this_poll) < SLICE_NS
    }

    /// The poll that runs now counts from here on.
    fn begin_slice(&self, now: u64) {
        self.slice_begun_ns.store(now, Ordering::Relaxed);
        self.used_ns.store(0, Ordering::Relaxed);
    }

    fn count(&self, ns: u64) {
        self.used_ns.store(self.used_ns.load(Ordering::Relaxed).saturating_add(ns), Ordering::Relaxed);
        let uncharged = self.uncharged_ns.load(Ordering::Relaxed) + ns;
        if uncharged < CHARGE_NS {
            return self.uncharged_ns.store(uncharged, Ordering::Relaxed);
        }
        // The clock on the wall counts what other processes took from us; the thread's own CPU time does not.
        let cpu = thread_cpu_ns();
        let executed = cpu - self.charged_at_cpu_ns.swap(cpu, Ordering::Relaxed).min(cpu);
        CLOCKS.set((now_ns(), cpu));
        self.uncharged_ns.store(0, Ordering::Relaxed);
        self.bucket.charge(uncharged.min(executed));
    }
}

/// A place in the line, left when it is dropped.
struct InLine<'a> {
    lane: &'a Lane,
    number: u64,
}

impl<'a> InLine<'a> {
    fn join(lane: &'a Lane) -> Self {
        let mut line = lane.line.lock();
        let number = line.next;
        line.next += 1;
        line.waiting.push_back((number, Waker::noop().clone()));
        lane.waiting.store(line.waiting.len(), Ordering::Relaxed);
        Self { lane, number }
    }

    /// Waits to be the first.
    async fn first(&self) {
        poll_fn(|context| {
            let mut line = self.lane.line.lock();
            if line.waiting.front().is_some_and(|(number, _)| *number == self.number) {
                return Poll::Ready(());
            }
            if let Some((_, waker)) = line.waiting.iter_mut().find(|(number, _)| *number == self.number) {
                waker.clone_from(context.waker());
            }
            Poll::Pending
        })
        .await;
    }
}

impl Drop for InLine<'_> {
    fn drop(&mut self) {
        let mut line = self.lane.line.lock();
        let Some(place) = line.waiting.iter().position(|(number, _)| *number == self.number) else { return };
        line.waiting.remove(place);
        self.lane.waiting.store(line.waiting.len(), Ordering::Relaxed);
        let next = line.waiting.front().filter(|_| place == 0).map(|(_, waker)| waker.clone());
        drop(line);
        if let Some(next) = next {
            next.wake();
        }
    }
}

/// CPU time that is reserved.
#[derive(Debug)]
pub struct Reserved {
    bucket: Arc<CpuBucket>,
    ns: u64,
}

impl Drop for Reserved {
    fn drop(&mut self) {
        self.bucket.refund(self.ns);
    }
}

thread_local! {
    static THREAD_NUMBER: Cell<usize> = const { Cell::new(usize::MAX) };
    /// The clock and this thread's CPU time, both of one moment not long ago.
    static CLOCKS: Cell<(u64, u64)> = const { Cell::new((0, 0)) };
}

/// Notes how much CPU time this thread has used; to be called now and then.
pub fn note_cpu() {
    CLOCKS.set((now_ns(), thread_cpu_ns()));
}

/// What the thread has executed at least since a moment: all since the last note, less all that it can have executed
/// between the note and that moment. The clock alone would count what other processes took.
fn executed_since(begin_ns: u64) -> Duration {
    let (noted_ns, cpu_ns) = CLOCKS.get();
    let all = thread_cpu_ns().saturating_sub(cpu_ns);
    Duration::from_nanos(all.saturating_sub(begin_ns.saturating_sub(noted_ns)))
}

/// Gives this thread, which runs plugins, its number; from 0 on.
pub fn number_thread(number: usize) {
    THREAD_NUMBER.set(number);
}

/// The number of this thread; the largest there is where it has none.
pub(super) fn thread_number() -> usize {
    THREAD_NUMBER.get()
}

/// CPU time that the calling thread has used.
pub fn thread_cpu_ns() -> u64 {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    // Both parts are never negative for this clock.
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}
