//! When nothing is left to do at a moment. Where a runtime with a paused clock has nothing to do, it puts the clock forward to
//! the next timer; whoever waits here is told before that.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Poll, Waker};

use parking_lot::Mutex;

/// Told by its runtime each time when the thread has nothing to do.
#[derive(Debug, Default)]
pub(super) struct IdleWatch {
    waiting: Mutex<Option<Waker>>,
}

impl IdleWatch {
    /// What the runtime calls before its thread waits.
    pub(super) fn hook(self: &Arc<Self>) -> impl Fn() + Send + Sync + 'static {
        let watch = Arc::clone(self);
        move || {
            if let Some(waiting) = watch.waiting.lock().take() {
                waiting.wake();
            }
        }
    }

    /// Waits until all tasks of the runtime wait for something, without a move of the clock.
    pub(super) async fn idle(&self) {
        let mut waits = false;
        poll_fn(|context| {
            let mut waiting = self.waiting.lock();
            if waits && waiting.is_none() {
                return Poll::Ready(());
            }
            waits = true;
            *waiting = Some(context.waker().clone());
            Poll::Pending
        })
        .await;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::clock::Instant;

    #[test]
    fn tasks_are_done_and_the_clock_has_not_moved() {
        let watch = Arc::<IdleWatch>::default();
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_all().start_paused(true).on_thread_park(watch.hook()).build().unwrap();
        let start = runtime.block_on(async { Instant::now() });
        let done = Arc::<Mutex<Vec<u64>>>::default();
        for ms in [0, 1, 1_000] {
            let done = Arc::clone(&done);
            runtime.spawn(async move {
                for _ in 0..1_000 {
                    tokio::task::yield_now().await;
                }
                if ms > 0 {
                    tokio::time::sleep(Duration::from_millis(ms)).await;
                }
                done.lock().push(ms);
            });
        }
        for (advance, at, expected) in
            [(0, 0, &[0][..]), (1, 1, &[0, 1]), (998, 999, &[0, 1]), (1, 1_000, &[0, 1, 1_000])]
        {
            let now = runtime.block_on(async {
                if advance > 0 {
                    tokio::time::sleep(Duration::from_millis(advance)).await;
                }
                watch.idle().await;
                Instant::now()
            });
            assert_eq!((now - start, &**done.lock()), (Duration::from_millis(at), expected));
        }
    }
}
