//! Answers of the store are true, whatever the disk does. The tests run a script of batches with a fault at every
//! operation, and compare what is stored afterwards with what was answered.

use tokio::time::timeout;

use super::fault_disk::{DiskFault, FaultDisk, FaultPlan};
use super::*;
use crate::clock::Instant;
use crate::model::names::{PluginKey, PluginName, RoomId};
use crate::storage::suite::up_to;
use crate::storage::{Batch, Durability, Durable, StoredPage, UnixMs};

const ROOMS: [&str; 2] = ["one", "two"];
/// How long a test waits for an answer from a dead disk before it mends the disk.
const PATIENCE: Duration = Duration::from_millis(30);
/// How long a test waits for an answer from any other disk.
const LONG: Duration = Duration::from_secs(20);

fn key(tenant: &str, room: &str) -> RoomKey {
    let plugin = PluginKey { tenant: TenantName::new(tenant).unwrap(), plugin: PluginName::new("chat").unwrap() };
    RoomKey { plugin, room: RoomId::new(room).unwrap() }
}

fn batch(writes: &[(&str, Option<usize>)], alarm: Option<Option<UnixMs>>) -> Batch {
    let value = |(key, length): &(&str, Option<usize>)| ((*key).to_owned(), length.map(|length| vec![7; length]));
    Batch { writes: writes.iter().map(value).collect(), alarm }
}

/// The script. Each step commits one batch for each room at once. The batches add keys, overwrite and delete others,
/// set and clear an alarm, and write a value of several pages.
fn script() -> Vec<[Batch; 2]> {
    let of = |writes: &[(&str, Option<usize>)], alarm| batch(writes, alarm);
    vec![
        [of(&[("a", Some(10)), ("b", Some(200))], None), of(&[("a", Some(1))], Some(Some(50)))],
        [of(&[("b", Some(9_000)), ("c", Some(0))], Some(Some(7))), of(&[("d", Some(700))], None)],
        [of(&[("a", None), ("big", Some(20_000))], None), of(&[("a", None), ("d", None)], None)],
        [of(&[("b", None), ("e", Some(33))], Some(None)), of(&[("f", Some(3_000))], Some(None))],
    ]
}

/// What a room must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct ExpectedRoom {
    entries: std::collections::BTreeMap<String, Vec<u8>>,
    alarm: Option<UnixMs>,
}

impl ExpectedRoom {
    fn take(&mut self, batch: &Batch) {
        self.alarm = batch.alarm.unwrap_or(self.alarm);
        for (key, value) in &batch.writes {
            match value {
                Some(value) => drop(self.entries.insert(key.clone(), value.clone())),
                None => drop(self.entries.remove(key)),
            }
        }
    }

    fn bytes(&self) -> usize {
        self.entries.iter().map(|(key, value)| key.len() + value.len()).sum()
    }

    fn is_known(&self) -> bool {
        !self.entries.is_empty() || self.alarm.is_some()
    }
}

/// Both rooms, and what they must hold by the answers so far.
struct ScriptRun {
    storage: DurableStorage,
    rooms: Vec<Arc<dyn RoomStorage>>,
    models: [ExpectedRoom; 2],
}

impl ScriptRun {
    async fn start(disk: &FaultDisk) -> Self {
        let storage = disk.storage(1);
        let mut rooms = Vec::new();
        for room in ROOMS {
            rooms.push(storage.open(&key("t", room)).await.unwrap());
        }
        Self { storage, rooms, models: Default::default() }
    }

    /// Commits a step's batches and collects the answers. An answer that did not come in time is `None`; with `mend`,
    /// the disk is mended first and the answer awaited.
    async fn step(
        &mut self,
        step: &[Batch; 2],
        disk: &FaultDisk,
        mend: bool,
    ) -> Vec<Option<Result<Durable, StorageError>>> {
        let answers: Vec<_> =
            (0..2).map(|room| self.rooms[room].commit(step[room].clone(), Durability::Strict)).collect();
        let mut heard = Vec::new();
        for (room, mut answer) in answers.into_iter().enumerate() {
            let mut told = None;
            let begin = Instant::now();
            while told.is_none() {
                told = timeout(PATIENCE, &mut answer).await.ok();
                if told.is_none() && disk.is_dead() {
                    break;
                }
                assert!(begin.elapsed() < LONG, "no answer");
            }
            if told.is_none() && mend {
                disk.mend();
                told = Some(timeout(LONG, answer).await.expect("the disk answers again"));
            }
            match &told {
                Some(Ok(_)) => self.models[room].take(&step[room]),
                Some(Err(_)) => self.rooms[room].resume(),
                None => {}
            }
            heard.push(told);
        }
        heard
    }

