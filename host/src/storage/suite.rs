//! What every backend of storage promises; each backend runs this.

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
    room.get(&[key]).await.unwrap().remove(0)
}

async fn keys(room: &Arc<dyn RoomStorage>, prefix: &str, after: Option<&str>, limit: usize) -> Vec<String> {
    room.scan(prefix, after, limit).await.unwrap().into_iter().map(|(key, _)| key).collect()
}

/// Runs every promise against fresh backends.
pub async fn run<S: Storage>(make: impl Fn() -> S) {
    a_committed_batch_is_read_back(&make()).await;
    rooms_never_meet(&make()).await;
    entries_come_in_order_and_in_pages(&make()).await;
    bytes_are_those_of_keys_and_values(&make()).await;
    what_was_written_outlives_its_owner(&make()).await;
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

async fn bytes_are_those_of_keys_and_values(storage: &dyn Storage) {
    let room = storage.open(&key("default", "chat", "default")).await.unwrap();
    commit(&room, batch(&[("ab", Some("1234")), ("c", Some(""))])).await;
    assert_eq!(room.bytes(), 7);
    commit(&room, batch(&[("ab", Some("1")), ("c", None)])).await;
    assert_eq!(room.bytes(), 3);
}

async fn what_was_written_outlives_its_owner(storage: &dyn Storage) {
    let name = key("default", "chat", "default");
    commit(&storage.open(&name).await.unwrap(), batch(&[("k", Some("v"))])).await;
    for other in 0..20 {
        storage.open(&key("default", "chat", &format!("r{other}"))).await.unwrap();
    }
    let room = storage.open(&name).await.unwrap();
    assert_eq!(get(&room, "k").await, Some(b"v".to_vec()));
    assert_eq!(room.bytes(), 2);
}
