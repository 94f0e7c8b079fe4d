//! Whether the client is still there. A client that sends nothing for `ping-after-ms` gets a ping. One that sends nothing
//! for `ping-timeout-ms` after that is gone. Whatever comes counts, a part of a frame too.
//!
//! A socket has one timer. What comes only notes the time, and the timer looks at that note when it fires: so it is armed
//! once in `ping-after-ms`, however much the client sends. Timers of many sockets fire together, a little later than they are due, so
//! that idle sockets wake their thread a few times a second, however many there are.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::Sleep;

use crate::clock::{Instant, together};
use crate::model::limits::Limits;

/// A timer fires later than it is due by less than this, and by less than such a part of the time before a ping.
const LATER_MAX: Duration = Duration::from_millis(500);
const LATER_PART: u32 = 50;

/// By how much a timer may fire later than it is due, where it is set for `time`.
pub fn may_be_later(time: Duration) -> Duration {
    (time / LATER_PART).min(LATER_MAX)
}

/// What a socket's silence asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SilenceCall {
    /// Send a ping, and then poll again.
    Ping,
    /// Close the socket: nothing followed the ping.
    Gone,
}

/// The silence of one client.
#[derive(Debug)]
pub struct Keepalive {
    ping_after: Duration,
    timeout: Duration,
    later: Duration,
    heard_at: Instant,
    /// When the ping was sent that nothing followed so far.
    pinged_at: Option<Instant>,
    timer: Pin<Box<Sleep>>,
}

impl Keepalive {
    pub fn new(limits: &Limits) -> Self {
        Self::with_later(limits, may_be_later(Duration::from_millis(limits.ping_after_ms)))
    }

    fn with_later(limits: &Limits, later: Duration) -> Self {
        let ping_after = Duration::from_millis(limits.ping_after_ms);
        let heard_at = Instant::now();
        Self {
            ping_after,
            timeout: Duration::from_millis(limits.ping_timeout_ms),
            later,
            heard_at,
            pinged_at: None,
            timer: Box::pin(tokio::time::sleep_until(together(heard_at + ping_after, later))),
        }
    }

    /// Notes that something came from the client.
    pub fn heard(&mut self) {
        self.heard_at = Instant::now();
        if self.pinged_at.take().is_some() {
            // The timer may be set for later than the next ping.
            self.timer.as_mut().reset(together(self.heard_at + self.ping_after, self.later));
        }
    }

    /// Waits until the silence asks for something. `listens` says whether the host reads from the socket at the moment:
    /// while it does not, the client only seems silent.
    pub fn poll(&mut self, context: &mut Context<'_>, listens: bool) -> Poll<SilenceCall> {
        loop {
            ready!(self.timer.as_mut().poll(context));
            if !listens {
                self.heard();
            }
            let now = Instant::now();
            let due = match self.pinged_at {
                Some(pinged_at) if now >= pinged_at + self.timeout => return Poll::Ready(SilenceCall::Gone),
                Some(pinged_at) => pinged_at + self.timeout,
                None if now >= self.heard_at + self.ping_after => {
                    self.pinged_at = Some(now);
                    self.timer.as_mut().reset(together(now + self.timeout, self.later));
                    return Poll::Ready(SilenceCall::Ping);
                }
                None => self.heard_at + self.ping_after,
            };
            self.timer.as_mut().reset(together(due, self.later));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::time::sleep_until;

    use super::*;

    /// One client under paused time.
    struct Silence {
        start: Instant,
        keepalive: Keepalive,
        listens: bool,
    }

    impl Silence {
        fn with(ping_after_ms: u64, ping_timeout_ms: u64) -> Self {
            let limits = Limits { ping_after_ms, ping_timeout_ms, ..Limits::default() };
            // To the moment, so that the tests can say when.
            Self { start: Instant::now(), keepalive: Keepalive::with_later(&limits, Duration::ZERO), listens: true }
        }

        /// The calls until a second, each with the second at which it came.
        async fn until(&mut self, seconds: u64) -> Vec<(SilenceCall, f64)> {
            let (start, end) = (self.start, self.start + Duration::from_secs(seconds));
            let mut calls = Vec::new();
            loop {
                let call = tokio::select! {
                    biased;
                    call = poll_fn(|context| self.keepalive.poll(context, self.listens)) => call,
                    () = sleep_until(end) => return calls,
                };
                calls.push((call, (start.elapsed().as_secs_f64() * 100.0).round() / 100.0));
                if call == SilenceCall::Gone {
                    return calls;
                }
            }
        }
    }

    use SilenceCall::{Gone, Ping};

    #[tokio::test(start_paused = true)]
    async fn a_client_that_never_speaks_is_pinged_and_then_gone_to_the_second() {
        let mut silence = Silence::with(25_000, 20_000);
        assert_eq!(silence.until(300).await, [(Ping, 25.0), (Gone, 45.0)]);
    }

    #[tokio::test(start_paused = true)]
    async fn the_ping_comes_so_long_after_what_the_client_said_last() {
        for said_at in [2, 24, 40] {
            let mut silence = Silence::with(25_000, 20_000);
            let before = silence.until(said_at).await;
            silence.keepalive.heard();
            let after = silence.until(300).await;
            let last = said_at as f64;
            assert_eq!(before, if said_at < 25 { vec![] } else { vec![(Ping, 25.0)] });
            assert_eq!(after, [(Ping, last + 25.0), (Gone, last + 45.0)], "said at {said_at}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_answers_each_ping_stays_for_ever() {
        // The wait behind the ping may also be longer than the one before it.
        for (after, timeout) in [(25_000, 20_000), (25_000, 100_000)] {
            let mut silence = Silence::with(after, timeout);
            for ping in 1..=10 {
                assert_eq!(silence.until(ping * 25).await, [(Ping, ping as f64 * 25.0)]);
                silence.keepalive.heard();
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_the_host_does_not_read_is_not_silent() {
        let mut silence = Silence::with(25_000, 20_000);
        silence.listens = false;
        assert_eq!(silence.until(60).await, []);
        silence.listens = true;
        // It was taken for heard at 50, when the timer last fired.
        assert_eq!(silence.until(300).await, [(Ping, 75.0), (Gone, 95.0)]);
    }

    #[tokio::test(start_paused = true)]
    async fn sockets_of_many_moments_are_pinged_at_few() {
        let (limits, start) = (Limits { ping_after_ms: 25_000, ..Limits::default() }, Instant::now());
        let mut pings = std::collections::BTreeSet::new();
        for socket in 0..100 {
            let opened = start + Duration::from_millis(socket * 17);
            sleep_until(opened).await;
            let due = opened + Duration::from_secs(25);
            let at = Keepalive::new(&limits).timer.deadline();
            assert!(at >= due && at < due + LATER_MAX, "{:?}", at - due);
            pings.insert(at);
        }
        assert!(pings.len() <= 5, "{}", pings.len());
    }
}
