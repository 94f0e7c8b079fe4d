//! What holds for the head of every request: it names one host (RFC 9112, 3.2), and says once what can be true only once;
//! and for the head of every answer.

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, HOST, ORIGIN, SEC_WEBSOCKET_KEY, X_CONTENT_TYPE_OPTIONS};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, Version};
use axum::middleware::Next;

use super::refusal::plain;
use crate::model::web::HostName;

/// Headers that a request has once at most.
const SINGLE: [(HeaderName, &str); 3] = [
    (ORIGIN, "the header Origin is there more than once"),
    (AUTHORIZATION, "the header Authorization is there more than once"),
    (SEC_WEBSOCKET_KEY, "the header Sec-WebSocket-Key is there more than once"),
];

/// A layer of all routes: answers 400 where it is not certain which host a request is for, or who sends it. A proxy before
/// us may have taken the other one.
pub async fn require_certain_head(request: Request, next: Next) -> Response<Body> {
    match complaint(&request) {
        Some(words) => plain(StatusCode::BAD_REQUEST, words),
        None => next.run(request).await,
    }
}

/// A layer of all routes: nobody keeps an answer that does not say so, or takes it for another type than it says.
pub async fn keep_private(mut response: Response<Body>) -> Response<Body> {
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        let headers = response.headers_mut();
        headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
        headers.entry(X_CONTENT_TYPE_OPTIONS).or_insert(HeaderValue::from_static("nosniff"));
    }
    response
}

fn complaint(request: &Request) -> Option<&'static str> {
    let hosts: Vec<_> = request.headers().get_all(HOST).iter().collect();
    let host = match hosts[..] {
        // Health checks of older proxies speak HTTP/1.0, which needs none.
        [] if request.version() < Version::HTTP_11 => return None,
        [] => return Some("the header Host is missing"),
        [host] => host.to_str().ok().and_then(authority),
        _ => return Some("the header Host is there more than once"),
    };
    let Some(host) = host else { return Some("the header Host names no host") };
    let target = request.uri().authority();
    let is_another = target.is_some_and(|target| !is_same(target.as_str(), &host, request.uri().scheme_str()));
    if is_another {
        return Some("the request's target names another host than the header Host");
    }
    let is_twice = |name: &HeaderName| request.headers().get_all(name).iter().nth(1).is_some();
    SINGLE.into_iter().find(|(name, _)| is_twice(name)).map(|(_, words)| words)
}

/// Whether two hosts are the same, with the port that the scheme implies where one has none.
fn is_same(one: &str, other: &str, scheme: Option<&str>) -> bool {
    let implied = if matches!(scheme, Some("https" | "wss")) { 443 } else { 80 };
    let port = |host: &str| host.parse::<Authority>().ok().and_then(|host| host.port_u16()).unwrap_or(implied);
    HostName::requested(one) == HostName::requested(other) && port(one) == port(other)
}

/// The host that a request is for, as its client or the proxy nearest to us wrote it.
pub fn host_of(headers: &HeaderMap) -> Option<&str> {
    headers.get(HOST)?.to_str().ok()
}

/// A host with or without a port, if a text is one.
pub fn authority(text: &str) -> Option<String> {
    let parsed: Authority = text.parse().ok()?;
    let port = text.strip_prefix(parsed.host())?;
    let is_port = port.is_empty() || port == ":" || parsed.port_u16().is_some();
    (is_port && !parsed.host().is_empty() && !text.contains('%')).then(|| text.to_owned())
}
