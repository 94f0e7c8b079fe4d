//! The promises of storage, as tests that every backend runs.

use futures_util::future::FutureExt as _;

use super::*;
use crate::model::names::{PluginKey, PluginName, RoomId, TenantName};

fn key(tenant: &str, plugin: &str, room: &str) -> RoomKey {
    RoomKey {
        plugin: PluginKey { tenant: TenantName::new(tenant).unwrap(), plugin: PluginName::new(plugin).unwrap() },
        room: RoomId::new(room).unwrap(),
    }
}

fn batch(writes: &[(&str, Option<&str>)]) -> Batch {
    let writes = writes.iter().map(|(key, value)| ((*key).to_owned(), value.map(|text| text.as_bytes().to_vec())));
    Batch { writes: writes.collect(), alarm: None }
}

async fn commit(room: &Arc<dyn RoomStorage>, batch: Batch) {
    room.commit(batch, Durability::Strict).await.unwrap();
}

async fn get(room: &Arc<dyn RoomStorage>, key: &str) -> Option<Vec<u8>> {
    room.get(&[key], usize::MAX).await.unwrap().remove(0)
}

async fn keys(room: &Arc<dyn RoomStorage>, prefix: &str, after: Option<&str>, limit: usize) -> Vec<String> {
    let page = room.scan(prefix, after, up_to(limit)).await.unwrap();
    page.entries.into_iter().map(|(key, _)| key).collect()
}

/// A page of so many entries, whatever their size.
pub fn up_to(entries: usize) -> PageBounds {
    PageBounds { entries, bytes: usize::MAX }
}

/// Tests every promise, each against a fresh backend.
pub async fn run<S: Storage>(make: impl Fn() -> S) {
    a_committed_batch_is_read_back(&make()).await;
    rooms_never_meet(&make()).await;
    entries_come_in_order_and_in_pages(&make()).await;
    reads_stop_at_their_bytes(&make()).await;
    bytes_are_those_of_keys_and_values(&make()).await;
    what_was_written_outlives_its_owner(&make()).await;
    batches_are_taken_in_the_order_of_the_calls(&make()).await;
    batches_that_come_at_once_leave_what_the_last_says(&make()).await;
    an_alarm_is_kept_and_cleared(&make()).await;
    rooms_with_anything_are_counted(&make()).await;
}

/// Tests the promise of a backend on disk: one that is made after it finds everything.
pub async fn outlives_the_process<S: Storage>(make: impl Fn() -> S) {
    let storage = make();
    let names = [key("a", "chat", "one"), key("a", "chat", "two"), key("b", "chat", "one")];
    for (place, name) in names.iter().enumerate() {
        let room = storage.open(name).await.unwrap();
        commit(&room, batch(&[("k", Some("12345"))])).await;
        commit(&room, Batch { alarm: Some(Some(100 - place as UnixMs)), ..Batch::default() }).await;
    }
    commit(&storage.open(&key("c", "chat", "one")).await.unwrap(), batch(&[("k", Some(""))])).await;
    commit(&storage.open(&key("c", "chat", "one")).await.unwrap(), batch(&[("k", None)])).await;
    let expected = vec![
        (names[0].plugin.tenant.clone(), Ok(stored(12, 2, &[(99, &names[1]), (100, &names[0])]))),
        (names[2].plugin.tenant.clone(), Ok(stored(6, 1, &[(98, &names[2])]))),
        (TenantName::new("c").unwrap(), Ok(StoredTenant::default())),
    ];
    assert_eq!(storage.stored().await, expected, "of one that is open");
    drop(storage);
    let storage = make();
    assert_eq!(storage.rooms(&names[0].plugin.tenant), 0, "nobody has looked");
    assert_eq!(storage.stored().await, expected);
    assert_eq!(storage.rooms(&names[0].plugin.tenant), 2);
    for (place, name) in names.iter().enumerate() {
        let room = storage.open(name).await.unwrap();
        assert_eq!(room.kept(), StoredRoom { bytes: 6, alarm: Some(100 - place as UnixMs), is_known: true });
        assert_eq!(get(&room, "k").await, Some(b"12345".to_vec()));
    }
    assert_eq!(storage.stored().await, expected);
}

fn stored(bytes: usize, rooms: usize, alarms: &[(UnixMs, &RoomKey)]) -> StoredTenant {
    StoredTenant { bytes, rooms, alarms: alarms.iter().map(|(due, room)| (*due, (*room).clone())).collect() }
}

