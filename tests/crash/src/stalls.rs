//! How long this machine kept things waiting: what a bound in time must be forgiven, measured and not guessed.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A thread that sleeps so long is late by as much as the machine is busy.
const NAP: Duration = Duration::from_millis(1);
/// Stalls that ended longer ago have nothing to do with what happens now.
const MEMORY: Duration = Duration::from_millis(500);

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
        while recent.front().is_some_and(|(at, _)| now - *at > MEMORY) {
            recent.pop_front();
        }
        // Only a stall that is longer than all after it can ever be the longest.
        while recent.back().is_some_and(|(_, shorter)| *shorter <= late) {
            recent.pop_back();
        }
        recent.push_back((now, late));
    }

    /// The longest of the last moments.
    pub fn longest(&self) -> Duration {
        let now = Instant::now();
        let recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        recent.iter().find(|(at, _)| now - *at <= MEMORY).map_or(Duration::ZERO, |(_, late)| *late)
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
