//! From an HTTP request to a socket in a room: the checks on the way, the plugin's `authorize`, and the answer to a
//! client that is refused.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::Extension;
use axum::body::Body;
use axum::extract::{ConnectInfo, State};
use axum::http::header::{
    CONNECTION, CONTENT_TYPE, COOKIE, ORIGIN, RETRY_AFTER, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_VERSION, UPGRADE, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri};
use data_encoding::BASE64;
use hyper_util::rt::TokioIo;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::address::{self, Destination, RemoteClient};
use super::door::{ConnectionPlace, Door, retry_after_seconds};
use super::metrics::UpgradeCounts;
use crate::clock::Instant;
use crate::deploy::Deploys;
use crate::fleet::{Fleet, NoRoom};
use crate::guest::instance::ConnectRequest;
use crate::model::meta::Meta;
use crate::model::names::{DEFAULT, PluginKey, RoomId, is_short_name};
use crate::model::refusal::Refusal;
use crate::plugin::version::{AuthorizeError, Plugin};
use crate::room::handle::RoomClosed;
use crate::room::outbound::Outbound;
use crate::room::owner::RoomOwner as _;
use crate::socket::{self, ClientStream, Seat};
use crate::tenant::{Tenants, account};

/// How often to try again while an empty room of the tenant is to make a place.
const ROOM_POLL: Duration = Duration::from_millis(10);

/// What the upgrade of a request needs.
pub struct Upgrading {
    pub fleet: Arc<Fleet>,
    pub tenants: Arc<Tenants>,
    pub door: Arc<Door>,
    pub deploys: Arc<Deploys>,
    pub counts: Arc<UpgradeCounts>,
}

/// Why there is no socket: a status, and words for people.
struct UpgradeRefusal {
    status: StatusCode,
    words: String,
    /// How long the client has to wait until another try can succeed; none where nobody knows.
    retry_after: Option<Duration>,
}

impl UpgradeRefusal {
    fn new(status: StatusCode, words: impl Into<String>) -> Self {
        Self { status, words: words.into(), retry_after: None }
    }

    fn nobody() -> Self {
        Self::new(StatusCode::NOT_FOUND, "no plugin serves this path")
    }

    fn busy(words: &str) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, words)
    }

    fn too_many(words: &str) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, words)
    }

    /// The room cannot be entered.
    fn no_room(why: NoRoom) -> Self {
        match why {
            NoRoom::NotServed => Self::busy("the plugin is retired"),
            NoRoom::TooMany => Self::busy("too many open rooms: rooms-per-tenant"),
            NoRoom::Crashed(wait) => {
                Self { retry_after: Some(wait), ..Self::busy("the room failed too often: room-faults") }
            }
            NoRoom::Quarantined => Self::busy("the plugin is out of service: quarantined"),
            NoRoom::Draining => Self::busy("the server is shutting down"),
        }
    }
}

/// Answers every path that is not the host's own.
pub async fn upgrade(
    State(upgrading): State<Arc<Upgrading>>,
    ConnectInfo(remote): ConnectInfo<SocketAddr>,
    Extension(connection): Extension<ConnectionPlace>,
    request: Request<Body>,
) -> Response<Body> {
    let response = accept(&upgrading, remote, connection, request).await.unwrap_or_else(refusal);
    upgrading.counts.count(response.status());
    response
}

