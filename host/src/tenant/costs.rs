//! What each handler of a plugin costs, by the name that it registered for. Threads count without a lock, and each for
//! itself; names are looked up in a table that a version never changes.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use parking_lot::Mutex;

use super::latency::{Distribution, Histogram, SHARDS, ShardOfThread};

/// The names of a plugin that have counters of their own. All further ones share one.
const NAMES_MAX: usize = 256;
/// The name of what all further handlers cost.
const OTHERS: &str = "(others)";

/// What one turn cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TurnCost {
    pub failed: bool,
    /// What its call executed.
    pub cpu_ns: u64,
    pub emits: usize,
    /// Bytes of what it emitted, each emit counted once.
    pub bytes: usize,
    /// The sockets that its emits were for, added up.
    pub deliveries: usize,
    /// Keys that it read.
    pub reads: usize,
    /// Keys that it wrote.
    pub writes: usize,
}

/// Which handler of a version a turn ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HandlerPlace(usize);

/// What is counted of one handler.
#[derive(Debug, Default)]
struct HandlerCost([OnceLock<Box<HandlerShard>>; SHARDS]);

/// The counters of one handler.
#[derive(Debug, Clone, Copy)]
enum Count {
    Failures,
    Emits,
    Bytes,
    Deliveries,
    Reads,
    Writes,
    WaitNs,
}

const COUNTS: usize = Count::WaitNs as usize + 1;

/// What one thread counted, or some.
#[derive(Debug, Default)]
#[repr(align(128))]
struct HandlerShard {
    /// What its turns executed; their number is that of the turns.
    cpu: Histogram,
    counts: [AtomicU64; COUNTS],
}

impl HandlerShard {
    fn add(&self, thread: ShardOfThread, count: Count, amount: u64) {
        if amount > 0 {
            thread.add(&self.counts[count as usize], amount);
        }
    }
}

impl HandlerCost {
    fn shard(&self, thread: ShardOfThread) -> &HandlerShard {
        self.0[thread.index].get_or_init(Box::default)
    }

    fn note(&self, cost: &TurnCost) {
        let thread = ShardOfThread::get();
        let shard = self.shard(thread);
        shard.cpu.note(thread, cost.cpu_ns);
        shard.add(thread, Count::Failures, u64::from(cost.failed));
        shard.add(thread, Count::Emits, cost.emits as u64);
        shard.add(thread, Count::Bytes, cost.bytes as u64);
        shard.add(thread, Count::Deliveries, cost.deliveries as u64);
        shard.add(thread, Count::Reads, cost.reads as u64);
        shard.add(thread, Count::Writes, cost.writes as u64);
    }

    fn read(&self, name: &str) -> HandlerFigures {
        let shards: Vec<_> = self.0.iter().filter_map(OnceLock::get).collect();
        let sum =
            |count: Count| shards.iter().map(|shard| shard.counts[count as usize].load(Ordering::Relaxed)).sum::<u64>();
        let mut cpu = Distribution::default();
        shards.iter().for_each(|shard| shard.cpu.add_to(&mut cpu));
        HandlerFigures {
            name: name.to_owned(),
            cpu,
            failures: sum(Count::Failures),
            emits: sum(Count::Emits),
            bytes: sum(Count::Bytes),
            deliveries: sum(Count::Deliveries),
            reads: sum(Count::Reads),
            writes: sum(Count::Writes),
            wait: Duration::from_nanos(sum(Count::WaitNs)),
        }
    }
}

/// What a handler cost since the plugin was first loaded.
#[derive(Debug, Clone, PartialEq)]
pub struct HandlerFigures {
    pub name: String,
    /// What its turns executed, those that failed included.
    pub cpu: Distribution,
    pub failures: u64,
    pub emits: u64,
    pub bytes: u64,
    pub deliveries: u64,
    pub reads: u64,
    pub writes: u64,
    /// How long what it said waited until its writes were durable.
    pub wait: Duration,
}

/// What the handlers of all versions of a plugin cost.
#[derive(Debug, Default)]
pub struct HandlerCosts {
    by_name: Mutex<BTreeMap<String, Arc<HandlerCost>>>,
    others: Arc<HandlerCost>,
}

