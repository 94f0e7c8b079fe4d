//! Versions that were served are kept, and serve again when somebody wants one back.

use std::fs;

use super::{history, is_gone, place, remove, replace, serves, settle, told, version, write};
use crate::harness::guests::saying;
use crate::harness::{Response, Server, Value, json};

async fn roll_back(server: &Server, plugin: &str, body: &Value) -> Response {
    let path = format!("/_parlor/api/plugins/{plugin}/rollback");
    server.request("POST", &path).operator().json(body).send().await
}

/// Lets these serve one after the other; answers their versions.
async fn deploy(server: &Server, events: &[&str]) -> Vec<String> {
    let mut versions = Vec::new();
    for event in events {
        replace(server, "bare.wasm", &saying(event));
        serves(server, "/bare", event).await;
        versions.push(version(server, "default/bare").await);
    }
    versions
}

#[tokio::test]
async fn back_to_the_version_before_or_to_any_that_is_kept() {
    let mut server = Server::builder().start();
    let versions = deploy(&server, &["one", "two", "three"]).await;
    let back = roll_back(&server, "default/bare", &json!({})).await;
    assert_eq!(back.status, 200, "{back:?}");
    assert_eq!((&back.json()["version"], &back.json()["unchanged"]), (&json!(versions[1]), &json!(false)));
    serves(&server, "/bare", "two").await;
    assert_eq!(fs::read(place(&server, "bare.wasm")).expect("a file"), saying("two"));
    settle(&server).await;
    assert_eq!(history(&server, "default/bare").await, ["deployed", "deployed", "deployed", "rolled back"]);

    // A restart serves the same, and still knows what was before it.
    server.terminate().await;
    server.start_again();
    serves(&server, "/bare", "two").await;
    let told = told(&server, "default/bare").await;
    let known: Vec<&Value> = told["versions"].as_array().expect("a list").iter().map(|kept| &kept["version"]).collect();
    assert_eq!(known, [&json!(versions[1]), &json!(versions[2]), &json!(versions[0])]);
    assert!(told["versions"][0]["deployed_at"].as_f64() > told["versions"][1]["deployed_at"].as_f64());
    assert_eq!(roll_back(&server, "default/bare", &Value::Null).await.status, 400);
    let none = server.request("POST", "/_parlor/api/plugins/default/bare/rollback").operator();
    assert_eq!(none.header("content-length", "0").send().await.json()["version"], versions[2]);
    serves(&server, "/bare", "three").await;

    let named = roll_back(&server, "default/bare", &json!({ "version": versions[0] })).await;
    assert_eq!(named.json()["version"], versions[0]);
    serves(&server, "/bare", "one").await;
    // The one that serves: nothing happens, but for a file that is another one.
    write(&server, "bare.wasm", b"junk");
    server.wait_for_log(&["bare.wasm is not served"]).await;
    let same = roll_back(&server, "default/bare", &json!({ "version": versions[0] })).await;
    assert_eq!(same.json()["unchanged"], true);
    assert_eq!(fs::read(place(&server, "bare.wasm")).expect("a file"), saying("one"));
}

#[tokio::test]
async fn what_cannot_be_rolled_back() {
    let server = Server::builder().file("bare.wasm", saying("one")).file("acme/bare.wasm", saying("one"));
    let server = server.config("[tenants.acme]\ntoken = \"the-token-of-the-tenant\"").start();
    let current = version(&server, "default/bare").await;
    for (plugin, body, status, words) in [
        ("default/bare", json!({}), 404, "served before this one"),
        ("default/bare", json!({ "version": "0123456789ab" }), 404, "no version \"0123456789ab\" of default/bare"),
        ("default/bare", json!({ "version": "../../secret" }), 400, "12 of 0-9 and a-f"),
        ("default/bare", json!({ "versoin": "x" }), 400, "versoin"),
        ("default/nobody", json!({}), 404, "default/nobody"),
        ("default/Bad", json!({}), 400, "a plugin's name"),
    ] {
        let answer = roll_back(&server, plugin, &body).await;
        assert_eq!(answer.status, status, "{plugin} {body}: {answer:?}");
        assert!(answer.json()["error"].as_str().expect("words").contains(words), "{answer:?}");
    }
    assert_eq!(version(&server, "default/bare").await, current);
    // What was changed on the disk is not what was served.
    deploy(&server, &["two"]).await;
    let kept = server.folder().join(format!("data/versions/default/bare/{current}.wasm"));
    fs::write(kept, saying("other")).expect("a file");
    let answer = roll_back(&server, "default/bare", &json!({ "version": current })).await;
    assert!(answer.status == 422 && answer.body.contains("damaged"), "{answer:?}");
    server.wait_for_log(&["a rollback of default/bare fails", "is not what was kept"]).await;
    serves(&server, "/bare", "two").await;
    // A tenant has its own alone.
    for (plugin, status, words) in [("acme/bare", 404, "served before"), ("default/bare", 404, "there is no plugin")] {
        let path = format!("/_parlor/api/plugins/{plugin}/rollback");
        let asked = server.request("POST", &path).header("authorization", "Bearer the-token-of-the-tenant");
        let answer = asked.json(&json!({})).send().await;
        assert!(answer.status == status && answer.body.contains(words), "{answer:?}");
    }
}

#[tokio::test]
async fn so_many_versions_are_kept() {
    let server = Server::builder().config("[tenants.default.limits]\nversions-kept = 2").start();
    let versions = deploy(&server, &["one", "two", "three"]).await;
    let kept = fs::read_dir(server.folder().join("data/versions/default/bare")).expect("a folder");
    let mut kept: Vec<String> =
        kept.map(|entry| entry.expect("a file").file_name().into_string().expect("text")).collect();
    kept.sort();
    let mut expected: Vec<String> = versions[1..].iter().map(|version| format!("{version}.wasm")).collect();
    expected.sort();
    assert_eq!(kept, expected);
    assert_eq!(roll_back(&server, "default/bare", &json!({ "version": versions[0] })).await.status, 404);
}

#[tokio::test]
async fn a_plugin_that_was_retired_comes_back_by_a_rollback() {
    let server = Server::builder().start();
    let versions = deploy(&server, &["one", "two"]).await;
    remove(&server, "bare.wasm");
    is_gone(&server, "/bare").await;
    assert_eq!(roll_back(&server, "default/bare", &json!({})).await.json()["version"], versions[1]);
    serves(&server, "/bare", "two").await;
    settle(&server).await;
    assert_eq!(history(&server, "default/bare").await, ["deployed", "deployed", "retired", "rolled back"]);
}