async fn accept(
    upgrading: &Upgrading,
    remote: SocketAddr,
    connection: ConnectionPlace,
    request: Request<Body>,
) -> Result<Response<Body>, UpgradeRefusal> {
    let Upgrading { fleet, tenants, door, .. } = upgrading;
    let client = door.client(request.headers(), remote);
    if !door.may_upgrade(client.address) {
        return Err(UpgradeRefusal::too_many("too many upgrades of this address: upgrades-per-address-per-second"));
    }
    let place = address::destination(tenants, request.headers(), request.uri()).ok_or_else(UpgradeRefusal::nobody)?;
    let plugin = plugin_at(upgrading, &place, request.headers()).await?;
    let accept_key = handshake(request.method(), request.headers())?;
    let room = address::room(request.uri()).map_err(|why| UpgradeRefusal::new(StatusCode::BAD_REQUEST, why))?;
    check_origin(tenants, &place, request.headers())?;
    if let Some(why) = fleet.refuses(&plugin.key, &room) {
        return Err(UpgradeRefusal::no_room(why));
    }

    let of_client = door
        .enter_behind_proxy(remote, client.address)
        .map_err(|_| UpgradeRefusal::too_many("too many connections of this address: sockets-per-address"))?;
    let tenant_place = plugin.account().sockets.place();
    let tenant_place = tenant_place.ok_or_else(|| UpgradeRefusal::busy("too many sockets: sockets-per-tenant"))?;
    let connect = connect_request(&client, &place, &room, &request);
    let meta = authorize(fleet, &plugin, connect, request.uri()).await?;

    // Before the client hears that it is connected, so that it gets everything that the room says from then on.
    let seat = take_seat(fleet, &plugin, &room, meta, tenant_place).await?;
    tokio::spawn(hand_over(Arc::clone(fleet), request, seat, Box::new((connection, of_client))));
    Ok(switching(&accept_key))
}

/// The plugin that serves a path. While plugins of the tenant are still being loaded, it may be one of them: a client that
/// asks for a socket waits for it, and is told to try again where that takes long.
async fn plugin_at(
    upgrading: &Upgrading,
    place: &Destination<'_>,
    headers: &HeaderMap,
) -> Result<Arc<Plugin>, UpgradeRefusal> {
    if let Some(plugin) = upgrading.fleet.at(&place.tenant, place.path) {
        return Ok(plugin);
    }
    let mut loading = upgrading.deploys.loading.watch();
    let end = Instant::now() + upgrading.door.handshake_wait;
    loop {
        // Before the look for the plugin: one that is not left any more serves by now, if it ever will.
        let left = loading.borrow_and_update().of(&place.tenant);
        if let Some(plugin) = upgrading.fleet.at(&place.tenant, place.path) {
            return Ok(plugin);
        }
        if left == 0 {
            return Err(UpgradeRefusal::nobody());
        }
        let changed = tokio::time::timeout_at(end, loading.changed());
        if !headers.contains_key(UPGRADE) || !matches!(changed.await, Ok(Ok(()))) {
            let words =
                format!("the server started and still loads {left} plugins, and this may be one of them's path");
            return Err(UpgradeRefusal::busy(&words));
        }
    }
}

/// Takes a seat in the room, and opens the room if need be. Where the tenant has as many rooms as it may, waits until
/// an empty one ends.
async fn take_seat(
    fleet: &Arc<Fleet>,
    plugin: &Plugin,
    room: &RoomId,
    meta: Meta,
    tenant_place: account::CounterPlace,
) -> Result<Seat, UpgradeRefusal> {
    let outbound = Outbound::new(plugin.limits(), Arc::clone(&plugin.account().outbound), tenant_place);
    let outbound = Arc::new(outbound);
    let given_up = Instant::now() + Duration::from_millis(plugin.limits().instance_wait_ms);
    loop {
        match fleet.enter(&plugin.key, room) {
            Ok(open) if open.stats.sockets.load(Ordering::Relaxed) >= plugin.limits().sockets_per_room => {
                return Err(UpgradeRefusal::busy("the room is full: sockets-per-room"));
            }
            Ok(open) => match Seat::take(open, meta.clone(), Arc::clone(&outbound)) {
                Ok(seat) => return Ok(seat),
                // It ended at this moment, and its name is free.
                Err(RoomClosed) => tokio::task::yield_now().await,
            },
            Err(NoRoom::TooMany) if Instant::now() < given_up => tokio::time::sleep(ROOM_POLL).await,
            Err(why) => return Err(UpgradeRefusal::no_room(why)),
        }
    }
}

