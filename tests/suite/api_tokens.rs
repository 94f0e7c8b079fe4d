//! Tokens: an operator's reaches everything, a tenant's what is the tenant's own and nothing else.

use crate::harness::{Request, Server, TOKEN, json};

const ACME: &str = "the-token-of-acme";
const OTHER: &str = "the-token-of-other";

/// Two tenants with a token each, one plugin each, and one of nobody's.
fn server() -> Server {
    Server::builder()
        .guest("plain")
        .guest_as("plain", "acme/mine")
        .guest_as("plain", "other/theirs")
        .config(&format!("[tenants.acme]\ntoken = \"{ACME}\"\n[tenants.other]\ntoken = \"{OTHER}\""))
        .start()
}

fn with(request: Request, token: &str) -> Request {
    request.header("authorization", &format!("Bearer {token}"))
}

#[tokio::test]
async fn lists_hold_what_is_the_tenants_own() {
    let server = server();
    for (path, list, name) in
        [("/_parlor/api/plugins", "plugins", "tenant"), ("/_parlor/api/tenants", "tenants", "tenant")]
    {
        let names = async |token: &str| {
            let answer = with(server.request("GET", path), token).send().await;
            assert_eq!(answer.status, 200, "{path}: {answer:?}");
            let rows = answer.json()[list].as_array().expect("a list").clone();
            rows.iter().map(|row| row[name].as_str().expect("a name").to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(names(ACME).await, ["acme"]);
        assert_eq!(names(OTHER).await, ["other"]);
        assert_eq!(names(TOKEN).await, ["acme", "default", "other"]);
    }
}

#[tokio::test]
async fn another_tenants_things_do_not_exist() {
    let server = server();
    let mut theirs = server.enter_after("/t/other/plain?room=lobby", "hello").await;
    let emit = json!({ "channel": "default", "event": "news" });
    for (method, path) in [
        ("GET", "/_parlor/api/tenants/other"),
        ("GET", "/_parlor/api/plugins/other/theirs"),
        ("GET", "/_parlor/api/plugins/other/theirs/log"),
        ("PUT", "/_parlor/api/plugins/other/theirs"),
        ("GET", "/_parlor/api/rooms/other/theirs"),
        ("GET", "/_parlor/api/rooms/other/theirs/lobby"),
        ("GET", "/_parlor/api/rooms/other/theirs/lobby/sockets"),
        ("POST", "/_parlor/api/rooms/other/theirs/lobby/emit"),
        ("POST", "/_parlor/api/plugins/other/theirs/lift"),
        ("GET", "/_parlor/api/plugins/other/theirs/costs"),
        ("GET", "/_parlor/api/rooms/other/theirs/lobby/storage"),
        ("PUT", "/_parlor/api/rooms/other/theirs/lobby/storage?key=any"),
        ("DELETE", "/_parlor/api/rooms/other/theirs/lobby/storage?key=any"),
        ("DELETE", "/_parlor/api/rooms/other/theirs/lobby/sockets/1"),
        ("GET", "/_parlor/api/plugins/default/plain"),
    ] {
        let answer = with(server.request(method, path), ACME).json(&emit).send().await;
        assert_eq!(answer.status, 404, "{method} {path}: {answer:?}");
        // Word for word what is said of what is not there at all.
        let novel = path.replace("theirs", "nothing").replace("tenants/other", "tenants/nobody");
        let nothing = with(server.request(method, &novel), ACME).json(&emit).send().await;
        assert_eq!(answer.body.replace("theirs", "nothing").replace("tenant other", "tenant nobody"), nothing.body);
    }
    theirs.expect_silence().await;
}

#[tokio::test]
async fn a_tenant_reaches_its_own() {
    let server = server();
    let mut client = server.enter_after("/t/acme/plain?room=lobby", "hello").await;
    for path in [
        "/_parlor/api/tenants/acme",
        "/_parlor/api/plugins/acme/mine",
        "/_parlor/api/rooms/acme/mine",
        "/_parlor/api/rooms/acme/mine/lobby",
        "/_parlor/api/rooms/acme/mine/lobby/sockets",
        "/_parlor/api/rooms/acme/mine/lobby/storage",
        "/_parlor/api/plugins/acme/mine/costs",
        "/_parlor/",
    ] {
        for token in [ACME, TOKEN] {
            assert_eq!(with(server.request("GET", path), token).send().await.status, 200, "{path}");
        }
    }
    let path = "/_parlor/api/rooms/acme/mine/lobby/emit";
    let emit = with(server.request("POST", path), ACME).json(&json!({ "channel": "default", "event": "news" }));
    assert_eq!(emit.send().await.json(), json!({ "sent": 1 }));
    client.expect("news").await;
}

#[tokio::test]
async fn what_concerns_the_whole_host_is_the_operators() {
    let server = server();
    let ask = || server.request("GET", "/_parlor/metrics");
    let refused = with(ask(), ACME).send().await;
    assert_eq!(refused.status, 403);
    assert!(refused.body.contains("operator"), "{refused:?}");
    assert_eq!(with(ask(), TOKEN).send().await.status, 200);
    for token in ["", "wrong-wrong-wrong-wrong", &ACME[1..]] {
        assert_eq!(with(ask(), token).send().await.status, 401);
    }
    assert_eq!(ask().send().await.status, 401);
    // Of two tokens nobody knows who calls.
    let authorization = format!("Bearer {TOKEN}");
    assert_eq!(with(ask(), TOKEN).line("authorization", &authorization).send().await.status, 400);
}

#[tokio::test]
async fn a_tenants_password_is_good_for_reading_only_and_no_token_is_logged() {
    let server = Server::builder()
        .guest_as("plain", "acme/mine")
        .config(&format!("[tenants.acme]\ntoken = \"{ACME}\""))
        .log("debug")
        .start();
    let basic = data_encoding::BASE64.encode(format!("acme:{ACME}").as_bytes());
    let asked = |method, path| server.request(method, path).header("authorization", &format!("Basic {basic}"));
    assert_eq!(asked("GET", "/_parlor/api/plugins/acme/mine").send().await.status, 200);
    assert_eq!(asked("PUT", "/_parlor/api/plugins/acme/mine").send().await.status, 401);
    assert_eq!(asked("POST", "/_parlor/api/rooms/acme/mine/r/emit").send().await.status, 401);
    let log = server.log().join("\n");
    assert!(!log.contains(ACME) && !log.contains(TOKEN) && !log.contains(&basic));
}

#[test]
fn one_token_for_two_is_refused_at_the_start() {
    let same = format!("[tenants.acme]\ntoken = \"{TOKEN}\"");
    let ended = Server::builder().config(&same).try_start().expect_err("a token for two");
    let words = ended.log.join("\n");
    assert!(
        words.contains("tenants.acme.token") && words.contains("the operator") && !words.contains(TOKEN),
        "{words}"
    );
}
