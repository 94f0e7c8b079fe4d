//! The contract itself, without an SDK between: what a toolchain of any language stands on.

use hostile_guests::{bare, bare_text, component_of};

use crate::harness::{Server, json};

#[tokio::test]
async fn a_plugin_needs_no_sdk() {
    let server = Server::builder().file("bare.wasm", bare(&[])).start();
    let plugin = server.plugin("default", "bare").await;
    assert_eq!((&plugin["path"], &plugin["name"]), (&json!("/bare"), &json!("say")));
    assert_eq!(plugin["events"], json!(["say"]));
    let mut client = server.join("/bare").await;
    client.send("say", json!({ "a": ["ü", null, 1.5] })).await;
    assert_eq!(client.expect("say").await, json!({ "type": "say", "a": ["ü", null, 1.5] }));
}

/// A plugin imports only what it uses: the host asks for nothing that it does not call.
#[tokio::test]
async fn a_plugin_may_import_nothing_at_all() {
    let text = bare_without_imports();
    let server = Server::builder().file("mute.wasm", component_of(&text)).start();
    assert_eq!(server.plugin("default", "mute").await["events"], json!([]));
    server.join("/bare").await.close(1000, "").await;
}

/// The bare plugin without its two imports and the calls of them.
fn bare_without_imports() -> String {
    let text = bare_text();
    let stub = "(func $on (param i32 i32 i32))
      (func $to-socket (param i32 i32 i32 i32 i32 i32 i32))";
    let (from, to) = (text.find("(import").expect("an import"), text.find("(memory").expect("a memory"));
    let without = format!("{}{}", &text[..from], &text[to..]);
    without.replace("(; at the end ;)", stub)
}
