//! How fast a client may send frames. Frames that piled up while its room held the socket back do not count.

use std::time::Duration;

use crate::clock::coarse_now;
use crate::model::limits::Limits;
use crate::model::rate::Rate;

/// The rate of one socket's frames.
#[derive(Debug)]
pub struct FrameRate {
    rate: Rate,
    per_second: u32,
    /// Since when its room holds the socket back.
    held_since: Option<Duration>,
    /// Frames that do not count. While the room holds a socket back, the frames of a client that sends steadily pile up;
    /// afterwards the host reads them all at once, and the client did nothing wrong.
    free: u64,
}

impl FrameRate {
    pub fn new(limits: &Limits) -> Self {
        Self {
            rate: Rate::new(limits.frames_per_second, limits.frames_burst),
            per_second: limits.frames_per_second,
            held_since: None,
            free: 0,
        }
    }

    /// Counts a frame; false where it came too fast.
    pub fn allows_one(&mut self) -> bool {
        if self.free > 0 {
            self.free -= 1;
            return true;
        }
        self.rate.allows(1, coarse_now())
    }

    /// The room takes no event of the socket at the moment.
    pub fn is_held(&mut self) {
        self.held_since.get_or_insert_with(coarse_now);
    }

    /// The room takes events again.
    pub fn goes_on(&mut self) {
        if let Some(since) = self.held_since.take() {
            self.was_held(coarse_now().saturating_sub(since));
        }
    }

    fn was_held(&mut self, time: Duration) {
        let frames = time.as_secs_f64() * f64::from(self.per_second);
        // The cast rounds down on purpose: the number is never negative, and only whole frames count.
        self.free = self.free.saturating_add(frames as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_that_was_held_back_may_catch_up() {
        let limits = Limits { frames_per_second: 10, frames_burst: 5, ..Limits::default() };
        let mut rate = FrameRate::new(&limits);
        assert!((0..5).all(|_| rate.allows_one()) && !rate.allows_one());
        rate.was_held(Duration::from_secs(3));
        assert!((0..30).all(|_| rate.allows_one()) && !rate.allows_one());
    }
}
