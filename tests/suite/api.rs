//! What the host itself answers under `/_parlor/`: to backends with the operator's token, and to everybody.

use crate::harness::{Request, Response, Server, TOKEN, Value, json};

const EMIT: &str = "/_parlor/api/rooms/default/plain/lobby/emit";

fn emit(server: &Server, path: &str, body: &Value) -> Request {
    server.request("POST", path).operator().json(body)
}

/// A refusal of the API says why, in JSON.
fn assert_refused(answer: &Response, status: u16, words: &str) {
    assert_eq!(answer.status, status, "{answer:?}");
    let why = answer.json()["error"].as_str().expect("words").to_owned();
    assert!(why.contains(words), "{answer:?}");
}

#[tokio::test]
async fn a_backend_speaks_to_a_channel_or_to_a_user_and_learns_the_count() {
    let server = Server::with_guest("members");
    let mut ada = server.enter("/members?user=ada&room=lobby").await;
    let mut phone = server.enter("/members?user=ada&room=lobby&in=red").await;
    let mut bob = server.enter("/members?user=bob&room=lobby").await;
    let mut elsewhere = server.enter("/members?user=ada&room=other").await;
    let path = "/_parlor/api/rooms/default/members/lobby/emit";
    let said = async |to: &str, name: &str, data: Value| {
        let body = json!({ to: name, "event": "news", "data": data });
        let answer = emit(&server, path, &body).send().await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()
    };
    assert_eq!(said("channel", "default", json!({ "type": "forged", "n": 1 })).await, json!({ "sent": 2 }));
    for client in [&mut ada, &mut bob] {
        let news = r#"{"type":"event","channel":"default","data":{"type":"news","n":1}}"#;
        assert_eq!(client.frame().await, news);
    }
    assert_eq!(said("channel", "red", json!([2])).await, json!({ "sent": 1 }));
    let news = r#"{"type":"event","channel":"red","data":{"type":"news","data":[2]}}"#;
    assert_eq!(phone.frame().await, news);
    assert_eq!(said("user", "ada", json!(null)).await, json!({ "sent": 2 }));
    for device in [&mut ada, &mut phone] {
        let news = r#"{"type":"event","channel":"default","data":{"type":"news","data":null}}"#;
        assert_eq!(device.frame().await, news);
    }
    assert_eq!(said("user", "nobody", json!({})).await, json!({ "sent": 0 }));
    let without_data = json!({ "user": "bob", "event": "news" });
    assert_eq!(emit(&server, path, &without_data).send().await.json(), json!({ "sent": 1 }));
    let news = r#"{"type":"event","channel":"default","data":{"type":"news"}}"#;
    assert_eq!(bob.frame().await, news);
    for client in [&mut ada, &mut phone, &mut bob, &mut elsewhere] {
        client.expect_silence().await;
    }
}

#[tokio::test]
async fn a_backend_sees_who_is_in_a_room_and_opens_none_by_looking() {
    let server = Server::with_guest("members");
    let _ada = server.enter("/members?user=ada&room=lobby").await;
    let _phone = server.enter("/members?user=ada&room=lobby").await;
    let _bob = server.enter("/members?user=bob&room=lobby").await;
    let lobby = server.room("default/members/lobby").await;
    assert_eq!(lobby, json!({ "sockets": 3, "users": ["ada", "bob"] }));
    let empty = server.room("default/members/empty").await;
    assert_eq!(empty, json!({ "sockets": 0, "users": [] }));
    let body = json!({ "channel": "default", "event": "news" });
    let sent = emit(&server, "/_parlor/api/rooms/default/members/empty/emit", &body);
    assert_eq!(sent.send().await.json(), json!({ "sent": 0 }));
    assert_eq!(server.plugin("default", "members").await["rooms_open"], 1);
}

