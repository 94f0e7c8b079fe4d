//! What the API tells of tenants, of rooms and their sockets, and of plugins that fail.

use crate::harness::{Client, Response, Server, Value, json};

async fn get(server: &Server, path: &str) -> Response {
    server.request("GET", &format!("/_parlor/api/{path}")).operator().send().await
}

#[tokio::test]
async fn a_tenants_quotas_say_who_set_them_and_its_usage_moves() {
    let server = Server::builder()
        .guest_as("plain", "acme/mine")
        .config("[limits]\nframe-bytes = 5000\n[tenants.acme.limits]\nrooms-per-tenant = 7")
        .start();
    let _client = server.enter_after("/t/acme/plain?room=lobby", "hello").await;
    let tenant = get(&server, "tenants/acme").await.json();
    assert_eq!((&tenant["tenant"], &tenant["plugins"]), (&json!("acme"), &json!(["mine"])));
    let quotas = tenant["quotas"].as_array().expect("quotas");
    let quota = |limit: &str| {
        let found = quotas.iter().find(|quota| quota["limit"] == limit);
        found.unwrap_or_else(|| panic!("no {limit}: {tenant}")).clone()
    };
    let rooms = quota("rooms-per-tenant");
    assert_eq!((&rooms["value"], &rooms["scope"]), (&json!(7), &json!("tenant")));
    assert_eq!(rooms["source"], "parlor.toml, tenants.acme");
    let frames = quota("frame-bytes");
    assert_eq!(
        (&frames["value"], &frames["scope"], &frames["source"]),
        (&json!(5000), &json!("plugin"), &json!("parlor.toml"))
    );
    assert_eq!(quota("bad-frames")["source"], "default");
    assert!(!quotas.iter().any(|quota| quota["limit"] == "sockets-of-host"));
    let usage = &tenant["usage"];
    assert_eq!(usage["sockets"], json!({ "used": 1, "max": 50_000 }));
    assert_eq!(usage["rooms"], json!({ "used": 1, "max": 7 }));
    assert!(usage["memory_bytes"]["used"].as_u64().expect("bytes") > 0, "{usage}");
    assert!(usage["cpu_seconds"].is_f64() && usage["cpu_owed_ms"].is_u64(), "{usage}");
    assert_eq!(get(&server, "tenants/nobody").await.status, 404);
    assert_eq!(get(&server, "tenants/No_Body").await.status, 400);
}

#[tokio::test]
async fn rooms_and_sockets_are_listed_in_parts() {
    let server = Server::with_guest("members");
    let mut clients = Vec::new();
    for room in ["c", "a", "b", "b"] {
        clients.push(server.enter(&format!("/members?user=ada&room={room}")).await);
    }
    let rooms = async |query: &str| {
        let list = get(&server, &format!("rooms/default/members{query}")).await.json();
        let names: Vec<String> = list["rooms"]
            .as_array()
            .expect("rooms")
            .iter()
            .map(|room| room["room"].as_str().expect("an id").into())
            .collect();
        (names.join(" "), list["more"] == true)
    };
    assert_eq!(rooms("").await, ("a b c".to_owned(), false));
    assert_eq!(rooms("?limit=2").await, ("a b".to_owned(), true));
    assert_eq!(rooms("?limit=2&after=b").await, ("c".to_owned(), false));
    let room = get(&server, "rooms/default/members?after=a&limit=1").await.json()["rooms"][0].clone();
    assert_eq!((&room["sockets"], &room["users"]), (&json!(2), &json!(1)));
    assert_eq!(room["version"], server.plugin("default", "members").await["version"]);

    let list = get(&server, "rooms/default/members/b/sockets").await.json();
    let sockets = list["sockets"].as_array().expect("sockets");
    assert_eq!((sockets.len(), &list["more"]), (2, &json!(false)));
    assert_eq!((&sockets[0]["user"], &sockets[0]["channels"]), (&json!("ada"), &json!(["default"])));
    assert!(sockets[0]["client"].is_string(), "{list}");
    let first = sockets[0]["socket"].as_u64().expect("a number");
    let rest = get(&server, &format!("rooms/default/members/b/sockets?after={first}&limit=1")).await.json();
    assert_eq!((&rest["sockets"][0], &rest["more"]), (&sockets[1], &json!(false)));
    let one = get(&server, "rooms/default/members/b/sockets?limit=1").await.json();
    assert_eq!((&one["sockets"][0], &one["more"]), (&sockets[0], &json!(true)));
    assert_eq!(get(&server, "rooms/default/members/none/sockets").await.json()["sockets"], json!([]));

    for query in ["?limit=0", "?limit=1001", "?limit=x", "?novel=1"] {
        assert_eq!(get(&server, &format!("rooms/default/members{query}")).await.status, 400, "{query}");
        assert_eq!(get(&server, &format!("rooms/default/members/b/sockets{query}")).await.status, 400, "{query}");
    }
}

