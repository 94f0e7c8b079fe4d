//! Engine.IO's heartbeat: the server pings at a steady interval, whatever else goes over the line, since the client
//! takes a server for gone that does not. A client that does not answer in time is gone.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::Sleep;

use crate::clock::{Instant, together};
use crate::model::limits::Limits;
use crate::socket::keepalive::may_be_later;

/// What the heartbeat asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Beat {
    /// Send a ping.
    Ping,
    /// Close the session: no pong followed the ping.
    Gone,
}

/// The heartbeat of one session.
#[derive(Debug)]
pub(super) struct Heartbeat {
    interval: Duration,
    timeout: Duration,
    /// By how much it may be later, so that many fire together.
    later: Duration,
    awaits_pong: bool,
    timer: Pin<Box<Sleep>>,
}

impl Heartbeat {
    pub(super) fn new(limits: &Limits) -> Self {
        Self::with_later(limits, may_be_later(Duration::from_millis(limits.engine_ping_ms)))
    }

    fn with_later(limits: &Limits, later: Duration) -> Self {
        let interval = Duration::from_millis(limits.engine_ping_ms);
        let timeout = Duration::from_millis(limits.engine_pong_ms);
        let timer = Box::pin(tokio::time::sleep_until(together(Instant::now() + interval, later)));
        Self { interval, timeout, later, awaits_pong: false, timer }
    }

    /// Moves the timer to the runtime of this thread.
    pub(super) fn attach(&mut self) {
        self.timer = Box::pin(tokio::time::sleep_until(self.timer.deadline()));
    }

    /// Notes that the client answered. A pong that nobody asked for changes nothing.
    pub(super) fn pong(&mut self) {
        if std::mem::take(&mut self.awaits_pong) {
            self.timer.as_mut().reset(together(Instant::now() + self.interval, self.later));
        }
    }

    /// Waits until a ping is due, or the client is gone. `listens` says whether the host reads what the client sends at the
    /// moment: while it does not, the pong may wait unread.
    pub(super) fn poll(&mut self, context: &mut Context<'_>, listens: bool) -> Poll<Beat> {
        loop {
            ready!(self.timer.as_mut().poll(context));
            let is_gone = self.awaits_pong && listens;
            let asks = !self.awaits_pong;
            if is_gone {
                return Poll::Ready(Beat::Gone);
            }
            self.awaits_pong = true;
            self.timer.as_mut().reset(together(Instant::now() + self.timeout, self.later));
            if asks {
                return Poll::Ready(Beat::Ping);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    /// The beats until a second, each with the second at which it came. The client answers each ping up to the given second.
    async fn beats(until: u64, answers_until: u64, listens: bool) -> Vec<(Beat, u64)> {
        let limits = Limits { engine_ping_ms: 25_000, engine_pong_ms: 20_000, ..Limits::default() };
        let (start, mut heartbeat) = (Instant::now(), Heartbeat::with_later(&limits, Duration::ZERO));
        let mut beats = Vec::new();
        loop {
            let beat = tokio::select! {
                biased;
                beat = poll_fn(|context| heartbeat.poll(context, listens)) => beat,
                () = tokio::time::sleep_until(start + Duration::from_secs(until)) => return beats,
            };
            let at = start.elapsed().as_secs();
            beats.push((beat, at));
            match beat {
                Beat::Gone => return beats,
                Beat::Ping if at <= answers_until => heartbeat.pong(),
                Beat::Ping => {}
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_answers_is_pinged_at_each_interval_and_one_that_falls_silent_is_gone() {
        use Beat::{Gone, Ping};
        assert_eq!(beats(100, 100, true).await, [(Ping, 25), (Ping, 50), (Ping, 75), (Ping, 100)]);
        assert_eq!(beats(200, 25, true).await, [(Ping, 25), (Ping, 50), (Gone, 70)]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_the_host_does_not_read_is_not_gone() {
        assert_eq!(beats(300, 0, false).await, [(Beat::Ping, 25)]);
    }
}
