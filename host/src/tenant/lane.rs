//! A tenant's share of one worker thread: one slice of time in each round, however many of its rooms want to run.
//!
//! A round ends when the thread has polled its sockets again. Until a tenant has used up its slice, all this costs a
//! look at the clock. After that its rooms stand in line, and one of them goes on in each round. A tenant that owes CPU
//! time starts nothing new until it has waited off its debt; calls that run already go on.

use std::cell::Cell;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::{Poll, Waker};
use std::time::Duration;

use parking_lot::Mutex;

pub use super::cpu::SLICE;
use super::cpu::{CpuBucket, now_ns};
use crate::clock::thread_cpu_ns;

const SLICE_NS: u64 = SLICE.as_nanos() as u64;
/// A slice that began longer ago than this is over: the thread has polled its sockets since.
const ROUND_NS: u64 = 2 * SLICE_NS;
/// Execution time is charged to the bucket in portions of this size, since threads share the bucket.
const CHARGE_NS: u64 = 100_000;
/// How many calls that outlive a slice a tenant with a full bucket may run at once.
const LONG_CALLS: u64 = 10;

/// One tenant on one thread. Only that thread uses the atomics, so it loads and stores instead of adding.
#[derive(Debug)]
pub struct Lane {
    bucket: Arc<CpuBucket>,
    /// When the slice began.
    slice_begun_ns: AtomicU64,
    /// How much of the slice was used before the current poll.
    used_ns: AtomicU64,
    /// When the current poll began.
    poll_begun_ns: AtomicU64,
    /// Wall time of polls that is not charged yet.
    uncharged_ns: AtomicU64,
    /// The thread's CPU time when the lane last charged the bucket.
    charged_at_cpu_ns: AtomicU64,
    /// How many rooms stand in line.
    waiting: AtomicUsize,
    line: Mutex<WaitingLine>,
}

/// The rooms that wait for a slice, in order.
#[derive(Debug, Default)]
struct WaitingLine {
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

    /// Waits until the tenant owes no CPU time and has a slice on this thread, so that a call may start. Call it within
    /// [`Lane::run`]. While `hurry` returns true (the server drains), debts do not count.
    pub async fn start(&self, hurry: impl Fn() -> bool) {
        loop {
            self.bucket.until_paid(&hurry).await;
            if self.waiting.load(Ordering::Relaxed) == 0 && self.has_slice(now_ns()) {
                return;
            }
            self.line_up().await;
            // Other rooms of the tenant may have run up a debt meanwhile.
            if self.bucket.owes(now_ns()).is_none() || hurry() {
                return;
            }
        }
    }

    /// Waits until the tenant has a slice on this thread, for work that started elsewhere. Call it within
    /// [`Lane::run`].
    pub async fn slice(&self) {
        if self.waiting.load(Ordering::Relaxed) > 0 || !self.has_slice(now_ns()) {
            self.line_up().await;
        }
    }

    /// Waits for the next round, behind the tenant's other rooms on this thread. Call it within [`Lane::run`].
    pub async fn next_slice(&self) {
        self.used_ns.store(SLICE_NS, Ordering::Relaxed);
        self.line_up().await;
    }

    /// Lets the thread poll its sockets, waits off what the tenant owes (see [`Lane::start`]), and waits for the next
    /// round if the slice is used up.
    pub async fn give_way(&self, hurry: impl Fn() -> bool) {
        tokio::task::yield_now().await;
        self.bucket.until_paid(hurry).await;
        if !self.has_slice(now_ns()) {
            self.line_up().await;
        }
    }

    /// Runs work of the tenant on this thread: its plugins' calls, a room, a socket. Counts the time in which it executes, not
    /// in which it waits, to the tenant's slice, and charges it to the bucket.
    pub async fn run<T>(&self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        poll_fn(|context| {
            let begin = now_ns();
            self.poll_begun_ns.store(begin, Ordering::Relaxed);
            let polled = work.as_mut().poll(context);
            self.count(now_ns() - begin);
            polled
        })
        .await
    }

