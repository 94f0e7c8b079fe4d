//! Tests of storage on disk, in a real folder.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use redb::{Database, TableDefinition};

use std::collections::HashMap;

use super::*;
use crate::clock::Instant;
use crate::model::names::{PluginKey, PluginName, RoomId};
use crate::storage::suite::up_to;
use crate::storage::{Batch, Durability, NobodyPays};

/// A folder for one test, deleted with this value.
struct ScratchStorage(PathBuf);

impl ScratchStorage {
    fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("parlor-durable-{}-{number}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        Self(path)
    }

    fn storage(&self) -> DurableStorage {
        DurableStorage::start(&self.0, 2, Arc::new(NobodyPays), Arc::default()).unwrap()
    }

    fn file(&self) -> PathBuf {
        self.0.join("default.redb")
    }
}

impl Drop for ScratchStorage {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn on(disk: TenantFolder, writers: usize, idle: Duration) -> DurableStorage {
    DurableStorage::on(Arc::new(disk), writers, idle, Arc::new(NobodyPays), Arc::default()).unwrap()
}

fn key(tenant: &str, room: &str) -> RoomKey {
    let plugin = PluginKey { tenant: TenantName::new(tenant).unwrap(), plugin: PluginName::new("chat").unwrap() };
    RoomKey { plugin, room: RoomId::new(room).unwrap() }
}

fn put(name: &str, value: &str) -> Batch {
    Batch { writes: [(name.to_owned(), Some(value.as_bytes().to_vec()))].into(), alarm: None }
}

async fn written(scratch: &ScratchStorage) {
    let storage = scratch.storage();
    let room = storage.open(&key("default", "r")).await.unwrap();
    for number in 0..200 {
        drop(room.commit(put(&format!("k{number}"), &"v".repeat(1_000)), Durability::Relaxed));
    }
    room.commit(put("k", "v"), Durability::Strict).await.unwrap();
}

/// Returns the error with which a room of the tenant cannot be opened, while another tenant's room can.
async fn refused(scratch: &ScratchStorage) -> (StorageErrorKind, String) {
    let storage = scratch.storage();
    let why = storage.open(&key("default", "r")).await.unwrap_err();
    let stored: HashMap<_, _> = storage.stored().await.into_iter().collect();
    let of_tenant = stored[&TenantName::default_tenant()].as_ref().map_err(|why| why.kind);
    assert_eq!(of_tenant.unwrap_err(), why.kind);
    let other = storage.open(&key("other", "r")).await.unwrap();
    other.commit(put("k", "v"), Durability::Strict).await.unwrap();
    assert!(why.message.contains(scratch.file().to_str().unwrap()), "{why}");
    (why.kind, why.message)
}

#[tokio::test]
async fn keeps_the_promises_of_storage() {
    let scratches = Mutex::new(Vec::new());
    let make = || {
        let scratch = ScratchStorage::new();
        let storage = scratch.storage();
        scratches.lock().push(scratch);
        storage
    };
    crate::storage::suite::run(make).await;
}

#[tokio::test]
async fn finds_everything_again() {
    let scratch = ScratchStorage::new();
    crate::storage::suite::outlives_the_process(|| scratch.storage()).await;
}

#[tokio::test]
async fn a_tenant_that_writes_nothing_has_no_file() {
    let scratch = ScratchStorage::new();
    let storage = scratch.storage();
    let room = storage.open(&key("default", "r")).await.unwrap();
    assert_eq!(room.get(&["a", "b"], 1_000).await.unwrap(), [None, None]);
    assert!(room.scan("", None, up_to(10)).await.unwrap().entries.is_empty());
    assert!(!scratch.file().exists());
    room.commit(put("k", "v"), Durability::Strict).await.unwrap();
    let mode = |path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(scratch.file()), mode(scratch.0.clone())), (0o600, 0o700));
    assert_eq!(fs::read_dir(&scratch.0).unwrap().count(), 1, "nothing is left of its making");
}

#[tokio::test]
async fn a_batch_nobody_waits_for_is_durable_soon_and_a_strict_one_takes_it_along() {
    let scratch = ScratchStorage::new();
    let storage = scratch.storage();
    let room = storage.open(&key("default", "r")).await.unwrap();
    room.commit(put("first", "v"), Durability::Strict).await.unwrap();
    let begin = Instant::now();
    room.commit(put("k", "v"), Durability::Relaxed).await.unwrap();
    assert!(begin.elapsed().as_millis() >= 19, "{:?}", begin.elapsed());
    let relaxed = room.commit(put("k", "v"), Durability::Relaxed);
    room.commit(put("l", "v"), Durability::Strict).await.unwrap();
    assert!(relaxed.now_or_never().is_some_and(|answer| answer.is_ok()));
}

