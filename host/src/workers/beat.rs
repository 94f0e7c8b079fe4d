//! How long something holds up a worker's thread, measured by how late a timer is that is due every 10 ms while the thread has
//! work: everything else on the thread waited as long. While it has none, the beat rests, and the thread sleeps.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::clock::{Instant, thread_cpu_ns};
use crate::tenant::lane;

/// How often it is measured.
const BEAT: Duration = Duration::from_millis(10);
/// A thread that has executed less than this within one beat has no work to speak of.
const NO_WORK: Duration = Duration::from_micros(100);

/// The beat of one thread.
#[derive(Debug, Default)]
pub struct ThreadBeat {
    rests: AtomicBool,
    /// When the thread woke while the beat rested.
    woke_at: Mutex<Option<Instant>>,
    woke: Notify,
    /// The most by which a timer was late since somebody last asked.
    latest_us: AtomicU64,
}

impl ThreadBeat {
    /// The thread slept, and goes on. It costs next to nothing unless the beat rests.
    pub fn thread_woke(&self) {
        if self.rests.load(Ordering::Relaxed) {
            self.rests.store(false, Ordering::Relaxed);
            lane::note_cpu();
            *self.woke_at.lock() = Some(Instant::now());
            self.woke.notify_one();
        }
    }

    /// How long something held up the thread at most since the last call.
    pub fn take_longest_hold(&self) -> Duration {
        Duration::from_micros(self.latest_us.swap(0, Ordering::Relaxed))
    }

    /// Measures for as long as the thread runs.
    pub async fn run(self: Arc<Self>) {
        // After a panic it begins anew.
        self.rests.store(false, Ordering::Relaxed);
        loop {
            let woke_at = self.woke_at.lock().take().unwrap_or_else(Instant::now);
            self.measure(woke_at + BEAT).await;
            self.rests.store(true, Ordering::Relaxed);
            self.woke.notified().await;
        }
    }

    /// Measures until the thread has no work.
    async fn measure(&self, first: Instant) {
        let mut due = first;
        loop {
            let cpu = thread_cpu_ns();
            tokio::time::sleep_until(due).await;
            lane::note_cpu();
            let late = due.elapsed();
            self.latest_us.fetch_max(late.as_micros() as u64, Ordering::Relaxed);
            let executed = Duration::from_nanos(thread_cpu_ns().saturating_sub(cpu));
            // Where others on the machine hold the thread up, it executes little and has work.
            if executed < NO_WORK && late < BEAT {
                return;
            }
            due = Instant::now() + BEAT;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lets time pass, and answers whether the beat rests then.
    async fn rests_after(beat: &ThreadBeat, time: Duration) -> bool {
        tokio::time::sleep(time).await;
        beat.rests.load(Ordering::Relaxed)
    }

    /// Executes without a look at the clock that is paused.
    fn work() {
        let end = thread_cpu_ns() + 2 * NO_WORK.as_nanos() as u64;
        while thread_cpu_ns() < end {}
    }

    #[tokio::test(start_paused = true)]
    async fn it_rests_while_the_thread_has_no_work() {
        let beat = Arc::<ThreadBeat>::default();
        let measuring = tokio::spawn(Arc::clone(&beat).run());
        assert!(rests_after(&beat, 10 * BEAT).await);
        beat.thread_woke();
        for _ in 0..10 {
            work();
            assert!(!rests_after(&beat, BEAT / 2).await);
        }
        assert!(rests_after(&beat, 3 * BEAT).await);
        measuring.abort();
    }

    #[tokio::test(start_paused = true)]
    async fn what_holds_up_the_thread_from_its_waking_on_is_measured() {
        let beat = Arc::<ThreadBeat>::default();
        let measuring = tokio::spawn(Arc::clone(&beat).run());
        assert!(rests_after(&beat, 10 * BEAT).await);
        beat.take_longest_hold();
        beat.thread_woke();
        // As work does that runs before the beat.
        *beat.woke_at.lock() = Some(Instant::now() - 5 * BEAT);
        rests_after(&beat, BEAT / 2).await;
        assert!(beat.take_longest_hold() >= 3 * BEAT);
        measuring.abort();
    }
}