/// Checks that a request asks for a WebSocket (RFC 6455, 4.2.1); answers the key to accept it with.
fn handshake(method: &Method, headers: &HeaderMap) -> Result<String, UpgradeRefusal> {
    let has = |name: &HeaderName, token: &str| {
        let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
        values.flat_map(|value| value.split(',')).any(|part| part.trim().eq_ignore_ascii_case(token))
    };
    let needed = || UpgradeRefusal::new(StatusCode::UPGRADE_REQUIRED, "this path serves a WebSocket, version 13");
    if method != Method::GET
        || !has(&CONNECTION, "upgrade")
        || !has(&UPGRADE, "websocket")
        || !has(&SEC_WEBSOCKET_VERSION, "13")
    {
        return Err(needed());
    }
    if address::host_of(headers).is_none() {
        return Err(UpgradeRefusal::new(StatusCode::BAD_REQUEST, "the header Host is missing"));
    }
    let key = headers.get(SEC_WEBSOCKET_KEY).map(HeaderValue::as_bytes).unwrap_or_default();
    if BASE64.decode(key).is_ok_and(|key| key.len() == 16) {
        Ok(derive_accept_key(key))
    } else {
        Err(UpgradeRefusal::new(StatusCode::BAD_REQUEST, "the header Sec-WebSocket-Key must be 16 bytes in base 64"))
    }
}

/// Refuses pages of origins that the tenant does not allow. Programs other than browsers send no origin.
fn check_origin(tenants: &Tenants, place: &Destination<'_>, headers: &HeaderMap) -> Result<(), UpgradeRefusal> {
    match headers.get(ORIGIN).map(HeaderValue::to_str) {
        Some(Ok(origin)) if tenants.allows_origin(&place.tenant, origin) => Ok(()),
        None => Ok(()),
        Some(_) => Err(UpgradeRefusal::new(StatusCode::FORBIDDEN, "pages of this origin may not connect")),
    }
}

/// The request as the plugin's `authorize` gets it.
fn connect_request(
    client: &RemoteClient,
    place: &Destination<'_>,
    room: &RoomId,
    request: &Request<Body>,
) -> ConnectRequest {
    let headers = request.headers();
    // There is one, since `handshake` checked it.
    let host = address::host_of(headers).unwrap_or_default();
    let scheme = if client.tls { "wss" } else { "ws" };
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    // Where tenants share a host name, browsers send the cookies of one to the others.
    let shown = headers.iter().filter(|(name, _)| place.own_host || **name != COOKIE);
    ConnectRequest {
        uri: format!("{scheme}://{host}{path}"),
        room: room.as_str().to_owned(),
        headers: shown
            .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))
            .collect(),
        remote: client.address.to_string(),
    }
}

/// Asks the plugin's `authorize`, in an instance that belongs to no room, before there is a socket.
async fn authorize(
    fleet: &Fleet,
    plugin: &Arc<Plugin>,
    connect: ConnectRequest,
    uri: &Uri,
) -> Result<Meta, UpgradeRefusal> {
    let limit = Duration::from_millis(plugin.limits().handshake_ms);
    // On a worker's thread, because this one accepts connections and a guest may take its time.
    let workers = fleet.workers();
    let (worker, guest) = (workers.least_busy(), Arc::clone(plugin));
    let slow = workers.slow_runtime(worker).clone();
    let asked = workers.runtime(worker).spawn(async move {
        let pace = Arc::clone(guest.pace());
        let mut asking = Box::pin(async move { guest.authorize(connect).await });
        match pace.until_heavy(&mut asking).await {
            Some(answer) => Ok(answer),
            None => slow.spawn(asking).await,
        }
    });
    let Ok(Ok(Ok(answer))) = tokio::time::timeout(limit, asked).await else {
        return Err(UpgradeRefusal::busy("the plugin did not authorize this connection in time: handshake-ms"));
    };
    match answer {
        Ok(Some(meta)) => Ok(meta),
        Ok(None) => default_meta(plugin, uri),
        Err(AuthorizeError::Rejected(rejection)) => {
            let status = StatusCode::from_u16(rejection.status)
                .ok()
                .filter(|status| status.is_client_error() || status.is_server_error());
            Err(UpgradeRefusal::new(status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), rejection.message))
        }
        Err(AuthorizeError::Crowded) => {
            Err(UpgradeRefusal::busy("too many connections wait for this plugin: authorize-waiting"))
        }
        Err(AuthorizeError::Busy(why)) => {
            let PluginKey { tenant, plugin: name } = &plugin.key;
            tracing::warn!(
                tenant = tenant.as_str(),
                plugin = name.as_str(),
                "cannot ask the plugin to authorize a connection now: {why}"
            );
            Err(UpgradeRefusal::busy("the server is busy"))
        }
        Err(AuthorizeError::NoInstance(why)) => {
            let why = why.to_string();
            fleet.faulted_unprovoked(plugin, &why);
            Err(broken(plugin, &why))
        }
        Err(AuthorizeError::Broken(why)) => Err(broken(plugin, &why)),
    }
}

