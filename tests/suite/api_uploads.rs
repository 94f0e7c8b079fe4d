//! Uploads: a component that passes all checks serves from then on; one that does not changes nothing.

use std::path::PathBuf;
use std::time::Duration;

use crate::harness::guests::{at, saying};
use crate::harness::{Request, Response, Server, TOKEN, Value, json, soon};
use hostile_guests::bare;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const BARE: &str = "/_parlor/api/plugins/default/bare";

fn put(server: &Server, path: &str, component: Vec<u8>) -> Request {
    server.request("PUT", path).operator().body("application/wasm", component)
}

async fn answer(server: &Server, room: &str, event: &str) {
    let mut client = server.join(&format!("/bare?room={room}")).await;
    client.send("say", json!({ "a": 1 })).await;
    client.expect(event).await;
}

fn assert_refused(answer: &Response, status: u16, words: &str) {
    assert_eq!(answer.status, status, "{answer:?}");
    let why = answer.json()["error"].as_str().expect("words").to_owned();
    assert!(why.contains(words), "{answer:?}");
}

/// The files of the folder of plugins, those of tenants' folders included.
fn files(server: &Server) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![server.folder().join("plugins")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    found
}

#[tokio::test]
async fn a_new_plugin_serves_at_once_and_lies_in_the_folder() {
    let server = Server::builder().start();
    let created = put(&server, BARE, bare(&[])).send().await;
    assert_eq!(created.status, 201, "{created:?}");
    let created = created.json();
    assert_eq!((&created["path"], &created["events"]), (&json!("/bare"), &json!(["say"])));
    assert_eq!(created["version"], server.plugin("default", "bare").await["version"]);
    answer(&server, "r", "say").await;
    let of_tenant = put(&server, "/_parlor/api/plugins/acme/bare", bare(&[])).send().await;
    assert_eq!(of_tenant.status, 201, "{of_tenant:?}");
    server.join("/t/acme/bare").await;
    let plugins = server.folder().join("plugins");
    assert_eq!(files(&server), [plugins.join("acme/bare.wasm"), plugins.join("bare.wasm")]);
    assert_eq!(std::fs::read(plugins.join("bare.wasm")).expect("a file"), bare(&[]));
}

#[tokio::test]
async fn a_replaced_version_serves_new_rooms_and_open_ones_move() {
    let server = Server::builder().file("bare.wasm", bare(&[])).start();
    let mut old = server.join("/bare?room=old").await;
    old.send("say", json!({})).await;
    old.expect("say").await;
    let first: Value = server.plugin("default", "bare").await["version"].take();
    let replaced = put(&server, BARE, saying("said")).send().await;
    assert_eq!(replaced.status, 200, "{replaced:?}");
    let replaced = replaced.json();
    assert_ne!(replaced["version"], first);
    answer(&server, "new", "said").await;
    old.send("say", json!({})).await;
    old.expect("said").await;
    let rooms = server.request("GET", "/_parlor/api/rooms/default/bare").operator().send().await.json();
    assert_eq!(
        (&rooms["rooms"][0]["version"], &rooms["rooms"][1]["version"]),
        (&replaced["version"], &replaced["version"])
    );
    // Its path may change, too: the old one is free then.
    assert_eq!(put(&server, BARE, at("/bore")).send().await.json()["path"], "/bore");
    assert_eq!(server.refused("/bare?room=new").await.status, 404);
    server.join("/bore?room=novel").await;
    server.wait_for_log(&["uploaded", "bare"]).await;
}

