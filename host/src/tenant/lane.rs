//! A tenant's share of one worker thread: one slice of time in each round, however many of its rooms want to run.
//!
//! A round ends when the thread has polled its sockets again. Until a tenant has used up its slice, all this costs a
//! look at the clock. After that its rooms stand in line with their next calls: in each round, those at the front go on until
//! the slice is used up. Where another tenant has run on the thread lately, all that is ready stands in line, sockets too:
//! however many there are at one moment, others wait for one slice. A tenant that owes CPU time starts nothing new until it has
//! waited off its debt; calls that run already go on.

use std::cell::Cell;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use parking_lot::Mutex;

use super::cpu::CpuBucket;
pub use super::cpu::SLICE;
use crate::clock::{now_ns, recent_ns, thread_cpu_ns};

const SLICE_NS: u64 = SLICE.as_nanos() as u64;
/// A slice that began longer ago than this is over: the thread has polled its sockets since.
const ROUND_NS: u64 = 2 * SLICE_NS;
/// Execution time is charged to the bucket in portions of this size, since threads share the bucket.
const CHARGE_NS: u64 = 100_000;
/// So many that join the line at one poll of the thread's sockets, which takes up a few at a time, say that more are ready.
const NEWCOMERS: u64 = 8;
/// A thread counts as shared for so long after another tenant ran on it.
const SHARED_NS: u64 = 100_000_000;
/// What stands for the begin of a poll while there is none: it is later than any moment.
const NO_POLL: u64 = u64::MAX;
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
    /// When the current poll began; [`NO_POLL`] between two.
    poll_begun_ns: AtomicU64,
    /// Whether the current poll has just come out of the line, and may begin a call.
    is_first: AtomicBool,
    /// Whether the current poll ends because it is to stand in line.
    stands_back: AtomicBool,
    /// Wall time of polls that is not charged yet.
    uncharged_ns: AtomicU64,
    /// The thread's CPU time when the lane last charged the bucket.
    charged_at_cpu_ns: AtomicU64,
    /// How many stand in line.
    waiting: AtomicUsize,
    line: Mutex<WaitingLine>,
}

