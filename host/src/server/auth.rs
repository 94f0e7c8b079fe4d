//! Who may see and use what is the host's own: whoever has the operator's token and, in `parlor dev`, the people of
//! this machine.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::{AUTHORIZATION, ORIGIN, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use axum::middleware::Next;
use data_encoding::BASE64;

use super::Server;
use super::address::{host_of, without_port};
use crate::config::TOKEN_VARIABLE;

/// Lets through who may pass; a layer of the routes that are not open to all.
pub async fn require_operator(
    State(server): State<Arc<Server>>,
    ConnectInfo(remote): ConnectInfo<SocketAddr>,
    request: Request,
    next: Next,
) -> Response<Body> {
    if is_local_developer(&server, remote, request.headers()) || has_token(&server, &request) {
        return next.run(request).await;
    }
    let words = if server.config.operator_token.is_some() {
        "this needs the operator's token, as a bearer token or as the password of basic authentication\n".to_owned()
    } else {
        format!("no operator token is configured; set {TOKEN_VARIABLE} or operator-token-file in parlor.toml\n")
    };
    let mut response = Response::new(Body::from(words));
    *response.status_mut() = StatusCode::UNAUTHORIZED;
    response
        .headers_mut()
        .insert(WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"parlor\", charset=\"UTF-8\""));
    response
}

/// In `parlor dev` the pages need no token, for a browser on this machine that asked for this machine: a page from
/// elsewhere that was pointed here by its own name server, or that posts here, is none of ours.
fn is_local_developer(server: &Server, remote: SocketAddr, headers: &HeaderMap) -> bool {
    let Some(host) = host_of(headers).filter(|_| server.is_dev() && remote.ip().to_canonical().is_loopback()) else {
        return false;
    };
    is_loopback_name(host)
        && match headers.get(ORIGIN).map(HeaderValue::to_str) {
            None => true,
            Some(origin) => origin.is_ok_and(|origin| origin.strip_prefix("http://") == Some(host)),
        }
}

/// Whether a `Host` header names this machine itself.
pub fn is_loopback_name(host: &str) -> bool {
    matches!(without_port(host), "localhost" | "127.0.0.1" | "[::1]")
}

fn has_token(server: &Server, request: &Request) -> bool {
    let Some(token) = &server.config.operator_token else {
        return false;
    };
    let Some(given) = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok()) else {
        return false;
    };
    let Some((scheme, value)) = given.split_once(' ') else {
        return false;
    };
    let value = value.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        return is_same(value, token.expose());
    }
    // A browser sends a password along with whatever a foreign page makes it ask: good enough for reading only.
    if scheme.eq_ignore_ascii_case("basic") && request.method() == Method::GET {
        let decoded = BASE64.decode(value.as_bytes()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        return decoded
            .is_some_and(|pair| pair.split_once(':').is_some_and(|(_, given)| is_same(given, token.expose())));
    }
    false
}

/// Compares hashes, in constant time: neither content nor length of the token shows in how long it takes.
fn is_same(given: &str, token: &str) -> bool {
    blake3::hash(given.as_bytes()) == blake3::hash(token.as_bytes())
}
