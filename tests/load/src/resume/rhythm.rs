//! Days in which clients and lines are busy, and nights in which nothing happens, so that the room sleeps.

use std::time::Duration;

use tokio::time::Instant;

const DAY: Duration = Duration::from_secs(4);
/// A room sleeps at a look at all rooms, each half a second, that follows half a second without a turn.
const NIGHT: Duration = Duration::from_millis(1_500);

#[derive(Clone, Copy)]
pub struct Rhythm {
    begin: Instant,
}

impl Rhythm {
    pub fn begin() -> Self {
        Self { begin: Instant::now() }
    }

    /// The first moment of a day that is not before this one.
    pub fn by_day(self, moment: Instant) -> Instant {
        let (whole, since) = ((DAY + NIGHT).as_nanos(), moment.saturating_duration_since(self.begin));
        let of_day = Duration::from_nanos((since.as_nanos() % whole) as u64);
        if of_day < DAY { moment } else { moment + (DAY + NIGHT - of_day) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_be_at_night_is_at_the_next_dawn() {
        let rhythm = Rhythm::begin();
        let at = |ms| rhythm.begin + Duration::from_millis(ms);
        for (moment, day) in [(0, 0), (3_999, 3_999), (4_000, 5_500), (5_499, 5_500), (5_500, 5_500), (10_000, 11_000)]
        {
            assert_eq!(rhythm.by_day(at(moment)), at(day));
        }
    }
}
