//! Addresses and refusals: who gets a socket where, and what everybody else is told.

use crate::harness::{Response, Server, json};

/// A refusal is text for people, and is never taken for anything else.
fn assert_plain(refused: &Response, status: u16) {
    assert_eq!(refused.status, status, "{refused:?}");
    assert_eq!(refused.header("content-type"), Some("text/plain; charset=utf-8"));
    assert_eq!(refused.header("x-content-type-options"), Some("nosniff"));
}

#[tokio::test]
async fn a_path_matches_exactly_or_is_404() {
    let server = Server::builder().plugin("chat").plugin("presence").guest("plain").start();
    server.join("/ws").await.expect("welcome").await;
    let mut ada = server.join("/ws/presence?userId=ada").await;
    ada.next_event("presence.state").await;
    for path in [
        "/",
        "/ws/",
        "/w",
        "/WS",
        "/ws/chat",
        "//ws",
        "/ws%2f",
        "/plain/../ws",
        "/t/default",
        "/t//ws",
        "/t/nobody/ws",
        "/_parlor/ws",
    ] {
        let refused = server.refused(path).await;
        assert_eq!(refused.status, 404, "{path}");
    }
    assert_plain(&server.refused("/nowhere").await, 404);
}

#[tokio::test]
async fn the_default_tenant_is_served_at_the_root_and_not_twice() {
    let server = Server::with_guest("plain");
    let refused = server.refused("/t/default/plain").await;
    assert_eq!(refused.status, 404, "one room has one address: {refused:?}");
}

#[tokio::test]
async fn a_room_is_named_by_the_query() {
    let server = Server::with_guest("plain");
    let longest = format!("A.b_c~d-{}", "9".repeat(120));
    for (path, room) in [
        ("/plain", "default"),
        ("/plain?", "default"),
        ("/plain?room=default", "default"),
        ("/plain?token=a%20b&room=red&x", "red"),
        (&format!("/plain?room={longest}"), &longest),
        // `URLSearchParams` of browsers encodes the tilde; whatever needs no encoding may be encoded.
        ("/plain?room=A.b_c%7Ed-%7e", "A.b_c~d-~"),
        ("/plain?token=%61&room=%72%65%64", "red"),
        ("/pl%61in?room=%7E", "~"),
    ] {
        let mut client = server.join(path).await;
        assert_eq!(client.expect("hello").await["room"], room, "{path}");
    }
    // The same address is the same room, and another room hears nothing of it.
    let mut red = server.enter_after("/plain?room=red", "hello").await;
    let mut also_red = server.enter_after("/plain?x=1&room=red", "hello").await;
    let mut default = server.enter_after("/plain", "hello").await;
    red.send("say", json!({ "in": "red" })).await;
    assert_eq!(also_red.expect("said").await["in"], "red");
    red.expect("said").await;
    default.expect_silence().await;
}

#[tokio::test]
async fn a_room_that_is_badly_named_is_400() {
    let server = Server::with_guest("plain");
    let too_long = format!("/plain?room={}", "x".repeat(129));
    for path in [
        "/plain?room=",
        "/plain?room",
        "/plain?room=a&room=b",
        "/plain?room=a&room=a",
        "/plain?room=a%20b",
        "/plain?room=a%2fb",
        "/plain?room=a%257Eb",
        "/plain?room=a%7",
        "/plain?r%6fom=a",
        "/plain?room=a&%72oom=b",
        "/plain?room=a/b",
        "/plain?room=a+b",
        "/plain?room=caf%c3%a9",
        &too_long,
    ] {
        assert_plain(&server.refused(path).await, 400);
    }
    assert_eq!(server.plugin("default", "plain").await["rooms_open"], 0);
}

