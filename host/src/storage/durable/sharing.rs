//! How tenants share the storage: each pays for what threads do for it and waits while it owes, a panic is that of the tenant
//! it happened for, and a file that is gone ends the rooms of its tenant alone.

use std::collections::BTreeMap;

use super::fault_disk::{DiskFault, FaultDisk, FaultPlan};
use super::pool::PoolPlace;
use super::*;
use crate::clock::Instant;
use crate::model::names::{PluginKey, PluginName, RoomId};
use crate::storage::suite::up_to;
use crate::storage::{Batch, Durability, Durable, Payer};

type OpenedRoom = Arc<dyn RoomStorage>;

/// What each tenant was charged, and how long the tenant `owes` has to wait.
#[derive(Debug, Default)]
struct Bills(Mutex<BTreeMap<TenantName, Duration>>);

#[derive(Debug)]
struct Billed(Arc<Bills>, TenantName);

#[derive(Debug)]
struct Billing(Arc<Bills>);

impl Payers for Billing {
    fn payer(&self, tenant: &TenantName) -> Arc<dyn Payer> {
        Arc::new(Billed(Arc::clone(&self.0), tenant.clone()))
    }
}

impl Payer for Billed {
    fn charge(&self, cpu: Duration) {
        *self.0.0.lock().entry(self.1.clone()).or_default() += cpu;
    }

    fn owes(&self) -> Duration {
        Duration::from_secs(if self.1.as_str() == "owes" { 3_600 } else { 0 })
    }

    fn weight(&self) -> u32 {
        if self.1.as_str() == "heavy" { 3 } else { 1 }
    }
}

impl Bills {
    fn of(&self, tenant: &str) -> Duration {
        self.0.lock().get(&TenantName::new(tenant).unwrap()).copied().unwrap_or_default()
    }

