//! Tasks and threads that must live as long as the server: accepting, the folder's watcher, alarms, verdicts, storage.
//! One that ends or panics is told, counted, makes the server unhealthy until it runs again, and is started again after a
//! pause.

use std::collections::BTreeMap;
use std::io;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use futures_util::FutureExt as _;
use parking_lot::Mutex;

use crate::clock::Instant;

/// The pause before the first start after an end. It doubles with each that follows soon.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// The longest pause between two starts.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// How long a task must have run to count as running: one that panics at once does not.
const SETTLED: Duration = Duration::from_secs(1);
/// How long a task must have run for its next pause to be the first one.
const CALM: Duration = Duration::from_secs(60);

/// Watches the tasks and threads that must live.
#[derive(Debug, Default)]
pub struct Watchdog(Mutex<BTreeMap<&'static str, Watched>>);

#[derive(Debug, Default)]
struct Watched {
    restarts: u64,
    /// Those of this name that have ended, by number, each with the moment since when it runs again.
    ended: BTreeMap<u64, Option<Instant>>,
    /// Tells apart those of this name.
    count: u64,
    /// When one of this name last caught a panic and went on.
    caught: Option<Instant>,
}

impl Watched {
    fn is_down(&self) -> bool {
        let is_new = |since: &Instant| since.elapsed() < SETTLED;
        self.ended.values().any(|since| since.as_ref().is_none_or(is_new)) || self.caught.as_ref().is_some_and(is_new)
    }
}

impl Watchdog {
    /// Runs a task, and starts it again whenever it ends or panics. `start` makes it anew.
    pub async fn keep_alive<T: Future<Output = ()>>(self: Arc<Self>, name: &'static str, mut start: impl FnMut() -> T) {
        let mut kept = Kept::new(self, name);
        loop {
            kept.begins();
            let ended = AssertUnwindSafe(async { start().await }).catch_unwind().await;
            let pause = kept.ended("task", if ended.is_ok() { "ended" } else { "panicked" });
            tokio::time::sleep(pause).await;
        }
    }

    /// Runs work on a thread of its own, and starts it again whenever it panics, or answers `Continue` because it could
    /// not go on. With `Break` the work is done, and the thread ends; `JoinHandle::thread().unpark()` cuts a pause between
    /// two starts short. `thread` is the thread's own name, for tools of the system.
    pub fn keep_thread_alive(
        self: &Arc<Self>,
        name: &'static str,
        thread: String,
        mut work: impl FnMut() -> ControlFlow<()> + Send + 'static,
    ) -> io::Result<JoinHandle<()>> {
        let mut kept = Kept::new(Arc::clone(self), name);
        thread::Builder::new().name(thread).spawn(move || {
            loop {
                kept.begins();
                let how = match catch_unwind(AssertUnwindSafe(&mut work)) {
                    Ok(ControlFlow::Break(())) => return,
                    Ok(ControlFlow::Continue(())) => "ended",
                    Err(_) => "panicked",
                };
                thread::park_timeout(kept.ended("thread", how));
            }
        })
    }

    /// A thread caught a panic in one piece of its work, which has failed, and goes on with the next. It counts as a start,
    /// without the pause, which would let others wait for a piece that was not theirs.
    pub fn caught(&self, name: &'static str, what: &str) {
        self.note(name, |watched| {
            watched.restarts += 1;
            watched.caught = Some(Instant::now());
        });
        tracing::error!(
            task = name,
            "a bug in the server: the thread {name}, which must run, panicked {what}; it goes on"
        );
    }

    fn note<T>(&self, name: &'static str, change: impl FnOnce(&mut Watched) -> T) -> T {
        change(self.0.lock().entry(name).or_default())
    }

    /// How often each task and thread was started again.
    pub fn restarts(&self) -> Vec<(&'static str, u64)> {
        self.0.lock().iter().map(|(name, watched)| (*name, watched.restarts)).collect()
    }

    /// The tasks and threads that do not run now, or have not run for long since their last fault.
    pub fn down(&self) -> Vec<&'static str> {
        self.0.lock().iter().filter(|(_, watched)| watched.is_down()).map(|(name, _)| *name).collect()
    }
}