/// The rooms and sockets that wait for a slice, in ascending order of their numbers.
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
            poll_begun_ns: AtomicU64::new(NO_POLL),
            is_first: AtomicBool::new(false),
            stands_back: AtomicBool::new(false),
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
            // The last call of this poll read the clock when it ended.
            if self.bucket.owes(recent_ns()).is_some() {
                self.bucket.until_paid(&hurry).await;
            }
            if self.is_first.swap(false, Ordering::Relaxed) || self.goes_on() {
                return;
            }
            self.stand_back().await;
            // Other rooms of the tenant may have run up a debt meanwhile.
            if self.bucket.owes(now_ns()).is_none() || hurry() {
                return;
            }
        }
    }

    /// Waits for the next round, behind whatever else of the tenant is ready on this thread. Call it within [`Lane::run`].
    pub async fn next_slice(&self) {
        self.used_ns.store(SLICE_NS, Ordering::Relaxed);
        self.stand_back().await;
    }

    /// Lets the thread poll its sockets, and waits off what the tenant owes (see [`Lane::start`]). Call it within
    /// [`Lane::run`].
    pub async fn give_way(&self, hurry: impl Fn() -> bool) {
        tokio::task::yield_now().await;
        self.bucket.until_paid(hurry).await;
    }

    /// Runs work of the tenant on this thread: its plugins' calls, a room, a socket. Where it shares the thread with other tenants,
    /// the work goes on while the tenant has some of a slice left. Counts the time in which it executes, not in which it waits,
    /// to that slice, and charges it to the bucket.
    pub async fn run<T>(&self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        let (mut place, mut lines_up) = (None, false);
        poll_fn(|context| {
            let begin = now_ns();
            let shares = self.shares_thread(begin);
            let goes_on = place.is_none() && !lines_up && (!shares || self.goes_on());
            if !goes_on && !self.comes_first(&mut place, shares, context) {
                self.count(now_ns() - begin);
                return Poll::Pending;
            }
            self.poll_begun_ns.store(begin, Ordering::Relaxed);
            self.is_first.store(!goes_on, Ordering::Relaxed);
            let polled = work.as_mut().poll(context);
            lines_up = self.stands_back.swap(false, Ordering::Relaxed);
            self.poll_begun_ns.store(NO_POLL, Ordering::Relaxed);
            self.count(now_ns() - begin);
            polled
        })
        .await
    }

    /// Whether it is the turn of work that stands in line. Where it is not, the work has its place, and is woken when it is the
    /// first.
    fn comes_first<'a>(
        &'a self,
        place: &mut Option<LinePlace<'a>>,
        shares_thread: bool,
        context: &mut Context<'_>,
    ) -> bool {
        let standing = place.get_or_insert_with(|| LinePlace::join(self));
        if !standing.is_first(context) {
            return false;
        }
        if !self.has_slice(now_ns()) {
            if !standing.sees_a_new_round(shares_thread) {
                // Wakes this task when the thread has polled its sockets.
                let _ = pin!(tokio::task::yield_now()).poll(context);
                return false;
            }
            self.begin_slice(now_ns());
        }
        // The next in line goes on behind this one, if any of the slice is left by then.
        *place = None;
        true
    }

    /// Whether another tenant has run on this thread lately.
    fn shares_thread(&self, now: u64) -> bool {
        let this = std::ptr::from_ref(self).addr();
        let (last, shared_until_ns) = LANES.get();
        if last == this {
            return now < shared_until_ns;
        }
        LANES.set((this, if last == 0 { 0 } else { now + SHARED_NS }));
        last != 0
    }

    /// Whether some of the slice is left, and nobody stands in line for it.
    fn goes_on(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) == 0 && self.has_slice(recent_ns())
    }

    /// Ends the current poll. The next one begins when it is first in line.
    async fn stand_back(&self) {
        let mut has_ended = false;
        poll_fn(|context| {
            if std::mem::replace(&mut has_ended, true) {
                return Poll::Ready(());
            }
            self.stands_back.store(true, Ordering::Relaxed);
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }

    /// Reserves CPU time for a call that turns out to be long, until the value is dropped. Without it, all rooms of a
    /// tenant could begin long calls on what is left in the bucket. It reserves what the call may use, but at most a
    /// tenth of the full bucket.
    pub fn reserve(&self, time: Duration) -> ReservedCpu {
        let ns = (time.as_nanos() as u64).min(self.bucket.burst_ns() / LONG_CALLS);
        self.bucket.reserve(ns);
        ReservedCpu { bucket: Arc::clone(&self.bucket), ns }
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
    /// How many had joined the line when it last let the thread poll its sockets; none before that.
    joined_at_yield: Option<u64>,
}

impl<'a> LinePlace<'a> {
    fn join(lane: &'a Lane) -> Self {
        let mut line = lane.line.lock();
        let number = line.next;
        line.next += 1;
        line.waiting.push_back((number, Waker::noop().clone()));
        lane.waiting.store(line.waiting.len(), Ordering::Relaxed);
        Self { lane, number, joined_at_yield: None }
    }

    /// Whether the thread has polled its sockets since this was asked first. Where it is shared, and while each poll brings many
    /// of this tenant, there are more that are ready, and others may be among them.
    fn sees_a_new_round(&mut self, shares_thread: bool) -> bool {
        let joined = self.lane.line.lock().next;
        let at_yield = self.joined_at_yield.replace(joined);
        at_yield.is_some_and(|at_yield| !shares_thread || joined - at_yield < NEWCOMERS)
    }

    /// Whether the place is the first. Where it is not, the task is woken when it is.
    fn is_first(&self, context: &mut Context<'_>) -> bool {
        let mut line = self.lane.line.lock();
        match line.place_of(self.number) {
            Some(0) | None => true,
            Some(place) => {
                if let Some((_, waker)) = line.waiting.get_mut(place) {
                    waker.clone_from(context.waker());
                }
                false
            }
        }
    }
}

impl WaitingLine {
    fn place_of(&self, number: u64) -> Option<usize> {
        self.waiting.binary_search_by_key(&number, |(number, _)| *number).ok()
    }
}

impl Drop for LinePlace<'_> {
    fn drop(&mut self) {
        let mut line = self.lane.line.lock();
        let Some(place) = line.place_of(self.number) else { return };
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
    /// Which lane ran last, by its address, and until when the thread counts as shared.
    static LANES: Cell<(usize, u64)> = const { Cell::new((0, 0)) };
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

#[cfg(test)]
mod tests {
    use super::*;

    fn execute(time: Duration) {
        let end = thread_cpu_ns() + time.as_nanos() as u64;
        while thread_cpu_ns() < end {}
    }

    /// The lanes of two tenants that have both run on this thread lately.
    async fn lanes() -> [Arc<Lane>; 2] {
        let [one, other] = [(); 2].map(|()| Arc::new(Lane::new(Arc::new(CpuBucket::new(100, 100_000)))));
        other.run(async {}).await;
        one.run(async {}).await;
        [one, other]
    }

    #[tokio::test]
    async fn a_crowd_that_is_ready_at_once_keeps_others_from_the_thread_for_no_more_than_its_slice() {
        let ([lane, other], ran, crowd) = (lanes().await, Arc::new(AtomicUsize::new(0)), 100);
        for _ in 0..crowd {
            let (lane, ran) = (Arc::clone(&lane), Arc::clone(&ran));
            tokio::spawn(async move {
                let work = async {
                    execute(SLICE / 4);
                    ran.fetch_add(1, Ordering::Relaxed);
                };
                lane.run(work).await;
            });
        }
        let mut longest = 0;
        while ran.load(Ordering::Relaxed) < crowd {
            let before = ran.load(Ordering::Relaxed);
            tokio::task::yield_now().await;
            other.run(async {}).await;
            longest = longest.max(ran.load(Ordering::Relaxed) - before);
        }
        // Four fill a slice, and one may begin just before its end: at most two slices lie between two looks.
        assert!(longest <= 10, "{longest} of the crowd ran before another task got its turn");
    }

    #[tokio::test]
    async fn who_stands_in_line_and_is_gone_holds_up_nobody() {
        let [lane, _] = lanes().await;
        lane.run(async { execute(SLICE) }).await;
        let gone = tokio::time::timeout(Duration::ZERO, lane.run(std::future::pending::<()>()));
        assert!(gone.await.is_err());
        lane.run(async {}).await;
        assert_eq!(lane.waiting.load(Ordering::Relaxed), 0);
    }
}
