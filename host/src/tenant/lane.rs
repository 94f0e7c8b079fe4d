//! A tenant on one worker thread: one slice of time in each round, however many of its rooms want to run.
//!
//! A round ends when the thread has polled its sockets again. Until a tenant has used up its slice, all this costs a
//! look at the clock. After that its rooms stand in line with their next calls: in each round, those at the front go on until
//! the slice is used up, each for a part of it. Where another tenant has run on the thread lately, all that is ready stands in line,
//! sockets too: however many there are at one moment, others wait for one slice.
//!
//! Of tenants that stand in line on one thread, the one that used least of late for its weight has its slice first
//! (`tenant/share.rs`); the others have it as soon as nobody with less stands there. A tenant also waits while the system keeps one
//! with less from a core (`tenant/demand.rs`). A tenant that owes CPU time by its cap starts nothing new until it has waited off
//! its debt. Calls that run already go on in their turn, whatever is owed.

use std::cell::Cell;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use super::cpu::CpuBucket;
pub use super::cpu::SLICE;
use super::demand::{Demand, ThreadDemand};
use super::line::{LinePlace, WaitingLine};
use crate::clock::{now_ns, recent_ns, thread_cpu_ns};

const SLICE_NS: u64 = SLICE.as_nanos() as u64;
/// A slice that began longer ago than this is over: the thread has polled its sockets since.
const ROUND_NS: u64 = 2 * SLICE_NS;
/// Execution time is charged to the bucket in portions of this size, since threads share the bucket.
const CHARGE_NS: u64 = 100_000;
/// A thread counts as shared for so long after another tenant ran on it.
const SHARED_NS: u64 = 100_000_000;
/// A room that comes out of the line goes on with its calls for so long, though others stand there: with a place for each call, each
/// answer was a packet of its own.
const TURN_NS: u64 = 250_000;
/// What stands for the begin of a poll while there is none: it is later than any moment.
const NO_POLL: u64 = u64::MAX;
/// How many calls that outlive a slice a tenant with a full bucket may run at once.
const LONG_CALLS: u64 = 10;

/// One tenant on one thread. Only that thread uses the atomics, so it loads and stores instead of adding.
#[derive(Debug)]
pub struct Lane {
    bucket: Arc<CpuBucket>,
    /// Who wants to run on this thread, and on all of them.
    thread: Arc<ThreadDemand>,
    demand: Arc<Demand>,
    /// What the tenant had used of late for its weight when the slice began.
    level: AtomicU64,
    /// When the slice began.
    slice_begun_ns: AtomicU64,
    /// How much of the slice was used before the current poll.
    used_ns: AtomicU64,
    /// When the current poll began; [`NO_POLL`] between two.
    poll_begun_ns: AtomicU64,
    /// Whether the current poll has just come out of the line, and may begin a call.
    is_first: AtomicBool,
    /// Until when the current poll may begin calls though others stand in line; 0 where it has not come out of there.
    turn_until_ns: AtomicU64,
    /// Whether the current poll ends because it is to stand in line.
    stands_back: AtomicBool,
    /// Wall time of polls that is not charged yet.
    uncharged_ns: AtomicU64,
    /// The thread's CPU time when the lane last charged the bucket, less what all lanes of the thread had charged by then.
    others_cpu_ns: AtomicU64,
    line: WaitingLine,
}

