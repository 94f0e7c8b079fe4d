//! Links that are pointed elsewhere: a file's, a folder's, and as Kubernetes does it.

use std::fs;
use std::os::unix::fs::symlink;

use super::{place, point, serves};
use crate::harness::Server;
use crate::harness::guests::saying;

#[tokio::test]
async fn a_link_to_a_file() {
    let server = Server::builder().start();
    let elsewhere = server.folder().join("elsewhere");
    fs::create_dir_all(&elsewhere).expect("a folder");
    for name in ["one", "two"] {
        fs::write(elsewhere.join(name), saying(name)).expect("a file");
    }
    let link = place(&server, "bare.wasm");
    point(&link, elsewhere.join("one"));
    serves(&server, "/bare", "one").await;
    point(&link, "../elsewhere/two");
    serves(&server, "/bare", "two").await;
    // What it leads to may change as well, far from the folder of plugins.
    fs::write(elsewhere.join("two"), saying("three")).expect("a file");
    serves(&server, "/bare", "three").await;
}

#[tokio::test]
async fn a_config_map_is_swapped_by_the_link_to_its_folder() {
    let server = Server::builder().start();
    for (folder, event) in [("..2026_1", "one"), ("..2026_2", "two")] {
        fs::create_dir_all(place(&server, folder)).expect("a folder");
        fs::write(place(&server, folder).join("bare.wasm"), saying(event)).expect("a file");
    }
    point(&place(&server, "..data"), "..2026_1");
    symlink("..data/bare.wasm", place(&server, "bare.wasm")).expect("a link");
    serves(&server, "/bare", "one").await;
    point(&place(&server, "..data"), "..2026_2");
    fs::remove_dir_all(place(&server, "..2026_1")).expect("a folder");
    serves(&server, "/bare", "two").await;
}

#[tokio::test]
async fn the_folder_of_plugins_is_a_link_itself_and_so_is_a_tenants() {
    let server = Server::builder().flag("--plugins", "current/plugins").try_start();
    assert!(server.is_err(), "the folder is not there yet");
    let server = Server::builder().flag("--plugins", "plugins/current").file("r1/bare.wasm", saying("one"));
    let server = server.file("r2/bare.wasm", saying("two")).file("acme2/bare.wasm", saying("three"));
    let server = server.file("current/acme/bare.wasm", saying("zero")).start();
    serves(&server, "/t/acme/bare", "zero").await;
    let plugins = server.folder().join("plugins");
    fs::rename(plugins.join("current"), plugins.join("old")).expect("a rename");
    point(&plugins.join("current"), "r1");
    serves(&server, "/bare", "one").await;
    point(&plugins.join("current"), "r2");
    serves(&server, "/bare", "two").await;
    fs::write(plugins.join("r2/bare.wasm"), saying("four")).expect("a file");
    serves(&server, "/bare", "four").await;
    symlink("../acme2", plugins.join("r2/acme")).expect("a link");
    serves(&server, "/t/acme/bare", "three").await;
}
