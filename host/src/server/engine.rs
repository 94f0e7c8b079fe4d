//! Engine.IO over HTTP, at `/socket.io/` of each tenant: opening sessions, polls, posts and upgrades. Errors are those of
//! Engine.IO: a JSON object with a code and a message.

use std::sync::Arc;

use axum::body::Body;
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS, CONNECTION, CONTENT_TYPE,
    ORIGIN, VARY,
};
use axum::http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use tokio::sync::oneshot;

use super::address::{Destination, ENGINE, query_value};
use super::bare::bare_connection;
use super::door::{ConnectionPlace, TurnedAway};
use super::entry::{Upgrading, check_origin, count_upgrade};
use super::forwarded::RemoteClient;
use super::handshake::Handshake;
use super::reception::SessionReception;
use super::refusal::{UpgradeRefusal, plain};
use crate::model::limits::Limits;
use crate::protocol::engineio::{self, PollingBody, SessionTerms};
use crate::session::{Knock, NewSession, Opening, PollAnswer, PostAnswer, Session, new_id};
use crate::tenant::charge::charged;
use crate::tenant::{Account, Tenants};

/// How long a browser may remember what we answered to its preflight, in seconds. Chromium remembers two hours at most.
const PREFLIGHT_SECONDS: &str = "7200";

/// What is wrong with a request, as Engine.IO numbers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum EngineError {
    TransportUnknown,
    SessionUnknown,
    BadMethod,
    BadRequest,
    Forbidden,
    UnsupportedProtocol,
}

impl EngineError {
    fn code(self) -> u8 {
        match self {
            Self::TransportUnknown => 0,
            Self::SessionUnknown => 1,
            Self::BadMethod => 2,
            Self::BadRequest => 3,
            Self::Forbidden => 4,
            Self::UnsupportedProtocol => 5,
        }
    }

    fn response(self, words: &str) -> Response<Body> {
        let status = if self == Self::Forbidden { StatusCode::FORBIDDEN } else { StatusCode::BAD_REQUEST };
        json(status, &serde_json::json!({ "code": self.code(), "message": words }))
    }
}

/// What a request of the engine needs.
struct Asked<'a> {
    upgrading: &'a Arc<Upgrading>,
    place: &'a Destination<'a>,
    client: RemoteClient,
    connection: ConnectionPlace,
    account: Arc<Account>,
}

/// What carries a session's packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Carrier {
    Polling,
    WebSocket,
}

/// Whether an address is the engine's, and the tenant has one.
pub(super) fn is_served(tenants: &Tenants, place: &Destination<'_>) -> bool {
    let rest = place.path.strip_prefix(ENGINE);
    matches!(rest, Some("" | "/")) && tenants.settings(&place.tenant).socket_io
}

/// Answers a request of the engine's.
pub(super) async fn answer(
    upgrading: &Arc<Upgrading>,
    place: &Destination<'_>,
    client: RemoteClient,
    connection: ConnectionPlace,
    request: Request<Body>,
) -> Response<Body> {
    let tenants = &upgrading.tenants;
    if check_origin(tenants, &place.tenant, request.headers()).is_err() {
        return EngineError::Forbidden.response("pages of this origin may not connect");
    }
    let origin = request.headers().get(ORIGIN).cloned();
    let mut response = if request.method() == Method::OPTIONS {
        preflight(request.headers())
    } else {
        let account = tenants.account(&place.tenant);
        let asked = Asked { upgrading, place, client, connection, account: Arc::clone(&account) };
        charged(&account.cpu, asked.answer(request)).await
    };
    if let Some(origin) = origin {
        let headers = response.headers_mut();
        // With a list of origins, their pages may bring cookies. Without one, a page of anybody's could speak for the user.
        if tenants.names_origins(&place.tenant) {
            headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        }
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.append(VARY, HeaderValue::from_static("Origin"));
    }
    response
}

/// The answer to a browser that asks whether a page may send a request.
fn preflight(asked: &HeaderMap) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST"));
    headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(PREFLIGHT_SECONDS));
    if let Some(names) = asked.get(ACCESS_CONTROL_REQUEST_HEADERS) {
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, names.clone());
    }
    response
}