impl Lane {
    pub fn new(bucket: Arc<CpuBucket>, thread: Arc<ThreadDemand>, demand: Arc<Demand>) -> Self {
        Self {
            bucket,
            line: WaitingLine::new(Arc::clone(&thread)),
            thread,
            demand,
            level: AtomicU64::new(0),
            slice_begun_ns: AtomicU64::new(0),
            used_ns: AtomicU64::new(0),
            poll_begun_ns: AtomicU64::new(NO_POLL),
            is_first: AtomicBool::new(false),
            turn_until_ns: AtomicU64::new(0),
            stands_back: AtomicBool::new(false),
            uncharged_ns: AtomicU64::new(0),
            others_cpu_ns: AtomicU64::new(0),
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
        let mut place = None;
        poll_fn(|context| {
            let begin = now_ns();
            let shares = self.shares_thread(begin);
            let goes_on = place.is_none() && (!shares || self.goes_on());
            if !goes_on && !self.comes_first(&mut place, shares, context) {
                self.count(now_ns() - begin);
                return Poll::Pending;
            }
            self.poll_begun_ns.store(begin, Ordering::Relaxed);
            self.is_first.store(!goes_on, Ordering::Relaxed);
            self.turn_until_ns.store(if goes_on { 0 } else { begin + TURN_NS }, Ordering::Relaxed);
            self.thread.runs(true);
            let polled = work.as_mut().poll(context);
            self.thread.runs(false);
            if self.stands_back.swap(false, Ordering::Relaxed) {
                // At once, and not when it is polled next: others are to see it in line before that.
                place = Some(self.line.join(self.level_at(recent_ns())));
            }
            self.turn_until_ns.store(0, Ordering::Relaxed);
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
        let standing = place.get_or_insert_with(|| self.line.join(self.level_at(recent_ns())));
        if standing.is_napping(context) || !standing.is_first(context) {
            return false;
        }
        let now = now_ns();
        let level = self.level_at(now);
        if self.demand.is_denied_to_others(&self.thread, level) {
            standing.waits_for_another(now);
            standing.take_nap(context);
            return false;
        }
        let is_behind = self.line.is_behind_others(level);
        if is_behind {
            standing.waits_for_another(now);
        }
        if is_behind || !(self.has_slice(now) || standing.sees_a_new_round(shares_thread)) {
            // Wakes this task when the thread has polled its sockets.
            let _ = pin!(tokio::task::yield_now()).poll(context);
            return false;
        }
        if !self.has_slice(now) {
            self.begin_slice(now);
        }
        self.bucket.count_wait(standing.waited_ns(now));
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

    /// Whether some of the slice is left, and nobody stands in line for it before this poll, nor for a slice that comes first.
    fn goes_on(&self) -> bool {
        let now = recent_ns();
        (self.line.is_empty() || now < self.turn_until_ns.load(Ordering::Relaxed))
            && self.has_slice(now)
            && !self.thread.has_below(self.level.load(Ordering::Relaxed))
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

    /// Whether some of the slice is left. Begins a new one if a round has passed, unless a tenant that has less is kept from a
    /// core.
    fn has_slice(&self, now: u64) -> bool {
        if now.saturating_sub(self.slice_begun_ns.load(Ordering::Relaxed)) > ROUND_NS {
            let goes_first = !self.demand.is_denied_to_others(&self.thread, self.level_at(now));
            if goes_first {
                self.begin_slice(now);
            }
            return goes_first;
        }
        let of_this_poll = now.saturating_sub(self.poll_begun_ns.load(Ordering::Relaxed));
        self.used_ns.load(Ordering::Relaxed).saturating_add(of_this_poll) < SLICE_NS
    }

    /// Begins a slice within the current poll.
    fn begin_slice(&self, now: u64) {
        self.slice_begun_ns.store(now, Ordering::Relaxed);
        self.used_ns.store(0, Ordering::Relaxed);
    }

    /// What the tenant used of late for its weight.
    fn level_at(&self, now: u64) -> u64 {
        let level = self.bucket.level(now);
        self.level.store(level, Ordering::Relaxed);
        level
    }

    fn count(&self, ns: u64) {
        self.used_ns.store(self.used_ns.load(Ordering::Relaxed).saturating_add(ns), Ordering::Relaxed);
        let uncharged = self.uncharged_ns.load(Ordering::Relaxed) + ns;
        if uncharged < CHARGE_NS {
            return self.uncharged_ns.store(uncharged, Ordering::Relaxed);
        }
        // Wall time includes what other processes took from this thread; the thread's own CPU time does not, but what it did for
        // other tenants meanwhile.
        let (cpu, charged) = (thread_cpu_ns(), CHARGED.get());
        let others = cpu.saturating_sub(charged);
        let executed = uncharged.min(others.saturating_sub(self.others_cpu_ns.load(Ordering::Relaxed)));
        self.others_cpu_ns.store(others.saturating_sub(executed), Ordering::Relaxed);
        CHARGED.set(charged + executed);
        CLOCKS.set((now_ns(), cpu));
        self.uncharged_ns.store(0, Ordering::Relaxed);
        self.bucket.charge(executed);
        // Where it had less than three quarters of a core, others had the rest.
        self.thread.was_denied(executed * 4 < uncharged * 3, self.level.load(Ordering::Relaxed));
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

static HIGHEST_NUMBER: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static THREAD_NUMBER: Cell<usize> = const { Cell::new(usize::MAX) };
    /// Which lane ran last, by its address, and until when the thread counts as shared.
    static LANES: Cell<(usize, u64)> = const { Cell::new((0, 0)) };
    /// What all lanes of this thread have charged.
    static CHARGED: Cell<u64> = const { Cell::new(0) };
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
    HIGHEST_NUMBER.fetch_max(number, Ordering::Relaxed);
    THREAD_NUMBER.set(number);
}

/// The highest number that a thread has.
pub(super) fn highest_number() -> usize {
    HIGHEST_NUMBER.load(Ordering::Relaxed)
}

/// The number of the calling thread; `usize::MAX` if it has none.
pub(super) fn thread_number() -> usize {
    THREAD_NUMBER.get()
}

#[cfg(test)]
mod tests;
