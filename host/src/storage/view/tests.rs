//! Reads are true whatever the room settles while they wait for the disk: every order of a few events is tried, with
//! caches that hold everything, something and nothing.

use std::collections::VecDeque;
use std::pin::pin;

use futures_util::future::{FutureExt as _, pending};
use tokio::sync::Semaphore;

use super::*;
use crate::storage::StoredEntry;

const KEYS: [&str; 3] = ["a", "b", "new"];
const NOTHING: BTreeMap<String, Option<Vec<u8>>> = BTreeMap::new();

type Entries = BTreeMap<String, Vec<u8>>;

/// A disk that answers a read when the test lets it, and makes a batch durable when the test says so.
#[derive(Debug)]
struct SteppedDisk {
    entries: Mutex<Entries>,
    answers: Semaphore,
    /// Whether a read that waits finds what is there at its end, not at its begin.
    reads_late: bool,
}

impl SteppedDisk {
    async fn read<T>(&self, work: impl Fn(&Entries) -> T) -> Result<T, StorageError> {
        let early = work(&self.entries.lock());
        self.answers.acquire().await.unwrap().forget();
        Ok(if self.reads_late { work(&self.entries.lock()) } else { early })
    }
}

fn apply(entries: &mut Entries, batch: &Batch) {
    for (key, value) in &batch.writes {
        match value {
            Some(value) => drop(entries.insert(key.clone(), value.clone())),
            None => drop(entries.remove(key)),
        }
    }
}

impl RoomStorage for SteppedDisk {
    fn kept(&self) -> StoredRoom {
        let entries = self.entries.lock();
        let bytes = entries.iter().map(|(key, value)| key.len() + value.len()).sum();
        StoredRoom { bytes, alarm: None, is_known: !entries.is_empty() }
    }

    fn get<'a>(&'a self, keys: &'a [&'a str], _: usize) -> BoxFuture<'a, Result<Vec<Option<Vec<u8>>>, StorageError>> {
        self.read(|entries| keys.iter().map(|key| entries.get(*key).cloned()).collect()).boxed()
    }

    fn scan<'a>(
        &'a self,
        prefix: &'a str,
        after: Option<&'a str>,
        bounds: PageBounds,
    ) -> BoxFuture<'a, Result<StoredPage, StorageError>> {
        let page = move |entries: &Entries| {
            let range = range_of(entries, prefix, after).map(|(key, value)| Ok((key.clone(), value.clone())));
            StoredPage::take::<()>(range, bounds).unwrap()
        };
        self.read(page).boxed()
    }

    fn commit(&self, _: Batch, _: Durability) -> BoxFuture<'static, Result<Durable, StorageError>> {
        pending().boxed()
    }

    fn resume(&self) {}
}

/// What happens while a read waits.
#[derive(Debug, Clone, Copy)]
enum SettleStep {
    /// The oldest batch reaches the disk, and the room does not know it yet.
    Reaches,
    /// The room hears of the oldest batch that it is durable.
    Settles,
    /// The room hears that the batches that have not reached the disk failed.
    Fails,
}

const STEPS: [SettleStep; 3] = [SettleStep::Reaches, SettleStep::Settles, SettleStep::Fails];

/// A room with batches under way.
struct SettlingRoom {
    disk: Arc<SteppedDisk>,
    view: Arc<StorageView>,
    under_way: VecDeque<(BatchNumber, Batch)>,
    /// How many of these the disk has already.
    reached: usize,
}

impl SettlingRoom {
    fn new(stored: &[(&str, usize)], cache_bytes_max: usize, reads_late: bool) -> Self {
        let entries = stored.iter().map(|(key, bytes)| ((*key).to_owned(), vec![0; *bytes])).collect();
        let (entries, answers) = (Mutex::new(entries), Semaphore::new(0));
        let disk = Arc::new(SteppedDisk { entries, answers, reads_late });
        let view = Arc::new(StorageView::new(Arc::clone(&disk) as _, cache_bytes_max));
        Self { disk, view, under_way: VecDeque::new(), reached: 0 }
    }

    fn write(&mut self, key: &str, value: Option<Vec<u8>>) {
        let batch = Batch { writes: [(key.to_owned(), value)].into(), alarm: None };
        let (number, _) = self.view.write(batch.clone(), 0, Durability::Strict);
        self.under_way.push_back((number, batch));
    }

    fn reach(&mut self) {
        if let Some((_, batch)) = self.under_way.get(self.reached) {
            apply(&mut self.disk.entries.lock(), batch);
            self.reached += 1;
        }
    }

    fn settle(&mut self) {
        if self.reached == 0 {
            self.reach();
        }
        if let Some((number, _)) = self.under_way.pop_front() {
            self.reached -= 1;
            self.view.written(number);
        }
    }

