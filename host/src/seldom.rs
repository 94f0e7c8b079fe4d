//! Lines of the log that clients provoke: one in a while, with the number of those that were left out.

use std::time::Duration;

use parking_lot::Mutex;

use crate::clock::Instant;

/// The least time between two lines.
const PAUSE: Duration = Duration::from_secs(10);

/// Lets one line through in a while.
#[derive(Debug)]
pub struct Seldom(Mutex<Lines>);

#[derive(Debug)]
struct Lines {
    last: Option<Instant>,
    left_out: u64,
}

impl Default for Seldom {
    fn default() -> Self {
        Self::new()
    }
}

impl Seldom {
    pub const fn new() -> Self {
        Self(Mutex::new(Lines { last: None, left_out: 0 }))
    }

    /// Logs, or counts that it did not. `log` is given the number of lines that were left out before this one.
    pub fn tell(&self, log: impl FnOnce(u64)) {
        let mut lines = self.0.lock();
        let now = Instant::now();
        if lines.last.is_some_and(|last| now.duration_since(last) < PAUSE) {
            lines.left_out += 1;
            return;
        }
        let left_out = std::mem::take(&mut lines.left_out);
        lines.last = Some(now);
        drop(lines);
        log(left_out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_is_left_out_is_counted() {
        let seldom = Seldom::new();
        let mut told = Vec::new();
        for _ in 0..3 {
            seldom.tell(|left_out| told.push(left_out));
        }
        tokio::time::advance(PAUSE).await;
        seldom.tell(|left_out| told.push(left_out));
        assert_eq!(told, [0, 2]);
    }
}