    /// Reserves CPU time for a call that turns out to be long, until the value is dropped. Without it, all rooms of a
    /// tenant could begin long calls on what is left in the bucket. It reserves what the call may use, but at most a
    /// tenth of the full bucket.
    pub fn reserve(&self, time: Duration) -> ReservedCpu {
        let ns = (time.as_nanos() as u64).min(self.bucket.burst_ns() / LONG_CALLS);
        self.bucket.reserve(ns);
        ReservedCpu { bucket: Arc::clone(&self.bucket), ns }
    }

    /// Stands in line until it is first, then waits for a new round, unless some of this slice is left.
    async fn line_up(&self) {
        let place = LinePlace::join(self);
        place.first().await;
        if !self.has_slice(now_ns()) {
            tokio::task::yield_now().await;
            self.begin_slice(now_ns());
        }
    }

    /// Whether some of the slice is left. Begins a new one if a round has passed.
    fn has_slice(&self, now: u64) -> bool {
        if now.saturating_sub(self.slice_begun_ns.load(Ordering::Relaxed)) > ROUND_NS {
            self.begin_slice(now);
            return true;
        }
        let of_this_poll = now.saturating_sub(self.poll_begun_ns.load(Ordering::Relaxed));
        self.used_ns.load(Ordering::Relaxed).saturating_add(of_this_poll) < SLICE_NS
    }

    /// Begins a slice within the current poll.
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
        // Wall time includes what other processes took from this thread; the thread's own CPU time does not.
        let cpu = thread_cpu_ns();
        let executed = cpu - self.charged_at_cpu_ns.swap(cpu, Ordering::Relaxed).min(cpu);
        CLOCKS.set((now_ns(), cpu));
        self.uncharged_ns.store(0, Ordering::Relaxed);
        self.bucket.charge(uncharged.min(executed));
    }
}

/// A place in the line. Dropping it leaves the line.
struct LinePlace<'a> {
    lane: &'a Lane,
    number: u64,
}

impl<'a> LinePlace<'a> {
    fn join(lane: &'a Lane) -> Self {
        let mut line = lane.line.lock();
        let number = line.next;
        line.next += 1;
        line.waiting.push_back((number, Waker::noop().clone()));
        lane.waiting.store(line.waiting.len(), Ordering::Relaxed);
        Self { lane, number }
    }

    /// Waits until the place is the first.
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

impl Drop for LinePlace<'_> {
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

/// CPU time that is reserved until this is dropped.
#[derive(Debug)]
pub struct ReservedCpu {
    bucket: Arc<CpuBucket>,
    ns: u64,
}

impl Drop for ReservedCpu {
    fn drop(&mut self) {
        self.bucket.refund(self.ns);
    }
}

thread_local! {
    static THREAD_NUMBER: Cell<usize> = const { Cell::new(usize::MAX) };
    /// The clock and this thread's CPU time, both read at one moment a little while ago.
    static CLOCKS: Cell<(u64, u64)> = const { Cell::new((0, 0)) };
}

/// Notes how much CPU time this thread has used. Its thread calls this now and then.
pub fn note_cpu() {
    CLOCKS.set((now_ns(), thread_cpu_ns()));
}

/// How long the thread has executed at least within the last `time`: all since the last note, less the most that it can
/// have executed between the note and then. The clock alone would count the time of other processes.
pub fn executed_within(time: Duration) -> Duration {
    let (noted_ns, cpu_ns) = CLOCKS.get();
    let begin_ns = now_ns().saturating_sub(time.as_nanos() as u64);
    let all = thread_cpu_ns().saturating_sub(cpu_ns);
    Duration::from_nanos(all.saturating_sub(begin_ns.saturating_sub(noted_ns))).min(time)
}

/// Gives a thread that runs plugins its number, from 0 on.
pub fn number_thread(number: usize) {
    THREAD_NUMBER.set(number);
}

/// The number of the calling thread; `usize::MAX` if it has none.
pub(super) fn thread_number() -> usize {
    THREAD_NUMBER.get()
}
