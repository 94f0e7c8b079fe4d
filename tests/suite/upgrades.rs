//! Upgrades that are not what they should be, subprotocols, and connections between two requests.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::harness::{Request, Server, soon};

/// nginx speaks HTTP/1.0 where nobody told it otherwise, and drops what belongs to a connection.
#[tokio::test]
async fn an_upgrade_that_a_proxy_lost_is_refused_with_what_to_set() {
    let server = Server::with_guest("plain");
    let ask = || server.request("GET", "/plain").websocket();
    for (request, lost) in [
        (ask().version("HTTP/1.0"), "HTTP/1.0"),
        (ask().version("HTTP/1.0").without("upgrade").without("connection"), "HTTP/1.0"),
        (ask().without("upgrade").without("connection"), "without the header Upgrade or Connection"),
        (ask().without("connection").header("connection", "close"), "without the header Upgrade or Connection"),
    ] {
        let refused = request.send().await;
        assert_eq!(refused.status, 426);
        assert!(refused.body.contains(lost) && refused.body.contains("proxy_http_version 1.1"), "{refused:?}");
    }
    server.wait_for_log(&["WARN", "HTTP/1.0", "proxy_http_version 1.1", "127.0.0.1"]).await;
    // A health check of an old proxy is no upgrade.
    let health = server.request("GET", "/_parlor/health").version("HTTP/1.0").without("host");
    assert_eq!(health.send().await.status, 200);
}

/// Whoever stands between could have looked at the other host.
#[tokio::test]
async fn a_request_is_for_one_host() {
    let server = Server::with_guest("plain");
    let ask = |path: &str| server.request("GET", path).websocket();
    let host = server.address().to_string();
    for (request, words) in [
        (ask("/plain").line("host", &host), "more than once"),
        (ask("/plain").line("host", "other.example"), "more than once"),
        (ask("/plain").without("host"), "missing"),
        (ask("/plain").header("host", ""), "names no host"),
        (ask("/plain").header("host", "user@a.example"), "names no host"),
        (ask("/plain").header("host", "a.example/b"), "names no host"),
        (ask("/plain").header("host", "a.example:x"), "names no host"),
        (ask("http://other.example/plain"), "another host"),
        (ask("http://a.example:81/plain").header("host", "a.example"), "another host"),
        (server.request("GET", "/_parlor/health").line("host", "other.example"), "more than once"),
    ] {
        let refused = request.send().await;
        assert!(refused.status == 400 && refused.body.contains(words), "{words}: {refused:?}");
        assert_eq!(refused.header("content-type"), Some("text/plain; charset=utf-8"));
    }
    let same = ask("http://A.example:80/plain").header("host", "a.example.");
    same.upgrade().await.expect("a socket").expect("hello").await;
    ask("/plain").header("host", "my_service:7070").upgrade().await.expect("a name of a container");
}

async fn chosen(request: Request, offered: &str) -> Option<String> {
    request.websocket().header("sec-websocket-protocol", offered).upgrade().await.expect("a socket").subprotocol
}

#[tokio::test]
async fn the_first_subprotocol_offered_that_the_plugin_names_is_chosen() {
    let config = "[tenants.default.plugins.plain]\nsubprotocols = [\"chat.v1\", \"chat.v2\"]";
    let server = Server::builder().guest("plain").guest("relay").config(config).start();
    let ask = || server.request("GET", "/plain");
    for (offered, answer) in [
        ("chat.v1", Some("chat.v1")),
        ("chat.v2, chat.v1", Some("chat.v2")),
        ("other,chat.v1", Some("chat.v1")),
        ("CHAT.V1", None),
        ("other", None),
        ("bad name, chat.v1", Some("chat.v1")),
    ] {
        assert_eq!(chosen(ask(), offered).await.as_deref(), answer, "{offered}");
    }
    assert_eq!(chosen(ask().header("sec-websocket-protocol", "other"), "chat.v2").await.as_deref(), Some("chat.v2"));
    assert_eq!(server.join("/plain").await.subprotocol, None);
    // By default none is chosen, and the log says why browsers drop such a socket.
    let quiet = Server::builder().guest("relay").start();
    assert_eq!(chosen(quiet.request("GET", "/relay"), "secret-in-an-offer").await, None);
    quiet.wait_for_log(&["WARN", "relay", "subprotocols"]).await;
    assert!(!quiet.log().iter().any(|line| line.contains("secret-in-an-offer")));
}

/// Pages can set no header but this one.
#[tokio::test]
async fn a_token_offered_as_a_subprotocol_reaches_authorize_as_a_header() {
    let config = "[tenants.default.plugins.door]\nsubprotocols = [\"chat.v1\"]";
    let server = Server::builder().guest("door").config(config).log("trace").start();
    let ask = |offered: &str| server.request("GET", "/door").websocket().header("sec-websocket-protocol", offered);
    for (offered, answer, authorization) in [
        ("bearer, hunter2.a-b_c", Some("bearer"), Some("Bearer hunter2.a-b_c")),
        ("Bearer,hunter2", Some("Bearer"), Some("Bearer hunter2")),
        ("bearer, hunter2, chat.v1", Some("chat.v1"), Some("Bearer hunter2")),
        ("chat.v1, bearer, hunter2", Some("chat.v1"), Some("Bearer hunter2")),
        ("bearer", None, None),
        ("hunter2, bearer", None, None),
        ("bearer, bad token, hunter2", None, None),
    ] {
        let mut client = ask(offered).upgrade().await.expect("a socket");
        assert_eq!(client.subprotocol.as_deref(), answer, "{offered}");
        assert_eq!(client.expect("request").await["authorization"].as_str(), authorization, "{offered}");
    }
    let mut both =
        ask("bearer, hunter2").header("authorization", "Basic aHVudGVyMg==").upgrade().await.expect("a socket");
    assert_eq!(both.expect("request").await["authorization"], "Basic aHVudGVyMg==");
    assert_eq!(both.subprotocol.as_deref(), Some("bearer"));
    assert!(!server.log().iter().any(|line| line.contains("hunter2")));
}

/// Balancers send the next request on a connection that was idle for less than their own 60 s.
#[tokio::test]
async fn a_connection_may_wait_for_its_next_request() {
    let server = Server::builder().config("[limits]\nhandshake-ms = 200\nkeep-alive-ms = 1_500").start();
    let mut stream = TcpStream::connect(server.address()).await.expect("the server listens");
    let ask = b"GET /_parlor/health HTTP/1.1\r\nHost: a\r\n\r\n";
    let mut answer = [0; 12];
    stream.write_all(ask).await.expect("the server reads");
    soon("an answer", stream.read_exact(&mut answer)).await.expect("an answer");
    assert_eq!(&answer, b"HTTP/1.1 200");
    let idle_since = Instant::now();
    let mut rest = Vec::new();
    let _ = soon("the end of the idle connection", stream.read_to_end(&mut rest)).await;
    let idle = idle_since.elapsed();
    assert!(idle >= Duration::from_millis(1_500), "an idle connection was closed after {idle:?}");
}
