//! What a tenant uses of the CPU: all of it counts to its share, and to its cap where it has one, a token bucket that time fills and
//! execution empties.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::share::CpuShare;
use crate::clock::now_ns;

/// How long a tenant may execute on a thread before everything else there gets its turn. It is one epoch tick, at which
/// a running guest is interrupted anyway.
pub const SLICE: Duration = Duration::from_millis(2);

/// How long a tenant that owes time sleeps at most before it looks again: its debt may have shrunk, since what calls that are
/// under way have reserved comes back when they end, or the server may drain.
const NAP: Duration = Duration::from_millis(20);

/// The tenant's CPU time. The bucket is kept as the moment at which it is exactly empty: one number, so that it needs no lock. The moment lies
/// in the future while the tenant owes time, and in the past, by at most the burst, while it has saved some.
#[derive(Debug)]
pub struct CpuBucket {
    free_at_ns: AtomicU64,
    /// The cap in per cent of one core; 0 where there is none.
    percent: u64,
    /// How long an empty bucket takes to fill up.
    fill_ns: u64,
    used_ns: AtomicU64,
    /// How long its work waited for others that had less than their share.
    waited_ns: AtomicU64,
    /// What counts where others want to run as well.
    share: CpuShare,
    /// When half of the cap has paid for what its deployments used. Until then its rooms have the other half.
    deployments_paid_at_ns: AtomicU64,
}

impl CpuBucket {
    /// A cap of 0 per cent is none.
    pub fn new(percent: u32, burst_ms: u64, share: CpuShare) -> Self {
        let percent = u64::from(percent);
        let fill_ns = burst_ms.saturating_mul(1_000_000).saturating_mul(100).checked_div(percent).unwrap_or_default();
        let [free_at_ns, used_ns, waited_ns, deployments_paid_at_ns] = [const { AtomicU64::new(0) }; 4];
        Self { free_at_ns, percent, fill_ns, used_ns, waited_ns, share, deployments_paid_at_ns }
    }

    /// Takes execution time out of the bucket. The tenant may owe time afterwards.
    pub fn charge(&self, ns: u64) {
        self.count(ns);
        let paid_at = self.deployments_paid_at_ns.load(Ordering::Relaxed);
        let shares = if paid_at > 0 && paid_at > now_ns() { 2 } else { 1 };
        self.reserve(ns.saturating_mul(shares));
    }

    fn count(&self, ns: u64) {
        self.used_ns.fetch_add(ns, Ordering::Relaxed);
        self.share.charge(ns, now_ns());
    }

    /// Counts what a deployment used. Half of the tenant's cap pays for it from now on, and rooms have the other half: a
    /// compilation of a minute must not stop them. All together uses no more than the cap.
    pub fn charge_deployment(&self, ns: u64) {
        self.count(ns);
        let now = now_ns();
        let later = |paid_at: u64| Some(paid_at.max(now).saturating_add(self.wait_for(ns).saturating_mul(2)));
        // The closure always returns a value, so this cannot fail.
        let _ = self.deployments_paid_at_ns.fetch_update(Ordering::Relaxed, Ordering::Relaxed, later);
    }

    /// How long the tenant's next deployment waits: until what the last ones used is paid for, up to what a full bucket
    /// holds.
    pub fn deployment_wait(&self) -> Option<Duration> {
        let due = self.deployments_paid_at_ns.load(Ordering::Relaxed).saturating_sub(self.deployments_burst_ns());
        let ahead = due.saturating_sub(now_ns());
        (ahead > 0).then(|| Duration::from_nanos(ahead))
    }

    /// Lets the next deployment begin at once: somebody else than the tenant wanted the last ones.
    pub fn forgive_deployments(&self) {
        let most = now_ns().saturating_add(self.deployments_burst_ns());
        self.deployments_paid_at_ns.fetch_min(most, Ordering::Relaxed);
    }

    /// How long half of the cap takes to pay for what a full bucket holds.
    fn deployments_burst_ns(&self) -> u64 {
        self.fill_ns.saturating_mul(2)
    }

    /// Sets time aside that a call may use, until [`CpuBucket::refund`] gives it back.
    pub fn reserve(&self, ns: u64) {
        if self.percent == 0 {
            return;
        }
        let full = now_ns().saturating_sub(self.fill_ns);
        let later = |free_at: u64| Some(free_at.max(full).saturating_add(self.wait_for(ns)));
        // The closure always returns a value, so this cannot fail.
        let _ = self.free_at_ns.fetch_update(Ordering::Relaxed, Ordering::Relaxed, later);
    }

    /// Gives back what was reserved.
    pub fn refund(&self, ns: u64) {
        let sooner = |free_at: u64| Some(free_at.saturating_sub(self.wait_for(ns)));
        let _ = self.free_at_ns.fetch_update(Ordering::Relaxed, Ordering::Relaxed, sooner);
    }

