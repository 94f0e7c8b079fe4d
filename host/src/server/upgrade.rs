//! From an HTTP request to a socket in a room, and the checks on the way.

use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_ORIGIN, AUTHORIZATION, ORIGIN, UPGRADE, VARY,
};
use axum::http::{HeaderMap, HeaderValue, Request, Response, StatusCode};

use super::address::{self, Destination};
use super::addresses::AddressPlace;
use super::authorize::connect_request;
use super::bare::bare_connection;
use super::door::ConnectionPlace;
use super::engine;
use super::entry::{self, Manner, Upgrading, Wish, check_origin, plugin_at};
use super::forwarded::RemoteClient;
use super::handshake::Handshake;
use super::head::host_of;
use super::refusal::UpgradeRefusal;
use super::resume::Resume;
use crate::model::names::PluginKey;
use crate::plugin::version::Plugin;
use crate::seldom::Seldom;
use crate::socket::{self, Seat};
use crate::tenant::charge::charged;
use crate::workers::Workers;

static UNANSWERED: Seldom = Seldom::new();

/// Answers every path that is not the host's own.
pub async fn upgrade(
    State(upgrading): State<Arc<Upgrading>>,
    Extension(client): Extension<RemoteClient>,
    Extension(connection): Extension<ConnectionPlace>,
    request: Request<Body>,
) -> Response<Body> {
    let origin = request.headers().get(ORIGIN).cloned();
    // The host that a proxy tells of leads to no other tenant than the one that it asked us for.
    let hosts = [host_of(request.headers()), client.host.as_deref()];
    let uri = request.uri().clone();
    let place = address::destination(&upgrading.tenants, &hosts, &uri);
    if let Some(place) = place.as_ref().filter(|place| engine::is_served(&upgrading.tenants, place)) {
        return engine::answer(&upgrading, place, client, connection, request).await;
    }
    // An upgrade has no body.
    let answer = accept(&upgrading, place, client, connection, request.map(drop)).await;
    let mut response = answer.unwrap_or_else(UpgradeRefusal::into_response);
    upgrading.counts.count(response.status());
    if let Some(origin) = origin {
        may_be_read(response.headers_mut(), origin);
    }
    response
}

/// Lets a page of this origin read why it was refused. Whoever may not connect learns just that, since the origin is
/// checked before the plugin is asked.
fn may_be_read(headers: &mut HeaderMap, origin: HeaderValue) {
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    headers.append(VARY, HeaderValue::from_static("Origin"));
}

async fn accept(
    upgrading: &Upgrading,
    place: Option<Destination<'_>>,
    client: RemoteClient,
    connection: ConnectionPlace,
    request: Request<()>,
) -> Result<Response<Body>, UpgradeRefusal> {
    let Upgrading { fleet, door, .. } = upgrading;
    entry::count_upgrade(door, client.address)?;
    let place = place.ok_or_else(UpgradeRefusal::nobody)?;
    let waits = request.headers().contains_key(UPGRADE);
    let plugin = plugin_at(upgrading, &place.tenant, place.path, waits).await?;
    let account = Arc::clone(plugin.account());
    let admitted = charged(&account.cpu, admit(upgrading, plugin, &place, &client, &request)).await?;
    let Admitted { seat, of_client, answer } = admitted;
    let handed_over = hand_over(Arc::clone(fleet.workers()), request, seat, Box::new((connection, of_client)));
    tokio::spawn(async move { charged(&account.cpu, handed_over).await });
    Ok(answer)
}

/// A client that may come in.
struct Admitted {
    seat: Seat,
    /// Its place among the connections of its own address, where a proxy tells of it.
    of_client: Option<AddressPlace>,
    /// The 101.
    answer: Response<Body>,
}

/// Lets a client into a room of a plugin, or refuses it.
async fn admit(
    upgrading: &Upgrading,
    plugin: Arc<Plugin>,
    place: &Destination<'_>,
    client: &RemoteClient,
    request: &Request<()>,
) -> Result<Admitted, UpgradeRefusal> {
    let Upgrading { fleet, tenants, door, .. } = upgrading;
    let handshake = match Handshake::of(request, client.address) {
        // A page does not see why its upgrade was refused, and asks with a plain GET: it gets the same answer.
        Err(refused) if Handshake::is_no_try(request) => Err(refused),
        known => Ok(known?),
    };
    door.check_forwarded(request.headers(), client);
    let room = address::room(request.uri()).map_err(|why| UpgradeRefusal::new(StatusCode::BAD_REQUEST, why))?;
    check_origin(tenants, &place.tenant, request.headers())?;
    let of_client = door
        .enter_behind_proxy(client)
        .map_err(|_| UpgradeRefusal::too_many("too many connections of this address: sockets-per-address"))?;
    let resume = Resume::asked(&upgrading.claims, &plugin, &room, request.uri(), None);
    // A socket that goes on over another line has its place already.
    let goes_on = resume.as_ref().is_some_and(Resume::goes_on);
    let tenant_place = if goes_on { None } else { Some(entry::tenant_place(&plugin)?) };
    let headers = request.headers();
    let bearer = handshake.as_ref().ok().and_then(Handshake::bearer).filter(|_| !headers.contains_key(AUTHORIZATION));
    let token = bearer.map(|token| (AUTHORIZATION.as_str(), format!("Bearer {token}")));
    let target = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let connect = connect_request(client, place.own_host, &room, (target, headers), token.into_iter().collect());
    let (address, is_earnest) = (door.address_of(client), handshake.is_ok());
    let wish = Wish { plugin: &plugin, room: &room, address, connect, uri: request.uri(), is_earnest };
    let known = entry::identify(fleet, wish).await?;
    let handshake = handshake?;
    // Before the client hears that it is connected, so that it gets everything that the room says from then on.
    let seat =
        entry::seat(fleet, &plugin, &room, known, Manner { namespace: None, place: tenant_place, resume }).await?;
    if handshake.is_unanswered(&plugin.subprotocols) {
        warn_of_unanswered(&plugin);
    }
    Ok(Admitted { seat, of_client, answer: handshake.switching(&plugin.subprotocols) })
}

/// Tells the operator why a browser drops the connection. What was offered may be a secret.
fn warn_of_unanswered(plugin: &Plugin) {
    UNANSWERED.tell(|left_out| {
        let PluginKey { tenant, plugin: name } = &plugin.key;
        tracing::warn!(
            tenant = tenant.as_str(),
            plugin = name.as_str(),
            left_out,
            "a client offers subprotocols of which none is in the plugin's setting subprotocols; browsers drop such a socket"
        );
    });
}

/// Moves the bare connection to its room's thread as soon as the 101 is sent.
async fn hand_over(workers: Arc<Workers>, request: Request<()>, seat: Seat, held: Box<dyn Send>) {
    if let Some((stream, read_ahead)) = bare_connection(request).await {
        socket::serve(workers, stream, read_ahead, seat, held);
    }
}
