//! Who may see and use what is the host's own: whoever has the operator's token, a tenant with its own what is its own
//! and, in `parlor dev`, the people of this machine.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::{AUTHORIZATION, ORIGIN, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use axum::middleware::Next;
use data_encoding::BASE64;

use super::Server;
use super::address::{host_of, without_port};
use crate::config::TOKEN_VARIABLE;
use crate::model::names::TenantName;

/// Whom a request speaks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    Operator,
    Tenant(TenantName),
}

impl Caller {
    /// Whether a tenant, and what is its, is there for the caller.
    pub fn may_see(&self, tenant: &TenantName) -> bool {
        match self {
            Self::Operator => true,
            Self::Tenant(own) => own == tenant,
        }
    }
}

/// Lets through who may pass, and notes who it is; a layer of the routes that are not open to all.
pub async fn require_caller(
    State(server): State<Arc<Server>>,
    ConnectInfo(remote): ConnectInfo<SocketAddr>,
    mut request: Request,
    next: Next,
) -> Response<Body> {
    let caller = if is_local_developer(&server, remote, request.headers()) {
        Some(Caller::Operator)
    } else {
        token_of(&request).and_then(|token| caller_of(&server, &token))
    };
    match caller {
        Some(caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        None => unknown_caller(&server),
    }
}

/// The same for what is the operator's alone.
pub async fn require_operator(Extension(caller): Extension<Caller>, request: Request, next: Next) -> Response<Body> {
    if caller == Caller::Operator {
        return next.run(request).await;
    }
    let mut response = Response::new(Body::from("this is for the operator alone\n"));
    *response.status_mut() = StatusCode::FORBIDDEN;
    response
}

fn unknown_caller(server: &Server) -> Response<Body> {
    let words = if server.config.operator_token.is_some() {
        "this needs the operator's token or a tenant's, as a bearer token or as the password of basic authentication\n"
            .to_owned()
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

/// The token that a request brings.
fn token_of(request: &Request) -> Option<String> {
    let given = request.headers().get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, value) = given.split_once(' ')?;
    let value = value.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(value.to_owned());
    }
    // A browser sends a password along with whatever a foreign page makes it ask: good enough for reading only.
    if scheme.eq_ignore_ascii_case("basic") && request.method() == Method::GET {
        let decoded = String::from_utf8(BASE64.decode(value.as_bytes()).ok()?).ok()?;
        return decoded.split_once(':').map(|(_, password)| password.to_owned());
    }
    None
}

/// Whose token it is. Every token is compared, whichever fits.
fn caller_of(server: &Server, given: &str) -> Option<Caller> {
    let given = blake3::hash(given.as_bytes());
    let operator = server.config.operator_token.iter().map(|token| (token, Caller::Operator));
    let tenants = server.tenants.named().iter();
    let tenants = tenants.filter_map(|(name, of)| Some((of.token.as_ref()?, Caller::Tenant(name.clone()))));
    let mut found = None;
    for (token, caller) in operator.chain(tenants) {
        // Hashes are compared in constant time: neither content nor length of a token shows in how long it takes.
        if blake3::hash(token.expose().as_bytes()) == given {
            found.get_or_insert(caller);
        }
    }
    found
}
