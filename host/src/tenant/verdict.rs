//! Whether calls are long so often that the next ones run on a thread of low priority. One long call among many short ones
//! decides nothing, and a verdict ends by itself.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use crate::clock::now_ns;

/// A share of one, of which all shares here are parts.
const ONE: u32 = 1 << 16;
/// About as many of the last calls count: each moves the share by this part of the way.
const CALLS: u32 = 16;
/// From this share of long calls on, calls are heavy.
const HEAVY_FROM: u32 = ONE / 5;
/// At this share of long calls they are so no more.
const LIGHT_FROM: u32 = ONE / 10;
/// What happened longer ago decides nothing.
const MEMORY: Duration = Duration::from_secs(10);
/// A long call that held its thread counts as so many at most: one alone never suffices for a verdict.
const WEIGHT_MAX: u32 = 3;

/// The verdict on calls of one kind, and what it rests on.
#[derive(Debug, Default)]
pub struct HeavyVerdict {
    /// The share of long calls among the last ones.
    share: AtomicU32,
    /// When the last long call was noted.
    last_long_ns: AtomicU64,
    /// Since when the calls are heavy; 0 while they are not.
    heavy_since_ns: AtomicU64,
}

/// A verdict that changed just now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VerdictChange {
    /// The calls are heavy: so many of a hundred were long of late.
    Heavy { percent: u32 },
    /// They are heavy no more, after so long a time.
    Light { after: Duration },
}

impl HeavyVerdict {
    /// Whether the next call runs on a thread of low priority. It reads the clock only where there is a verdict.
    pub fn is_heavy(&self) -> bool {
        self.heavy_since_ns.load(Ordering::Relaxed) != 0 && !self.is_old(now_ns())
    }

    /// A short call went by.
    pub fn note_short(&self) -> Option<VerdictChange> {
        if self.share.load(Ordering::Relaxed) == 0 {
            return None;
        }
        let share = self.move_share(|share| share - share.div_ceil(CALLS));
        if self.heavy_since_ns.load(Ordering::Relaxed) == 0 || (share > LIGHT_FROM && !self.is_old(now_ns())) {
            return None;
        }
        self.end()
    }

    /// A long call went by, or goes on; one that held its thread counts as several.
    pub fn note_long(&self, weight: u32) -> Option<VerdictChange> {
        let now = now_ns();
        let ended = self.is_old(now).then(|| self.end()).flatten();
        self.last_long_ns.store(now, Ordering::Relaxed);
        let nearer = |share: u32| share + (ONE - share) / CALLS;
        let share = self.move_share(|share| (0..weight.clamp(1, WEIGHT_MAX)).fold(share, |share, _| nearer(share)));
        let begins = share >= HEAVY_FROM
            && self.heavy_since_ns.compare_exchange(0, now, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        begins.then(|| VerdictChange::Heavy { percent: share * 100 / ONE }).or(ended)
    }

    /// Ends a verdict that rests on nothing any more, since no call was long for a while.
    pub fn lapse(&self) -> Option<VerdictChange> {
        let is_over = self.heavy_since_ns.load(Ordering::Relaxed) != 0 && self.is_old(now_ns());
        if is_over { self.end() } else { None }
    }

    /// Ends the verdict, where there is one, and forgets what it rests on.
    fn end(&self) -> Option<VerdictChange> {
        self.share.store(0, Ordering::Relaxed);
        let since = self.heavy_since_ns.swap(0, Ordering::Relaxed);
        (since != 0).then(|| VerdictChange::Light { after: Duration::from_nanos(now_ns().saturating_sub(since)) })
    }

    fn is_old(&self, now: u64) -> bool {
        now.saturating_sub(self.last_long_ns.load(Ordering::Relaxed)) > MEMORY.as_nanos() as u64
    }

    /// Changes the share, and answers the new one.
    fn move_share(&self, change: impl Fn(u32) -> u32) -> u32 {
        let before = self.share.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |share| Some(change(share)));
        // The closure always returns a value, so this cannot fail.
        change(before.unwrap_or_default())
    }

    /// Makes the last long call one of some time ago.
    #[cfg(test)]
    pub fn age(&self, by: Duration) {
        self.last_long_ns.fetch_sub(by.as_nanos() as u64, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// So many short calls.
    fn short(verdict: &HeavyVerdict, calls: usize) -> Option<VerdictChange> {
        (0..calls).filter_map(|_| verdict.note_short()).last()
    }

    #[test]
    fn one_long_call_among_thousands_is_nothing() {
        let verdict = HeavyVerdict::default();
        for weight in [1, 1, WEIGHT_MAX, 1_000] {
            assert_eq!((short(&verdict, 2_000), verdict.note_long(weight), short(&verdict, 2_000)), (None, None, None));
            assert!(!verdict.is_heavy());
        }
    }

    #[test]
    fn the_share_of_long_calls_decides() {
        let heavy_at = |short_between: usize| {
            let verdict = HeavyVerdict::default();
            (1..200).find(|_| short(&verdict, short_between).is_none() && verdict.note_long(1).is_some())
        };
        assert_eq!(heavy_at(0), Some(4), "all of them");
        assert!(heavy_at(1).is_some_and(|call| call <= 8), "each second one: {:?}", heavy_at(1));
        assert!(heavy_at(3).is_some_and(|call| call <= 40), "each fourth one: {:?}", heavy_at(3));
        assert_eq!(heavy_at(9), None, "each tenth one");
    }

    #[test]
    fn two_calls_that_held_their_thread_decide_and_one_does_not() {
        let verdict = HeavyVerdict::default();
        assert_eq!(verdict.note_long(u32::MAX), None);
        assert!(matches!(verdict.note_long(u32::MAX), Some(VerdictChange::Heavy { percent: 20..=40 })));
        assert!(verdict.is_heavy());
        assert_eq!(verdict.note_long(1), None, "it is told once");
    }

    #[test]
    fn short_calls_end_a_verdict() {
        let verdict = HeavyVerdict::default();
        for _ in 0..1_000 {
            verdict.note_long(1);
        }
        assert!(verdict.is_heavy());
        assert_eq!(short(&verdict, 20), None);
        assert!(verdict.is_heavy());
        assert!(matches!(short(&verdict, 30), Some(VerdictChange::Light { .. })));
        assert!(!verdict.is_heavy());
        assert_eq!((short(&verdict, 1_000), verdict.share.load(Ordering::Relaxed)), (None, 0));
    }

    #[test]
    fn a_verdict_ends_where_nothing_is_called_any_more() {
        let verdict = HeavyVerdict::default();
        let told: Vec<_> = (0..4).filter_map(|_| verdict.note_long(1)).collect();
        assert_eq!((told.len(), verdict.is_heavy(), verdict.lapse()), (1, true, None));
        verdict.age(MEMORY + Duration::from_millis(1));
        assert!(!verdict.is_heavy());
        assert!(matches!(verdict.lapse(), Some(VerdictChange::Light { .. })));
        assert_eq!(verdict.lapse(), None);
        assert_eq!(verdict.note_long(1), None, "what was long ago counts no more");
    }
}