/// A plugin whose rooms crash at their first fault.
fn broken() -> Server {
    Server::builder()
        .guest_as("fault-hooks", "hooks")
        .config("[limits]\nroom-faults = 1")
        .config("[tenants.default]\ntoken = \"the-token-of-the-tenant\"")
        .config("[tenants.default.plugins.hooks]\nconfig = { hook = \"$restore\", way = \"panic\" }")
        .start()
}

/// Five rooms crash whose clients have nothing in common.
async fn crash_rooms(server: &Server) {
    for number in 10..15 {
        let path = format!("/hooks?room=r{number}&user=user-{number}");
        let mut client: Client =
            server.request("GET", &path).coming_from_loopback(number).websocket().upgrade().await.expect("a socket");
        client.send("fail-anyway", json!("panic")).await;
        client.closed().await;
    }
}

#[tokio::test]
async fn a_quarantine_is_told_with_its_failures_and_lifted_by_its_tenant() {
    let server = broken();
    let before = server.plugin("default", "hooks").await;
    assert_eq!(
        (&before["state"], &before["quarantine"], &before["failures_by_kind"]),
        (&json!("serving"), &json!(null), &json!({}))
    );
    crash_rooms(&server).await;
    server.wait_for_log(&["the version is quarantined"]).await;
    let refused = server.refused("/hooks?room=three").await;
    assert_eq!(refused.status, 503);
    assert!(refused.body.contains("quarantined"), "{refused:?}");

    let plugin = get(&server, "plugins/default/hooks").await.json();
    assert_eq!(plugin["state"], "quarantined");
    let why = plugin["quarantine"]["why"].as_str().expect("words");
    let [since, tries_at] = ["since", "tries_at"].map(|key| plugin["quarantine"][key].as_f64().expect("a time"));
    assert!(why.contains("5 of 5 rooms crashed") && since > 1.6e12 && tries_at == since + 30_000.0, "{plugin}");
    assert_eq!(plugin["failures_by_kind"], json!({ "trap": 5 }));
    let last = plugin["last_failures"].as_array().expect("failures");
    assert_eq!(last.len(), 5);
    let newest = &last[0];
    assert_eq!(
        (&newest["room"], &newest["event"], &newest["code"]),
        (&json!("r14"), &json!("fail-anyway"), &json!("trap"))
    );
    assert!(newest["message"].as_str().expect("words").contains("trapped") && newest["time"].is_f64(), "{newest}");

    let bearer = "Bearer the-token-of-the-tenant";
    let lift = async || {
        let lift = server.request("POST", "/_parlor/api/plugins/default/hooks/lift");
        lift.header("authorization", bearer).send().await
    };
    assert_eq!(lift().await.json(), json!({ "lifted": true }));
    assert_eq!(lift().await.json(), json!({ "lifted": false }));
    server.wait_for_log(&["the tenant lifted the quarantine"]).await;
    assert_eq!(server.plugin("default", "hooks").await["state"], "serving");
    let _client = server.enter("/hooks?room=one").await;
    let unknown = server.request("POST", "/_parlor/api/plugins/default/nothing/lift").operator().send().await;
    assert_eq!(unknown.status, 404);
}

#[tokio::test]
async fn the_log_is_json_where_that_is_asked_for_and_names_its_place() {
    let server = broken_in_json();
    let mut client = server.enter("/hooks?room=lobby").await;
    client.send("fail-anyway", json!("error")).await;
    let line = server.wait_for_log(&["turn failed"]).await;
    let line: Value = serde_json::from_str(&line).expect("a line of JSON");
    let place =
        ["tenant", "plugin", "room", "event", "level"].map(|field| line[field].as_str().expect("a text").to_owned());
    assert_eq!(place, ["default", "hooks", "lobby", "fail-anyway", "WARN"]);
    assert!(line["version"].is_string());
}

fn broken_in_json() -> Server {
    Server::builder().guest_as("fault-hooks", "hooks").env("PARLOR_LOG_FORMAT", "json").start()
}