impl Asked<'_> {
    async fn answer(self, request: Request<Body>) -> Response<Body> {
        let (head, body) = request.into_parts();
        let request = Request::from_parts(head, ());
        let query = |key| query_value(request.uri(), key);
        if query("EIO").as_deref() != Some("4") {
            return EngineError::UnsupportedProtocol.response("Unsupported protocol version");
        }
        let carrier = match query("transport").as_deref() {
            Some("polling") => Carrier::Polling,
            Some("websocket") => Carrier::WebSocket,
            _ => return EngineError::TransportUnknown.response("Transport unknown"),
        };
        match (query("sid"), carrier, request.method().clone()) {
            (None, Carrier::Polling, Method::GET) => self.open(&request),
            (None, Carrier::WebSocket, Method::GET) => self.open_websocket(request),
            (None, ..) => EngineError::BadMethod.response("Bad handshake method"),
            (Some(sid), Carrier::WebSocket, Method::GET) => self.upgrade(&sid, request),
            (Some(sid), Carrier::Polling, Method::GET) => self.poll(&sid).await,
            (Some(sid), Carrier::Polling, Method::POST) => self.post(&sid, body).await,
            _ => EngineError::BadRequest.response("Bad request"),
        }
    }

    /// What every session of this client is made of, or why it gets none.
    fn new_session(&self, carrier: Carrier, request: &Request<()>) -> Result<NewSession, UpgradeRefusal> {
        let door = &self.upgrading.door;
        count_upgrade(door, self.client.address)?;
        door.check_forwarded(request.headers(), &self.client);
        let held: Box<dyn Send> = match carrier {
            Carrier::Polling => Box::new(door.enter_session(&self.client).map_err(turned_away)?),
            Carrier::WebSocket => {
                let of_client = door.enter_behind_proxy(&self.client).map_err(turned_away)?;
                Box::new((self.connection.clone(), of_client))
            }
        };
        let Some(of_tenant) = self.account.sockets.place() else {
            return Err(UpgradeRefusal::busy("too many sockets: sockets-per-tenant"));
        };
        let id = new_id().map_err(|_| UpgradeRefusal::busy("no randomness"))?;
        let reception = SessionReception::new(self.upgrading, self.place, &self.client, request, of_tenant);
        Ok(NewSession { id, reception: Arc::new(reception), limits: Arc::clone(&self.account.limits), held })
    }

    /// Opens a session that polls.
    fn open(self, request: &Request<()>) -> Response<Body> {
        let new = match self.new_session(Carrier::Polling, request) {
            Ok(new) => new,
            Err(refused) => return refused.into_response(),
        };
        let opened = engineio::open(terms(&new.id, true, &self.account.limits));
        let session = Session::polling(new, &self.upgrading.sessions, self.place.tenant.clone());
        tokio::spawn(session.live(Arc::clone(self.upgrading.fleet.workers()), self.account));
        payload(opened.as_str().to_owned())
    }

    /// Opens a session over a WebSocket.
    fn open_websocket(self, request: Request<()>) -> Response<Body> {
        let handshake = match Handshake::of(&request, self.client.address) {
            Ok(handshake) => handshake,
            Err(refused) => return refused.into_response(),
        };
        let new = match self.new_session(Carrier::WebSocket, &request) {
            Ok(new) => new,
            Err(refused) => return refused.into_response(),
        };
        let opened = engineio::open(terms(&new.id, false, &self.account.limits));
        let (workers, account) = (Arc::clone(self.upgrading.fleet.workers()), self.account);
        tokio::spawn(async move {
            let Some((stream, read_ahead)) = bare_connection(request).await else { return };
            let opening = Opening { stream, read_ahead };
            if let Some(session) = Session::over_websocket(new, opened, opening).await {
                session.live(workers, account).await;
            }
        });
        handshake.switching(&[])
    }

    /// Has a WebSocket try to take a session over.
    fn upgrade(self, sid: &str, request: Request<()>) -> Response<Body> {
        if let Err(refused) = count_upgrade(&self.upgrading.door, self.client.address) {
            return refused.into_response();
        }
        let Some(knocks) = self.upgrading.sessions.find(&self.place.tenant, sid) else { return unknown() };
        let handshake = match Handshake::of(&request, self.client.address) {
            Ok(handshake) => handshake,
            Err(refused) => return refused.into_response(),
        };
        let connection = self.connection;
        tokio::spawn(async move {
            let Some((stream, read_ahead)) = bare_connection(request).await else { return };
            let held = Box::new(connection);
            // Where the session has ended meanwhile, or has a probe already, this closes the connection.
            let _ = knocks.try_send(Knock::Upgrade { opening: Opening { stream, read_ahead }, held });
        });
        handshake.switching(&[])
    }

    /// Waits for what the rooms say to a client that polls.
    async fn poll(self, sid: &str) -> Response<Body> {
        let Some(knocks) = self.upgrading.sessions.find(&self.place.tenant, sid) else { return unknown() };
        let (answer, answered) = oneshot::channel();
        if knocks.try_send(Knock::Poll(answer)).is_err() {
            return unknown();
        }
        match answered.await {
            Ok(PollAnswer::Payload(text)) => payload(text),
            Ok(PollAnswer::Overlap) => EngineError::BadRequest.response("two polls at a time"),
            Err(_) => unknown(),
        }
    }

    /// Brings what a client posts to its session.
    async fn post(self, sid: &str, body: Body) -> Response<Body> {
        let Some(knocks) = self.upgrading.sessions.find(&self.place.tenant, sid) else { return unknown() };
        let bytes_max = self.account.limits.frame_bytes;
        let read = Limited::new(body, bytes_max).collect();
        let body = match tokio::time::timeout(self.upgrading.door.handshake_wait, read).await {
            Ok(Ok(body)) => body.to_bytes(),
            Ok(Err(why)) if why.is::<LengthLimitError>() => {
                return closing(plain(
                    StatusCode::PAYLOAD_TOO_LARGE,
                    format!("the body is larger than maxPayload, {bytes_max} bytes: frame-bytes"),
                ));
            }
            Ok(Err(_)) => return closing(EngineError::BadRequest.response("the body broke off")),
            Err(_) => {
                let words = "the body did not arrive in time: handshake-ms";
                return closing(plain(StatusCode::REQUEST_TIMEOUT, words));
            }
        };
        let body = PollingBody::new(body, bytes_max, bytes_max);
        let (taken, answered) = oneshot::channel();
        if knocks.try_send(Knock::Post { body, taken }).is_err() {
            return unknown();
        }
        match answered.await {
            Ok(PostAnswer::Taken) => text("ok".to_owned(), "text/html"),
            Ok(PostAnswer::Wrong(words)) => EngineError::BadRequest.response(&words),
            Err(_) => unknown(),
        }
    }
}

fn terms<'a>(sid: &'a str, may_upgrade: bool, limits: &Limits) -> SessionTerms<'a> {
    SessionTerms {
        sid,
        may_upgrade,
        ping_interval_ms: limits.engine_ping_ms,
        ping_timeout_ms: limits.engine_pong_ms,
        max_payload: limits.frame_bytes,
    }
}

fn unknown() -> Response<Body> {
    EngineError::SessionUnknown.response("Session ID unknown")
}

fn turned_away(why: TurnedAway) -> UpgradeRefusal {
    match why {
        TurnedAway::HostIsFull => UpgradeRefusal::busy("the server is full: sockets-of-host"),
        TurnedAway::AddressIsFull => {
            UpgradeRefusal::too_many("too many connections of this address: sockets-per-address")
        }
    }
}

/// Ends the connection behind an answer: part of the request's body may not be read.
fn closing(mut response: Response<Body>) -> Response<Body> {
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

fn payload(packets: String) -> Response<Body> {
    text(packets, "text/plain; charset=UTF-8")
}

fn text(body: String, content_type: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

fn json(status: StatusCode, value: &serde_json::Value) -> Response<Body> {
    let mut response = text(value.to_string(), "application/json");
    *response.status_mut() = status;
    response
}