/// A batch is queued by the call, not by awaiting the result, and is written even if nobody awaits it.
async fn batches_are_taken_in_the_order_of_the_calls(storage: &dyn Storage) {
    let room = storage.open(&key("default", "chat", "default")).await.unwrap();
    let first = room.commit(batch(&[("k", Some("1"))]), Durability::Relaxed);
    drop(room.commit(batch(&[("k", Some("2")), ("unheard", Some(""))]), Durability::Strict));
    let last = room.commit(batch(&[("k", Some("3"))]), Durability::Strict);
    last.await.unwrap();
    assert_eq!(first.now_or_never().map(|answer| answer.is_ok()), Some(true));
    assert_eq!(get(&room, "k").await, Some(b"3".to_vec()));
    assert_eq!(get(&room, "unheard").await, Some(vec![]));
    drop(room.commit(batch(&[("late", Some(""))]), Durability::Relaxed));
    let next_owner = storage.open(&key("default", "chat", "default")).await.unwrap();
    assert_eq!((next_owner.kept().bytes, get(&next_owner, "late").await), (13, Some(vec![])));
}

/// Several rooms, whose batches overwrite, delete and put back the same keys, and come faster than they are stored.
async fn batches_that_come_at_once_leave_what_the_last_says(storage: &dyn Storage) {
    let mut answers = Vec::new();
    let mut rooms = Vec::new();
    for name in ["b", "a", "ab"] {
        rooms.push(storage.open(&key("default", "chat", name)).await.unwrap());
    }
    for number in 0..50_u64 {
        let text = "v".repeat(number as usize);
        let gone = if number % 2 == 0 { Some("back") } else { None };
        for room in &rooms {
            let entry = format!("entry/{number}");
            let writes = batch(&[("k", Some(&*text)), ("gone", gone), (&*entry, Some("")), ("never", None)]);
            let alarm = if number < 40 { Some(Some(number)) } else { None };
            answers.push(room.commit(Batch { alarm, ..writes }, Durability::Strict));
        }
    }
    for answer in answers {
        answer.await.unwrap();
    }
    for (room, name) in rooms.iter().zip(["b", "a", "ab"]) {
        let found = keys(room, "", None, 100).await;
        assert_eq!((found.len(), get(room, "k").await), (51, Some(vec![b'v'; 49])));
        let bytes = found.iter().map(String::len).sum::<usize>() + 49;
        let kept = room.kept();
        assert_eq!((kept.bytes, kept.alarm), (bytes, Some(39)));
        assert_eq!(storage.open(&key("default", "chat", name)).await.unwrap().kept(), kept);
    }
    for room in &rooms {
        let all = keys(room, "", None, 100).await;
        let writes = all.into_iter().map(|key| (key, None)).collect();
        commit(room, Batch { writes, alarm: Some(None) }).await;
        assert_eq!(room.kept(), StoredRoom::default());
    }
}

async fn an_alarm_is_kept_and_cleared(storage: &dyn Storage) {
    let alarm = |due| Batch { alarm: Some(due), ..Batch::default() };
    let room = storage.open(&key("default", "chat", "default")).await.unwrap();
    assert_eq!(room.kept().alarm, None);
    commit(&room, alarm(Some(7))).await;
    commit(&room, batch(&[("k", Some("v"))])).await;
    assert_eq!(room.kept().alarm, Some(7));
    commit(&room, alarm(Some(9))).await;
    assert_eq!(storage.open(&key("default", "chat", "default")).await.unwrap().kept().alarm, Some(9));
    commit(&room, alarm(None)).await;
    assert_eq!((room.kept().alarm, room.kept().bytes), (None, 2));
}

async fn rooms_with_anything_are_counted(storage: &dyn Storage) {
    let tenant = TenantName::new("t").unwrap();
    let one = storage.open(&key("t", "chat", "one")).await.unwrap();
    let two = storage.open(&key("t", "chat", "two")).await.unwrap();
    assert_eq!((storage.rooms(&tenant), one.kept().is_known), (0, false));
    commit(&one, batch(&[("k", Some(""))])).await;
    commit(&two, Batch { alarm: Some(Some(1)), ..Batch::default() }).await;
    commit(&storage.open(&key("u", "chat", "one")).await.unwrap(), batch(&[("k", Some(""))])).await;
    assert_eq!((storage.rooms(&tenant), one.kept().is_known, two.kept().is_known), (2, true, true));
    commit(&one, batch(&[("k", None), ("l", None)])).await;
    commit(&two, Batch { alarm: Some(None), ..Batch::default() }).await;
    assert_eq!((storage.rooms(&tenant), one.kept().is_known, two.kept().is_known), (0, false, false));
}

