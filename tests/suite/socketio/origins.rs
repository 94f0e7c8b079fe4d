//! Pages of other origins: who may poll, and what they may read.

use super::POLLING;
use crate::harness::Server;

const PAGE: &str = "https://page.example";

#[tokio::test]
async fn a_page_may_read_what_its_tenant_allows() {
    let server = Server::builder().guest("echo").start();
    let answer = server.request("GET", POLLING).header("origin", PAGE).send().await;
    assert_eq!(answer.header("access-control-allow-origin"), Some(PAGE));
    assert_eq!(answer.header("vary"), Some("Origin"));
    // Whoever may come from anywhere brings no cookies.
    assert_eq!(answer.header("access-control-allow-credentials"), None);
    assert_eq!(server.request("GET", POLLING).send().await.header("access-control-allow-origin"), None);
}

#[tokio::test]
async fn cookies_come_from_origins_that_are_listed() {
    let listed = format!("[tenants.default]\norigins = [\"{PAGE}\"]");
    let server = Server::builder().guest("echo").config(&listed).start();
    let answer = server.request("GET", POLLING).header("origin", PAGE).send().await;
    assert_eq!(answer.header("access-control-allow-credentials"), Some("true"));
    for method in ["GET", "OPTIONS", "POST"] {
        let other = server.request(method, POLLING).header("origin", "https://other.example").send().await;
        assert_eq!((other.status, other.header("access-control-allow-origin")), (403, None), "{method}");
    }
}

#[tokio::test]
async fn a_preflight_is_answered() {
    let server = Server::builder().guest("echo").start();
    let asked = server.request("OPTIONS", POLLING).header("origin", PAGE);
    let answer = asked.header("access-control-request-headers", "x-token").send().await;
    assert_eq!(answer.status, 204);
    assert_eq!(answer.header("access-control-allow-origin"), Some(PAGE));
    assert_eq!(answer.header("access-control-allow-headers"), Some("x-token"));
    assert!(answer.header("access-control-allow-methods").is_some_and(|methods| methods.contains("POST")));
}
