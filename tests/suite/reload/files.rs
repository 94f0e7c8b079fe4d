//! Files that come, change, move and go.

use std::fs;
use std::time::Duration;

use hostile_guests::bare;

use super::{history, is_gone, lines, place, remove, replace, serves, settle, told, version, write};
use crate::harness::guests::{at, saying};
use crate::harness::{Server, json};

#[tokio::test]
async fn a_file_that_is_new_or_changed_serves() {
    let server = Server::builder().start();
    write(&server, "bare.wasm", &saying("one"));
    serves(&server, "/bare", "one").await;
    server.wait_for_log(&["loaded", "bare"]).await;
    // Written where it is, and put in its place by a rename.
    write(&server, "bare.wasm", &saying("two"));
    serves(&server, "/bare", "two").await;
    replace(&server, "bare.wasm", &saying("three"));
    serves(&server, "/bare", "three").await;
    let third = version(&server, "default/bare").await;
    server.wait_for_log(&["reloaded", &third]).await;
    assert_eq!(history(&server, "default/bare").await, ["deployed"; 3]);
    let told = told(&server, "default/bare").await;
    let versions = told["versions"].as_array().expect("a list");
    let current: Vec<bool> = versions.iter().map(|version| version["current"] == true).collect();
    assert_eq!((current, &versions[0]["version"]), (vec![true, false, false], &told["version"]));
    // The same bytes again are nothing new.
    write(&server, "bare.wasm", &saying("three"));
    replace(&server, "bare.wasm", &saying("three"));
    settle(&server).await;
    assert_eq!(history(&server, "default/bare").await.len(), 3);
}

#[tokio::test]
async fn a_file_that_is_deleted_retires_its_plugin_and_serves_again_when_it_is_back() {
    let server = Server::builder().file("bare.wasm", saying("one")).start();
    let mut client = server.join("/bare").await;
    client.send("say", json!({})).await;
    client.expect("one").await;
    let before = version(&server, "default/bare").await;
    remove(&server, "bare.wasm");
    assert_eq!(client.closed().await.code, 1012);
    is_gone(&server, "/bare").await;
    server.wait_for_log(&["retired", "bare.wasm", &before]).await;
    let told = told(&server, "default/bare").await;
    assert_eq!((&told["state"], &told["history"][0]["what"]), (&json!("retired"), &json!("retired")));
    let list = server.request("GET", "/_parlor/api/plugins").operator().send().await.json();
    assert_eq!((&list["plugins"], &list["not_served"][0]["plugin"]), (&json!([]), &json!("bare")));
    write(&server, "bare.wasm", &saying("one"));
    serves(&server, "/bare", "one").await;
    assert_eq!(version(&server, "default/bare").await, before);
    assert_eq!(history(&server, "default/bare").await, ["deployed", "retired", "deployed"]);
}

#[tokio::test]
async fn a_file_that_is_renamed_is_another_plugin_at_the_same_path() {
    let server = Server::builder().file("bare.wasm", saying("one")).start();
    fs::rename(place(&server, "bare.wasm"), place(&server, "other.wasm")).expect("a rename");
    server.wait_for_log(&["loaded", "other"]).await;
    serves(&server, "/bare", "one").await;
    settle(&server).await;
    // That the old one had the path for a moment is nobody's fault.
    assert_eq!(lines(&server, &["is not served"]), 0);
    assert_eq!(told(&server, "default/bare").await["state"], "retired");
}

#[tokio::test]
async fn what_editors_leave_and_how_they_save_is_no_news() {
    let server = Server::builder().file("bare.wasm", saying("one")).start();
    let mut client = server.join("/bare").await;
    for file in ["bare.wasm~", ".bare.wasm.swp", "4913", "bare.wasm.tmp-1", "#bare.wasm#", ".#bare.wasm"] {
        write(&server, file, b"junk");
    }
    // The file is put aside, and another one is written in its place.
    let file = place(&server, "bare.wasm");
    fs::rename(&file, place(&server, "bare.wasm~")).expect("a rename");
    tokio::time::sleep(Duration::from_millis(100)).await;
    write(&server, "bare.wasm", &saying("two"));
    serves(&server, "/bare", "two").await;
    settle(&server).await;
    assert_eq!((lines(&server, &["default", "retired"]), lines(&server, &["is not served"])), (0, 0));
    client.send("say", json!({})).await;
    client.event().await;
}

#[tokio::test]
async fn tenants_folders_come_and_go() {
    let server = Server::builder().start();
    write(&server, "acme/bare.wasm", &saying("one"));
    serves(&server, "/t/acme/bare", "one").await;
    // A folder that is filled before it is moved into its place.
    let made = server.folder().join("made");
    fs::create_dir_all(&made).expect("a folder");
    fs::write(made.join("bare.wasm"), saying("two")).expect("a file");
    fs::write(made.join("bore.wasm"), at("/bore")).expect("a file");
    fs::rename(&made, place(&server, "late")).expect("a rename");
    serves(&server, "/t/late/bare", "two").await;
    serves(&server, "/t/late/bore", "say").await;
    write(&server, "late/bare.wasm", &saying("three"));
    serves(&server, "/t/late/bare", "three").await;
    fs::remove_dir_all(place(&server, "late")).expect("a folder");
    is_gone(&server, "/t/late/bare").await;
    is_gone(&server, "/t/late/bore").await;
    serves(&server, "/t/acme/bare", "one").await;
    write(&server, "late/bare.wasm", &saying("four"));
    serves(&server, "/t/late/bare", "four").await;
}

#[tokio::test]
async fn a_new_version_may_have_another_path_and_other_registrations() {
    let server = Server::builder().file("bare.wasm", bare(&[])).start();
    let mut client = server.join("/bare").await;
    client.send("say", json!({})).await;
    client.expect("say").await;
    write(&server, "bare.wasm", &at("/bore"));
    serves(&server, "/bore", "say").await;
    // The old path leads nowhere; who is connected stays.
    assert_eq!(server.refused("/bare").await.status, 404);
    client.send("say", json!({})).await;
    client.expect("say").await;
    write(&server, "bare.wasm", &bare(&[("at the end", "(data (i32.const 16) \"yes\")")]));
    server.wait_for_log(&["reloaded", "path=/bare"]).await;
    server.join("/bare").await;
}

#[tokio::test]
async fn a_folder_that_cannot_be_read_changes_nothing_and_serves_when_it_is_back() {
    let server = Server::builder().file("bare.wasm", saying("one")).start();
    let plugins = server.folder().join("plugins");
    let aside = server.folder().join("aside");
    fs::rename(&plugins, &aside).expect("a rename");
    server.wait_for_log(&["cannot read the plugin folder", "what is served stays"]).await;
    serves(&server, "/bare", "one").await;
    fs::write(aside.join("bare.wasm"), saying("two")).expect("a file");
    fs::rename(&aside, &plugins).expect("a rename");
    serves(&server, "/bare", "two").await;
    write(&server, "bare.wasm", &saying("three"));
    serves(&server, "/bare", "three").await;
}
