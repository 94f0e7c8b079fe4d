//! How long things take, in histograms that threads count into without a lock, an allocation or a clock of their own.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::lane;

/// What is timed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timed {
    /// From an event's place in its room's order to a frame of its turn being written, for each frame.
    Event,
    /// What the call of a turn executed.
    TurnCpu,
    /// From a turn's end to its writes being durable.
    CommitWait,
    /// From the wish for a room's instance to its first turn being possible.
    Open,
    /// The same for a room that slept.
    Wake,
}

impl Timed {
    pub const ALL: [Self; 5] = [Self::Event, Self::TurnCpu, Self::CommitWait, Self::Open, Self::Wake];

    /// As metrics and the API call it, which never changes.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::TurnCpu => "turn_cpu",
            Self::CommitWait => "commit_wait",
            Self::Open => "open",
            Self::Wake => "wake",
        }
    }
}

/// The first bucket is up to 2 to the power of this, in nanoseconds: 33 us. Each further one is up to twice as much.
const FIRST_BITS: u32 = 15;
/// How many buckets have a bound; the last of them is up to 4.3 s.
const BUCKETS: usize = 18;
/// Threads that count share no cache lines, up to so many. The last shard is also that of threads without a number.
pub(super) const SHARDS: usize = 16;

/// The histograms of one plugin.
#[derive(Debug, Default)]
pub struct Latencies([OnceLock<Box<Shard>>; SHARDS]);

/// What one thread counted, or some.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Shard([Histogram; Timed::ALL.len()]);

/// Counts how many of something lie below each bound.
#[derive(Debug, Default)]
pub(super) struct Histogram {
    counts: [AtomicU64; BUCKETS + 1],
    sum_ns: AtomicU64,
}

/// A histogram as it is read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Distribution {
    /// How many were in each bucket; the last is without a bound.
    counts: [u64; BUCKETS + 1],
    pub sum: Duration,
}

/// What the calling thread counts into.
#[derive(Debug, Clone, Copy)]
pub(super) struct ShardOfThread {
    pub(super) index: usize,
    /// Whether no other thread counts there: then it needs no locked instruction, of which a message would take ten.
    is_alone: bool,
}

impl ShardOfThread {
    pub(super) fn get() -> Self {
        let number = lane::thread_number();
        Self { index: number % SHARDS, is_alone: number < SHARDS - 1 && lane::highest_number() < SHARDS - 1 }
    }

    pub(super) fn add(self, count: &AtomicU64, amount: u64) {
        if self.is_alone {
            count.store(count.load(Ordering::Relaxed).wrapping_add(amount), Ordering::Relaxed);
        } else {
            count.fetch_add(amount, Ordering::Relaxed);
        }
    }
}

impl Histogram {
    pub(super) fn note(&self, thread: ShardOfThread, ns: u64) {
        thread.add(&self.counts[bucket_of(ns)], 1);
        thread.add(&self.sum_ns, ns);
    }

    /// Adds what was counted to what was read of others.
    pub(super) fn add_to(&self, read: &mut Distribution) {
        for (count, counted) in read.counts.iter_mut().zip(&self.counts) {
            *count += counted.load(Ordering::Relaxed);
        }
        read.sum += Duration::from_nanos(self.sum_ns.load(Ordering::Relaxed));
    }
}

impl Latencies {
    pub fn note(&self, timed: Timed, ns: u64) {
        let thread = ShardOfThread::get();
        self.0[thread.index].get_or_init(Box::default).0[timed as usize].note(thread, ns);
    }

    pub fn read(&self, timed: Timed) -> Distribution {
        let mut read = Distribution::default();
        let shards = self.0.iter().filter_map(OnceLock::get);
        shards.for_each(|shard| shard.0[timed as usize].add_to(&mut read));
        read
    }
}

impl Distribution {
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Adds another distribution.
    pub fn add(&mut self, other: &Self) {
        self.counts.iter_mut().zip(other.counts).for_each(|(count, more)| *count += more);
        self.sum += other.sum;
    }

    /// What came since an earlier read.
    pub fn since(&self, earlier: &Self) -> Self {
        let counts = std::array::from_fn(|bucket| self.counts[bucket].saturating_sub(earlier.counts[bucket]));
        Self { counts, sum: self.sum.saturating_sub(earlier.sum) }
    }

    /// Each bucket's bound in seconds, and how many are in it. The last has no bound.
    pub fn buckets(&self) -> Vec<(f64, u64)> {
        let bounds = (0..BUCKETS).map(bound).chain([f64::INFINITY]);
        bounds.zip(self.counts).collect()
    }

    /// The bound in seconds below which this part of all is; none where nothing was counted, or it is beyond all bounds.
    pub fn quantile(&self, part: f64) -> Option<f64> {
        let (wanted, mut below) = ((self.count() as f64 * part).ceil() as u64, 0);
        let bucket = self.counts.iter().position(|count| {
            below += count;
            below >= wanted.max(1)
        });
        bucket.filter(|bucket| *bucket < BUCKETS).map(bound)
    }
}

fn bucket_of(ns: u64) -> usize {
    let bits = u64::BITS - ns.saturating_sub(1).leading_zeros();
    (bits.saturating_sub(FIRST_BITS) as usize).min(BUCKETS)
}

/// A bucket's bound in seconds.
fn bound(bucket: usize) -> f64 {
    (1u64 << (FIRST_BITS as usize + bucket)) as f64 / 1e9
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_duration_is_in_the_first_bucket_that_reaches_it() {
        for bucket in 0..BUCKETS {
            let most = 1u64 << (FIRST_BITS as usize + bucket);
            assert_eq!((bucket_of(most - 1), bucket_of(most), bucket_of(most + 1)), (bucket, bucket, bucket + 1));
        }
        assert_eq!((bucket_of(0), bucket_of(1), bucket_of(u64::MAX)), (0, 0, BUCKETS));
    }

    #[test]
    fn threads_count_together_and_kinds_apart() {
        let latencies = Latencies::default();
        let all_are_numbered = std::sync::Barrier::new(20);
        let note = |thread: usize| {
            lane::number_thread(thread);
            all_are_numbered.wait();
            (0..100).for_each(|_| latencies.note(Timed::Event, 1_000_000));
        };
        std::thread::scope(|scope| (0..20).for_each(|thread| drop(scope.spawn(move || note(thread)))));
        latencies.note(Timed::Open, u64::MAX / 2);
        let read = latencies.read(Timed::Event);
        assert_eq!((read.count(), read.sum), (2_000, Duration::from_secs(2)));
        assert_eq!(read.quantile(0.99), Some(bound(5)));
        assert_eq!(read.buckets()[5], (0.001_048_576, 2_000));
        assert_eq!(read.buckets()[BUCKETS], (f64::INFINITY, 0), "the format wants a last bucket without a bound");
        let open = latencies.read(Timed::Open);
        assert_eq!((open.count(), open.quantile(0.5), latencies.read(Timed::Wake)), (1, None, Distribution::default()));
    }
}
