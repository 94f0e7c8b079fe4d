//! When a tenant's next group begins. A commit costs nearly the same for one batch as for many, and rooms that got their
//! answers together tend to write together again, so a group that follows a large one waits for them: for a moment, and no longer
//! than until nearly all are there. The longer a commit takes, the longer that pays, if the rooms do come; only trying
//! tells. No thread waits meanwhile.

use std::time::Duration;

use crate::clock::Instant;

/// After a group of this many batches, the next one waits for more.
const BATCHES_OF_MANY: usize = 4;
/// The longest wait that needs no proof.
const SHORT_MAX: Duration = Duration::from_millis(1);
/// While long waits do not pay, one group in so many tries one.
const TRY_EVERY: u32 = 16;

#[derive(Debug, Default)]
pub struct Gathering {
    /// When the next group begins at the latest; `None` if it waits for nothing.
    until: Option<Instant>,
    /// With how many batches it begins earlier.
    enough: usize,
    /// Whether there were enough in time when a group last waited.
    pays: bool,
    groups: u32,
}

impl Gathering {
    /// A group of `batches` is durable, whose commit took so long, and `waiting` have come meanwhile. A group has
    /// `most` batches at most.
    pub fn follow(&mut self, (batches, waiting, most): (usize, usize, usize), took: Duration, now: Instant) {
        if batches < BATCHES_OF_MANY {
            return;
        }
        self.groups = self.groups.wrapping_add(1);
        let all = (batches + waiting).min(most);
        // A few that write no more must not let the others wait in vain.
        self.enough = all - all / 16;
        let short = took.min(SHORT_MAX);
        let tries = self.pays || self.groups.is_multiple_of(TRY_EVERY);
        self.until = Some(now + if tries { short.max(took / 2) } else { short });
    }

    /// Until when so many batches wait for more; `None` if their group begins at once.
    pub fn until(&self, waiting: usize, now: Instant) -> Option<Instant> {
        self.until.filter(|until| waiting < self.enough && now < *until)
    }

    /// A group of so many batches begins.
    pub fn end(&mut self, batches: usize) {
        if self.until.take().is_some() {
            self.pays = batches >= self.enough;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: usize = 100;
    const SLOW: Duration = Duration::from_millis(10);

    /// How long the group behind one of `batches` waits that has `waiting`.
    fn wait(gathering: &mut Gathering, batches: usize, waiting: usize, took: Duration) -> Duration {
        let now = Instant::now();
        gathering.follow((batches, 0, MOST), took, now);
        gathering.until(waiting, now).map_or(Duration::ZERO, |until| until - now)
    }

    #[test]
    fn a_group_behind_a_large_one_waits_until_nearly_all_are_there_again() {
        let mut gathering = Gathering::default();
        assert_eq!(wait(&mut gathering, 3, 1, SLOW), Duration::ZERO);
        assert_eq!(wait(&mut gathering, 32, 1, SLOW), SHORT_MAX);
        assert_eq!(wait(&mut gathering, 32, 30, SLOW), Duration::ZERO);
        assert_eq!(wait(&mut gathering, 500, 94, SLOW), Duration::ZERO, "more does not fit into it");
        let quick = Duration::from_micros(100);
        assert_eq!(wait(&mut gathering, 32, 1, quick), quick);
        let now = Instant::now();
        assert_eq!(gathering.until(1, now + quick), None, "it is late");
        // Those that came while the group was written are all who are to be expected as well.
        gathering.follow((20, 12, MOST), SLOW, now);
        assert!(gathering.until(29, now).is_some() && gathering.until(30, now).is_none());
    }

    #[test]
    fn long_waits_are_tried_now_and_then_and_kept_while_they_pay() {
        let mut gathering = Gathering::default();
        let long = |gathering: &mut Gathering, come: usize| {
            let waits = wait(gathering, 32, 1, SLOW);
            gathering.end(come);
            waits == SLOW / 2
        };
        let tried: Vec<bool> = (0..32).map(|_| long(&mut gathering, 5)).collect();
        assert_eq!(tried.iter().filter(|tried| **tried).count(), 2, "{tried:?}");
        assert!(!long(&mut gathering, 30), "what it did before did not pay");
        assert!(long(&mut gathering, 30) && long(&mut gathering, 29));
        assert!(!long(&mut gathering, 30), "the last was in vain");
    }
}
