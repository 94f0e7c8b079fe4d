//! Authorisation before the upgrade: what the plugin is told, what it may answer, and what a refused stranger gets.

use crate::harness::{Response, Server, Value, json};

/// What the plugin was told of a request, as the guest `door` tells it to who entered.
pub async fn told(server: &Server, path: &str, headers: &[(&str, &str)]) -> Value {
    let mut request = server.request("GET", path).websocket();
    for (name, value) in headers {
        request = request.header(name, value);
    }
    let mut client = request.upgrade().await.expect("a socket");
    client.expect("request").await
}

fn assert_plain(refused: &Response, status: u16, body: &str) {
    assert_eq!((refused.status, refused.body.as_str()), (status, body), "{refused:?}");
    assert_eq!(refused.header("content-type"), Some("text/plain; charset=utf-8"));
    assert_eq!(refused.header("x-content-type-options"), Some("nosniff"));
}

#[tokio::test]
async fn a_plugin_refuses_with_its_own_status_and_words() {
    let server = Server::with_guest("door");
    for status in [400, 401, 402, 403, 404, 418, 429, 451, 499, 500, 503, 599] {
        let refused = server.refused(&format!("/door?status={status}&words=%3Cb%3Eno")).await;
        assert_plain(&refused, status, "<b>no");
    }
    for status in [0, 1, 99, 100, 101, 200, 204, 301, 399, 600, 999, 1000, 65535] {
        let refused = server.refused(&format!("/door?status={status}&words=no")).await;
        assert_eq!(refused.status, 500, "{status}");
    }
}

#[tokio::test]
async fn a_plugin_that_fails_lets_nobody_in_and_says_nothing() {
    let server = Server::with_guest("door");
    // An error that nobody caught.
    assert_plain(&server.refused("/door?status=no-number").await, 401, "");
    // A trap. The instance was this request's alone, so the next one is served.
    assert_plain(&server.refused("/door?trap").await, 500, "");
    server.wait_for_log(&["authorize", "trapped", "door"]).await;
    assert_eq!(server.plugin("default", "door").await["failures"], 1);
    server.join("/door").await.expect("request").await;
}

#[tokio::test]
async fn a_meta_that_is_none_is_500() {
    let server = Server::with_guest("door");
    let too_long = "x".repeat(129);
    let too_many = (0..65).map(|n| n.to_string()).collect::<Vec<_>>().join(",");
    for query in [
        "user=".to_owned(),
        format!("user={too_long}"),
        "client=".to_owned(),
        format!("client={too_long}"),
        format!("in={too_long}"),
        format!("in={too_many}"),
        "in=a,,b".to_owned(),
    ] {
        assert_plain(&server.refused(&format!("/door?{query}")).await, 500, "");
    }
}

#[tokio::test]
async fn a_refused_stranger_opens_no_room() {
    let server = Server::with_guest("door");
    for query in ["status=403", "trap", "status=no-number", "user="] {
        server.refused(&format!("/door?room=secret&{query}")).await;
    }
    let plugin = server.plugin("default", "door").await;
    assert_eq!((&plugin["rooms_open"], &plugin["sockets"]), (&json!(0), &json!(0)));
    server.join("/door?room=secret").await.expect("request").await;
    let plugin = server.plugin("default", "door").await;
    assert_eq!(plugin["rooms"][0]["room"], "secret");
}

#[tokio::test]
async fn the_request_is_told_as_the_client_saw_it() {
    let server = Server::builder().guest("door").guest_as("door", "acme/door").start();
    let address = server.address();
    let request = told(&server, "/door?a=%20b&room=red&c", &[("x-plain", "yes")]).await;
    assert_eq!(request["uri"], format!("ws://{address}/door?a=%20b&room=red&c"));
    assert_eq!((&request["room"], &request["remote"]), (&json!("red"), &json!("127.0.0.1")));
    assert_eq!(request["plain"], "yes");

    let host = [("host", "rooms.example:8080")];
    let request = told(&server, "/t/acme/door", &host).await;
    assert_eq!(request["uri"], "ws://rooms.example:8080/t/acme/door");
    assert_eq!(request["room"], "default");
}

#[tokio::test]
async fn cookies_reach_a_plugin_on_its_tenants_own_host_only() {
    let server = Server::builder()
        .guest("door")
        .guest_as("door", "acme/door")
        .config("[tenants.acme]\nhosts = [\"acme.example\"]")
        .start();
    let cookie = ("cookie", "session=secret");
    let own = told(&server, "/door", &[cookie, ("host", "acme.example")]).await;
    assert_eq!(own["cookie"], "session=secret");
    for (path, host) in [("/t/acme/door", "shared.example"), ("/door", "shared.example")] {
        let shared = told(&server, path, &[cookie, ("host", host)]).await;
        assert_eq!(shared["cookie"], Value::Null, "{host}{path}");
    }
}

#[tokio::test]
async fn query_strings_and_authorization_are_never_logged() {
    let server = Server::builder().guest("door").log("trace").start();
    let secret = [("authorization", "Bearer hunter2-in-a-header")];
    let request = told(&server, "/door?token=hunter2-in-the-query", &secret).await;
    assert_eq!(request["authorization"], "Bearer hunter2-in-a-header");
    for query in ["status=403", "trap", "user="] {
        server.refused(&format!("/door?token=hunter2&{query}")).await;
    }
    server.wait_for_log(&["authorize", "trapped"]).await;
    assert!(!server.log().iter().any(|line| line.contains("hunter2")));
}

#[tokio::test]
async fn without_authorize_the_host_makes_up_who_connects() {
    let server = Server::with_guest("plain");
    let (mut one, mut other) = (server.join("/plain").await, server.join("/plain?userId=ada").await);
    let (one, other) = (one.expect("hello").await, other.expect("hello").await);
    for hello in [&one, &other] {
        assert_eq!(hello["channels"], json!(["default"]));
        for id in ["userId", "clientId"] {
            let id = hello[id].as_str().expect("an id");
            assert!(id.len() >= 22, "{id} can be guessed");
        }
    }
    assert_ne!(one["userId"], other["userId"]);
    assert_ne!(one["clientId"], other["clientId"]);
    assert_ne!(one["userId"], one["clientId"]);
}

#[tokio::test]
async fn clients_choose_their_channels_only_where_the_operator_allows_it() {
    let server = Server::builder()
        .guest("plain")
        .guest_as("plain", "acme/plain")
        .config("[tenants.acme.plugins.plain]\nclient-channels = true")
        .start();
    let channels = async |path: String| {
        let mut client = server.join(&path).await;
        client.expect("hello").await["channels"].clone()
    };
    assert_eq!(channels("/plain?channels=admin".to_owned()).await, json!(["default"]));
    for (query, expected) in [
        ("channels=red,blue", json!(["red", "blue"])),
        ("channels=red%2Cblue", json!(["red", "blue"])),
        ("channels=red,red", json!(["red"])),
        ("channels=", json!(["default"])),
        ("", json!(["default"])),
    ] {
        assert_eq!(channels(format!("/t/acme/plain?{query}")).await, expected, "{query}");
    }
    let too_many = (0..65).map(|n| n.to_string()).collect::<Vec<_>>().join(",");
    assert_eq!(server.refused(&format!("/t/acme/plain?channels={too_many}")).await.status, 400);
}