    /// Waits until a tenant was charged more. A thread charges it after it has answered.
    async fn more_than(&self, tenant: &str, before: Duration) -> Duration {
        let begin = Instant::now();
        while self.of(tenant) <= before {
            assert!(begin.elapsed() < Duration::from_secs(10), "nobody is charged");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        self.of(tenant)
    }
}

/// A store with one writer on a disk, with the bills of its tenants and its watchdog.
fn billed(disk: &FaultDisk, idle: Duration) -> (DurableStorage, Arc<Bills>, Arc<Watchdog>) {
    let (bills, watchdog) = (Arc::<Bills>::default(), Arc::<Watchdog>::default());
    let payers = Arc::new(Billing(Arc::clone(&bills)));
    let storage = DurableStorage::on(disk.shared(), 1, idle, payers, Arc::clone(&watchdog)).unwrap();
    (storage, bills, watchdog)
}

fn key(tenant: &str, room: &str) -> RoomKey {
    let plugin = PluginKey { tenant: TenantName::new(tenant).unwrap(), plugin: PluginName::new("chat").unwrap() };
    RoomKey { plugin, room: RoomId::new(room).unwrap() }
}

fn put(name: &str) -> Batch {
    Batch { writes: [(name.to_owned(), Some(b"v".to_vec()))].into(), alarm: None }
}

async fn write(room: &OpenedRoom, name: &str) -> Result<Durable, StorageError> {
    room.commit(put(name), Durability::Strict).await
}

async fn keys(room: &OpenedRoom) -> Result<Vec<String>, StorageError> {
    Ok(room.scan("", None, up_to(100)).await?.entries.into_iter().map(|(key, _)| key).collect())
}

#[tokio::test]
async fn a_tenant_pays_for_all_that_threads_do_for_it() {
    let disk = FaultDisk::default();
    let (storage, bills, _) = billed(&disk, Duration::ZERO);
    let room = storage.open(&key("pays", "r")).await.unwrap();
    let mut paid = bills.more_than("pays", Duration::ZERO).await;
    write(&room, "k").await.unwrap();
    paid = bills.more_than("pays", paid).await;
    room.get(&["k"], 10).await.unwrap();
    paid = bills.more_than("pays", paid).await;
    keys(&room).await.unwrap();
    paid = bills.more_than("pays", paid).await;
    storage.stored().await;
    paid = bills.more_than("pays", paid).await;
    // A batch of which nobody awaits the answer, and then the closing of the file.
    drop(room.commit(put("l"), Durability::Relaxed));
    paid = bills.more_than("pays", paid).await;
    drop(room);
    bills.more_than("pays", paid).await;
    assert_eq!(bills.of("other"), Duration::ZERO);
}

#[tokio::test]
async fn a_tenant_that_owes_waits_for_its_turns_and_no_other_does() {
    let disk = FaultDisk::default();
    let (storage, ..) = billed(&disk, IDLE);
    let begin = Instant::now();
    let debtor = storage.open(&key("owes", "r")).await.unwrap();
    write(&debtor, "k").await.unwrap();
    debtor.get(&["k"], 10).await.unwrap();
    assert!(begin.elapsed() >= Duration::from_millis(300), "{:?}", begin.elapsed());
    // Reads of the debtor wait in its own line; another tenant's pass them.
    let other = storage.open(&key("other", "r")).await.unwrap();
    let waiting: Vec<_> = (0..20).map(|_| debtor.get(&["k"], 10)).collect();
    for number in 0..20 {
        write(&other, &number.to_string()).await.unwrap();
        keys(&other).await.unwrap();
    }
    let answered = waiting.into_iter().filter_map(|answer| answer.now_or_never()).count();
    assert!(answered < 20, "all reads of the debtor came first");
}

#[tokio::test]
async fn the_threads_know_each_tenants_weight() {
    let (storage, ..) = billed(&FaultDisk::default(), IDLE);
    let tenants = ["heavy", "light"].map(|name| storage.shared.tenant(&TenantName::new(name).unwrap()));
    let places: [fn(&TenantStore) -> &PoolPlace; 2] = [|tenant| &tenant.writing, |tenant| &tenant.reading];
    for place in places {
        let line = Pool::default();
        (0..2).for_each(|number| line.push(place(&tenants[number]), number));
        let mut served = [0_usize; 2];
        for _ in 0..400 {
            let number: usize = line.next().unwrap();
            served[number] += 1;
            place(&tenants[number]).count(Duration::from_millis(9));
            line.push(place(&tenants[number]), number);
        }
        assert!(served[0].abs_diff(300) <= 2, "{served:?}");
    }
}

/// Waits until the watchdog knows of so many faults of a kind of thread.
async fn told(watchdog: &Watchdog, thread: &'static str, faults: u64) {
    let begin = Instant::now();
    while !watchdog.restarts().contains(&(thread, faults)) {
        assert!(begin.elapsed() < Duration::from_secs(10), "{:?}", watchdog.restarts());
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(watchdog.down(), [thread]);
}

#[tokio::test]
async fn a_panic_in_a_write_is_an_error_of_its_group_and_ends_no_thread() {
    let disk = FaultDisk::default();
    let (storage, _, watchdog) = billed(&disk, IDLE);
    let (one, two) = (storage.open(&key("t", "one")).await.unwrap(), storage.open(&key("t", "two")).await.unwrap());
    write(&one, "before").await.unwrap();
    disk.panic_once("t");
    let (lost, follows) = (write(&one, "lost"), write(&one, "follows"));
    let (lost, follows) = tokio::join!(lost, follows);
    for error in [lost.unwrap_err(), follows.unwrap_err()] {
        assert!(error.message.contains("t on the fault disk"), "{error}");
    }
    told(&watchdog, WRITING, 1).await;
    // The only writer serves on, this tenant too.
    write(&storage.open(&key("other", "r")).await.unwrap(), "k").await.unwrap();
    write(&two, "k").await.unwrap();
    one.resume();
    write(&one, "again").await.unwrap();
    assert_eq!(keys(&one).await.unwrap(), ["again", "before"]);
}

#[tokio::test]
async fn a_panic_in_a_read_is_an_error_of_that_read_and_ends_no_thread() {
    let disk = FaultDisk::default();
    let (storage, _, watchdog) = billed(&disk, IDLE);
    let room = storage.open(&key("t", "r")).await.unwrap();
    write(&room, "k").await.unwrap();
    for number in 1..=READERS as u64 + 1 {
        storage.shared.tenant(&TenantName::new("t").unwrap()).slot.distrust();
        disk.panic_once("t");
        let error = keys(&room).await.unwrap_err();
        assert!(error.message.contains("a bug in the server"), "{error}");
        assert_eq!(keys(&room).await.unwrap(), ["k"]);
        told(&watchdog, READING, number).await;
    }
}

#[tokio::test]
async fn a_file_that_was_removed_takes_no_more_writes_and_ends_its_tenants_rooms() {
    let disk = FaultDisk::default();
    let storage = disk.storage(1);
    let (one, two) = (storage.open(&key("t", "one")).await.unwrap(), storage.open(&key("t", "two")).await.unwrap());
    let other = storage.open(&key("other", "r")).await.unwrap();
    write(&one, "before").await.unwrap();
    disk.take_away("t");
    let why = write(&one, "lost").await.unwrap_err();
    assert!(why.kind == StorageErrorKind::Gone && why.message.contains("t on the fault disk"), "{why:?}");
    // Rooms that know what the file said learn of it by their next read or write, and others do not open.
    one.resume();
    for kind in [
        write(&one, "again").await.unwrap_err().kind,
        write(&two, "k").await.unwrap_err().kind,
        keys(&two).await.unwrap_err().kind,
        storage.open(&key("t", "three")).await.unwrap_err().kind,
    ] {
        assert_eq!(kind, StorageErrorKind::Gone);
    }
    write(&other, "k").await.unwrap();
    // A file is put back: rooms open on it, and those from before stay ended.
    disk.put_copy_back("t");
    let again = storage.open(&key("t", "one")).await.unwrap();
    assert_eq!(keys(&again).await.unwrap(), ["before"]);
    write(&again, "after").await.unwrap();
    two.resume();
    assert_eq!(write(&two, "k").await.unwrap_err().kind, StorageErrorKind::Gone);
    // Or another one begins without: the tenant has nothing then.
    disk.take_away("t");
    assert_eq!(write(&again, "lost").await.unwrap_err().kind, StorageErrorKind::Gone);
    drop(storage);
    let storage = disk.storage(1);
    let new = storage.open(&key("t", "one")).await.unwrap();
    write(&new, "new").await.unwrap();
    assert_eq!(keys(&new).await.unwrap(), ["new"]);
}

#[tokio::test]
async fn a_file_that_was_replaced_is_not_taken_for_the_one_that_rooms_know() {
    let disk = FaultDisk::default();
    let storage = disk.storage(1);
    let room = storage.open(&key("t", "r")).await.unwrap();
    write(&room, "before").await.unwrap();
    disk.take_away("t");
    disk.put_copy_back("t");
    assert_eq!(write(&room, "lost").await.unwrap_err().kind, StorageErrorKind::Gone);
    let room = storage.open(&key("t", "r")).await.unwrap();
    assert_eq!(keys(&room).await.unwrap(), ["before"]);
}

/// What another file says tells nothing of a group of which nobody knows whether it reached the one before.
#[tokio::test]
async fn a_file_that_is_replaced_while_a_group_is_in_doubt_does_not_settle_it() {
    for after in 0..40 {
        let disk = FaultDisk::default();
        let storage = disk.storage(1);
        let room = storage.open(&key("t", "r")).await.unwrap();
        write(&room, "before").await.unwrap();
        disk.plan(FaultPlan { fault: DiskFault::SyncLies, after, for_good: true });
        let mut doubtful = room.commit(put("doubtful"), Durability::Strict);
        if tokio::time::timeout(Duration::from_millis(100), &mut doubtful).await.is_ok() {
            disk.mend();
            continue;
        }
        disk.take_away("t");
        disk.put_copy_back("t");
        disk.mend();
        assert_eq!(doubtful.await.unwrap_err().kind, StorageErrorKind::Gone);
        let room = storage.open(&key("t", "r")).await.unwrap();
        return assert!(keys(&room).await.unwrap().contains(&"before".to_owned()));
    }
    panic!("no group was in doubt");
}

/// The name of a file that nobody has open may come and go.
#[tokio::test]
async fn a_file_that_is_removed_while_it_is_closed_is_not_missed() {
    let disk = FaultDisk::default();
    let (storage, ..) = billed(&disk, Duration::ZERO);
    let room = storage.open(&key("t", "r")).await.unwrap();
    write(&room, "before").await.unwrap();
    drop(room);
    let begin = Instant::now();
    while storage.shared.tenant(&TenantName::new("t").unwrap()).slot.is_open() {
        assert!(begin.elapsed() < Duration::from_secs(10), "the file stays open");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    disk.take_away("t");
    let room = storage.open(&key("t", "r")).await.unwrap();
    write(&room, "new").await.unwrap();
    assert_eq!(keys(&room).await.unwrap(), ["new"]);
}