    fn step(&mut self, step: SettleStep) {
        match step {
            SettleStep::Reaches => self.reach(),
            SettleStep::Settles => self.settle(),
            SettleStep::Fails => {
                // Answers come in order: those that are durable are heard of first.
                while self.reached > 0 {
                    self.settle();
                }
                self.under_way.clear();
                self.view.failed();
            }
        }
    }

    /// What the room has by all that it was told.
    fn truth(&self) -> Vec<Option<Vec<u8>>> {
        let mut entries = self.disk.entries.lock().clone();
        self.under_way.iter().for_each(|(_, batch)| apply(&mut entries, batch));
        KEYS.iter().map(|key| entries.get(*key).cloned()).collect()
    }

    /// Reads all keys. At each wait for the disk the next steps happen, then the disk answers. No runtime is needed, and
    /// none is there: tokio would have a future that is always ready give way, which looks like a wait.
    fn read(&mut self, mut steps: VecDeque<&[SettleStep]>) -> Vec<Option<Vec<u8>>> {
        let view = Arc::clone(&self.view);
        let mut read = pin!(async move { view.get(&KEYS, &NOTHING, usize::MAX).await.unwrap().unwrap() });
        loop {
            if let Some(values) = read.as_mut().now_or_never() {
                return values;
            }
            steps.pop_front().unwrap_or_default().iter().for_each(|step| self.step(*step));
            self.disk.answers.add_permits(1);
        }
    }
}

/// Every sequence of at most this many steps.
fn sequences(length: usize) -> Vec<Vec<SettleStep>> {
    let mut all = vec![Vec::new()];
    let mut last = all.clone();
    for _ in 0..length {
        last = last.iter().flat_map(|steps| STEPS.map(|step| [steps.as_slice(), &[step]].concat())).collect();
        all.extend_from_slice(&last);
    }
    all
}

/// Batches that are under way when the read begins: the keys that they write, with the bytes of the values.
const UNDER_WAY: [&[(&str, Option<usize>)]; 6] = [
    &[],
    &[("new", Some(1))],
    &[("a", Some(2)), ("new", Some(300))],
    &[("new", Some(1)), ("new", Some(2)), ("b", Some(400))],
    &[("a", None), ("b", Some(900)), ("a", Some(3))],
    &[("b", Some(1)), ("new", Some(5)), ("a", Some(700))],
];

#[test]
fn a_read_is_true_whatever_is_settled_beside_it() {
    let (firsts, seconds) = (sequences(3), sequences(2));
    let mut reads = 0;
    for (under_way, stored) in UNDER_WAY.iter().flat_map(|under_way| STORED.map(|stored| (under_way, stored))) {
        for (cache_bytes_max, reads_late) in
            [0, 150, 300, 600, 100_000].into_iter().flat_map(|max| [(max, false), (max, true)])
        {
            for (first, second) in firsts.iter().flat_map(|first| seconds.iter().map(move |second| (first, second))) {
                let mut room = SettlingRoom::new(stored, cache_bytes_max, reads_late);
                under_way.iter().for_each(|(key, bytes)| room.write(key, bytes.map(|bytes| vec![1; bytes])));
                let before = room.truth();
                let values = room.read([first.as_slice(), second].into());
                let after = room.truth();
                let context = || format!("{under_way:?} over {stored:?}, {cache_bytes_max}, {first:?}, {second:?}");
                for ((value, before), after) in values.iter().zip(&before).zip(&after) {
                    assert!(value == before || value == after, "{}", context());
                }
                assert_eq!(room.read(VecDeque::new()), after, "afterwards: {}", context());
                reads += 1;
            }
        }
    }
    assert!(reads > 50_000, "{reads}");
}

/// What is stored when the read begins.
const STORED: [&[(&str, usize)]; 3] = [&[], &[("a", 10)], &[("a", 60), ("b", 70)]];

#[test]
fn a_small_room_is_read_once_and_a_turns_own_writes_come_first() {
    let mut room = SettlingRoom::new(STORED[2], 100_000, false);
    assert_eq!(room.read(VecDeque::new()), [Some(vec![0; 60]), Some(vec![0; 70]), None]);
    let own = BTreeMap::from([("a".to_owned(), None), ("new".to_owned(), Some(vec![7]))]);
    let values = room.view.get(&KEYS, &own, 71).now_or_never().expect("nothing is left to be read").unwrap();
    assert_eq!(values, Some(vec![None, Some(vec![0; 70]), Some(vec![7])]));
    let values = room.view.get(&KEYS, &own, 70).now_or_never().expect("nothing is left to be read").unwrap();
    assert_eq!(values, None, "more than it may have");
}

