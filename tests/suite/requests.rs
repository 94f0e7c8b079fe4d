//! How many requests may come, and who is not held up by those of others.

use std::fs;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::harness::{Request, Response, Server, TOKEN, soon};

const ACME: &str = "the-token-of-acme";
const BLUE: &str = "the-token-of-blue";

fn with(request: Request, token: &str) -> Request {
    request.header("authorization", &format!("Bearer {token}"))
}

fn assert_too_many(refused: &Response, limit: &str) {
    assert!(refused.status == 429 && refused.body.contains(limit), "{refused:?}");
    assert!(refused.header("retry-after").is_some_and(|wait| wait.parse::<u64>().is_ok_and(|wait| wait > 0)));
    assert_eq!(refused.header("connection"), Some("close"));
}

#[tokio::test]
async fn a_pipelined_flood_of_an_address_gets_so_many_answers_and_the_connection_ends() {
    let config = "[limits]\nrequests-per-address-per-second = 1\nrequests-per-address-burst = 5";
    for path in ["/_parlor/health", "/nowhere", "/plain", "/_parlor/api/plugins", "/_parlor/client.js"] {
        let server = Server::builder().guest("plain").config(config).start();
        let since = Instant::now();
        let mut stream = TcpStream::connect(server.address()).await.expect("the server listens");
        let flood = format!("GET {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer wrong\r\n\r\n").repeat(200);
        stream.write_all(flood.as_bytes()).await.expect("the server reads");
        let mut heard = Vec::new();
        // Closed with requests unread, the connection may be reset.
        let _ = soon("the end of the connection", stream.read_to_end(&mut heard)).await;
        let heard = String::from_utf8_lossy(&heard);
        let answers = heard.matches("HTTP/1.1 ").count() as u64;
        assert!((5..=7 + since.elapsed().as_secs()).contains(&answers), "{path}: {answers} answers");
        let (_, last) = heard.rsplit_once("HTTP/1.1 ").expect("an answer");
        for words in ["429", "requests-per-address-per-second", "retry-after: ", "connection: close"] {
            assert!(last.contains(words), "{path}: {words}: {last}");
        }
        // Who comes back at once, on all the connections that it may have, gets little more.
        assert!(since.elapsed() >= Duration::from_millis(500), "{path}: {:?}", since.elapsed());
        // Nobody else pays for it, the operator at the same address included.
        let health = server.request("GET", "/_parlor/health");
        assert_eq!(health.clone().coming_from_loopback(66).send().await.status, 200);
        assert_eq!(with(health, TOKEN).send().await.status, 200);
    }
}

/// Upgrades have a rate of their own, which alone counts.
#[tokio::test]
async fn upgrades_count_as_upgrades_alone() {
    let config = "[limits]\nrequests-per-address-per-second = 1\nrequests-per-address-burst = 2\n\
                  upgrades-per-address-per-second = 1\nupgrades-per-address-burst = 20";
    let server = Server::builder().guest("plain").config(config).start();
    for _ in 0..20 {
        server.join("/plain").await;
    }
    assert_too_many(&server.refused("/plain").await, "upgrades-per-address-per-second");
}

#[tokio::test]
async fn behind_a_proxy_the_clients_address_counts() {
    let config = "trusted-proxies = [\"127.0.0.1\"]\nforwarded-by = \"x-forwarded-for\"\n\
                  [limits]\nrequests-per-address-per-second = 1\nrequests-per-address-burst = 3";
    let server = Server::builder().config(config).start();
    let ask = |client: &str| server.request("GET", "/_parlor/health").header("x-forwarded-for", client).send();
    let refused = soon("a refusal", async {
        loop {
            let answer = ask("203.0.113.7").await;
            if answer.status != 200 {
                return answer;
            }
        }
    })
    .await;
    assert_too_many(&refused, "requests-per-address-per-second");
    assert_eq!(ask("203.0.113.8").await.status, 200);
}

#[tokio::test]
async fn requests_with_a_tenants_token_count_for_the_tenant() {
    let config = format!(
        "[limits]\nrequests-per-address-per-second = 1\nrequests-per-address-burst = 1\n\
         [tenants.acme]\ntoken = \"{ACME}\"\n[tenants.acme.limits]\napi-requests-per-second = 1\napi-requests-burst = 3\n\
         [tenants.blue]\ntoken = \"{BLUE}\""
    );
    let server = Server::builder().config(&config).start();
    let ask = |token: &str| with(server.request("GET", "/_parlor/api/plugins"), token).send();
    let (mut answered, since) = (0, Instant::now());
    let refused = soon("a refusal", async {
        loop {
            let answer = ask(ACME).await;
            if answer.status != 200 {
                return answer;
            }
            answered += 1;
        }
    })
    .await;
    assert!((3..=4 + since.elapsed().as_secs()).contains(&answered), "{answered} answers");
    assert_too_many(&refused, "api-requests-per-second");
    assert!(refused.json()["error"].is_string());
    // Another tenant and the operator at the same address are none the worse.
    for _ in 0..20 {
        assert_eq!((ask(BLUE).await.status, ask(TOKEN).await.status), (200, 200));
    }
}