/// How a file is damaged.
type Damage = fn(Vec<u8>) -> Vec<u8>;

#[tokio::test]
async fn damaged_files_are_told_and_keep_no_other_tenant() {
    let damages: [(&str, Damage); 6] = [
        ("empty", |_| Vec::new()),
        ("short", |file| file[..40].to_vec()),
        ("of another kind", |_| b"hello ".repeat(1_000)),
        ("half", |file| file[..file.len() / 2].to_vec()),
        ("without pages", |file| [&file[..4_096], &vec![0; file.len() - 4_096]].concat()),
        ("with another start", |file| [&[7; 64], &file[64..]].concat()),
    ];
    for (name, damage) in damages {
        let scratch = ScratchStorage::new();
        written(&scratch).await;
        let good = fs::read(scratch.file()).unwrap();
        fs::write(scratch.file(), damage(good.clone())).unwrap();
        let (kind, message) = refused(&scratch).await;
        assert_eq!(kind, StorageErrorKind::Corrupt, "{name}: {message}");
        fs::write(scratch.file(), good).unwrap();
        let room = scratch.storage().open(&key("default", "r")).await.unwrap();
        assert!(room.kept().is_known, "{name}: a file that was repaired is taken");
    }
}

/// Damage in the middle of a properly closed file shows when that part is read.
#[tokio::test]
async fn damage_met_later_is_an_error_of_that_tenant() {
    let scratch = ScratchStorage::new();
    written(&scratch).await;
    let mut file = fs::read(scratch.file()).unwrap();
    let places: Vec<usize> = file.windows(16).enumerate().filter(|(_, w)| *w == [b'v'; 16]).map(|(at, _)| at).collect();
    for place in places {
        file[place / 4_096 * 4_096..][..64].fill(0xff);
    }
    fs::write(scratch.file(), file).unwrap();
    let storage = scratch.storage();
    let Ok(room) = storage.open(&key("default", "r")).await else { return };
    let why = room.scan("", None, up_to(1_000)).await.unwrap_err();
    assert_eq!(why.kind, StorageErrorKind::Corrupt, "{why}");
    let other = storage.open(&key("other", "r")).await.unwrap();
    other.commit(put("k", "v"), Durability::Strict).await.unwrap();
}

#[tokio::test]
async fn files_of_later_versions_are_left_alone() {
    let scratch = ScratchStorage::new();
    written(&scratch).await;
    {
        let database = Database::open(scratch.file()).unwrap();
        let transaction = database.begin_write().unwrap();
        let meta: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");
        transaction.open_table(meta).unwrap().insert("format", 2).unwrap();
        transaction.commit().unwrap();
    }
    let (kind, message) = refused(&scratch).await;
    assert!(kind == StorageErrorKind::Newer && message.contains("format is 2"), "{kind:?} {message}");
    let mut file = fs::read(scratch.file()).unwrap();
    file[64] = 4;
    fs::write(scratch.file(), file).unwrap();
    let (kind, message) = refused(&scratch).await;
    assert!(kind == StorageErrorKind::Newer && message.contains("later version"), "{kind:?} {message}");
}

#[tokio::test]
async fn a_file_that_another_holds_is_told_and_taken_when_it_is_free() {
    let scratch = ScratchStorage::new();
    written(&scratch).await;
    let held = Database::open(scratch.file()).unwrap();
    assert_eq!(refused(&scratch).await.0, StorageErrorKind::InUse);
    let storage = scratch.storage();
    storage.open(&key("default", "r")).await.unwrap_err();
    drop(held);
    assert!(storage.open(&key("default", "r")).await.unwrap().kept().is_known);
}

/// The tests may run as root, whom permissions do not stop: so a folder stands in the file's place.
#[tokio::test]
async fn a_file_that_cannot_be_opened_is_an_io_error() {
    let scratch = ScratchStorage::new();
    fs::create_dir_all(scratch.file()).unwrap();
    assert_eq!(refused(&scratch).await.0, StorageErrorKind::Io);
}

#[tokio::test]
async fn what_was_queued_is_durable_when_the_store_closes() {
    let scratch = ScratchStorage::new();
    let storage = scratch.storage();
    let room = storage.open(&key("default", "r")).await.unwrap();
    let queued = room.commit(put("k", "v"), Durability::Relaxed);
    drop(storage);
    queued.await.unwrap();
    let late = room.commit(put("l", "v"), Durability::Strict).await.unwrap_err();
    assert!(late.message.contains("closed"), "{late}");
    let storage = scratch.storage();
    let room = storage.open(&key("default", "r")).await.unwrap();
    assert_eq!(room.get(&["k", "l"], 1_000).await.unwrap(), [Some(b"v".to_vec()), None]);
}

