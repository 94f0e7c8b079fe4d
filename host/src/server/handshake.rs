//! The WebSocket handshake (RFC 6455, 4.2): what a request must bring, the subprotocol that is chosen, and the answer.

use std::net::IpAddr;

use axum::body::Body;
use axum::http::header::{
    CONNECTION, CONTENT_LENGTH, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION,
    TRANSFER_ENCODING, UPGRADE,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Version};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::refusal::UpgradeRefusal;
use crate::model::base64;
use crate::model::web::is_token;
use crate::seldom::Seldom;

/// The subprotocol of a browser's page that brings a token: pages can set no header, and the next offer is the token.
const BEARER: &str = "bearer";
/// How to let nginx pass an upgrade on.
const NGINX: &str = "nginx needs proxy_http_version 1.1, proxy_set_header Upgrade $http_upgrade and \
                     proxy_set_header Connection \"upgrade\"";

static LOST_ON_THE_WAY: Seldom = Seldom::new();

/// A request that asks for a WebSocket as it should.
#[derive(Debug)]
pub struct Handshake {
    accept_key: String,
    offered: Vec<String>,
}

impl Handshake {
    /// Checks that a request asks for a WebSocket. `client` is who sent it, for the log.
    pub fn of(request: &Request<()>, client: IpAddr) -> Result<Self, UpgradeRefusal> {
        let headers = request.headers();
        let upgrade_required = |words: &str| UpgradeRefusal::new(StatusCode::UPGRADE_REQUIRED, words);
        if let Some(lost) = lost_on_the_way(request) {
            LOST_ON_THE_WAY.tell(|left_out| {
                tracing::warn!(%client, left_out, "refused a WebSocket that a proxy did not pass on whole: {lost}; {NGINX}");
            });
            return Err(upgrade_required(&format!("{lost}, so a proxy on the way did not pass it on whole: {NGINX}")));
        }
        if request.method() != Method::GET || !asks(headers) || !has(headers, &SEC_WEBSOCKET_VERSION, "13") {
            return Err(upgrade_required("this path serves a WebSocket, version 13"));
        }
        if has_body(headers) {
            let words = "a request for a WebSocket has no body: no Transfer-Encoding, and no Content-Length but 0";
            return Err(UpgradeRefusal::new(StatusCode::BAD_REQUEST, words));
        }
        let key = headers.get(SEC_WEBSOCKET_KEY).map(HeaderValue::as_bytes).unwrap_or_default();
        if base64::decode(key).is_some_and(|key| key.len() == 16) {
            Ok(Self { accept_key: derive_accept_key(key), offered: offered(headers) })
        } else {
            let words = "the header Sec-WebSocket-Key must be 16 bytes in base 64";
            Err(UpgradeRefusal::new(StatusCode::BAD_REQUEST, words))
        }
    }

    /// Whether a request asks for no WebSocket at all, and not in a wrong way.
    pub fn is_no_try(request: &Request<()>) -> bool {
        let headers = request.headers();
        request.method() == Method::GET && !headers.contains_key(UPGRADE) && !headers.contains_key(SEC_WEBSOCKET_KEY)
    }

    /// The token that is offered behind the subprotocol `bearer`.
    pub fn bearer(&self) -> Option<&str> {
        let place = self.offered.iter().position(|name| name.eq_ignore_ascii_case(BEARER))?;
        self.offered.get(place + 1).map(String::as_str).filter(|token| is_token(token))
    }

    /// Whether subprotocols are offered, and none of them is chosen.
    pub fn is_unanswered(&self, served: &[String]) -> bool {
        !self.offered.is_empty() && self.chosen(served).is_none()
    }

    /// The first subprotocol offered that is served, else `bearer` where a token came with it.
    fn chosen(&self, served: &[String]) -> Option<&str> {
        let bearer = || self.bearer().and(self.offered.iter().find(|name| name.eq_ignore_ascii_case(BEARER)));
        self.offered.iter().find(|name| served.contains(name)).or_else(bearer).map(String::as_str)
    }

    /// The answer that opens the socket.
    pub fn switching(&self, served: &[String]) -> Response<Body> {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = response.headers_mut();
        headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        if let Ok(key) = HeaderValue::from_str(&self.accept_key) {
            headers.insert(SEC_WEBSOCKET_ACCEPT, key);
        }
        if let Some(Ok(chosen)) = self.chosen(served).map(HeaderValue::from_str) {
            headers.insert(SEC_WEBSOCKET_PROTOCOL, chosen);
        }
        response
    }
}

fn asks(headers: &HeaderMap) -> bool {
    has(headers, &CONNECTION, "upgrade") && has(headers, &UPGRADE, "websocket")
}

/// Whether a body follows, which somebody on the way could take for frames.
fn has_body(headers: &HeaderMap) -> bool {
    let length = headers.get(CONTENT_LENGTH).map(HeaderValue::as_bytes);
    headers.contains_key(TRANSFER_ENCODING) || length.is_some_and(|length| length.iter().any(|digit| *digit != b'0'))
}

/// Whether a header that is a list has a token.
fn has(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    values(headers, name).any(|value| value.eq_ignore_ascii_case(token))
}

fn values<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    let lines = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(str::trim)
}

/// The subprotocols that a client offers, in its order.
fn offered(headers: &HeaderMap) -> Vec<String> {
    values(headers, &SEC_WEBSOCKET_PROTOCOL).map(str::to_owned).collect()
}

/// What is gone from a request that a client once sent for a WebSocket, which only its own headers still show.
fn lost_on_the_way(request: &Request<()>) -> Option<&'static str> {
    let headers = request.headers();
    if request.version() < Version::HTTP_11 && (asks(headers) || headers.contains_key(SEC_WEBSOCKET_KEY)) {
        return Some("this WebSocket request came over HTTP/1.0, which has no upgrades");
    }
    let is_whole = asks(headers) || !headers.contains_key(SEC_WEBSOCKET_KEY);
    (!is_whole).then_some("this WebSocket request came without the header Upgrade or Connection")
}