/// Logs and counts that the plugin's `authorize` failed. The client does not learn how.
fn broken(plugin: &Plugin, why: &str) -> UpgradeRefusal {
    plugin.authorize_failed(why);
    let PluginKey { tenant, plugin: name } = &plugin.key;
    tracing::warn!(tenant = tenant.as_str(), plugin = name.as_str(), version = plugin.version, "{why}");
    UpgradeRefusal::new(StatusCode::INTERNAL_SERVER_ERROR, "")
}

/// A random user and client; channels of the client's choice only where the operator allows it.
fn default_meta(plugin: &Plugin, uri: &Uri) -> Result<Meta, UpgradeRefusal> {
    let id = || random_id().map_err(|_| UpgradeRefusal::busy("no randomness"));
    let chosen = address::query_value(uri, "channels").filter(|_| plugin.client_channels);
    let channels = match chosen {
        Some(list) => list.split(',').filter(|name| is_short_name(name)).map(str::to_owned).collect(),
        None => vec![DEFAULT.to_owned()],
    };
    Meta::anonymous(id()?, id()?, channels)
        .checked(plugin.limits())
        .map_err(|why: Refusal| UpgradeRefusal::new(StatusCode::BAD_REQUEST, why.to_string()))
}

/// 128 bits in hexadecimal.
fn random_id() -> Result<String, getrandom::Error> {
    let mut bytes = [0u8; 16];
    getrandom::fill(&mut bytes)?;
    Ok(format!("{:032x}", u128::from_ne_bytes(bytes)))
}

/// Moves the bare connection to its room's thread as soon as the 101 is sent.
async fn hand_over(fleet: Arc<Fleet>, request: Request<Body>, seat: Seat, held: Box<dyn Send>) {
    let upgraded = match hyper::upgrade::on(request).await {
        Ok(upgraded) => upgraded,
        Err(why) => return tracing::debug!("an upgrade broke off: {why}"),
    };
    let Ok(parts) = upgraded.downcast::<TokioIo<ClientStream>>() else {
        return tracing::error!("an upgraded connection is not one that this server accepted");
    };
    match parts.io.into_inner().detach() {
        Ok(stream) => socket::serve(Arc::clone(fleet.workers()), stream, &parts.read_buf, seat, held),
        Err(why) => tracing::warn!("a socket cannot leave the thread that accepted it: {why}"),
    }
}

fn switching(accept_key: &str) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    if let Ok(key) = HeaderValue::from_str(accept_key) {
        headers.insert(SEC_WEBSOCKET_ACCEPT, key);
    }
    response
}

fn refusal(refused: UpgradeRefusal) -> Response<Body> {
    let UpgradeRefusal { status, words, retry_after } = refused;
    let mut response = Response::new(Body::from(words));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if status == StatusCode::UPGRADE_REQUIRED {
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
    }
    if status == StatusCode::SERVICE_UNAVAILABLE || status == StatusCode::TOO_MANY_REQUESTS {
        headers.insert(RETRY_AFTER, HeaderValue::from(retry_after_seconds(retry_after)));
    }
    response
}
