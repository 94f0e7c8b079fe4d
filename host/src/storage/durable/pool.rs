//! A queue of work for several threads, which tenants share by weight: while there is more to do than threads, the tenant
//! whose work took least of their time for its weight goes first. Nobody saves up a claim: whoever comes to want a thread is
//! as far as the one who was served last.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use crate::clock::Instant;

/// A piece of work counts as no longer than this. Where a disk hangs, that is nobody's doing, and must not put whom it met
/// behind all others for as long.
const COUNTED_MAX: Duration = Duration::from_millis(100);

/// One tenant's place in the line.
#[derive(Debug)]
pub struct PoolPlace {
    /// How far it is: nanoseconds of threads for each unit of weight.
    at: AtomicU64,
    weight: u64,
}

impl PoolPlace {
    pub fn new(weight: u32) -> Self {
        Self { at: AtomicU64::new(0), weight: u64::from(weight.max(1)) }
    }

    /// Counts how long a piece of its work took a thread, before it is in the line again.
    pub fn count(&self, took: Duration) {
        self.at.fetch_add(took.min(COUNTED_MAX).as_nanos() as u64 / self.weight, Ordering::Relaxed);
    }
}

/// Work that waits for a thread. A tenant has at most one turn here and one that is out of date, so the number of
/// tenants bounds it.
#[derive(Debug)]
pub struct Pool<T> {
    waiting: Mutex<PoolState<T>>,
    changed: Condvar,
}

#[derive(Debug)]
struct PoolState<T> {
    /// By how far its tenant is. A number tells apart who is as far.
    ready: BTreeMap<(u64, u64), T>,
    /// By the moment from which they are ready, with how far their tenant is.
    later: BTreeMap<(Instant, u64), (u64, T)>,
    count: u64,
    /// How far whoever was served last is.
    served: u64,
    closing: bool,
}

impl<T> Default for Pool<T> {
    fn default() -> Self {
        let (ready, later) = (BTreeMap::new(), BTreeMap::new());
        let waiting = PoolState { ready, later, count: 0, served: 0, closing: false };
        Self { waiting: Mutex::new(waiting), changed: Condvar::new() }
    }
}

impl<T> PoolState<T> {
    /// Brings a place up to who was served last. Answers how far it is, with the next number.
    fn enter(&mut self, place: &PoolPlace) -> (u64, u64) {
        self.count += 1;
        (place.at.fetch_max(self.served, Ordering::Relaxed).max(self.served), self.count)
    }
}

impl<T> Pool<T> {
    /// Adds work that is ready.
    pub fn push(&self, place: &PoolPlace, turn: T) {
        let mut waiting = self.waiting.lock();
        let at = waiting.enter(place);
        waiting.ready.insert(at, turn);
        drop(waiting);
        self.changed.notify_one();
    }

    /// Adds work that becomes ready at a moment.
    pub fn push_later(&self, place: &PoolPlace, when: Instant, turn: T) {
        let mut waiting = self.waiting.lock();
        let (at, number) = waiting.enter(place);
        waiting.later.insert((when, number), (at, turn));
        drop(waiting);
        self.changed.notify_one();
    }

    /// Waits for work. Returns `None` once the pool is closing and all work was taken.
    pub fn next(&self) -> Option<T> {
        let mut waiting = self.waiting.lock();
        loop {
            let (now, is_closing) = (Instant::now(), waiting.closing);
            while let Some(first) = waiting.later.first_entry()
                && (first.key().0 <= now || is_closing)
            {
                let ((_, number), (at, turn)) = first.remove_entry();
                let at = at.max(waiting.served);
                waiting.ready.insert((at, number), turn);
            }
            if let Some(((at, _), turn)) = waiting.ready.pop_first() {
                waiting.served = waiting.served.max(at);
                return Some(turn);
            }
            if waiting.closing {
                return None;
            }
            match waiting.later.first_key_value().map(|((when, _), _)| *when) {
                Some(when) => drop(self.changed.wait_until(&mut waiting, when.into_std())),
                None => self.changed.wait(&mut waiting),
            }
        }
    }

    /// Lets the threads end once all work is done. Work that waits for its moment becomes ready now.
    pub fn close(&self) {
        self.waiting.lock().closing = true;
        self.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_come_in_order_and_in_time() {
        let (pool, place) = (Pool::default(), PoolPlace::new(1));
        let start = Instant::now();
        pool.push_later(&place, start + Duration::from_millis(30), 3);
        pool.push_later(&place, start + Duration::from_secs(60), 4);
        pool.push(&place, 1);
        pool.push(&place, 2);
        assert_eq!([pool.next(), pool.next(), pool.next()], [Some(1), Some(2), Some(3)]);
        assert!(start.elapsed() >= Duration::from_millis(30));
        pool.close();
        assert_eq!([pool.next(), pool.next()], [Some(4), None]);
    }

    /// Serves tenants of these weights, all of which always want more; a piece of each takes so many milliseconds. Answers
    /// how often each was served of four hundred times, in tens.
    fn serve<const N: usize>(tenants: [(u32, u64); N]) -> [usize; N] {
        let (pool, places) = (Pool::default(), tenants.map(|(weight, _)| PoolPlace::new(weight)));
        (0..N).for_each(|tenant| pool.push(&places[tenant], tenant));
        let mut served = [0; N];
        for _ in 0..400 {
            let tenant = pool.next().unwrap();
            served[tenant] += 1;
            places[tenant].count(Duration::from_millis(tenants[tenant].1));
            pool.push(&places[tenant], tenant);
        }
        served.map(|times| (times + 5) / 10)
    }

    #[test]
    fn tenants_share_the_threads_by_weight() {
        assert_eq!(serve([(1, 5); 4]), [10; 4]);
        assert_eq!(serve([(1, 5), (3, 5)]), [10, 30]);
        assert_eq!(serve([(1, 30), (1, 10)]), [10, 30], "whose work takes longer has less of it done");
        assert_eq!(serve([(1, 10_000), (3, 100)]), [10, 30], "a disk that hung does not count in full");
    }

    #[test]
    fn who_comes_later_is_as_far_as_the_others() {
        let (pool, old, new) = (Pool::default(), PoolPlace::new(1), PoolPlace::new(1));
        for _ in 0..100 {
            pool.push(&old, "old");
            pool.next();
            old.count(COUNTED_MAX);
        }
        let mut served = Vec::new();
        for (place, name) in [(&old, "old"), (&new, "new")] {
            pool.push(place, name);
        }
        for _ in 0..6 {
            let name = pool.next().unwrap();
            let place = if name == "old" { &old } else { &new };
            place.count(COUNTED_MAX);
            pool.push(place, name);
            served.push(name);
        }
        assert_eq!(served.iter().filter(|name| **name == "new").count(), 3, "{served:?}");
    }
}