/// One task or thread that is kept alive.
struct Kept {
    watchdog: Arc<Watchdog>,
    name: &'static str,
    number: u64,
    begun: Instant,
    pause: Duration,
}

impl Kept {
    fn new(watchdog: Arc<Watchdog>, name: &'static str) -> Self {
        let number = watchdog.note(name, |watched| {
            watched.count += 1;
            watched.count
        });
        Self { watchdog, name, number, begun: Instant::now(), pause: FIRST_PAUSE }
    }

    fn begins(&mut self) {
        self.begun = Instant::now();
        let begun = self.begun;
        self.watchdog.note(self.name, |watched| {
            if let Some(since) = watched.ended.get_mut(&self.number) {
                *since = Some(begun);
            }
        });
    }

    /// Notes an end and tells it. Answers the pause before the next start.
    fn ended(&mut self, kind: &str, how: &str) -> Duration {
        if self.begun.elapsed() >= CALM {
            self.pause = FIRST_PAUSE;
        }
        let (name, pause) = (self.name, self.pause);
        self.pause = (pause * 2).min(LONGEST_PAUSE);
        self.watchdog.note(name, |watched| {
            watched.restarts += 1;
            watched.ended.insert(self.number, None);
        });
        tracing::error!(
            task = name,
            "a bug in the server: the {kind} {name}, which must run, {how}; it is started again in {pause:?}"
        );
        pause
    }
}

impl Drop for Kept {
    /// Nobody keeps it any more.
    fn drop(&mut self) {
        self.watchdog.note(self.name, |watched| watched.ended.remove(&self.number));
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

    /// Waits for what another thread does.
    fn until(what: impl Fn() -> bool) {
        let begin = std::time::Instant::now();
        while !what() {
            assert!(begin.elapsed() < Duration::from_secs(10), "it does not happen");
            thread::sleep(Duration::from_millis(1));
        }
    }

    #[test]
    fn a_thread_that_panics_or_ends_is_red_counted_and_started_again_until_it_is_done() {
        let (watchdog, (asks, answers)) = (Arc::<Watchdog>::default(), std::sync::mpsc::channel::<&str>());
        let work = move || match answers.recv() {
            Ok("panic") => panic!("as the test asks for"),
            Ok(_) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        };
        let thread = watchdog.keep_thread_alive("thread", "one".to_owned(), work).unwrap();
        assert_eq!((watchdog.down(), watchdog.restarts()), (vec![], vec![("thread", 0)]));
        for (number, fault) in ["panic", "end", "panic"].into_iter().enumerate() {
            asks.send(fault).unwrap();
            until(|| watchdog.restarts() == [("thread", number as u64 + 1)]);
            assert_eq!(watchdog.down(), ["thread"]);
            thread.thread().unpark();
        }
        // It runs again, and has to for a second.
        until(|| watchdog.down().is_empty());
        drop(asks);
        thread.join().unwrap();
        assert_eq!((watchdog.down(), watchdog.restarts()), (vec![], vec![("thread", 3)]));
    }

    #[tokio::test(start_paused = true)]
    async fn a_panic_that_a_thread_caught_is_red_and_counted() {
        let watchdog = Watchdog::default();
        watchdog.caught("thread", "in a test");
        assert_eq!((watchdog.down(), watchdog.restarts()), (vec!["thread"], vec![("thread", 1)]));
        tokio::time::sleep(SETTLED).await;
        assert_eq!((watchdog.down(), watchdog.restarts()), (vec![], vec![("thread", 1)]));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_not_kept_any_more_is_not_down() {
        let watchdog = Arc::<Watchdog>::default();
        let kept = tokio::spawn(Arc::clone(&watchdog).keep_alive("task", || std::future::ready(())));
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert_eq!(watchdog.down(), ["task"]);
        kept.abort();
        assert!(kept.await.unwrap_err().is_cancelled());
        assert_eq!(watchdog.down(), Vec::<&str>::new());
    }
}
