//! The contract itself, without an SDK between: what a toolchain of any language stands on.

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

use crate::harness::{Server, json, root};

/// The smallest plugin, with mischief put where its markers stand: `(; in handle ;)` and the like.
pub fn bare(mischief: &[(&str, &str)]) -> Vec<u8> {
    let file = root().join("tests/guests/wat/bare.wat");
    let mut text = std::fs::read_to_string(&file).unwrap_or_else(|why| panic!("{}: {why}", file.display()));
    for (marker, code) in mischief {
        let marker = format!("(; {marker} ;)");
        assert!(text.contains(&marker), "bare.wat has no {marker}");
        text = text.replace(&marker, code);
    }
    component_of(&text)
}

/// Makes a component of a core module that follows the contract's ABI.
fn component_of(wat: &str) -> Vec<u8> {
    let mut module = wat::parse_str(wat).unwrap_or_else(|why| panic!("{why}"));
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(root().join("wit")).expect("the contract parses");
    let world = resolve.select_world(&[package], Some("plugin")).expect("the world of plugins");
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8, false).expect("a module");
    let mut encoder = ComponentEncoder::default();
    encoder.validate(true).module(&module).expect("a module that follows the contract");
    encoder.encode().expect("a component")
}

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
    let file = root().join("tests/guests/wat/bare.wat");
    let text = std::fs::read_to_string(file).expect("bare.wat");
    let stub = "(func $on (param i32 i32 i32))
      (func $to-socket (param i32 i32 i32 i32 i32 i32 i32))";
    let (from, to) = (text.find("(import").expect("an import"), text.find("(memory").expect("a memory"));
    let without = format!("{}{}", &text[..from], &text[to..]);
    without.replace("(; at the end ;)", stub)
}
