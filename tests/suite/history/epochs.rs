//! Whom the server tells that nothing is missing, where the data are older than what clients heard.

use std::fs;

use super::{Heard, back, path, say, server};
use crate::harness::{Client, Server, guest, soon};

/// Has somebody say these to the channel, and the reader hear them.
async fn tell(server: &Server, reader: &mut Client, heard: &mut Heard, numbers: std::ops::RangeInclusive<u64>) {
    let mut talker = server.join(&path("talker", "&in=else")).await;
    for n in numbers {
        say(&mut talker, "talk", n).await;
        heard.add(&serde_json::from_str(&reader.frame().await).unwrap());
    }
}

fn numbers(heard: &Heard) -> Vec<u64> {
    heard.0.iter().map(|(_, n)| *n).collect()
}

#[tokio::test]
async fn a_backup_that_is_put_back_never_passes_for_what_was_said_after_it() {
    let mut server = server("talk 6 3600000 durable", "");
    let [file, backup] = ["data/tenants/default.redb", "backup"].map(|name| server.folder().join(name));
    let mut heard = Heard::default();
    let (mut reader, _) = back(&server, "reader", "talk", &mut heard).await;
    tell(&server, &mut reader, &mut heard, 1..=5).await;
    let before = heard.clone();
    assert!(server.terminate().await.success());
    fs::copy(&file, &backup).unwrap();
    // Who was there before goes on after any restart.
    server.start_again();
    let (mut reader, is_all) = back(&server, "reader", "talk", &mut heard).await;
    assert!(is_all && heard == before);
    tell(&server, &mut reader, &mut heard, 6..=8).await;
    heard.check();
    assert!(server.terminate().await.success());
    fs::copy(&backup, &file).unwrap();
    // Now other entries have the numbers of those that are lost, and go further.
    server.start_again();
    let mut anew = Heard::default();
    let (mut other, _) = back(&server, "other", "talk", &mut anew).await;
    tell(&server, &mut other, &mut anew, 16..=20).await;
    assert_eq!(numbers(&anew), [1, 2, 3, 4, 5, 16, 17, 18, 19, 20]);
    anew.check();
    for lost in 5..8 {
        let mut of_lost = Heard(vec![heard.0[lost].clone()]);
        let (_, is_all) = back(&server, "reader", "talk", &mut of_lost).await;
        assert!(!is_all, "{:?} names nothing", heard.0[lost]);
        assert_eq!(numbers(&of_lost)[1..], [5, 16, 17, 18, 19, 20], "all that is kept");
    }
    // The oldest entry that is kept, and the one before it, which went.
    for kept in [4, 3] {
        let mut of_kept = Heard(vec![before.0[kept].clone()]);
        let (_, is_all) = back(&server, "reader", "talk", &mut of_kept).await;
        assert!(is_all, "{:?} is what it was", before.0[kept]);
        assert_eq!(numbers(&of_kept)[1..], numbers(&anew)[kept + 1..]);
    }
    // The same after one more restart, when all of it is read from the file.
    assert!(server.terminate().await.success());
    server.start_again();
    for (position, is_known) in [(&before.0[3], true), (&before.0[4], true), (&heard.0[5], false)] {
        let mut heard = Heard(vec![position.clone()]);
        assert_eq!(back(&server, "reader", "talk", &mut heard).await.1, is_known, "{position:?}");
    }
}

#[tokio::test]
async fn what_a_crash_took_back_is_missed_where_the_plugin_is_strict_from_then_on() {
    let config = "[tenants.default.plugins.conformance]\ndurability = \"relaxed\"\nconfig = { keep = \"talk 100 3600000 durable\" }";
    let mut server = Server::builder().file("conformance.wasm", guest("conformance_first")).config(config).start();
    let mut heard = Heard::default();
    let (mut reader, _) = back(&server, "reader", "talk", &mut heard).await;
    tell(&server, &mut reader, &mut heard, 1..=1).await;
    let storage = "/_parlor/api/rooms/default/conformance/default/storage";
    soon("the entry to be stored", async {
        let stored = async || server.request("GET", storage).operator().send().await.json();
        while stored().await["bytes"].as_u64().is_none_or(|bytes| bytes == 0) {}
    })
    .await;
    // Of these a crash may take back some, or all.
    tell(&server, &mut reader, &mut heard, 2..=4).await;
    server.kill();
    let file = server.folder().join("parlor.toml");
    let strict = fs::read_to_string(&file).unwrap().replace("\"relaxed\"", "\"strict\"");
    fs::write(&file, strict).unwrap();
    server.start_again();
    let mut anew = Heard::default();
    let (mut other, _) = back(&server, "other", "talk", &mut anew).await;
    tell(&server, &mut other, &mut anew, 11..=14).await;
    for position in heard.0.clone() {
        let mut of_lost = Heard(vec![position]);
        let (_, is_all) = back(&server, "reader", "talk", &mut of_lost).await;
        assert!(!is_all, "others heard more than is kept: {of_lost:?}");
    }
    // What was said since is as safe as anything.
    let last = anew.clone();
    server.kill();
    server.start_again();
    assert!(back(&server, "other", "talk", &mut anew).await.1 && anew == last);
}