    /// Reads what is stored, as another process would.
    async fn found(disk: &FaultDisk) -> [ExpectedRoom; 2] {
        let storage = disk.storage(1);
        let stored = storage.stored().await;
        let mut found: [ExpectedRoom; 2] = Default::default();
        let (mut bytes, mut known) = (0, 0);
        for (model, name) in found.iter_mut().zip(ROOMS) {
            let room = storage.open(&key("t", name)).await.unwrap();
            let StoredPage { entries, .. } = room.scan("", None, up_to(1_000)).await.unwrap();
            *model = ExpectedRoom { entries: entries.into_iter().collect(), alarm: room.kept().alarm };
            assert_eq!((room.kept().bytes, room.kept().is_known), (model.bytes(), model.is_known()));
            bytes += model.bytes();
            known += usize::from(model.is_known());
        }
        for (_, stored) in stored {
            let stored = stored.unwrap();
            let alarms: Vec<UnixMs> = stored.alarms.iter().map(|(due, _)| *due).collect();
            let mut expected: Vec<UnixMs> = found.iter().filter_map(|model| model.alarm).collect();
            expected.sort_unstable();
            assert_eq!((stored.bytes, stored.rooms, alarms), (bytes, known, expected));
        }
        assert_eq!(storage.rooms(&TenantName::new("t").unwrap()), known);
        found
    }
}

/// Runs the script once for each operation, with a fault at that operation. Returns how many operations there are.
async fn everywhere(fault: DiskFault, for_good: bool) -> usize {
    for after in 0.. {
        let disk = FaultDisk::default();
        let mut run = ScriptRun::start(&disk).await;
        disk.plan(FaultPlan { fault, after, for_good });
        for step in script() {
            run.step(&step, &disk, true).await;
        }
        for (room, model) in run.rooms.iter().zip(&run.models) {
            disk.mend();
            let StoredPage { entries, .. } = room.scan("", None, up_to(100)).await.unwrap();
            assert_eq!(entries.into_iter().collect::<std::collections::BTreeMap<_, _>>(), model.entries);
            assert_eq!((room.kept().bytes, room.kept().alarm), (model.bytes(), model.alarm), "{fault:?} after {after}");
        }
        let ScriptRun { storage, models, .. } = run;
        drop(storage);
        assert_eq!(ScriptRun::found(&disk).await, models, "{fault:?} after {after}");
        if !disk.fired() {
            return after;
        }
    }
    0
}

#[tokio::test]
async fn answers_are_true_when_one_operation_fails() {
    for fault in [DiskFault::Fails, DiskFault::Torn, DiskFault::SyncLoses, DiskFault::SyncLies] {
        let places = everywhere(fault, false).await;
        assert!(places > 40, "{fault:?}: only {places} operations");
    }
}

#[tokio::test]
async fn answers_are_true_when_the_disk_stops_until_it_is_mended() {
    for fault in [DiskFault::Fails, DiskFault::SyncLies] {
        everywhere(fault, true).await;
    }
}

/// A batch is stored or not, as it was answered; a batch without an answer is stored as a whole or not at all.
#[tokio::test]
async fn answers_are_true_after_a_power_cut() {
    for after in 0.. {
        let mut fired = true;
        for seed in 0..6 {
            let disk = FaultDisk::default();
            let mut run = ScriptRun::start(&disk).await;
            disk.plan(FaultPlan { fault: DiskFault::PowerCut, after, for_good: true });
            let mut under_way = None;
            for step in script() {
                let heard = run.step(&step, &disk, false).await;
                if heard.iter().any(Option::is_none) {
                    under_way = Some((step, heard));
                    break;
                }
            }
            fired = disk.fired();
            let ScriptRun { storage, models, .. } = run;
            disk.power_on(seed);
            drop(storage);
            let found = ScriptRun::found(&disk).await;
            for room in 0..2 {
                let mut done = models[room].clone();
                let open = under_way.as_ref().filter(|(_, heard)| heard[room].is_none());
                open.iter().for_each(|(step, _)| done.take(&step[room]));
                assert!(
                    found[room] == models[room] || found[room] == done,
                    "after {after}, seed {seed}: {found:?} is neither {models:?} nor {done:?}"
                );
            }
        }
        if !fired {
            assert!(after > 40, "only {after} operations");
            return;
        }
    }
}

