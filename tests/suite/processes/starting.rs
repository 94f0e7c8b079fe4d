//! What a server answers while it still loads its plugins.

use hostile_guests::bare;

use super::asked;
use crate::harness::guests::saying;
use crate::harness::{Builder, Server, json, soon};

/// A plugin whose `init` takes this many rounds of a loop.
fn slow(rounds: u64) -> Vec<u8> {
    let count = "(loop $on
        (global.set $left (i64.sub (global.get $left) (i64.const 1)))
        (br_if $on (i64.ne (global.get $left) (i64.const 0))))";
    let left = format!("(global $left (mut i64) (i64.const {rounds}))");
    bare(&[("in init", &format!("(global.set $left (i64.const {rounds})) {count}")), ("at the end", &left)])
}

fn patient(builder: Builder) -> Builder {
    builder.early().config("[limits]\ninit-cpu-ms = 600_000\ncall-wall-ms = 600_000\nhandshake-ms = 300")
}

#[tokio::test]
async fn each_plugin_serves_as_soon_as_it_is_loaded_and_the_checks_say_what_is_left() {
    let endless = bare(&[("in init", "(loop $on (br $on))")]);
    let server = patient(Server::builder().file("slow.wasm", endless).file("acme/bare.wasm", saying("one"))).start();
    let served = async { while server.connect("/t/acme/bare").await.is_err() {} };
    soon("the plugin that is loaded", served).await;
    // Alive, and not ready.
    let words = "1 of 2 plugins are still being loaded";
    assert_eq!(asked(&server, "/_parlor/health").await, (200, format!("ok\n{words}\n")));
    let told = server.request("GET", "/_parlor/health").operator().send().await.body;
    assert_eq!(told, format!("ok\n{words}: default/slow\n"));
    let ready = server.request("GET", "/_parlor/ready").send().await;
    assert_eq!((ready.status, ready.body.trim_end()), (503, words));
    assert!(ready.header("retry-after").is_some());
    let list = server.request("GET", "/_parlor/api/plugins").operator().send().await.json();
    assert_eq!(list["not_served"][0]["state"], "loading");
    // Any path may be the one of the plugin that is left; its tenant has no other.
    let refused = server.refused("/slow").await;
    assert_eq!(refused.status, 503);
    assert!(refused.body.contains("still loads 1 plugin") && refused.header("retry-after").is_some(), "{refused:?}");
    let plain = server.request("GET", "/slow").send().await;
    assert!(plain.status == 503 && plain.header("retry-after").is_some(), "{plain:?}");
    assert_eq!(server.refused("/t/acme/other").await.status, 404);
    assert_eq!(server.refused("/t/nobody/bare").await.status, 404);
}

#[tokio::test]
async fn a_client_that_comes_early_waits_for_its_plugin() {
    let more = "[limits]\ninit-cpu-ms = 600_000\ncall-wall-ms = 600_000\nhandshake-ms = 60_000";
    let server = Server::builder().file("bare.wasm", slow(300_000_000)).early().config(more).start();
    let mut client = server.join("/bare").await;
    client.send("say", json!({})).await;
    client.expect("say").await;
    let ready = async { while asked(&server, "/_parlor/ready").await != (200, "ok\n".to_owned()) {} };
    soon("the server to be ready", ready).await;
    assert_eq!(asked(&server, "/_parlor/health").await, (200, "ok\n".to_owned()));
    assert_eq!(server.refused("/other").await.status, 404);
}
