//! Files that nobody deleted and that are gone all the same, and files that are almost a plugin's: each gets its line.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use super::{is_gone, lines, place, point, remove, replace, serves, settle, told, write};
use crate::harness::guests::saying;
use crate::harness::{Server, json};

/// Puts an empty folder in the place of a folder, as an unmounted share leaves it; answers where the files are now.
fn unmount(server: &Server, folder: &str) -> std::path::PathBuf {
    let (folder, aside) = (server.folder().join(folder), server.folder().join("aside"));
    fs::create_dir(server.folder().join("empty")).expect("a folder");
    fs::rename(&folder, &aside).expect("a rename");
    fs::rename(server.folder().join("empty"), &folder).expect("a rename");
    aside
}

#[tokio::test]
async fn a_folder_that_is_suddenly_empty_retires_nothing_by_itself() {
    let server = Server::builder().file("bare.wasm", saying("one")).file("acme/bare.wasm", saying("two")).start();
    let aside = unmount(&server, "plugins");
    let line = server.wait_for_log(&["as if a share were not mounted", "missing-folder-grace-ms"]).await;
    assert!(line.contains("the files of 2 plugins"), "{line}");
    serves(&server, "/bare", "one").await;
    serves(&server, "/t/acme/bare", "two").await;
    let health = server.request("GET", "/_parlor/health").send().await.body;
    assert_eq!(health, "ok\n2 plugins serve on although their files and what held them are missing\n");
    fs::remove_dir(server.folder().join("plugins")).expect("an empty folder");
    fs::rename(aside, server.folder().join("plugins")).expect("a rename");
    server.wait_for_log(&["the files of 2 plugins are back"]).await;
    assert_eq!(lines(&server, &["retired:"]), 0);
    // A tenant's folder is a share of its own. What is deleted one by one is retired as ever, also the last one.
    unmount(&server, "plugins/acme");
    server.wait_for_log(&["the files of 1 plugins are gone"]).await;
    remove(&server, "bare.wasm");
    is_gone(&server, "/bare").await;
    serves(&server, "/t/acme/bare", "two").await;
}

#[tokio::test]
async fn after_the_grace_what_is_missing_is_retired() {
    let server = Server::builder().file("bare.wasm", saying("one")).config("missing-folder-grace-ms = 1000").start();
    unmount(&server, "plugins");
    server.wait_for_log(&["as if a share were not mounted", "1000 ms"]).await;
    is_gone(&server, "/bare").await;
    assert_eq!(told(&server, "default/bare").await["state"], "retired");
    assert_eq!(server.request("GET", "/_parlor/health").send().await.body, "ok\n");
    // Whoever deploys by a link to another folder means what is in there.
    write(&server, "bare.wasm", &saying("two"));
    serves(&server, "/bare", "two").await;
    let bad = Server::builder().config("missing-folder-grace-ms = 86400001").try_start().expect_err("a bad value");
    assert!(bad.log.last().expect("a reason").contains("missing-folder-grace-ms must be 0 to 86400000"));
}

#[tokio::test]
async fn another_release_in_the_folders_place_counts() {
    let server = Server::builder().flag("--plugins", "plugins/current");
    let server = server.file("r1/bare.wasm", saying("one")).file("r1/gone.wasm", crate::harness::guests::at("/gone"));
    let server = server.file("r2/bare.wasm", saying("two")).file("current/bare.wasm", saying("zero")).start();
    let plugins = server.folder().join("plugins");
    fs::rename(plugins.join("current"), plugins.join("old")).expect("a rename");
    point(&plugins.join("current"), "r1");
    serves(&server, "/gone", "say").await;
    point(&plugins.join("current"), "r2");
    serves(&server, "/bare", "two").await;
    is_gone(&server, "/gone").await;
}

#[tokio::test]
async fn what_is_almost_a_plugin_gets_one_line() {
    let server = Server::builder().file("EARLY.WASM", saying("one")).start();
    server.wait_for_log(&["EARLY.WASM", "in small letters"]).await;
    for (file, words) in [
        ("chat.Wasm", "in small letters"),
        ("chat.wasm.gz", "it is packed"),
        ("acme/chat.wasm.ZST", "it is packed"),
        ("chat.wat", "text of a component"),
        ("chat.cwasm", "precompiled"),
    ] {
        write(&server, file, &saying("one"));
        server.wait_for_log(&[file, words]).await;
    }
    fs::create_dir(place(&server, "folder.wasm")).expect("a folder");
    server.wait_for_log(&["folder.wasm", "is a folder, not a component"]).await;
    assert!(Command::new("mkfifo").arg(place(&server, "pipe.wasm")).status().expect("mkfifo").success());
    server.wait_for_log(&["pipe.wasm", "is no regular file"]).await;
    symlink("nowhere/bare.wasm", place(&server, "dangling.wasm")).expect("a link");
    server.wait_for_log(&["dangling.wasm", "is a link that leads nowhere: nowhere/bare.wasm"]).await;
    symlink("loop.wasm", place(&server, "loop.wasm")).expect("a link");
    server.wait_for_log(&["loop.wasm", "cannot be read"]).await;
    // The text of a license beside the plugins concerns nobody, and no line comes twice.
    write(&server, "LICENSE.txt", b"do what you want");
    settle(&server).await;
    let all = [
        "EARLY.WASM",
        "chat.Wasm",
        ".gz",
        ".ZST",
        "chat.wat",
        ".cwasm",
        "folder.wasm",
        "pipe.wasm",
        "dangling",
        "loop",
    ];
    for words in all {
        assert_eq!(lines(&server, &[words]), 1, "{words}");
    }
    assert_eq!(lines(&server, &["LICENSE"]), 0);
}

#[tokio::test]
async fn a_link_that_leads_nowhere_for_a_moment_is_no_news() {
    let server = Server::builder().start();
    symlink("later/bare.wasm", place(&server, "bare.wasm")).expect("a link");
    write(&server, "..one/bare.wasm", &saying("one"));
    point(&place(&server, "later"), "..one");
    serves(&server, "/bare", "one").await;
    settle(&server).await;
    assert_eq!(lines(&server, &["leads nowhere"]), 0);
}

#[tokio::test]
async fn a_rollback_says_that_it_put_a_file_in_the_place_of_a_link() {
    let server = Server::builder().start();
    for (folder, event) in [("..1", "one"), ("..2", "two")] {
        write(&server, &format!("{folder}/bare.wasm"), &saying(event));
    }
    point(&place(&server, "..data"), "..1");
    symlink("..data/bare.wasm", place(&server, "bare.wasm")).expect("a link");
    serves(&server, "/bare", "one").await;
    point(&place(&server, "..data"), "..2");
    serves(&server, "/bare", "two").await;
    let path = "/_parlor/api/plugins/default/bare/rollback";
    let said = server.request("POST", path).operator().json(&json!({})).send().await.json();
    serves(&server, "/bare", "one").await;
    let words = "does not see later swaps";
    server.wait_for_log(&["bare.wasm was a link to ..data/bare.wasm", words]).await;
    assert!(said["note"].as_str().is_some_and(|note| note.contains(words) && !note.contains("..data")), "{said}");
    // A file is replaced without a word.
    replace(&server, "bare.wasm", &saying("three"));
    serves(&server, "/bare", "three").await;
    let said = server.request("POST", path).operator().json(&json!({})).send().await.json();
    assert_eq!(said.get("note"), None, "{said}");
}
