//! Who may use the API, the pages and the metrics. A token says whether the caller is the operator, who may use
//! everything, or a tenant, who may use its own part. In `parlor dev` a browser on this machine counts as the operator.

use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, ORIGIN, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use axum::middleware::Next;

pub use super::caller::Caller;
use super::forwarded::RemoteClient;
use super::head::host_of;
use super::login::{LoginKey, Logins, OF_CONSOLE, is_of_our_pages, login_of};
use crate::config::TOKEN_VARIABLE;
use crate::model::base64;
use crate::model::secret::Secret;
use crate::model::web::HostName;
use crate::tenant::Tenants;

/// What decides who calls: the tokens, and whether a browser on this machine needs one.
#[derive(Debug)]
pub struct Access {
    operator_token: Option<Secret>,
    tenants: Arc<Tenants>,
    /// Whether `parlor dev` runs, in which a browser on this machine needs no token.
    is_dev: bool,
    pub logins: Logins,
}

impl Access {
    pub fn new(operator_token: Option<Secret>, tenants: Arc<Tenants>, is_dev: bool) -> Self {
        Self { operator_token, tenants, is_dev, logins: Logins::default() }
    }

    /// Whether `parlor dev` runs and the request comes from this machine, for this machine's own name. That leaves out
    /// a page from elsewhere whose host name leads here (DNS rebinding), or that sends requests here.
    fn is_local_developer(&self, client: &RemoteClient, headers: &HeaderMap) -> bool {
        let Some(host) = host_of(headers).filter(|_| self.is_dev && client.address.is_loopback()) else {
            return false;
        };
        HostName::requested(host).is_loopback()
            && match headers.get(ORIGIN).map(HeaderValue::to_str) {
                None => true,
                Some(origin) => origin.is_ok_and(|origin| origin.strip_prefix("http://") == Some(host)),
            }
    }

    /// Whom a request of one of our own paths speaks for; none where it shows no token of ours.
    pub fn caller(&self, client: &RemoteClient, request: &Request) -> Option<Caller> {
        if self.is_local_developer(client, request.headers()) {
            return Some(Caller::Operator);
        }
        let (method, headers) = (request.method(), request.headers());
        match token_of(method, headers) {
            Some(token) => self.caller_of(&token),
            None => self.logins.caller(&login_of(headers).filter(|_| is_of_our_pages(method, headers))?),
        }
    }

    /// The login that a request rests on, where it brings no token.
    pub fn login(&self, client: &RemoteClient, headers: &HeaderMap) -> Option<LoginKey> {
        let needs_none = self.is_local_developer(client, headers) || headers.contains_key(AUTHORIZATION);
        login_of(headers).filter(|_| !needs_none)
    }

    /// Whether somebody can log in at a host name with the token of this caller. Where a tenant has a host name of its own, its
    /// pages are of the same origin as ours, so only its own token may be given there.
    pub fn may_log_in_at(&self, caller: &Caller, host: &HostName) -> bool {
        self.tenants.at_host(host).is_none_or(|own| *caller == Caller::Tenant(own.clone()))
    }

    pub fn is_dev(&self) -> bool {
        self.is_dev
    }

    /// Whose token this is. Compares every token even after a match, so that the time does not say which one fits.
    pub fn caller_of(&self, given: &str) -> Option<Caller> {
        let given = blake3::hash(given.as_bytes());
        let operator = self.operator_token.iter().map(|token| (token, Caller::Operator));
        let tenants = self.tenants.named().iter();
        let tenants = tenants.filter_map(|(name, of)| Some((of.token.as_ref()?, Caller::Tenant(name.clone()))));
        let mut found = None;
        for (token, caller) in operator.chain(tenants) {
            // blake3 compares hashes in constant time, so that the time tells neither content nor length of a token.
            if blake3::hash(token.expose().as_bytes()) == given {
                found.get_or_insert(caller);
            }
        }
        found
    }
}

/// A layer of the routes that are not open to all: lets a request through that has a caller, or answers 401. The layer
/// that counts requests noted the caller.
pub async fn require_caller(State(access): State<Arc<Access>>, request: Request, next: Next) -> Response<Body> {
    if request.extensions().get::<Caller>().is_some() {
        return next.run(request).await;
    }
    unknown_caller(access.operator_token.is_some(), request.headers())
}

/// Lets only the operator through; a layer below [`require_caller`].
pub async fn require_operator(Extension(caller): Extension<Caller>, request: Request, next: Next) -> Response<Body> {
    if caller == Caller::Operator {
        return next.run(request).await;
    }
    let mut response = Response::new(Body::from("this is for the operator alone\n"));
    *response.status_mut() = StatusCode::FORBIDDEN;
    response
}

fn unknown_caller(has_operator: bool, headers: &HeaderMap) -> Response<Body> {
    let words = if has_operator {
        "this needs the operator's token or a tenant's, as a bearer token or as the password of basic authentication\n"
            .to_owned()
    } else {
        format!("no operator token is configured; set {TOKEN_VARIABLE} or operator-token-file in parlor.toml\n")
    };
    let mut response = Response::new(Body::from(words));
    *response.status_mut() = StatusCode::UNAUTHORIZED;
    // A browser would ask for a password in a dialog of its own, in place of our page with its form.
    if !headers.contains_key(OF_CONSOLE) && headers.get("sec-fetch-mode").is_none_or(|mode| mode == "navigate") {
        let basic = HeaderValue::from_static("Basic realm=\"parlor\", charset=\"UTF-8\"");
        response.headers_mut().insert(WWW_AUTHENTICATE, basic);
    }
    response
}

/// The token that a request brings.
fn token_of(method: &Method, headers: &HeaderMap) -> Option<String> {
    let given = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, value) = given.split_once(' ')?;
    let value = value.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(value.to_owned());
    }
    // Only for reading: a browser also sends a stored password with requests that a foreign page makes.
    if scheme.eq_ignore_ascii_case("basic") && *method == Method::GET {
        let decoded = String::from_utf8(base64::decode(value.as_bytes())?).ok()?;
        return decoded.split_once(':').map(|(_, password)| password.to_owned());
    }
    None
}