/// The store reports a full disk as full, can still be read, and goes on when there is space again.
#[tokio::test]
async fn a_full_disk() {
    let mut full = 0;
    for blocks in 0..24 {
        let disk = FaultDisk::default();
        let mut run = ScriptRun::start(&disk).await;
        disk.leave_blocks(blocks);
        for (place, step) in script().into_iter().chain(script()).enumerate() {
            if place == 4 {
                disk.mend();
            }
            let heard = run.step(&step, &disk, false).await;
            for answer in heard {
                match answer.expect("a full disk answers") {
                    Ok(_) => {}
                    Err(why) if why.kind == StorageErrorKind::Full && place < 4 => full += 1,
                    Err(why) => panic!("{blocks} blocks, step {place}: {why:?}"),
                }
            }
            for (room, model) in run.rooms.iter().zip(&run.models) {
                let page =
                    room.scan("", None, up_to(100)).await.unwrap_or_else(|why| panic!("{blocks} blocks: {why:?}"));
                assert_eq!(page.entries.len(), model.entries.len(), "{blocks} blocks, step {place}");
            }
        }
        let ScriptRun { storage, models, .. } = run;
        drop(storage);
        assert_eq!(ScriptRun::found(&disk).await, models, "{blocks} blocks");
    }
    assert!(full > 20, "{full}");
}

/// The first failed batch of a room says why. Later ones fail because of it, until the room resumes.
#[tokio::test]
async fn batches_behind_a_failed_one_follow_until_the_room_resumes() {
    let disk = FaultDisk::default();
    let ScriptRun { storage, rooms, .. } = ScriptRun::start(&disk).await;
    let put = |name| batch(&[(name, Some(3))], None);
    rooms[0].commit(put("before"), Durability::Strict).await.unwrap();
    disk.slow_sync("t", Duration::from_millis(50));
    disk.plan(FaultPlan { fault: DiskFault::Fails, after: 0, for_good: false });
    let queued: Vec<_> = ["x", "y", "z"].map(|name| rooms[0].commit(put(name), Durability::Relaxed)).into();
    let mut kinds = Vec::new();
    for answer in queued {
        kinds.push(answer.await.unwrap_err().kind);
    }
    assert_eq!(kinds, [StorageErrorKind::Io, StorageErrorKind::Follows, StorageErrorKind::Follows]);
    let late = rooms[0].commit(put("late"), Durability::Strict).await.unwrap_err();
    assert_eq!(late.kind, StorageErrorKind::Follows);
    rooms[1].commit(put("other"), Durability::Strict).await.unwrap();
    rooms[0].resume();
    rooms[0].commit(put("again"), Durability::Strict).await.unwrap();
    let StoredPage { entries, .. } = rooms[0].scan("", None, up_to(10)).await.unwrap();
    let names: Vec<String> = entries.into_iter().map(|(key, _)| key).collect();
    assert_eq!(names, ["again", "before"]);
    drop(storage);
}

#[tokio::test]
async fn a_tenants_slow_disk_keeps_no_other_waiting() {
    let disk = FaultDisk::default();
    let storage = disk.storage(2);
    let slow = storage.open(&key("slow", "r")).await.unwrap();
    let quick = storage.open(&key("quick", "r")).await.unwrap();
    let put = || batch(&[("k", Some(3))], None);
    slow.commit(put(), Durability::Strict).await.unwrap();
    disk.slow_sync("slow", Duration::from_millis(1_500));
    let begin = Instant::now();
    let waits = slow.commit(put(), Durability::Strict);
    for _ in 0..20 {
        quick.commit(put(), Durability::Strict).await.unwrap();
        quick.get(&["k"], 1_000).await.unwrap();
    }
    assert!(begin.elapsed() < Duration::from_millis(1_200), "{:?}", begin.elapsed());
    waits.await.unwrap();
    assert!(begin.elapsed() >= Duration::from_millis(1_500));
    disk.slow_sync("slow", Duration::ZERO);
}
