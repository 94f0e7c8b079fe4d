//! Writing what a room stores, where the operator allows it.

use super::{ACME, OTHER, tenants};
use crate::harness::{Request, Server, TOKEN, json};

/// A server that allows it, or not.
fn server(writes: bool) -> Server {
    let config = format!("console-writes = {writes}\n{}\n[tenants.acme.limits]\nstorage-value-bytes = 100", tenants());
    Server::builder().guest_as("plain", "acme/plain").guest_as("fault_turns", "acme/turns").config(&config).start()
}

fn storage(server: &Server, method: &str, query: &str, token: &str) -> Request {
    let path = format!("/_parlor/api/rooms/acme/plain/r/storage?{query}");
    server.request(method, &path).header("authorization", &format!("Bearer {token}"))
}

fn put(server: &Server, key: &str, value: &str, token: &str) -> Request {
    storage(server, "PUT", &format!("key={key}"), token).body("text/plain", value)
}

#[tokio::test]
async fn a_key_that_is_put_is_read_by_the_room_and_one_that_is_deleted_is_gone() {
    let server = server(true);
    let mut client = server.enter_after("/t/acme/plain?room=r", "hello").await;
    assert_eq!(put(&server, "remembered", "\"by hand\"", ACME).send().await.json(), json!({ "existed": false }));
    client.send("recall", json!({})).await;
    assert_eq!(client.expect("recalled").await["value"], "by hand");
    let page = storage(&server, "GET", "", ACME).send().await.json();
    assert_eq!((&page["writable"], &page["bytes"]), (&json!(true), &json!(19)), "{page}");
    server.wait_for_log(&["the tenant put the key", "remembered", "acme"]).await;

    assert_eq!(put(&server, "remembered", "", TOKEN).send().await.json(), json!({ "existed": true }));
    let delete = || storage(&server, "DELETE", "key=remembered", TOKEN);
    assert_eq!(delete().send().await.json(), json!({ "existed": true }));
    assert_eq!(delete().send().await.json(), json!({ "existed": false }));
    server.wait_for_log(&["the operator deleted the key", "remembered"]).await;
    client.send("recall", json!({})).await;
    assert_eq!(client.expect("recalled").await["value"], json!(null));
    let used = server.request("GET", "/_parlor/api/tenants/acme").operator().send().await.json();
    assert_eq!(used["usage"]["storage_bytes"]["used"], 0, "{used}");
}

#[tokio::test]
async fn the_instance_is_made_anew_so_that_it_remembers_nothing_else_than_what_is_stored() {
    let server = server(true);
    let mut client = server.enter("/t/acme/turns?room=r&user=ana").await;
    let path = "/_parlor/api/rooms/acme/turns/r/storage?key=other";
    let put = server.request("PUT", path).operator().body("text/plain", "1").send().await;
    assert_eq!(put.status, 200, "{put:?}");
    client.send("state", json!({})).await;
    assert_eq!(client.next_event("state").await["restored"], "crash");
}

#[tokio::test]
async fn what_no_plugin_could_write_is_refused() {
    let server = server(true);
    let refused = put(&server, "any", "1", ACME).send().await;
    assert_eq!(refused.status, 409, "{refused:?}");
    let _client = server.enter_after("/t/acme/plain?room=r", "hello").await;
    let long = "k".repeat(3_000);
    for (key, value, status) in [
        ("", "1", 400),
        ("%00parlor/history", "1", 400),
        (long.as_str(), "1", 400),
        ("any", &"v".repeat(101), 413),
        ("any", &"v".repeat(100), 200),
    ] {
        let answer = put(&server, key, value, ACME).send().await;
        assert_eq!(answer.status, status, "{key}: {answer:?}");
    }
    for query in ["", "key=a&novel=1"] {
        assert_eq!(storage(&server, "DELETE", query, ACME).send().await.status, 400, "{query}");
    }
}

#[tokio::test]
async fn nobody_writes_unless_the_operator_allows_it_and_no_tenant_in_anothers_rooms() {
    let off = server(false);
    let mut client = off.enter_after("/t/acme/plain?room=r", "hello").await;
    for token in [TOKEN, ACME] {
        for refused in [put(&off, "any", "1", token), storage(&off, "DELETE", "key=any", token)] {
            let refused = refused.send().await;
            assert!(refused.status == 403 && refused.body.contains("console-writes"), "{refused:?}");
        }
    }
    assert_eq!(storage(&off, "GET", "", ACME).send().await.json()["writable"], false);
    client.send("recall", json!({})).await;
    client.expect("recalled").await;

    let on = server(true);
    let _client = on.enter_after("/t/acme/plain?room=r", "hello").await;
    for refused in [put(&on, "any", "1", OTHER), storage(&on, "DELETE", "key=any", OTHER)] {
        assert_eq!(refused.send().await.status, 404);
    }
    assert_eq!(storage(&on, "GET", "", ACME).send().await.json()["entries"], json!([]));
}