/// How often a thread of the server was given the processor.
fn runs(server: &Server, thread: &str) -> u64 {
    let tasks = fs::read_dir(format!("/proc/{}/task", server.process())).expect("a process").flatten();
    let named =
        |task: &fs::DirEntry| fs::read_to_string(task.path().join("comm")).is_ok_and(|name| name.trim_end() == thread);
    let task = tasks.into_iter().find(named).unwrap_or_else(|| panic!("there is no thread {thread}"));
    let stat = fs::read_to_string(task.path().join("schedstat")).expect("figures of a thread");
    stat.split_whitespace().nth(2).and_then(|runs| runs.parse().ok()).expect("a number")
}

#[tokio::test]
async fn the_thread_that_accepts_does_not_make_the_answers_of_the_api() {
    let server = Server::with_guest("plain");
    for path in ["/_parlor/api/plugins", "/_parlor/api/rooms/default/plain?limit=1", "/_parlor/metrics"] {
        let before = runs(&server, "parlor-aside");
        for _ in 0..20 {
            assert_eq!(server.request("GET", path).operator().send().await.status, 200);
        }
        let after = runs(&server, "parlor-aside");
        assert!(after >= before + 20, "{path}: {before} and then {after}");
    }
}

/// Reads what the server still says, up to the end of the connection.
async fn rest(stream: &mut TcpStream) -> String {
    let mut heard = Vec::new();
    let _ = soon("the end of the connection", stream.read_to_end(&mut heard)).await;
    String::from_utf8_lossy(&heard).into_owned()
}

#[tokio::test]
async fn half_a_body_ends_like_half_a_head() {
    let server = Server::builder().guest("plain").config("[limits]\nhandshake-ms = 300").log("debug").start();
    let emit = "POST /_parlor/api/rooms/default/plain/r/emit";
    let rollback = "POST /_parlor/api/plugins/default/plain/rollback";
    let length = "content-type: application/json\r\ncontent-length: 100\r\n\r\n{";
    let chunks = "content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n1\r\n{\r\n";
    for (line, half) in [(emit, length), (emit, chunks), (rollback, length), (rollback, chunks)] {
        let mut stream = TcpStream::connect(server.address()).await.expect("the server listens");
        let head = format!("{line} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {TOKEN}\r\n{half}");
        stream.write_all(head.as_bytes()).await.expect("the server reads");
        let heard = rest(&mut stream).await;
        assert!(heard.starts_with("HTTP/1.1 408 ") && heard.contains("handshake-ms"), "{line} {half:?}: {heard}");
    }
    server.wait_for_log(&["DEBUG", "the body did not arrive within 300 ms: handshake-ms", "127.0.0.1"]).await;
    // Where nobody reads a body, the answer comes at once, and the connection ends as well.
    for line in ["GET /_parlor/health", "GET /_parlor/api/plugins", "POST /plain", "PUT /_parlor/client.js"] {
        let mut stream = TcpStream::connect(server.address()).await.expect("the server listens");
        stream.write_all(format!("{line} HTTP/1.1\r\nhost: x\r\n{length}").as_bytes()).await.expect("the server reads");
        assert!(rest(&mut stream).await.starts_with("HTTP/1.1 "), "{line}");
    }
}

#[tokio::test]
async fn no_answer_is_kept_or_taken_for_another_type() {
    let server = Server::with_guest("plain");
    for (path, status) in [
        ("/_parlor/api/plugins", 200),
        ("/_parlor/api/tenants", 200),
        ("/_parlor/api/plugins/default/nothing", 404),
        ("/_parlor/metrics", 200),
        ("/_parlor/health", 200),
        ("/_parlor/nothing", 404),
        ("/nowhere", 404),
        ("/plain", 426),
    ] {
        for (request, expected) in [
            (server.request("GET", path).operator(), status),
            (server.request("GET", path), if status == 200 && path != "/_parlor/health" { 401 } else { 0 }),
        ] {
            let answer = request.send().await;
            assert!(expected == 0 || answer.status == expected, "{path}: {answer:?}");
            assert_eq!(answer.header("cache-control"), Some("no-store"), "{path}: {answer:?}");
            assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}: {answer:?}");
        }
    }
}
