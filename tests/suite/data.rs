//! `parlor data`: what an operator does with a tenant's file, with data that the library's own backend wrote.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parlor::model::names::{PluginKey, PluginName, RoomId, RoomKey, TenantName};
use parlor::storage::durable::DurableStorage;
use parlor::storage::{Batch, Durability, NobodyPays, Storage, UnixMs};

use crate::harness::command::{Said, parlor};

/// A working folder with a server's folder of data in it.
struct Data(PathBuf);

impl Data {
    fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("data-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }

    fn storage(&self) -> DurableStorage {
        DurableStorage::start(&self.0.join("parlor-data/tenants"), 1, Arc::new(NobodyPays), Arc::default())
            .expect("storage")
    }

    fn file(&self, tenant: &str) -> PathBuf {
        self.0.join(format!("parlor-data/tenants/{tenant}.redb"))
    }

    /// `parlor data` with these arguments.
    fn run(&self, arguments: &[&str]) -> Said {
        parlor(&self.0, &[&["data"], arguments].concat())
    }

    fn read(&self, file: &str) -> String {
        fs::read_to_string(self.0.join(file)).expect("a file")
    }

    fn write(&self, file: &str, text: &str) {
        fs::write(self.0.join(file), text).expect("a file");
    }
}

impl Drop for Data {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn key(tenant: &str, room: &str) -> RoomKey {
    let plugin = PluginKey {
        tenant: TenantName::new(tenant).expect("a name"),
        plugin: PluginName::new("chat").expect("a name"),
    };
    RoomKey { plugin, room: RoomId::new(room).expect("a name") }
}

/// Two rooms of `acme`: one with entries of every kind, one with an alarm alone.
async fn fill(storage: &dyn Storage) {
    let entries = [("a", &b"1"[..]), ("empty", b""), ("a\0b\n\u{1f600}", b"\xff\x00binary"), ("long", &[7; 5_000])];
    let writes: BTreeMap<_, _> = entries.iter().map(|(key, value)| ((*key).to_owned(), Some(value.to_vec()))).collect();
    let alarm = |due: UnixMs| Some(Some(due));
    for (room, batch) in [
        ("big", Batch { writes, alarm: alarm(1_000) }),
        ("sleeper", Batch { writes: BTreeMap::new(), alarm: alarm(4_000_000_000_000) }),
    ] {
        let room = storage.open(&key("acme", room)).await.expect("a room");
        room.commit(batch, Durability::Strict).await.expect("durable");
    }
}

#[tokio::test]
async fn what_is_exported_is_imported_again() {
    let data = Data::new("round-trip");
    fill(&data.storage()).await;
    assert!(data.run(&["export", "acme", "--out", "acme.jsonl"]).success);
    let exported = data.read("acme.jsonl");
    let kinds: Vec<String> = exported
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON")["kind"].to_string())
        .collect();
    let expected = ["header", "room", "room", "entry", "entry", "entry", "entry", "end"];
    assert_eq!(kinds, expected.map(|kind| format!("{kind:?}")));
    assert_eq!(data.run(&["export", "acme"]).out, exported, "the same on standard output");

    // As another tenant's, elsewhere.
    let said = data.run(&["import", "umbrella", "acme.jsonl", "--data", "other"]);
    assert!(said.success && said.out == "imported 4 entries of 2 rooms for the tenant umbrella\n", "{said:?}");
    let again = data.run(&["export", "umbrella", "--data", "other"]).out;
    assert_eq!(again, exported.replace("\"tenant\":\"acme\"", "\"tenant\":\"umbrella\""));
    let said = data.run(&["check", "umbrella", "--data", "other"]);
    assert!(said.success && said.out.ends_with("is in order: 2 rooms, 4 entries, 4.9 KiB\n"), "{said:?}");
    let left: Vec<_> = fs::read_dir(data.0.join("other/tenants")).expect("a folder").collect();
    assert_eq!(left.len(), 1, "{left:?}");

    let storage =
        DurableStorage::start(&data.0.join("other/tenants"), 1, Arc::new(NobodyPays), Arc::default()).expect("storage");
    let room = storage.open(&key("umbrella", "big")).await.expect("a room");
    assert_eq!((room.kept().bytes, room.kept().alarm), (5_027, Some(1_000)));
    assert_eq!(room.get(&["a\0b\n\u{1f600}"], 1_000).await.expect("read"), [Some(b"\xff\x00binary".to_vec())]);
}

#[tokio::test]
async fn what_a_tenant_has_is_replaced_only_when_told_to() {
    let data = Data::new("replace");
    fill(&data.storage()).await;
    data.write("none.jsonl", &export(&[], 0, 0));
    let said = data.run(&["import", "acme", "none.jsonl"]);
    assert!(!said.success && said.err.contains("acme.redb; --replace replaces it"), "{said:?}");
    assert!(data.run(&["stats", "acme"]).out.contains("rooms    2"));
    assert!(data.run(&["import", "acme", "none.jsonl", "--replace"]).success);
    assert!(data.run(&["stats", "acme"]).out.contains("rooms    0"));
}

/// The text of an export.
fn export(lines: &[&str], rooms: u64, entries: u64) -> String {
    let mut text = "{\"kind\":\"header\",\"format\":\"parlor-export\",\"version\":1,\"tenant\":\"t\"}\n".to_owned();
    lines.iter().for_each(|line| text.push_str(&format!("{line}\n")));
    text + &format!("{{\"kind\":\"end\",\"rooms\":{rooms},\"entries\":{entries}}}\n")
}

/// A bad line is named with its number and what is wrong, and what was there stays.
#[tokio::test]
async fn a_bad_export_changes_nothing() {
    let data = Data::new("bad");
    fill(&data.storage()).await;
    let before = data.run(&["export", "acme"]).out;
    let entry = r#"{"kind":"entry","plugin":"chat","room":"r","key":"k","value":"MQ=="}"#;
    let cut = export(&[entry], 0, 1);
    let cut_in_line = &cut[..cut.len() - 20];
    let cut_between = &cut[..cut.trim_end().rfind('\n').expect("lines") + 1];
    for (text, words) in [
        ("", "line 1"),
        ("hello\n", "line 1 of bad.jsonl: it is no line of an export"),
        (cut_between, "bad.jsonl ends at line 3, before its last line: it was cut off"),
        (cut_in_line, "line 3 of bad.jsonl: it does not end"),
        (&export(&[entry], 0, 2), "line 3 of bad.jsonl: it counts 0 rooms and 2 entries, and there were 0 and 1"),
        (&export(&[entry, entry], 0, 2), "line 3 of bad.jsonl: it names an entry for the second time"),
        (&(cut.clone() + "\n"), "goes on behind its end, at line 4"),
        (&cut.replace("MQ==", "%"), "line 2 of bad.jsonl: its value is no base64"),
        (&cut.replace("chat", "Chat"), "line 2 of bad.jsonl: a plugin's name must be"),
        (&cut.replace(":\"r\"", ":\"r r\""), "line 2 of bad.jsonl: a room's id must be"),
        (&cut.replace("parlor-export", "tar"), "line 1 of bad.jsonl: it is a \"tar\""),
        (&cut.replace("version\":1", "version\":2"), "line 1 of bad.jsonl: a later version of Parlor wrote it"),
        (&export(&[&cut], 0, 1), "line 2 of bad.jsonl: a header comes first, and once"),
        (&cut.lines().skip(1).collect::<Vec<_>>().join("\n"), "line 1 of bad.jsonl: a header comes first"),
    ] {
        data.write("bad.jsonl", text);
        let said = data.run(&["import", "acme", "bad.jsonl", "--replace"]);
        assert!(!said.success && said.err.contains(words), "{words}: {said:?}");
        assert_eq!(said.err.lines().count(), 1, "{said:?}");
    }
    assert_eq!(data.run(&["export", "acme"]).out, before);
    let left = fs::read_dir(data.0.join("parlor-data/tenants")).expect("a folder").count();
    assert_eq!(left, 1, "nothing is left of them");
}

/// Twice the same entry is noticed also where other rooms stand between.
#[test]
fn an_entry_that_comes_back_is_noticed() {
    let data = Data::new("twice");
    let entry = |room: &str| format!(r#"{{"kind":"entry","plugin":"chat","room":"{room}","key":"k","value":""}}"#);
    data.write("twice.jsonl", &export(&[&entry("a"), &entry("b"), &entry("a")], 0, 3));
    let said = data.run(&["import", "t", "twice.jsonl"]);
    assert!(!said.success && said.err.contains("has 3 entries, and names 1 of them twice"), "{said:?}");
    assert!(!data.file("t").exists());
}

#[tokio::test]
async fn stats_name_the_biggest_rooms() {
    let data = Data::new("stats");
    fill(&data.storage()).await;
    let text = data.run(&["stats", "acme"]).out;
    for words in ["rooms    2", "keys     4", "bytes    4.9 KiB", "alarms   2, the next overdue", "chat/big"] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let json: serde_json::Value = serde_json::from_str(&data.run(&["stats", "acme", "--json"]).out).expect("JSON");
    assert_eq!((json["rooms"].as_u64(), json["bytes"].as_u64()), (Some(2), Some(5_027)));
    assert_eq!(json["biggest"][0]["room"], "big");
    assert_eq!(json["biggest"][1]["alarm"], 4_000_000_000_000_u64);
}

#[tokio::test]
async fn a_file_that_is_not_in_order_is_told() {
    let data = Data::new("check");
    fill(&data.storage()).await;
    {
        let database = redb::Database::open(data.file("acme")).expect("the file");
        let entries: redb::TableDefinition<'_, &[u8], &[u8]> = redb::TableDefinition::new("entries");
        let transaction = database.begin_write().expect("a transaction");
        let mut table = transaction.open_table(entries).expect("a table");
        table.remove(b"chat\0big\0a".as_slice()).expect("removed");
        table.insert(b"chat\0unlisted\0a".as_slice(), b"1".as_slice()).expect("inserted");
        drop(table);
        transaction.commit().expect("durable");
    }
    let said = data.run(&["check", "acme"]);
    assert!(!said.success, "{said:?}");
    for words in ["acme/chat/big counts 4 keys and 5027 bytes, and has 3 and 5025", "acme/chat/unlisted has 1 keys"] {
        assert!(said.out.contains(words), "{words}: {said:?}");
    }
    assert!(said.err.contains("acme.redb is not in order: 2 of its parts"), "{said:?}");

    let length = fs::metadata(data.file("acme")).expect("the file").len();
    fs::File::options().write(true).open(data.file("acme")).expect("the file").set_len(length / 2).expect("cut");
    let said = data.run(&["check", "acme"]);
    assert!(!said.success && said.err.contains("acme.redb is damaged: "), "{said:?}");
}

#[tokio::test]
async fn a_file_that_a_server_holds_is_left_alone() {
    let data = Data::new("held");
    let storage = data.storage();
    fill(&storage).await;
    data.write("none.jsonl", &export(&[], 0, 0));
    for arguments in [
        &["check", "acme"][..],
        &["stats", "acme"],
        &["export", "acme"],
        &["import", "acme", "none.jsonl", "--replace"],
        &["delete", "acme", "--yes"],
    ] {
        let said = data.run(arguments);
        let words = "parlor-data/tenants/acme.redb is in use by another process\n";
        assert!(!said.success && said.err.ends_with(words), "{arguments:?}: {said:?}");
        assert_eq!(said.err.lines().count(), 1, "{said:?}");
    }
    drop(storage);
    assert!(data.run(&["check", "acme"]).success);
}

#[tokio::test]
async fn deleting_wants_a_yes() {
    let data = Data::new("delete");
    fill(&data.storage()).await;
    let said = data.run(&["delete", "acme"]);
    assert!(!said.success && said.err.contains("--yes") && data.file("acme").exists(), "{said:?}");
    fs::write(data.file("acme"), "damaged").expect("the file");
    assert!(data.run(&["delete", "acme", "--yes"]).success && !data.file("acme").exists());
    for arguments in [&["delete", "acme", "--yes"][..], &["check", "acme"], &["stats", "acme"], &["export", "acme"]] {
        let said = data.run(arguments);
        assert!(!said.success && said.err.contains("the tenant acme keeps nothing"), "{arguments:?}: {said:?}");
    }
    let said = data.run(&["check", "Bad"]);
    assert!(!said.success && said.err.contains("\"Bad\": a tenant's name must be"), "{said:?}");
}