async fn a_committed_batch_is_read_back(storage: &dyn Storage) {
    let room = storage.open(&key("default", "chat", "default")).await.unwrap();
    assert_eq!(get(&room, "a").await, None);
    commit(&room, batch(&[("a", Some("1")), ("b", Some(""))])).await;
    commit(&room, batch(&[("a", None), ("c", Some("3")), ("never", None)])).await;
    assert_eq!(get(&room, "a").await, None);
    assert_eq!(get(&room, "b").await, Some(vec![]));
    assert_eq!(get(&room, "c").await, Some(b"3".to_vec()));
}

async fn rooms_never_meet(storage: &dyn Storage) {
    let names = [("t", "p", "r"), ("t", "p", "r2"), ("t", "p2", "r"), ("t2", "p", "r")];
    for (tenant, plugin, room) in names {
        let room = storage.open(&key(tenant, plugin, room)).await.unwrap();
        assert_eq!(get(&room, "k").await, None);
        commit(&room, batch(&[("k", Some(tenant))])).await;
        assert_eq!(keys(&room, "", None, 10).await, ["k"]);
    }
}

async fn entries_come_in_order_and_in_pages(storage: &dyn Storage) {
    let room = storage.open(&key("default", "chat", "default")).await.unwrap();
    commit(&room, batch(&["b/2", "a", "b/1", "b/10", "c", "b"].map(|key| (key, Some("x"))))).await;
    assert_eq!(keys(&room, "b/", None, 10).await, ["b/1", "b/10", "b/2"]);
    assert_eq!(keys(&room, "b/", Some("b/1"), 1).await, ["b/10"]);
    assert_eq!(keys(&room, "b/", Some("a"), 1).await, ["b/1"]);
    assert_eq!(keys(&room, "", Some("b/2"), 10).await, ["c"]);
    assert!(keys(&room, "b/", Some("b/2"), 10).await.is_empty());
    assert!(keys(&room, "z", None, 10).await.is_empty());
}

async fn reads_stop_at_their_bytes(storage: &dyn Storage) {
    let room = storage.open(&key("default", "chat", "default")).await.unwrap();
    let value = "x".repeat(99);
    commit(&room, batch(&["a", "b", "c", "d"].map(|key| (key, Some(value.as_str()))))).await;
    for (bytes, names, is_last) in
        [(0, "a", false), (99, "a", false), (100, "ab", false), (250, "abc", false), (399, "abcd", false)]
    {
        let page = room.scan("", None, PageBounds { entries: 10, bytes }).await.unwrap();
        let found: String = page.entries.into_iter().map(|(key, _)| key).collect();
        assert_eq!((found.as_str(), page.is_last), (names, is_last), "{bytes}");
    }
    let page = room.scan("", Some("c"), PageBounds { entries: 10, bytes: 399 }).await.unwrap();
    assert_eq!((page.entries.len(), page.is_last), (1, true));
    assert!(!room.scan("", None, up_to(4)).await.unwrap().is_last, "nobody has looked behind it");
    for (bytes_max, answered) in [(0, 2), (98, 2), (99, 3), (198, 4), (1_000, 4)] {
        let values = room.get(&["none", "a", "b", "a"], bytes_max).await.unwrap();
        assert_eq!(values.len(), answered, "{bytes_max}");
        assert!(values[0].is_none() && values[1..].iter().flatten().all(|found| found.len() == 99));
    }
}

async fn bytes_are_those_of_keys_and_values(storage: &dyn Storage) {
    let room = storage.open(&key("default", "chat", "default")).await.unwrap();
    commit(&room, batch(&[("ab", Some("1234")), ("c", Some(""))])).await;
    assert_eq!(room.kept().bytes, 7);
    commit(&room, batch(&[("ab", Some("1")), ("c", None)])).await;
    assert_eq!(room.kept().bytes, 3);
}

async fn what_was_written_outlives_its_owner(storage: &dyn Storage) {
    let name = key("default", "chat", "default");
    commit(&storage.open(&name).await.unwrap(), batch(&[("k", Some("v"))])).await;
    for other in 0..20 {
        storage.open(&key("default", "chat", &format!("r{other}"))).await.unwrap();
    }
    let room = storage.open(&name).await.unwrap();
    assert_eq!(get(&room, "k").await, Some(b"v".to_vec()));
    assert_eq!(room.kept().bytes, 2);
}
