//! Engines of languages: the operator's components, compiled once for all tenants, who only read their functions.

use std::fs;
use std::path::{Path, PathBuf};

use hostile_guests::bare;

use crate::compile::functions;
use crate::harness::guests::at;
use crate::harness::{Builder, Folder, Server, json};

/// A data folder whose compiled code no other test shares.
const DATA: &str = "data-of-its-own";

/// A server whose engines are the components of `engines` in a folder.
fn with_engines(folder: &Path, more: &str) -> Builder {
    let engines = folder.join("engines");
    let config = format!("engines = {:?}\n{more}", engines.to_str().expect("a path that is text"));
    let data = folder.join(DATA);
    Server::builder().flag("--data", data.to_str().expect("a path that is text")).config(&config).log("parlor=debug")
}

/// Uploads the bare plugin at a path of five letters, and answers with how many functions its compilation took over, and
/// how many it compiled.
async fn deployed(server: &Server, tenant: &str, plugin: &str, path: &str) -> (u32, u32) {
    let place = format!("/_parlor/api/plugins/{tenant}/{plugin}");
    let put = server.request("PUT", &place).operator().body("application/wasm", at(path)).send().await;
    assert_eq!(put.status, 201, "{put:?}");
    let mut client = server.join(&format!("/t/{tenant}{path}")).await;
    client.send("say", json!(1)).await;
    client.expect("say").await;
    functions(server, tenant, plugin).await
}

/// Most functions were found: cranelift's hashes of some differ from one compilation to the next. Without the engine's pack
/// none would be.
#[track_caller]
fn assert_taken_over((reused, anew): (u32, u32)) {
    assert!(reused > 2 * anew, "{reused} reused, {anew} compiled anew");
}

fn packs(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder.join(DATA).join("functions/engines")).expect("a folder");
    let mut packs: Vec<PathBuf> = entries.map(|entry| entry.expect("a file").path()).collect();
    packs.sort();
    packs
}

fn size(file: &Path) -> u64 {
    fs::metadata(file).expect("a file").len()
}

#[tokio::test]
async fn an_engine_is_compiled_once_for_all_tenants() {
    let folder = Folder::new();
    let engines = folder.path().join("engines");
    fs::create_dir(&engines).expect("a folder");
    fs::write(engines.join("bare.wasm"), bare(&[])).expect("a component");
    fs::write(engines.join("broken.wasm"), "no component").expect("a file");
    fs::write(engines.join("README"), "no component either").expect("a file");
    let server = with_engines(folder.path(), "").start();
    let line = server.wait_for_log(&["compiled this engine for all tenants", "engine=\"bare\""]).await;
    assert!(!line.contains("functions=0"), "{line}");
    server.wait_for_log(&["broken.wasm is not compiled for all tenants: is no WebAssembly component"]).await;
    // What they say in their data differs, and nothing else: neither tenant compiles more than a few functions.
    for (tenant, path) in [("acme", "/elsa"), ("umbrella", "/lore")] {
        assert_taken_over(deployed(&server, tenant, "own", path).await);
    }
    let first = packs(folder.path());
    assert_eq!(first.len(), 1, "{first:?}");
    let of_tenants = fs::read_dir(folder.path().join(DATA).join("functions")).expect("a folder");
    let of_tenants = of_tenants.map(|entry| entry.expect("a file").path()).filter(|path| path.is_file());
    for pack in of_tenants {
        assert!(size(&pack) < size(&first[0]), "a tenant's pack has the engine's functions: {pack:?}");
    }
    drop(server);

    // Another start finds it, and another component takes its place.
    let server = with_engines(folder.path(), "").start();
    server.wait_for_log(&["broken.wasm is not compiled"]).await;
    assert_taken_over(deployed(&server, "third", "own", "/also").await);
    assert_eq!(packs(folder.path()), first);
    drop(server);
    fs::write(engines.join("bare.wasm"), bare(&[("at the end", "(func $more)")])).expect("a component");
    let server = with_engines(folder.path(), "").start();
    server.wait_for_log(&["compiled this engine for all tenants"]).await;
    server.wait_for_log(&["broken.wasm is not compiled"]).await;
    assert_taken_over(deployed(&server, "fourth", "own", "/bore").await);
    let second = packs(folder.path());
    assert!(second.len() == 1 && second != first, "{second:?}");
}

/// Without engines, or with a damaged pack, everything is compiled as ever.
#[tokio::test]
async fn a_damaged_pack_is_made_anew() {
    let folder = Folder::new();
    let engines = folder.path().join("engines");
    fs::create_dir(&engines).expect("a folder");
    fs::write(engines.join("bare.wasm"), bare(&[])).expect("a component");
    let server = with_engines(folder.path(), "").start();
    server.wait_for_log(&["compiled this engine for all tenants"]).await;
    let pack = packs(folder.path()).remove(0);
    let whole = fs::read(&pack).expect("a pack");
    fs::write(&pack, &whole[..whole.len() / 2]).expect("a damaged pack");
    let (reused, anew) = deployed(&server, "acme", "own", "/elsa").await;
    assert!(reused == 0 && anew > 0, "{reused} {anew}");
    drop(server);
    let server = with_engines(folder.path(), "").start();
    server.wait_for_log(&["compiled this engine for all tenants"]).await;
    assert_taken_over(deployed(&server, "umbrella", "own", "/lore").await);
}

#[tokio::test]
async fn functions_that_have_no_room_are_told_of() {
    let folder = Folder::new();
    let engines = folder.path().join("engines");
    fs::create_dir(&engines).expect("a folder");
    fs::write(engines.join("bare.wasm"), bare(&[])).expect("a component");
    let bound = "[limits]\ncompiled-engine-bytes = 1024\n";
    let server = with_engines(folder.path(), bound).start();
    let words = "functions have no room in compiled-engine-bytes, and are compiled for each tenant";
    server.wait_for_log(&["WARN", "engine=\"bare\"", words]).await;
}