#[tokio::test]
async fn what_is_refused_leaves_everything_as_it_was() {
    let server = Server::builder()
        .file("bare.wasm", bare(&[]))
        .file("bore.wasm", at("/bore"))
        .config("[tenants.default.limits]\ncomponent-bytes = 20000\nplugins-per-tenant = 2")
        .start();
    let before = (files(&server), server.plugin("default", "bare").await["version"].clone());
    let module = wat::parse_str("(module)").expect("a module");
    let imports = wat::parse_str("(component (import \"novel:host/thing\" (instance (export \"f\" (func)))))");
    for (bytes, status, words) in [
        (Vec::new(), 400, "empty"),
        (b"not a component".to_vec(), 422, "no WebAssembly component"),
        (module, 422, "core module"),
        (imports.expect("a component"), 422, "novel:host/thing"),
        (wat::parse_str("(component)").expect("a component"), 422, "parlor:room/guest"),
        (b"\0asm\x0d\0\x01\0broken".to_vec(), 422, "does not compile"),
        (bare(&[("in init", "unreachable")]), 422, "init trapped"),
        (at("/../x"), 422, "path"),
        (at("//bar"), 422, "without //, /./ and .."),
        (at("/./ba"), 422, "without //, /./ and .."),
        (at("/bore"), 409, "default/bore"),
        (vec![0; 20_001], 413, "component-bytes: 20000"),
    ] {
        assert_refused(&put(&server, BARE, bytes).send().await, status, words);
    }
    assert_refused(
        &put(&server, "/_parlor/api/plugins/default/third", at("/also")).send().await,
        429,
        "plugins-per-tenant",
    );
    assert_refused(&put(&server, "/_parlor/api/plugins/default/Bad", bare(&[])).send().await, 400, "a plugin's name");
    assert_eq!((files(&server), server.plugin("default", "bare").await["version"].clone()), before);
    answer(&server, "r", "say").await;
}

#[tokio::test]
async fn a_body_of_unknown_length_has_the_same_bound() {
    let server = Server::builder().config("[tenants.default.limits]\ncomponent-bytes = 20000").start();
    let chunked = |component: &[u8]| {
        let mut body = format!("{:x}\r\n", component.len()).into_bytes();
        body.extend_from_slice(component);
        body.extend_from_slice(b"\r\n0\r\n\r\n");
        put(&server, BARE, body).without("content-length").header("transfer-encoding", "chunked")
    };
    assert_refused(&chunked(&[0; 20_001]).send().await, 413, "component-bytes: 20000");
    assert_eq!(chunked(&bare(&[])).send().await.status, 201);
}

#[tokio::test]
async fn uploads_of_a_tenant_run_one_at_a_time() {
    let server = Server::builder().start();
    // The server waits for the rest of its body.
    let slow = put(&server, BARE, bare(&[])).without("content-length").header("content-length", "999999");
    let both = async {
        loop {
            let waiting = tokio::spawn(slow.clone().send());
            tokio::time::sleep(Duration::from_millis(100)).await;
            let other = put(&server, "/_parlor/api/plugins/default/other", b"nothing".to_vec()).send().await;
            // On a busy machine the first one may not be there yet.
            if other.status == 429 {
                break (waiting, other);
            }
            waiting.abort();
        }
    };
    let (waiting, second) = soon("an upload beside another", both).await;
    assert_refused(&second, 429, "one at a time");
    assert_eq!(put(&server, "/_parlor/api/plugins/acme/bare", bare(&[])).send().await.status, 201);
    waiting.abort();
}

#[tokio::test]
async fn slow_uploads_of_many_tenants_hold_up_nobody_else() {
    let server = Server::builder().start();
    let mut slow = Vec::new();
    for tenant in ["a", "b", "c", "d", "e", "f"] {
        let mut stream = TcpStream::connect(server.address()).await.expect("the server listens");
        let head = format!(
            "PUT /_parlor/api/plugins/{tenant}/bare HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {TOKEN}\r\n\
             content-length: 999999\r\nexpect: 100-continue\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await.expect("the server reads");
        // The server says so once it waits for the body.
        let go_on = b"HTTP/1.1 100 Continue\r\n\r\n";
        let mut said = vec![0; go_on.len()];
        soon("the server to wait for the body", stream.read_exact(&mut said)).await.expect("an answer");
        assert_eq!(said, go_on, "{tenant}");
        stream.write_all(b"\0asm").await.expect("the server reads");
        slow.push(stream);
    }
    assert_eq!(put(&server, BARE, bare(&[])).send().await.status, 201);
    answer(&server, "r", "say").await;
    drop(slow);
}