/// A room of which so much is in memory and the rest on a disk that answers at once.
fn room_of(stored: &[(&str, usize)], pending: &[(&str, Option<usize>)]) -> SettlingRoom {
    let mut room = SettlingRoom::new(stored, 0, false);
    room.disk.answers.add_permits(10_000);
    pending.iter().for_each(|(key, bytes)| room.write(key, bytes.map(|bytes| vec![1; bytes])));
    room
}

/// All pages of a room, read one behind the other: each within the bounds, and together what there is.
fn all_pages(room: &SettlingRoom, turn: &BTreeMap<String, Option<Vec<u8>>>, bounds: PageBounds) -> Vec<StoredEntry> {
    let (mut all, mut after): (Vec<StoredEntry>, Option<String>) = Default::default();
    loop {
        let read = room.view.scan("", after.as_deref(), bounds, turn).now_or_never().expect("the disk answers at once");
        let StoredPage { entries, is_last } = read.unwrap();
        assert!(entries.len() <= bounds.entries);
        let bytes: usize = entries.iter().map(|(key, value)| key.len() + value.len()).sum();
        assert!(bytes <= bounds.bytes + 1 || entries.len() == 1, "{bytes} of {bounds:?}");
        assert!(is_last || !entries.is_empty(), "a page that is not the last has an entry to go on from");
        after = entries.last().map(|(key, _)| key.clone()).or(after);
        all.extend(entries);
        if is_last {
            return all;
        }
    }
}

/// Wherever the disk's page, the pending batches and the turn's own writes are cut, no entry behind the cut is passed over,
/// and none that was deleted comes back.
#[test]
fn pages_that_are_cut_early_pass_over_nothing() {
    let names: Vec<String> = (b'a'..=b'h').map(|letter| char::from(letter).to_string()).collect();
    // What becomes of each key: on the disk, pending and by the turn, each written small, written large, deleted or not there.
    let choices = [None, Some(Some(1)), Some(Some(40)), Some(None)];
    let mut random = 1_u64;
    let mut choose = |choices: usize| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) as usize % choices
    };
    for round in 0..3_000 {
        let (mut stored, mut pending, mut turn) = (Vec::new(), Vec::new(), BTreeMap::new());
        for name in &names {
            if let Some(Some(bytes)) = choices[choose(3)] {
                stored.push((name.as_str(), bytes));
            }
            if let Some(write) = choices[choose(4)] {
                pending.push((name.as_str(), write));
            }
            if let Some(write) = choices[choose(4)] {
                turn.insert(name.clone(), write.map(|bytes| vec![2; bytes]));
            }
        }
        let room = room_of(&stored, &pending);
        let mut truth: Entries = stored.iter().map(|(key, bytes)| ((*key).to_owned(), vec![0; *bytes])).collect();
        room.under_way.iter().for_each(|(_, batch)| apply(&mut truth, batch));
        apply(&mut truth, &Batch { writes: turn.clone(), alarm: None });
        let truth: Vec<StoredEntry> = truth.into_iter().collect();
        for bounds in [(1, 1_000), (3, 1_000), (100, 0), (100, 41), (100, 90), (2, 41), (100, 10_000)] {
            let bounds = PageBounds { entries: bounds.0, bytes: bounds.1 };
            assert_eq!(
                all_pages(&room, &turn, bounds),
                truth,
                "{round}: {stored:?}, {pending:?}, {turn:?}, {bounds:?}"
            );
        }
    }
}

#[test]
fn all_that_a_room_stores_is_told_and_a_small_room_is_not_read_again_for_it() {
    for (stored, under_way) in STORED.iter().flat_map(|stored| UNDER_WAY.map(|under_way| (stored, under_way))) {
        // From the disk each time, and from memory.
        for cache_bytes_max in [0, 100_000] {
            let mut room = SettlingRoom::new(stored, cache_bytes_max, false);
            under_way.iter().for_each(|(key, bytes)| room.write(key, bytes.map(|bytes| vec![1; bytes])));
            let named = KEYS.iter().zip(room.truth());
            let mut truth: Vec<_> = named.filter_map(|(key, value)| Some(((*key).to_owned(), value?))).collect();
            truth.sort();
            room.disk.answers.add_permits(1);
            let whole = || room.view.whole().now_or_never().map(Result::unwrap);
            let context = format!("{under_way:?} over {stored:?}, {cache_bytes_max}");
            assert_eq!(whole(), Some(truth.clone()), "{context}");
            // Where nothing is stored, nothing was read, and the disk still has an answer to give.
            let is_known = cache_bytes_max > 0 || stored.is_empty();
            assert_eq!(whole(), is_known.then_some(truth), "{context}, again");
        }
    }
}