#[tokio::test]
async fn the_list_of_plugins_says_what_is_served_and_who_is_there() {
    let server = Server::builder().guest("members").guest_as("members", "acme/also-members").start();
    let _ada = server.enter("/members?user=ada&room=b").await;
    let _phone = server.enter("/members?user=ada&room=b").await;
    let _bob = server.enter("/members?user=bob&room=a").await;
    let mut entry = server.plugin("default", "members").await;
    let version = entry["version"].take();
    let version = version.as_str().expect("a version");
    assert!(version.len() == 12 && version.bytes().all(|b| b.is_ascii_hexdigit()), "{version}");
    let costs = entry["costs"].take();
    let turns = &costs["turn_cpu"];
    assert!(turns["count"].as_u64().is_some_and(|count| count >= 3) && turns["sum"].as_f64() > Some(0.0), "{costs}");
    assert!(turns["p50"].as_f64() <= turns["p99"].as_f64(), "{costs}");
    assert_eq!(costs["open"]["count"], 2, "a room each");
    assert_eq!(costs["wake"], json!({ "count": 0, "sum": 0.0, "p50": null, "p99": null }));
    let events = entry["events"].take();
    for event in ["$disconnect", "join", "sync"] {
        assert!(events.as_array().expect("events").contains(&json!(event)), "{events}");
    }
    assert_eq!(
        entry,
        json!({
            "tenant": "default", "plugin": "members", "name": "members", "path": "/members", "version": null,
            "events": null, "pages": null, "sockets": 3, "bad_frames": 0, "failures": 0,
            "state": "serving", "quarantine": null, "failures_by_kind": {}, "rooms_open": 2, "rooms_heavy": 0, "rooms_by_version": { version: 2 },
            "last_refused": null, "costs": null,
            "rooms": [
                { "room": "a", "version": version, "sockets": 1, "users": 1, "awake": true, "heavy": false },
                { "room": "b", "version": version, "sockets": 2, "users": 1, "awake": true, "heavy": false },
            ],
        })
    );
    let acme = server.plugin("acme", "also-members").await;
    assert_eq!(acme["path"], "/t/acme/members");
    assert_eq!((&acme["version"], &acme["sockets"]), (&json!(version), &json!(0)));
}

/// The routes that want the operator's token.
const GUARDED: [(&str, &str); 8] = [
    ("GET", "/_parlor/api/plugins"),
    ("GET", "/_parlor/api/rooms/default/plain/lobby"),
    ("POST", EMIT),
    ("GET", "/_parlor/api/live"),
    ("GET", "/_parlor/api/plugins/default/plain/costs"),
    ("GET", "/_parlor/api/rooms/default/plain/lobby/storage"),
    ("PUT", "/_parlor/api/rooms/default/plain/lobby/storage?key=any"),
    ("DELETE", "/_parlor/api/rooms/default/plain/lobby/storage?key=any"),
];

#[tokio::test]
async fn without_the_token_nothing_is_told_and_nothing_done() {
    let server = Server::with_guest("plain");
    let mut client = server.enter_after("/plain?room=lobby", "hello").await;
    let basic = |password: &str| {
        let pair = format!("operator:{password}");
        format!("Basic {}", data_encoding::BASE64.encode(pair.as_bytes()))
    };
    let wrong = [
        None,
        Some("Bearer".to_owned()),
        Some("Bearer ".to_owned()),
        Some("Bearer wrong-wrong-wrong-wrong".to_owned()),
        Some(format!("Bearer {}", &TOKEN[1..])),
        Some(format!("Bearer {TOKEN}x")),
        Some(format!("Token {TOKEN}")),
        Some(TOKEN.to_owned()),
        Some(basic("wrong")),
        Some("Basic !!!".to_owned()),
    ];
    for (method, path) in GUARDED {
        for value in &wrong {
            let mut request = server.request(method, path).json(&json!({ "channel": "default", "event": "news" }));
            if let Some(value) = value {
                request = request.header("authorization", value);
            }
            let refused = request.send().await;
            assert_eq!(refused.status, 401, "{method} {path} with {value:?}");
            assert!(refused.header("www-authenticate").is_some());
            assert!(!refused.body.contains("lobby") && !refused.body.contains(TOKEN));
        }
    }
    client.expect_silence().await;
}