impl HandlerCosts {
    /// The counters of a version that registered for these names, in ascending order.
    pub fn handlers(&self, names: &[String]) -> Handlers {
        let mut by_name = self.by_name.lock();
        let cost = |name: &String| match by_name.get(name) {
            Some(cost) => Arc::clone(cost),
            None if by_name.len() >= NAMES_MAX => Arc::clone(&self.others),
            None => Arc::clone(by_name.entry(name.clone()).or_default()),
        };
        let costs = names.iter().map(cost).chain([Arc::clone(&self.others)]).collect();
        Handlers { names: names.to_vec(), costs }
    }

    /// What each handler cost that ever ran; the most expensive first.
    pub fn read(&self) -> Vec<HandlerFigures> {
        let by_name = self.by_name.lock();
        let all = by_name.iter().map(|(name, cost)| cost.read(name)).chain([self.others.read(OTHERS)]);
        let mut all: Vec<_> = all.filter(|handler| handler.cpu.count() > 0).collect();
        all.sort_by_key(|handler| std::cmp::Reverse(handler.cpu.sum));
        all
    }
}

/// The handlers of one version.
#[derive(Debug)]
pub struct Handlers {
    names: Vec<String>,
    /// In the order of the names; behind them the counters of all others.
    costs: Vec<Arc<HandlerCost>>,
}

impl Handlers {
    /// The handler of a name. A room's instance may have registered for names that the version did not have when it was
    /// loaded.
    pub fn find(&self, name: &str) -> HandlerPlace {
        HandlerPlace(self.names.binary_search_by(|own| own.as_str().cmp(name)).unwrap_or(self.names.len()))
    }

    /// The name of a handler; none for those that the version did not have when it was loaded.
    pub fn name(&self, place: HandlerPlace) -> Option<&str> {
        self.names.get(place.0).map(String::as_str)
    }

    pub fn note(&self, place: HandlerPlace, cost: &TurnCost) {
        if let Some(handler) = self.costs.get(place.0) {
            handler.note(cost);
        }
    }

    /// Notes how long what a turn said waited for its writes.
    pub fn note_wait(&self, place: HandlerPlace, wait: Duration) {
        if let Some(handler) = self.costs.get(place.0) {
            let thread = ShardOfThread::get();
            handler.shard(thread).add(thread, Count::WaitNs, wait.as_nanos() as u64);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn versions_of_a_plugin_count_together_by_name_and_the_dearest_is_first() {
        let costs = HandlerCosts::default();
        let (one, two) = (costs.handlers(&names(&["$connect", "say"])), costs.handlers(&names(&["draw", "say"])));
        let cost = TurnCost { cpu_ns: 1_000, emits: 2, bytes: 30, deliveries: 4, reads: 5, writes: 6, failed: false };
        one.note(one.find("say"), &cost);
        two.note(two.find("say"), &TurnCost { failed: true, ..cost });
        two.note(two.find("draw"), &TurnCost { cpu_ns: 20_000_000, ..TurnCost::default() });
        two.note(two.find("came later"), &TurnCost { cpu_ns: 1, ..TurnCost::default() });
        two.note_wait(two.find("say"), Duration::from_millis(3));
        let read = costs.read();
        assert_eq!(read.iter().map(|handler| handler.name.as_str()).collect::<Vec<_>>(), ["draw", "say", OTHERS]);
        let say = &read[1];
        assert_eq!((say.cpu.count(), say.cpu.sum, say.failures), (2, Duration::from_nanos(2_000), 1));
        assert_eq!((say.emits, say.bytes, say.deliveries, say.reads, say.writes), (4, 60, 8, 10, 12));
        assert_eq!(say.wait, Duration::from_millis(3));
    }

    #[test]
    fn names_have_a_bound_and_those_past_it_share_one_line() {
        let costs = HandlerCosts::default();
        let mut many: Vec<String> = (0..NAMES_MAX + 10).map(|number| format!("event-{number:03}")).collect();
        many.sort();
        let handlers = costs.handlers(&many);
        for name in &many {
            handlers.note(handlers.find(name), &TurnCost { cpu_ns: 1, ..TurnCost::default() });
        }
        let read = costs.read();
        assert_eq!(read.len(), NAMES_MAX + 1);
        let others = read.iter().find(|handler| handler.name == OTHERS).unwrap();
        assert_eq!(others.cpu.count(), 10);
    }
}
