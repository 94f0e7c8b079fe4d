//! A queue of work for several threads: first come, first served.

use std::collections::{BTreeMap, VecDeque};

use parking_lot::{Condvar, Mutex};

use crate::clock::Instant;

/// Work that waits for a thread. A tenant has at most one turn here and one that is out of date, so the number of
/// tenants bounds it.
#[derive(Debug)]
pub struct Pool<T> {
    waiting: Mutex<PoolState<T>>,
    changed: Condvar,
}

#[derive(Debug)]
struct PoolState<T> {
    ready: VecDeque<T>,
    /// By the moment from which they are ready. A number tells apart what is ready at the same moment.
    later: BTreeMap<(Instant, u64), T>,
    count: u64,
    closing: bool,
}

impl<T> Default for Pool<T> {
    fn default() -> Self {
        let waiting = PoolState { ready: VecDeque::new(), later: BTreeMap::new(), count: 0, closing: false };
        Self { waiting: Mutex::new(waiting), changed: Condvar::new() }
    }
}

impl<T> Pool<T> {
    /// Adds work behind all that is ready.
    pub fn push(&self, turn: T) {
        self.waiting.lock().ready.push_back(turn);
        self.changed.notify_one();
    }

    /// Adds work that becomes ready at a moment.
    pub fn push_later(&self, when: Instant, turn: T) {
        let mut waiting = self.waiting.lock();
        waiting.count += 1;
        let number = waiting.count;
        waiting.later.insert((when, number), turn);
        drop(waiting);
        self.changed.notify_one();
    }

    /// Waits for work. Returns `None` once the pool is closing and all work was taken.
    pub fn next(&self) -> Option<T> {
        let mut waiting = self.waiting.lock();
        loop {
            let now = Instant::now();
            while let Some(first) = waiting.later.first_entry()
                && (first.key().0 <= now || waiting.closing)
            {
                if let Some((_, turn)) = waiting.later.pop_first() {
                    waiting.ready.push_back(turn);
                }
            }
            if let Some(turn) = waiting.ready.pop_front() {
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
    use std::time::Duration;

    use super::*;

    #[test]
    fn turns_come_in_order_and_in_time() {
        let pool = Pool::default();
        let start = Instant::now();
        pool.push_later(start + Duration::from_millis(30), 3);
        pool.push_later(start + Duration::from_secs(60), 4);
        pool.push(1);
        pool.push(2);
        assert_eq!([pool.next(), pool.next(), pool.next()], [Some(1), Some(2), Some(3)]);
        assert!(start.elapsed() >= Duration::from_millis(30));
        pool.close();
        assert_eq!([pool.next(), pool.next()], [Some(4), None]);
    }
}
