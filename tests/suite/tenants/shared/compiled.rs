//! Compiled code: each tenant has its own, and none pushes out another's.

use std::fs;
use std::path::{Path, PathBuf};

use hostile_guests::bare;

use super::{tokens, upload};
use crate::harness::{Server, json};

/// A folder for data that no other server shares.
fn data(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("shared-{name}-{}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    folder
}

fn start(data: &Path, config: &str) -> Server {
    let data = data.to_str().expect("a path that is text");
    Server::builder().flag("--data", data).config(config).log("parlor=debug").start()
}

/// The files of a tenant's compiled code, by their names.
fn code(data: &Path, tenant: &str) -> Vec<String> {
    let Ok(entries) = fs::read_dir(data.join("compiled").join(tenant)) else { return Vec::new() };
    let names = entries.map(|entry| entry.expect("a file").file_name().into_string().expect("a name"));
    names.filter(|name| name.ends_with(".cwasm")).collect()
}

fn compilations(server: &Server, tenant: &str) -> usize {
    let tenant = format!("tenant=\"{tenant}\"");
    server.log().iter().filter(|line| line.contains("compiling took") && line.contains(&tenant)).count()
}

/// Whoever uploads another tenant's file has it compiled: how long that takes does not say who runs what.
#[tokio::test]
async fn a_component_is_compiled_for_each_tenant() {
    let data = data("oracle");
    let server = start(&data, &tokens(""));
    assert_eq!(upload(&server, "good", "own", bare(&[])).await.status, 201);
    assert_eq!(upload(&server, "evil", "guess", bare(&[])).await.status, 201);
    assert_eq!((compilations(&server, "good"), compilations(&server, "evil")), (1, 1));
    assert_eq!(code(&data, "good"), code(&data, "evil"));
    // What is a tenant's own is compiled once.
    let again = upload(&server, "evil", "again", bare(&[])).await;
    assert_eq!((again.status, compilations(&server, "evil")), (409, 1), "{again:?}");
    drop(server);
    // What lies in another tenant's folder is not taken for one's own.
    let [name] = &code(&data, "good")[..] else { panic!("one file") };
    let file = |tenant: &str| data.join("compiled").join(tenant).join(name);
    fs::copy(file("good"), file("evil")).expect("a file of ours");
    let server = start(&data, &tokens(""));
    assert_eq!(upload(&server, "evil", "guess", bare(&[])).await.status, 201);
    server.wait_for_log(&["cannot load", "evil", "its checksum is wrong"]).await;
    drop(server);
    fs::remove_dir_all(data).expect("a folder of ours");
}

/// A tenant that uploads without end loses its own old code, and never what another one has of its share.
#[tokio::test]
async fn uploads_without_end_push_out_no_code_of_another() {
    let data = data("share");
    let server = start(&data, &tokens(""));
    assert_eq!(upload(&server, "good", "own", bare(&[])).await.status, 201);
    let good = code(&data, "good");
    let bytes = fs::metadata(data.join("compiled/good").join(&good[0])).expect("a file").len();
    drop(server);
    // Space for four, of which one is each tenant's.
    let limits = format!(
        "[limits]\ncompiled-functions-bytes = 0\ncompiled-cache-bytes = {}\ncompiled-cache-tenant-bytes = {}\n",
        4 * bytes + bytes / 2,
        bytes + bytes / 4,
    );
    fs::remove_dir_all(data.join("functions")).expect("a folder of ours");
    let server = start(&data, &(limits + &tokens("compiled-cache-tenant-bytes = 0")));
    for version in 0..8 {
        let more = format!("(func $f{version} (drop (i32.const {version})))");
        let put = upload(&server, "evil", "one", bare(&[("at the end", &more)])).await;
        assert!([200, 201].contains(&put.status), "{put:?}");
    }
    assert_eq!((compilations(&server, "evil"), code(&data, "evil").len()), (8, 3));
    assert_eq!(code(&data, "good"), good, "the good one's code is the oldest, and stays");
    // Which is found: the good tenant's deployment compiles nothing.
    assert_eq!(upload(&server, "good", "own", bare(&[])).await.status, 201);
    assert_eq!(compilations(&server, "good"), 0);
    let mut client = server.join("/t/good/bare").await;
    client.send("say", json!(1)).await;
    client.expect("say").await;
    drop(server);
    fs::remove_dir_all(data).expect("a folder of ours");
}
