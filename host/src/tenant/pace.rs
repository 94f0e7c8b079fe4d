//! Which plugins make long calls. Calls of these run on threads of low priority, where they hold up nobody.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;

use super::cpu::SLICE;
use super::cpu::now_ns;

/// For how long one long call makes a plugin heavy.
const MEMORY: Duration = Duration::from_secs(10);

/// Whether a plugin's calls took longer than a slice lately.
#[derive(Debug, Default)]
pub struct Pace {
    heavy_until_ns: AtomicU64,
}

impl Pace {
    /// Notes how much CPU time a call has used so far.
    pub fn used(&self, cpu: Duration) {
        if cpu >= SLICE {
            remember(&self.heavy_until_ns);
        }
    }

    /// Whether the plugin's next call runs on a thread of low priority.
    pub fn is_heavy(&self) -> bool {
        is_remembered(&self.heavy_until_ns)
    }

    /// Polls work on this thread until it is done. If the plugin turns out to be heavy before, returns `None`: the
    /// caller goes on with the work elsewhere.
    pub async fn until_heavy<T>(&self, work: &mut Pin<Box<impl Future<Output = T> + ?Sized>>) -> Option<T> {
        poll_fn(|context| {
            if self.is_heavy() {
                return Poll::Ready(None);
            }
            match work.as_mut().poll(context) {
                Poll::Ready(done) => Poll::Ready(Some(done)),
                Poll::Pending if self.is_heavy() => Poll::Ready(None),
                Poll::Pending => Poll::Pending,
            }
        })
        .await
    }
}

fn remember(until_ns: &AtomicU64) {
    until_ns.store(now_ns() + MEMORY.as_nanos() as u64, Ordering::Relaxed);
}

/// Reads the clock only for a plugin that made a long call before.
fn is_remembered(until_ns: &AtomicU64) -> bool {
    let until = until_ns.load(Ordering::Relaxed);
    until != 0 && now_ns() < until
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_long_call_is_remembered() {
        let pace = Pace::default();
        pace.used(SLICE / 2);
        assert!(!pace.is_heavy());
        pace.used(SLICE);
        assert!(pace.is_heavy());
    }
}
