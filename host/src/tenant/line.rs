//! The line of one tenant's rooms and sockets on one thread, which wait for a slice of time there.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Waker};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::{Sleep, sleep};

use super::demand::{TenantOnThread, ThreadDemand};

/// So many that join the line at one poll of the thread's sockets, which takes up a few at a time, say that more are ready.
const NEWCOMERS: u64 = 8;
/// How long a tenant sleeps that waits for another one on another thread.
const NAP: Duration = Duration::from_millis(1);

/// The line. It has no place for a tenant while its first one sleeps.
#[derive(Debug)]
pub struct WaitingLine {
    /// Where the line is told of, so that other tenants see who waits.
    thread: Arc<ThreadDemand>,
    length: AtomicUsize,
    standing: Mutex<Standing>,
}

/// The rooms and sockets that wait for a slice, in ascending order of their numbers.
#[derive(Debug, Default)]
struct Standing {
    next: u64,
    waiting: VecDeque<(u64, Waker)>,
}

/// A place in the line. Dropping it leaves the line.
pub struct LinePlace<'a> {
    line: &'a WaitingLine,
    number: u64,
    /// How many had joined the line when it last let the thread poll its sockets; none before that.
    joined_at_yield: Option<u64>,
    /// Since when it waits for another tenant, by the clock.
    waits_since_ns: Option<u64>,
    nap: Option<Pin<Box<Sleep>>>,
}

impl WaitingLine {
    pub fn new(thread: Arc<ThreadDemand>) -> Self {
        Self { thread, length: AtomicUsize::new(0), standing: Mutex::default() }
    }

    pub fn is_empty(&self) -> bool {
        self.length.load(Ordering::Relaxed) == 0
    }

    /// Takes the last place, for a tenant of this level.
    pub fn join(&self, level: u64) -> LinePlace<'_> {
        let mut line = self.standing.lock();
        let number = line.next;
        line.next += 1;
        line.waiting.push_back((number, Waker::noop().clone()));
        self.length.store(line.waiting.len(), Ordering::Relaxed);
        if line.waiting.len() == 1 {
            self.thread.stand(self.tenant(), level);
        }
        drop(line);
        LinePlace { line: self, number, joined_at_yield: None, waits_since_ns: None, nap: None }
    }

    /// Whether another tenant that stands in line on this thread comes before this one, which has this level now.
    pub fn is_behind_others(&self, level: u64) -> bool {
        self.thread.stand(self.tenant(), level)
    }

    /// A tenant has one line on a thread.
    fn tenant(&self) -> TenantOnThread {
        std::ptr::from_ref(self).addr()
    }
}

impl LinePlace<'_> {
    /// Whether the thread has polled its sockets since this was asked first. Where it is shared, and while each poll brings many
    /// of this tenant, there are more that are ready, and others may be among them.
    pub fn sees_a_new_round(&mut self, shares_thread: bool) -> bool {
        let joined = self.line.standing.lock().next;
        let at_yield = self.joined_at_yield.replace(joined);
        at_yield.is_some_and(|at_yield| !shares_thread || joined - at_yield < NEWCOMERS)
    }

    /// Whether the place is the first. Where it is not, the task is woken when it is.
    pub fn is_first(&self, context: &mut Context<'_>) -> bool {
        let mut line = self.line.standing.lock();
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

    /// From now on it waits for another tenant.
    pub fn waits_for_another(&mut self, now: u64) {
        self.waits_since_ns.get_or_insert(now);
    }

    /// How long it waited for other tenants.
    pub fn waited_ns(&self, now: u64) -> u64 {
        self.waits_since_ns.map_or(0, |since| now.saturating_sub(since))
    }

    /// Sleeps for a while. No tenant of this thread waits for this one meanwhile.
    pub fn take_nap(&mut self, context: &mut Context<'_>) {
        self.line.thread.leave(self.line.tenant());
        self.nap = Some(Box::pin(sleep(NAP)));
        self.is_napping(context);
    }

    /// Whether it sleeps. The task is woken when it does not any more.
    pub fn is_napping(&mut self, context: &mut Context<'_>) -> bool {
        let sleeps = self.nap.as_mut().is_some_and(|nap| nap.as_mut().poll(context).is_pending());
        if !sleeps {
            self.nap = None;
        }
        sleeps
    }
}

impl Standing {
    fn place_of(&self, number: u64) -> Option<usize> {
        self.waiting.binary_search_by_key(&number, |(number, _)| *number).ok()
    }
}

impl Drop for LinePlace<'_> {
    fn drop(&mut self) {
        let mut line = self.line.standing.lock();
        let Some(place) = line.place_of(self.number) else { return };
        line.waiting.remove(place);
        self.line.length.store(line.waiting.len(), Ordering::Relaxed);
        if line.waiting.is_empty() {
            self.line.thread.leave(self.line.tenant());
        }
        let next = line.waiting.front().filter(|_| place == 0).map(|(_, waker)| waker.clone());
        drop(line);
        if let Some(next) = next {
            next.wake();
        }
    }
}
