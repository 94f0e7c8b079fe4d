//! Tasks that must live as long as the server: accepting, the folder's watcher, alarms, verdicts. One that ends or panics
//! is told, counted, makes the server unhealthy until it runs again, and is started again after a pause.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use parking_lot::Mutex;

/// The pause before the first start after an end. It doubles with each that follows soon.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// The longest pause between two starts.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// How long a task must have run to count as running: one that panics at once does not.
const SETTLED: Duration = Duration::from_secs(1);
/// How long a task must have run for its next pause to be the first one.
const CALM: Duration = Duration::from_secs(60);

/// Watches the tasks that must live.
#[derive(Debug, Default)]
pub struct Watchdog(Mutex<BTreeMap<&'static str, Watched>>);

#[derive(Debug, Default)]
struct Watched {
    restarts: u64,
    /// How many tasks of this name do not run now.
    down: usize,
}

impl Watchdog {
    /// Runs a task, and starts it again whenever it ends or panics. `start` makes it anew.
    pub async fn keep_alive<T: Future<Output = ()>>(self: Arc<Self>, name: &'static str, mut start: impl FnMut() -> T) {
        self.0.lock().entry(name).or_default();
        let (mut is_down, mut pause) = (false, FIRST_PAUSE);
        loop {
            let mut task = pin!(AssertUnwindSafe(async { start().await }).catch_unwind());
            let mut ended = tokio::time::timeout(SETTLED, &mut task).await.ok();
            if ended.is_none() {
                self.note(name, |watched| watched.down -= usize::from(std::mem::take(&mut is_down)));
                ended = tokio::time::timeout(CALM - SETTLED, &mut task).await.ok();
            }
            if ended.is_none() {
                pause = FIRST_PAUSE;
            }
            let ended = match ended {
                Some(ended) => ended,
                None => task.await,
            };
            let how = if ended.is_ok() { "ended" } else { "panicked" };
            self.note(name, |watched| {
                watched.restarts += 1;
                watched.down += usize::from(!std::mem::replace(&mut is_down, true));
            });
            tracing::error!(
                task = name,
                "a bug in the server: the task {name}, which must run, {how}; it is started again in {pause:?}"
            );
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    fn note(&self, name: &'static str, change: impl FnOnce(&mut Watched)) {
        change(self.0.lock().entry(name).or_default());
    }

    /// How often each task was started again.
    pub fn restarts(&self) -> Vec<(&'static str, u64)> {
        self.0.lock().iter().map(|(name, watched)| (*name, watched.restarts)).collect()
    }

    /// The tasks that do not run now.
    pub fn down(&self) -> Vec<&'static str> {
        self.0.lock().iter().filter(|(_, watched)| watched.down > 0).map(|(name, _)| *name).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    /// A task that panics, or ends, at its first `faults` starts, each time after `lives`.
    fn watch(faults: u64, lives: Duration, panics: bool) -> (Arc<Watchdog>, Arc<AtomicU64>) {
        let (watchdog, starts) = (Arc::<Watchdog>::default(), Arc::<AtomicU64>::default());
        let counted = Arc::clone(&starts);
        let kept = Arc::clone(&watchdog).keep_alive("task", move || {
            let start = counted.fetch_add(1, Ordering::Relaxed);
            async move {
                if start >= faults {
                    return std::future::pending().await;
                }
                tokio::time::sleep(lives).await;
                assert!(!panics, "as the test asks for");
            }
        });
        tokio::spawn(kept);
        (watchdog, starts)
    }

    #[tokio::test(start_paused = true)]
    async fn what_panics_or_ends_is_red_counted_and_started_again() {
        for panics in [true, false] {
            let (watchdog, starts) = watch(3, Duration::ZERO, panics);
            tokio::time::sleep(Duration::from_millis(50)).await;
            assert_eq!((watchdog.down(), watchdog.restarts()), (vec!["task"], vec![("task", 1)]));
            // Pauses of 100, 200 and 400 ms, and a second in which the task has to live.
            tokio::time::sleep(Duration::from_millis(1_500)).await;
            assert_eq!((starts.load(Ordering::Relaxed), watchdog.down()), (4, vec!["task"]), "it only just began");
            tokio::time::sleep(Duration::from_millis(500)).await;
            assert_eq!((watchdog.down(), watchdog.restarts()), (vec![], vec![("task", 3)]));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn pauses_grow_to_a_bound_and_shrink_after_calm() {
        let (_, starts) = watch(u64::MAX, Duration::ZERO, false);
        tokio::time::sleep(Duration::from_secs(3_600)).await;
        let often = starts.load(Ordering::Relaxed);
        assert!((360..375).contains(&often), "{often}");
        // A life of more than a minute is followed by the first pause.
        let (_, starts) = watch(u64::MAX, CALM + SETTLED, false);
        tokio::time::sleep((CALM + SETTLED + FIRST_PAUSE) * 10 + SETTLED).await;
        assert_eq!(starts.load(Ordering::Relaxed), 11);
    }

    #[tokio::test(start_paused = true)]
    async fn a_start_that_panics_is_a_fault_as_well() {
        let watchdog = Arc::<Watchdog>::default();
        let start = || -> std::future::Ready<()> { panic!("as the test asks for") };
        tokio::spawn(Arc::clone(&watchdog).keep_alive("task", start));
        tokio::time::sleep(Duration::from_millis(150)).await;
        assert_eq!((watchdog.down(), watchdog.restarts()), (vec!["task"], vec![("task", 2)]));
    }
}