#[tokio::test]
async fn a_request_that_asks_for_no_websocket_is_426() {
    let server = Server::with_guest("plain");
    let ask = || server.request("GET", "/plain").websocket();
    for request in [
        server.request("GET", "/plain"),
        ask().without("upgrade"),
        ask().without("connection"),
        ask().without("upgrade").header("upgrade", "h2c"),
        ask().without("sec-websocket-version").header("sec-websocket-version", "8"),
        ask().without("sec-websocket-version"),
        server.request("POST", "/plain"),
    ] {
        let refused = request.send().await;
        assert_plain(&refused, 426);
        assert_eq!(refused.header("upgrade"), Some("websocket"));
        assert_eq!(refused.header("sec-websocket-version"), Some("13"));
    }
    for malformed in [
        ask().without("sec-websocket-key"),
        ask().without("sec-websocket-key").header("sec-websocket-key", "c2hvcnQ="),
        ask().without("sec-websocket-key").header("sec-websocket-key", "not base 64 at all !!!!!"),
        ask().without("host"),
        // A body, which somebody on the way could take for frames.
        ask().body("text/plain", "frames?"),
        ask().header("content-length", "7"),
        ask().header("transfer-encoding", "chunked"),
        ask().line("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ] {
        assert_plain(&malformed.send().await, 400);
    }
    // Header values are lists of tokens, whatever their case.
    let browser = ask()
        .without("connection")
        .header("connection", "keep-alive, upgrade")
        .without("upgrade")
        .header("upgrade", "WebSocket");
    for good in [browser, ask().header("content-length", "0")] {
        let mut client = good.upgrade().await.expect("a socket");
        client.expect("hello").await;
    }
}

/// A page does not see why its upgrade was refused: a plain GET tells it, and opens nothing.
#[tokio::test]
async fn a_plain_get_is_answered_as_an_upgrade_would_be() {
    let server = Server::builder().guest("door").guest_as("door", "acme/door");
    let server = server.config("[tenants.acme]\norigins = [\"https://app.example\"]").start();
    let get = |path: &str| server.request("GET", path);
    for (path, status) in [
        ("/nowhere", 404),
        ("/door?room=a/b", 400),
        ("/door?status=401", 401),
        ("/door?status=403&words=not+you", 403),
        ("/door?status=418&words=tea", 418),
        ("/door?status=503&words=later", 503),
        ("/door?trap", 500),
    ] {
        let (asked, refused) = (get(path).send().await, server.refused(path).await);
        assert_plain(&asked, status);
        assert_eq!((asked.status, &asked.body), (refused.status, &refused.body), "{path}");
    }
    assert_eq!(get("/door").send().await.status, 426);
    assert_eq!(server.plugin("default", "door").await["rooms_open"], 0);

    // A page of another origin may read the answer, even where it may not connect; its own host sends no `Origin`.
    let acme = |header: &str, value: &str| get("/t/acme/door?status=404&words=no").header(header, value);
    for (header, origin, status) in [
        ("origin", "https://app.example", 404),
        ("origin", "https://evil.example", 403),
        ("referer", "https://app.example/page?x=1", 404),
        ("referer", "https://app.example", 404),
        ("referer", "https://evil.example/https://app.example/", 403),
    ] {
        let asked = acme(header, origin).send().await;
        assert_plain(&asked, status);
        let readable = (header == "origin").then_some(origin);
        assert_eq!(asked.header("access-control-allow-origin"), readable);
        assert_eq!(asked.header("access-control-allow-credentials"), readable.map(|_| "true"));
        assert_eq!(asked.header("vary"), readable.map(|_| "Origin"));
    }
    // An upgrade goes by its `Origin` alone.
    let upgrade = get("/t/acme/door").websocket().header("referer", "https://evil.example/");
    assert!(upgrade.upgrade().await.is_ok());
}

#[tokio::test]
async fn a_websocket_is_asked_for_with_get() {
    let server = Server::with_guest("plain");
    for method in ["POST", "PUT", "OPTIONS"] {
        let answer = server.request(method, "/plain").websocket().upgrade().await;
        let refused = answer.err().unwrap_or_else(|| panic!("{method} opened a socket"));
        assert!((400..500).contains(&refused.status), "{refused:?}");
    }
}

#[tokio::test]
async fn origins_are_checked_where_the_tenant_lists_any() {
    let server = Server::builder()
        .guest("plain")
        .guest_as("plain", "acme/plain")
        .config("[tenants.acme]\norigins = [\"https://acme.example\", \"https://acme.example:8443\"]")
        .start();
    let ask = |path: &str, origin: &str| server.request("GET", path).websocket().header("origin", origin);
    for origin in ["https://acme.example", "https://acme.example:8443", "HTTPS://Acme.Example"] {
        assert!(ask("/t/acme/plain", origin).upgrade().await.is_ok(), "{origin}");
    }
    for origin in [
        "https://evil.example",
        "http://acme.example",
        "https://acme.example.evil.example",
        "https://acme.example:1",
        "null",
    ] {
        assert_plain(&ask("/t/acme/plain", origin).send().await, 403);
    }
    // Of two origins nobody knows which one is true, also where the tenant lists none.
    for path in ["/t/acme/plain", "/plain"] {
        let both = ask(path, "https://acme.example").line("origin", "https://acme.example");
        assert_plain(&both.send().await, 400);
    }
    // Programs send none, and a tenant that lists none has nothing to check.
    server.join("/t/acme/plain").await.expect("hello").await;
    assert!(ask("/plain", "https://evil.example").upgrade().await.is_ok());
}

#[tokio::test]
async fn origins_are_any_where_the_tenant_says_so() {
    let config =
        "[tenants.acme]\norigins = [\"*\"]\n[tenants.blue]\norigins = [\"https://Blue.example:443\", \"null\"]";
    let server =
        Server::builder().guest_as("plain", "acme/plain").guest_as("plain", "blue/plain").config(config).start();
    let ask = |path: &str, origin: &str| server.request("GET", path).websocket().header("origin", origin).upgrade();
    for origin in ["https://evil.example", "null", "http://localhost:3000"] {
        assert!(ask("/t/acme/plain", origin).await.is_ok(), "{origin}");
    }
    for (origin, may) in [("https://blue.example", true), ("null", true), ("http://blue.example", false)] {
        assert_eq!(ask("/t/blue/plain", origin).await.is_ok(), may, "{origin}");
    }
}

/// What could never match a request stops the server at its start, with the key and what to write.
#[test]
fn hosts_and_origins_that_no_request_has_are_told() {
    for (config, key, words) in [
        ("origins = [\"acme.example\"]", "tenants.acme.origins", "write \"https://acme.example\""),
        ("origins = [\"https://acme.example/app\"]", "tenants.acme.origins", "write \"https://acme.example\""),
        ("hosts = [\"https://acme.example\"]", "tenants.acme.hosts", "write \"acme.example\""),
        ("hosts = [\"acme.example:8080\"]", "tenants.acme.hosts", "write \"acme.example\""),
        ("[tenants.acme.plugins.chat]\nsubprotocols = [\"a,b\"]", "tenants.acme.plugins.chat.subprotocols", "a,b"),
    ] {
        let ended = Server::builder().config(&format!("[tenants.acme]\n{config}")).try_start();
        let log = ended.expect_err("a server with such a configuration").log.join("\n");
        assert!(log.contains("parlor.toml") && log.contains(key) && log.contains(words), "{config}: {log}");
    }
}

#[tokio::test]
async fn tenants_are_served_below_t_and_at_their_own_hosts() {
    let server = Server::builder()
        .guest("plain")
        .guest_as("plain", "acme/plain")
        .config("[tenants.acme]\nhosts = [\"Rooms.Acme.Example\"]")
        .start();
    let at = |host: &str, path: &str| server.request("GET", path).websocket().header("host", host);
    // Each tenant's plugin remembers what it was told; the storage tells whose room it is.
    let mut acme = server.enter_after("/t/acme/plain", "hello").await;
    acme.send("remember", json!("acme")).await;
    acme.expect_silence().await;
    for (host, path, whose) in [
        ("rooms.acme.example", "/plain", json!("acme")),
        ("ROOMS.ACME.EXAMPLE:8080", "/plain", json!("acme")),
        ("rooms.acme.example.", "/plain", json!("acme")),
        ("rooms.acme.example.:80", "/plain", json!("acme")),
        ("elsewhere.example", "/plain", json!(null)),
        ("elsewhere.example", "/t/acme/plain", json!("acme")),
    ] {
        let mut client = at(host, path).upgrade().await.expect("a socket");
        client.expect("hello").await;
        client.send("recall", json!({})).await;
        assert_eq!(client.expect("recalled").await["value"], whose, "{host}{path}");
    }
    // At its own host a tenant is all that there is.
    assert_eq!(at("rooms.acme.example", "/t/acme/plain").send().await.status, 404);
    for path in ["/t/acme", "/t/acme/", "/t/Acme/plain", "/t/-/plain", "/t/%61cme/plain"] {
        assert_eq!(server.refused(path).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn tenants_with_the_same_room_id_never_meet() {
    let server = Server::builder().guest_as("plain", "red/plain").guest_as("plain", "blue/plain").start();
    let mut red = server.enter_after("/t/red/plain?room=lobby", "hello").await;
    let mut blue = server.enter_after("/t/blue/plain?room=lobby", "hello").await;
    red.send("say", json!({ "of": "red" })).await;
    red.send("remember", json!("red")).await;
    assert_eq!(red.expect("said").await["of"], "red");
    red.expect_silence().await;
    blue.send("recall", json!({})).await;
    let recalled = blue.expect("recalled").await;
    assert_eq!((&recalled["value"], &recalled["sessions"]), (&json!(null), &json!(1)));
    assert_eq!(recalled["users"].as_array().map(Vec::len), Some(1));

    let emit = json!({ "channel": "default", "event": "news", "data": {} });
    let path = "/_parlor/api/rooms/blue/plain/lobby/emit";
    let sent = server.request("POST", path).operator().json(&emit).send().await;
    assert_eq!(sent.json(), json!({ "sent": 1 }));
    blue.expect("news").await;
    red.expect_silence().await;
}

#[tokio::test]
async fn two_plugins_with_the_same_room_id_never_meet() {
    let server = Server::builder().guest("plain").guest("relay").start();
    let mut here = server.enter_after("/plain?room=lobby", "hello").await;
    let mut there = server.enter("/relay?room=lobby").await;
    there.send("say", json!({ "n": 1 })).await;
    there.expect("said").await;
    here.expect_silence().await;
}

#[tokio::test]
async fn what_is_full_is_503_and_says_when_to_come_again() {
    let assert_busy = |refused: Response, bound: &str| {
        assert_plain(&refused, 503);
        let retry: u32 = refused.header("retry-after").expect("a time").parse().expect("seconds");
        assert!(retry > 0);
        assert!(refused.body.contains(bound), "{refused:?}");
    };
    let server = Server::builder()
        .guest("plain")
        .guest_as("plain", "acme/plain")
        .config("[limits]\nsockets-per-room = 1\nsockets-per-tenant = 3\nrooms-per-tenant = 2\nroom-linger-ms = 600000")
        .start();
    let _one = server.enter_after("/plain?room=1", "hello").await;
    assert_busy(server.refused("/plain?room=1").await, "sockets-per-room");
    let two = server.enter_after("/plain?room=2", "hello").await;
    assert_busy(server.refused("/plain?room=3").await, "rooms-per-tenant");
    // Another tenant has room of its own.
    let _a1 = server.enter_after("/t/acme/plain?room=1", "hello").await;
    let _a2 = server.enter_after("/t/acme/plain?room=2", "hello").await;
    drop(two);
}

#[tokio::test]
async fn a_tenants_places_are_given_back() {
    let server = Server::builder().guest("plain").config("[limits]\nsockets-per-tenant = 2").start();
    let mut one = server.enter_after("/plain?room=1", "hello").await;
    let _two = server.enter_after("/plain?room=2", "hello").await;
    for _ in 0..3 {
        let refused = server.refused("/plain?room=3").await;
        assert_eq!((refused.status, refused.header("retry-after").is_some()), (503, true));
        assert!(refused.body.contains("sockets-per-tenant"), "{refused:?}");
    }
    one.close(1000, "").await;
    drop(one);
    // The place is free a moment after the goodbye.
    let mut three = loop {
        match server.connect("/plain?room=3").await {
            Ok(client) => break client,
            Err(refused) => assert_eq!(refused.status, 503),
        }
    };
    three.expect("hello").await;
}

/// A list in several lines is one list (RFC 9110, 5.3), and proxies write such lines.
#[tokio::test]
async fn an_upgrade_may_name_its_tokens_in_several_lines() {
    let server = Server::with_guest("plain");
    let ask = |line: &str| server.request("GET", "/plain").header("connection", line).websocket();
    assert!(ask("keep-alive").upgrade().await.is_ok());
    assert!(ask("keep-alive").header("upgrade", "h2c").upgrade().await.is_ok());
    let refused = server.request("GET", "/plain").websocket().without("connection").header("connection", "keep-alive");
    assert_eq!(refused.send().await.status, 426);
}
