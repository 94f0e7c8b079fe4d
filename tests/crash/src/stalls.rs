//! How long this machine kept things waiting: what a bound in time must be forgiven, measured and not guessed.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A thread that sleeps so long is late by as much as the machine is busy.
const NAP: Duration = Duration::from_millis(1);
/// A stall that ended longer ago than this and its own length has nothing to do with what is lost now.
const REACH: Duration = Duration::from_millis(100);

/// The stalls of the last moments.
#[derive(Debug, Default)]
pub struct Stalls {
    recent: Mutex<VecDeque<(Instant, Duration)>>,
    over: AtomicBool,
}

impl Stalls {
    /// Something was late by so much.
    pub fn note(&self, late: Duration) {
        let now = Instant::now();
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        // Only a stall that is longer than all after it can ever be the longest; so there are few.
        while recent.back().is_some_and(|(_, shorter)| *shorter <= late) {
            recent.pop_back();
        }
        recent.push_back((now, late));
    }

    /// The longest of the last moments.
    pub fn longest(&self) -> Duration {
        let now = Instant::now();
        let recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        let reaches = |(at, late): &&(Instant, Duration)| now - *at <= REACH + *late;
        recent.iter().find(reaches).map_or(Duration::ZERO, |(_, late)| *late)
    }

    /// Watches the scheduler until it is told to end.
    pub fn watch(&self) {
        while !self.over.load(Ordering::Relaxed) {
            let begin = Instant::now();
            std::thread::sleep(NAP);
            self.note(begin.elapsed() - NAP);
        }
    }

    pub fn end(&self) {
        self.over.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_stall_is_kept() {
        let stalls = Stalls::default();
        for late in [3, 9, 2, 5] {
            stalls.note(Duration::from_millis(late));
        }
        assert_eq!(stalls.longest(), Duration::from_millis(9));
    }
}
