//! How long a connection may wait: hyper knows one time for the head of a request, the waiting for it included. Between
//! requests that would cut off the connections that balancers keep open.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use hyper::rt::{Sleep, Timer};
use hyper_util::rt::TokioTimer;

/// The timer of one connection: hyper asks it for one sleep a head.
#[derive(Debug)]
pub struct HeadTimer {
    keep_alive: Duration,
    is_used: AtomicBool,
}

impl HeadTimer {
    /// `keep_alive` is how long the connection may wait for each request behind its first.
    pub fn new(keep_alive: Duration) -> Self {
        Self { keep_alive, is_used: AtomicBool::new(false) }
    }

    /// The first head comes at once, or the connection holds a place for nothing.
    fn later(&self) -> Duration {
        if self.is_used.swap(true, Ordering::Relaxed) { self.keep_alive } else { Duration::ZERO }
    }
}

impl Timer for HeadTimer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        TokioTimer::new().sleep(duration + self.later())
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn Sleep>> {
        TokioTimer::new().sleep_until(deadline + self.later())
    }

    fn now(&self) -> Instant {
        TokioTimer::new().now()
    }
}
