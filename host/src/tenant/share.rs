//! How much CPU time a tenant used of late, for its weight. Where several tenants want to run, who used least goes first, so that
//! each has a part in proportion to its weight; what nobody else wants, anyone may use. What was used is soon forgotten: nobody
//! saves up a claim by sleeping, and nobody is held back for long for having used what others had left.

use std::sync::atomic::{AtomicU64, Ordering};

/// After this time what a tenant used counts half as much. Who comes to want all of a machine that another had for itself goes
/// first for so long at most.
const HALF_LIFE_MS: f32 = 100.0;
/// What a core that does nothing else adds up to: the half-life over ln 2.
const MOST_OF_A_CORE_NS: u64 = 144_000_000;
/// Two threads' clocks, read at the same moment, differ by less than this.
const SKEW_MS_MAX: u32 = 1_000;
/// Use is kept in units of 64 ns, so that half of a number holds that of a thousand cores.
const UNIT_BITS: u32 = 6;

/// What one tenant used of late, and its weight.
#[derive(Debug)]
pub struct CpuShare {
    weight: u32,
    /// What was used, in units, in the upper half; up to when it is halved, in milliseconds, in the lower half.
    recent: AtomicU64,
    /// No more than this many units count. A compilation of a minute is charged at once, and must not hold up rooms for long.
    most: u64,
}

impl CpuShare {
    pub fn new(weight: u32, cores: usize) -> Self {
        let most = (MOST_OF_A_CORE_NS >> UNIT_BITS).saturating_mul(cores as u64).min(u64::from(u32::MAX));
        Self { weight: weight.max(1), recent: AtomicU64::new(0), most }
    }

    /// Counts what was used up to now, which comes from [`crate::clock::now_ns`].
    pub fn charge(&self, ns: u64, now: u64) {
        let now = in_ms(now);
        let add = |packed: u64| {
            let units = (of_late(packed, now) + (ns >> UNIT_BITS)).min(self.most);
            // Another thread's clock may have been read a moment later.
            let at = if is_before(now, packed as u32) { packed as u32 } else { now };
            Some(units << 32 | u64::from(at))
        };
        // The closure always returns a value, so this cannot fail.
        let _ = self.recent.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
    }

    /// What was used of late, for each unit of weight: the lower, the sooner it is the tenant's turn.
    pub fn level(&self, now: u64) -> u64 {
        (of_late(self.recent.load(Ordering::Relaxed), in_ms(now)) << UNIT_BITS) / u64::from(self.weight)
    }

    pub fn weight(&self) -> u32 {
        self.weight
    }
}

/// A moment in milliseconds. It comes round after 49 days, and only differences count.
fn in_ms(ns: u64) -> u32 {
    (ns / 1_000_000) as u32
}

/// Whether a thread read its clock at this moment, and another thread a little later at the other. What was long ago is not later,
/// though the difference alone could mean either.
fn is_before(moment: u32, other: u32) -> bool {
    (1..SKEW_MS_MAX).contains(&other.wrapping_sub(moment))
}

/// How many units are left of what was kept.
fn of_late(packed: u64, now: u32) -> u64 {
    let (units, at) = (packed >> 32, packed as u32);
    if units == 0 || at == now || is_before(now, at) {
        return units;
    }
    (units as f32 * (-(now.wrapping_sub(at) as f32) / HALF_LIFE_MS).exp2()) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;
    const NOW: u64 = 1 << 50;
    const DAY: u64 = 86_400_000 * MS;

    /// Runs a core for so many tenants that want all of it, as the line does; answers what each had.
    fn run<const N: usize>(weights: [u32; N], ms: u64, wants: impl Fn(usize, u64) -> bool) -> [u64; N] {
        let shares = weights.map(|weight| CpuShare::new(weight, 1));
        let mut had = [0; N];
        for time in (0..ms).step_by(2) {
            let now = NOW + time * MS;
            let next = (0..N).filter(|who| wants(*who, time)).min_by_key(|who| shares[*who].level(now));
            if let Some(who) = next {
                shares[who].charge(2 * MS, now + 2 * MS);
                had[who] += 2;
            }
        }
        had
    }

    #[test]
    fn shares_are_in_proportion_to_weights() {
        for (weights, percent) in [([1, 1], 50), ([1, 3], 25), ([1, 9], 10), ([500, 1_500], 25)] {
            let [one, other] = run(weights, 10_000, |_, _| true);
            let expected = (one + other) * percent / 100;
            assert!(one.abs_diff(expected) <= expected / 10, "{weights:?}: {one}, {other}");
        }
        let [a, b, c] = run([1, 1, 2], 10_000, |_, _| true);
        assert!(a.abs_diff(2_500) < 250 && b.abs_diff(2_500) < 250 && c.abs_diff(5_000) < 500, "{a}, {b}, {c}");
    }

    #[test]
    fn who_is_alone_has_everything_and_who_comes_waits_for_nothing_it_had_before() {
        assert_eq!(run([1], 1_000, |_, _| true), [1_000]);
        // The second comes after ten seconds: it goes first for a moment, and has half from then on.
        let begin = 10_000;
        for later in [100, 1_000] {
            let [_, second] = run([1, 1], begin + later, |who, time| who == 0 || time >= begin);
            assert!(second.abs_diff(later / 2) <= 50, "{second} of {later}");
        }
    }

    #[test]
    fn what_was_used_is_halved_again_and_again_and_has_a_bound() {
        let share = CpuShare::new(1, 1);
        share.charge(100 * MS, NOW);
        let level = |ms: u64| share.level(NOW + ms * MS) / 1_000;
        assert_eq!([0, 100, 200].map(level), [100_000, 50_000, 25_000]);
        assert_eq!(level(10_000), 0);
        // A clock that was read a moment earlier takes nothing back.
        share.charge(MS, NOW - 5 * MS);
        assert_eq!(level(0), 101_000);
        share.charge(60_000 * MS, NOW);
        assert_eq!(level(0), 144_000);
    }
    #[test]
    fn use_is_forgotten_after_any_time() {
        for days in 0..60 {
            let share = CpuShare::new(1, 1);
            let begin = NOW + days * DAY;
            share.charge(100 * MS, begin);
            assert_eq!(share.level(begin + 100 * MS) / MS, 50, "first used on day {days}");
            assert_eq!(share.level(begin + 5 * DAY), 0, "first used on day {days}");
            // Whoever was away as long has what it uses then, and no more.
            let share = CpuShare::new(1, 1);
            share.charge(100 * MS, NOW);
            share.charge(10 * MS, begin + 10_000 * MS);
            assert_eq!(share.level(begin + 10_100 * MS) / MS, 5, "away for {days} days");
        }
    }
}