#[tokio::test]
async fn a_browsers_password_is_good_for_reading_only() {
    let server = Server::with_guest("plain");
    let mut client = server.enter_after("/plain?room=lobby", "hello").await;
    let basic = data_encoding::BASE64.encode(format!("operator:{TOKEN}").as_bytes());
    for (method, path) in GUARDED {
        let answer = server
            .request(method, path)
            .json(&json!({ "channel": "default", "event": "news" }))
            .header("authorization", &format!("Basic {basic}"))
            .send()
            .await;
        let expected = if method == "GET" { 200 } else { 401 };
        assert_eq!(answer.status, expected, "{method} {path}");
    }
    client.expect_silence().await;
}

#[tokio::test]
async fn without_a_configured_token_nobody_has_it() {
    let server = Server::builder().guest("plain").without_token().start();
    for (method, path) in GUARDED {
        for header in ["Bearer ", "Bearer None", &format!("Bearer {TOKEN}"), "Basic Og=="] {
            let request = server.request(method, path).header("authorization", header);
            assert_eq!(request.send().await.status, 401, "{method} {path} with {header:?}");
        }
    }
    server.join("/plain").await.expect("hello").await;
}

#[tokio::test]
async fn what_is_wrong_with_a_request_is_said() {
    let server = Server::with_guest("plain");
    let mut client = server.enter_after("/plain?room=lobby", "hello").await;
    let good = json!({ "channel": "default", "event": "news" });
    for (path, status, words) in [
        ("/_parlor/api/rooms/default/nothing/lobby/emit", 404, "default/nothing"),
        ("/_parlor/api/rooms/nobody/plain/lobby/emit", 404, "nobody/plain"),
        ("/_parlor/api/rooms/Default/plain/lobby/emit", 400, "a tenant's name"),
        ("/_parlor/api/rooms/default/pl_ain/lobby/emit", 400, "a plugin's name"),
        ("/_parlor/api/rooms/default/plain/lob%20by/emit", 400, "a room's id"),
    ] {
        assert_refused(&emit(&server, path, &good).send().await, status, words);
        let view = path.strip_suffix("/emit").expect("a path");
        assert_refused(&server.request("GET", view).operator().send().await, status, words);
    }
    for (body, words) in [
        (json!({ "event": "news" }), "channel"),
        (json!({ "users": ["a"], "user": "b", "event": "news" }), "users"),
        (json!({ "channel": "default", "event": "" }), "event"),
        (json!({ "channel": "default", "event": "x".repeat(129) }), "event"),
        (json!({ "channel": "default", "event": "$connect" }), "event"),
    ] {
        assert_refused(&emit(&server, EMIT, &body).send().await, 400, words);
    }
    let deep = format!(r#"{{"channel":"default","event":"news","data":{}{}}}"#, "[".repeat(129), "]".repeat(129));
    let deep = server.request("POST", EMIT).operator().body("application/json", deep);
    assert_refused(&deep.send().await, 400, "data");
    client.expect_silence().await;
}

#[tokio::test]
async fn a_body_that_is_no_request_is_a_4xx_in_json() {
    let server = Server::with_guest("plain");
    let post = |content_type: &str, body: &str| server.request("POST", EMIT).operator().body(content_type, body);
    for (content_type, body, status) in [
        ("application/json", "", 400),
        ("application/json", "{", 400),
        ("application/json", r#"{"channel":1,"event":"news"}"#, 422),
        ("application/json", r#"{"channel":"default"}"#, 422),
        ("application/json", r#"{"channel":"default","event":"news","room":"x"}"#, 422),
        ("text/plain", r#"{"channel":"default","event":"news"}"#, 415),
    ] {
        assert_refused(&post(content_type, body).send().await, status, "");
    }
    let data = |bytes: usize| format!(r#"{{"channel":"default","event":"news","data":"{}"}}"#, "x".repeat(bytes - 2));
    let largest = post("application/json", &data(256 << 10)).send().await;
    assert_eq!(largest.json(), json!({ "sent": 0 }));
    assert_refused(&post("application/json", &data((256 << 10) + 1)).send().await, 413, "262144");
    assert_eq!(post("application/json", &data(1 << 20)).send().await.status, 413);
    for (method, path) in [("GET", EMIT), ("POST", "/_parlor/api/plugins"), ("DELETE", EMIT)] {
        assert_eq!(server.request(method, path).operator().send().await.status, 405);
    }
    assert_eq!(server.request("GET", "/_parlor/api/nothing").operator().send().await.status, 404);
}

#[tokio::test]
async fn health_and_the_browser_client_are_open_to_all() {
    let server = Server::builder().guest("plain").without_token().start();
    let health = server.request("GET", "/_parlor/health").send().await;
    assert_eq!((health.status, health.body.as_str()), (200, "ok\n"));
    for (path, content_type) in [
        ("/_parlor/client.js", "text/javascript; charset=utf-8"),
        ("/_parlor/client.d.ts", "text/plain; charset=utf-8"),
    ] {
        let file = server.request("GET", path).send().await;
        assert_eq!((file.status, file.header("content-type")), (200, Some(content_type)));
        assert_eq!(file.header("access-control-allow-origin"), Some("*"));
        assert_eq!(file.header("x-content-type-options"), Some("nosniff"));
        assert!(!file.body.is_empty());
    }
    // Pages of plugin projects are for `parlor dev` alone.
    for path in ["/_parlor/pages/plain/", "/_parlor/example-client.js"] {
        assert_eq!(server.request("GET", path).send().await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn the_overview_runs_nothing_but_its_own_files() {
    let server = Server::with_guest("plain");
    // Anybody may load it: it tells nothing that the API does not.
    let page = server.request("GET", "/_parlor/").send().await;
    assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")));
    let policy = page.header("content-security-policy").expect("a policy");
    assert!(policy.starts_with("default-src 'self'"), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
}

#[tokio::test]
async fn emits_of_a_backend_keep_their_order_and_their_place_among_events() {
    let server = Server::with_guest("plain");
    let mut client = server.enter_after("/plain?room=lobby", "hello").await;
    for n in 0..20 {
        let body = json!({ "channel": "default", "event": "news", "data": { "n": n } });
        emit(&server, EMIT, &body).send().await;
        client.send("say", json!({ "n": n })).await;
        assert_eq!(client.expect("news").await["n"], n);
        assert_eq!(client.expect("said").await["n"], n);
    }
}

#[tokio::test]
async fn an_emit_is_bounded_as_the_plugin_is() {
    let limits = "\
        [limits]\nemit-bytes = 10_000\n\
        [tenants.acme.limits]\nemit-bytes = 100\n\
        [tenants.acme.plugins.wide.limits]\nemit-bytes = 20_000\n";
    let server = Server::builder()
        .guest("members")
        .guest_as("plain", "acme/plain")
        .guest_as("members", "acme/wide")
        .config(limits)
        .start();
    let said = async |plugin: &str, length: usize| {
        // Two of the bytes are the quotes.
        let body = json!({ "channel": "default", "event": "news", "data": "x".repeat(length - 2) });
        emit(&server, &format!("/_parlor/api/rooms/{plugin}/lobby/emit"), &body).send().await
    };
    for (plugin, max) in [("default/members", 10_000), ("acme/plain", 100), ("acme/wide", 20_000)] {
        assert_eq!(said(plugin, max).await.status, 200, "{plugin}");
        let refused = said(plugin, max + 1).await;
        assert_refused(&refused, 413, &format!("at most {max}"));
        // The body as a whole is bounded before it is read.
        assert_eq!(said(plugin, max + (1 << 20)).await.status, 413, "{plugin}");
        // So many names may stand beside it.
        let names = |count: usize| (0..count).map(|n| format!("{n:0>128}")).collect::<Vec<String>>();
        let to = |count: usize| {
            let data = "x".repeat(max - 2);
            json!({ "users": names(count), "clients": names(count), "event": "news", "data": data })
        };
        let path = format!("/_parlor/api/rooms/{plugin}/lobby/emit");
        assert_eq!(emit(&server, &path, &to(1_000)).send().await.json(), json!({ "sent": 0 }), "{plugin}");
        assert_refused(
            &emit(&server, &path, &json!({ "users": names(1_001), "event": "news" })).send().await,
            400,
            "1,000",
        );
    }
}