    /// How long the tenant has to wait; `None` if the bucket is not empty. `now` comes from [`now_ns`].
    pub fn owes(&self, now: u64) -> Option<Duration> {
        let ahead = self.free_at_ns.load(Ordering::Relaxed).saturating_sub(now);
        (ahead > 0).then(|| Duration::from_nanos(ahead))
    }

    /// How long the tenant has to wait now.
    pub fn owes_now(&self) -> Duration {
        self.owes(now_ns()).unwrap_or_default()
    }

    /// How long a tenant that owes sleeps before it looks again; none if it owes nothing.
    pub fn next_look(&self) -> Option<Duration> {
        self.owes(now_ns()).map(|owed| owed.min(NAP))
    }

    /// Waits until the tenant owes nothing, or `hurry` returns true.
    pub async fn until_paid(&self, hurry: impl Fn() -> bool) {
        while let Some(nap) = self.next_look().filter(|_| !hurry()) {
            tokio::time::sleep(nap).await;
        }
    }

    /// What a full bucket holds.
    pub fn burst_ns(&self) -> u64 {
        self.fill_ns.saturating_mul(self.percent) / 100
    }

    /// All execution time so far.
    pub fn used(&self) -> Duration {
        Duration::from_nanos(self.used_ns.load(Ordering::Relaxed))
    }

    pub fn weight(&self) -> u32 {
        self.share.weight()
    }

    /// What it used of late for its weight (see [`CpuShare::level`]).
    pub fn level(&self, now: u64) -> u64 {
        self.share.level(now)
    }

    /// Counts time for which its work waited for others that had less than their share.
    pub fn count_wait(&self, ns: u64) {
        self.waited_ns.fetch_add(ns, Ordering::Relaxed);
    }

    /// How long its work has waited for others that had less than their share.
    pub fn waited(&self) -> Duration {
        Duration::from_nanos(self.waited_ns.load(Ordering::Relaxed))
    }

    /// How long the bucket takes to gain `ns` of execution time.
    fn wait_for(&self, ns: u64) -> u64 {
        ns.saturating_mul(100).checked_div(self.percent).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    fn bucket(percent: u32, burst_ms: u64) -> CpuBucket {
        CpuBucket::new(percent, burst_ms, CpuShare::new(1, 1))
    }

    #[test]
    fn without_a_cap_nothing_is_owed() {
        let bucket = bucket(0, 500);
        bucket.charge(3_600_000 * MS);
        bucket.reserve(1_000 * MS);
        bucket.charge_deployment(60_000 * MS);
        assert_eq!((bucket.owes(now_ns()), bucket.deployment_wait()), (None, None));
        assert_eq!(bucket.used(), Duration::from_secs(3_660));
        assert!(bucket.level(now_ns()) > 0);
    }

    #[test]
    fn a_burst_is_free_and_what_is_beyond_is_waited_for() {
        let bucket = bucket(25, 500);
        bucket.charge(400 * MS);
        assert_eq!(bucket.owes(now_ns()), None);
        bucket.charge(200 * MS);
        // 100 ms too much, at a quarter of a core.
        let owed = bucket.owes(now_ns()).unwrap();
        assert!((350..=400).contains(&owed.as_millis()), "{owed:?}");
        assert_eq!(bucket.owes(now_ns() + 400 * MS), None);
        assert_eq!(bucket.used(), Duration::from_millis(600));
    }

    #[test]
    fn what_was_reserved_comes_back_and_counts_as_no_use() {
        let bucket = bucket(100, 10);
        bucket.reserve(50 * MS);
        assert!(bucket.owes(now_ns()).is_some());
        bucket.refund(50 * MS);
        assert_eq!(bucket.owes(now_ns()), None);
        assert_eq!(bucket.used(), Duration::ZERO);
    }

    #[test]
    fn a_deployment_is_paid_with_half_of_the_share_and_stops_no_room() {
        let bucket = bucket(50, 100);
        bucket.charge_deployment(1_100 * MS);
        assert_eq!((bucket.owes(now_ns()), bucket.used()), (None, Duration::from_millis(1_100)));
        // A second beyond the burst, at a quarter of a core.
        let wait = bucket.deployment_wait().unwrap();
        assert!((3_950..=4_000).contains(&wait.as_millis()), "{wait:?}");
        // Rooms have the other quarter meanwhile: 100 ms cost twice as much, of which 100 ms were saved.
        bucket.charge(100 * MS);
        let owed = bucket.owes(now_ns()).unwrap();
        assert!((150..=200).contains(&owed.as_millis()), "{owed:?}");
        bucket.forgive_deployments();
        assert_eq!(bucket.deployment_wait(), None);
        bucket.charge_deployment(10 * MS);
        assert!(bucket.deployment_wait().is_some());
    }

    #[test]
    fn an_idle_tenant_saves_no_more_than_the_burst() {
        let bucket = bucket(50, 100);
        std::thread::sleep(Duration::from_millis(5));
        bucket.charge(101 * MS);
        assert!(bucket.owes(now_ns()).is_some());
    }
}