#[tokio::test]
async fn many_rooms_share_a_sync() {
    let scratch = ScratchStorage::new();
    let storage = scratch.storage();
    let mut answers = Vec::new();
    for number in 0..50 {
        let room = storage.open(&key("default", &format!("r{number}"))).await.unwrap();
        for value in 0..20 {
            answers.push(room.commit(put("k", &value.to_string()), Durability::Relaxed));
        }
    }
    for answer in answers {
        answer.await.unwrap();
    }
    assert_eq!(storage.rooms(&TenantName::default_tenant()), 50);
    let room = storage.open(&key("default", "r7")).await.unwrap();
    assert_eq!(room.get(&["k"], 1_000).await.unwrap(), [Some(b"19".to_vec())]);
}

/// A server has many tenants, few of which have a room open: it does not keep the others' files open.
#[tokio::test]
async fn a_file_is_closed_when_no_room_is_open() {
    let scratch = ScratchStorage::new();
    let disk = TenantFolder::create(&scratch.0).unwrap();
    let storage = on(disk, 1, Duration::from_millis(30));
    let room = storage.open(&key("default", "r")).await.unwrap();
    room.commit(put("k", "v"), Durability::Strict).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(Database::open(scratch.file()).is_err(), "a room is open");
    drop(room);
    let begin = Instant::now();
    while Database::open(scratch.file()).is_err() {
        assert!(begin.elapsed() < Duration::from_secs(10), "the file is held");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(storage.rooms(&TenantName::default_tenant()), 1);
    let room = storage.open(&key("default", "r")).await.unwrap();
    assert_eq!(room.get(&["k"], 1_000).await.unwrap(), [Some(b"v".to_vec())]);
}

/// A file that is closed at every opportunity is never mistaken for a missing one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn closing_hides_nothing() {
    let scratch = ScratchStorage::new();
    let disk = TenantFolder::create(&scratch.0).unwrap();
    let storage = Arc::new(on(disk, 2, Duration::ZERO));
    let visitors = (0..4).map(|number| {
        let storage = Arc::clone(&storage);
        tokio::spawn(async move {
            let name = key("default", &format!("r{number}"));
            for visit in 0..150 {
                let room = storage.open(&name).await.unwrap();
                let value = (visit > 0).then(|| (visit - 1).to_string().into_bytes());
                assert_eq!((room.kept().is_known, room.get(&["k"], 1_000).await.unwrap()), (visit > 0, vec![value]));
                let written = room.commit(put("k", &visit.to_string()), Durability::Strict);
                drop(room);
                written.await.unwrap();
            }
        })
    });
    let visitors: Vec<_> = visitors.collect();
    for visitor in visitors {
        visitor.await.unwrap();
    }
}

/// An import and a server that both create a tenant's file do not undo each other's work.
#[tokio::test]
async fn two_that_make_the_same_file_do_not_overwrite_each_other() {
    let scratch = ScratchStorage::new();
    let tenant = TenantName::default_tenant();
    let new = inspect::Replacement::begin(&scratch.0, &tenant).unwrap();
    new.add(&[(key("default", "imported"), put("k", "v"))]).unwrap();
    let storage = scratch.storage();
    let room = storage.open(&key("default", "r")).await.unwrap();
    let why = room.commit(put("k", "v"), Durability::Strict).await.unwrap_err();
    assert_eq!(why.kind, StorageErrorKind::InUse, "{why}");
    new.finish().unwrap();
    room.resume();
    room.commit(put("k", "v"), Durability::Strict).await.unwrap();
    assert_eq!(storage.rooms(&tenant), 2);

    // The other way round: the server was first.
    let other = TenantName::new("other").unwrap();
    let disk = TenantFolder::at(&scratch.0);
    file::TenantFile::prepare(&disk, &other).unwrap().close().unwrap();
    fs::copy(scratch.0.join("other.redb-new"), scratch.0.join("other.redb")).unwrap();
    let why = file::TenantFile::install(&disk, &other, false).unwrap_err();
    assert!(why.kind == StorageErrorKind::Io && why.message.contains("other.redb"), "{why}");

    // A crash between the two steps of an installation: the file is not emptied through its second name.
    drop(storage);
    fs::hard_link(scratch.file(), scratch.0.join("default.redb-new")).unwrap();
    drop(inspect::Replacement::begin(&scratch.0, &tenant).unwrap());
    assert_eq!(inspect::Inspected::open(&scratch.0, &tenant).unwrap().unwrap().rooms().unwrap().len(), 2);
}
