//! From an HTTP request to a socket in a room, and the checks on the way.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_ORIGIN, ORIGIN, REFERER, UPGRADE, VARY,
};
use axum::http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;

use super::address::{self, Destination};
use super::addresses::AddressPlace;
use super::authorize::{authorize, connect_request};
use super::door::{ConnectionPlace, Door};
use super::escapes::decode_plain;
use super::forwarded::RemoteClient;
use super::handshake::Handshake;
use super::head::host_of;
use super::metrics::UpgradeCounts;
use super::refusal::UpgradeRefusal;
use crate::clock::Instant;
use crate::deploy::Deploys;
use crate::fleet::{Fleet, NoRoom};
use crate::model::meta::Meta;
use crate::model::names::{PluginKey, RoomId};
use crate::model::visitor::Visitor;
use crate::plugin::version::Plugin;
use crate::room::handle::RoomClosed;
use crate::room::outbound::Outbound;
use crate::seldom::Seldom;
use crate::socket::{self, ClientStream, Seat};
use crate::tenant::Tenants;
use crate::tenant::charge::charged;

/// How often to try again while an empty room of the tenant is to make a place.
const ROOM_POLL: Duration = Duration::from_millis(10);

/// Where a browser says from where its request comes (Fetch Metadata).
const SEC_FETCH_SITE: &str = "sec-fetch-site";
/// The origin of pages that have none to tell (RFC 6454, 6.1).
const OPAQUE_ORIGIN: &str = "null";

static UNANSWERED: Seldom = Seldom::new();
static NOT_OURS: Seldom = Seldom::new();
static NOT_MOVED: Seldom = Seldom::new();

/// What the upgrade of a request needs.
pub struct Upgrading {
    pub fleet: Arc<Fleet>,
    pub tenants: Arc<Tenants>,
    pub door: Arc<Door>,
    pub deploys: Arc<Deploys>,
    pub counts: Arc<UpgradeCounts>,
}

/// Answers every path that is not the host's own.
pub async fn upgrade(
    State(upgrading): State<Arc<Upgrading>>,
    Extension(client): Extension<RemoteClient>,
    Extension(connection): Extension<ConnectionPlace>,
    request: Request<Body>,
) -> Response<Body> {
    let origin = request.headers().get(ORIGIN).cloned();
    // An upgrade has no body.
    let answer = accept(&upgrading, client, connection, request.map(drop)).await;
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
    client: RemoteClient,
    connection: ConnectionPlace,
    request: Request<()>,
) -> Result<Response<Body>, UpgradeRefusal> {
    let Upgrading { fleet, tenants, door, .. } = upgrading;
    if !door.may_upgrade(client.address) {
        return Err(UpgradeRefusal::too_many("too many upgrades of this address: upgrades-per-address-per-second"));
    }
    // The host that a proxy tells of leads to no other tenant than the one that it asked us for.
    let hosts = [host_of(request.headers()), client.host.as_deref()];
    let place = address::destination(tenants, &hosts, request.uri()).ok_or_else(UpgradeRefusal::nobody)?;
    let plugin = plugin_at(upgrading, &place, request.headers()).await?;
    let account = Arc::clone(plugin.account());
    let admitted = charged(&account.cpu, admit(upgrading, plugin, &place, &client, &request)).await?;
    let Admitted { seat, of_client, answer } = admitted;
    let handed_over = hand_over(Arc::clone(fleet), request, seat, Box::new((connection, of_client)));
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
    check_origin(tenants, place, request.headers())?;
    if let Some(why) = fleet.refuses(&plugin.key, &room) {
        return Err(UpgradeRefusal::no_room(why));
    }

    // Before `authorize` names the user, the client is known by its address alone.
    let address = door.address_of(client);
    let stranger = Visitor::new(address, None);
    fleet.admits(&plugin, &stranger).map_err(UpgradeRefusal::no_room)?;

    let of_client = door
        .enter_behind_proxy(client)
        .map_err(|_| UpgradeRefusal::too_many("too many connections of this address: sockets-per-address"))?;
    let tenant_place = plugin.account().sockets.place();
    let tenant_place = tenant_place.ok_or_else(|| UpgradeRefusal::busy("too many sockets: sockets-per-tenant"))?;
    let bearer = handshake.as_ref().ok().and_then(Handshake::bearer);
    let connect = connect_request(client, place, &room, request, bearer);
    let blamed = handshake.is_ok().then_some(&stranger);
    let meta = authorize(fleet, &plugin, blamed, connect, request.uri()).await?;
    let visitor = Visitor::new(address, Some(meta.user_id.clone()));
    let pause = fleet.admits(&plugin, &visitor).map_err(UpgradeRefusal::no_room)?;
    let handshake = handshake?;
    let outbound = Outbound::new(plugin.limits(), visitor.into(), Arc::clone(&plugin.account().outbound), tenant_place);
    let outbound = Arc::new(outbound);
    outbound.pause(pause);

    // Before the client hears that it is connected, so that it gets everything that the room says from then on.
    let seat = take_seat(fleet, &plugin, &room, meta, outbound).await?;
    if handshake.is_unanswered(&plugin.subprotocols) {
        warn_of_unanswered(&plugin);
    }
    Ok(Admitted { seat, of_client, answer: handshake.switching(&plugin.subprotocols) })
}

/// The plugin that serves a path. While plugins of the tenant are still being loaded, it may be one of them: a client that
/// asks for a socket waits for it, and is told to try again where that takes long.
async fn plugin_at(
    upgrading: &Upgrading,
    place: &Destination<'_>,
    headers: &HeaderMap,
) -> Result<Arc<Plugin>, UpgradeRefusal> {
    let path = decode_plain(place.path);
    if let Some(plugin) = upgrading.fleet.at(&place.tenant, &path) {
        return Ok(plugin);
    }
    let mut loading = upgrading.deploys.loading.watch();
    let end = Instant::now() + upgrading.door.handshake_wait;
    loop {
        // Before the look for the plugin: one that is not left any more serves by now, if it ever will.
        let left = loading.borrow_and_update().of(&place.tenant);
        if let Some(plugin) = upgrading.fleet.at(&place.tenant, &path) {
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
    outbound: Arc<Outbound>,
) -> Result<Seat, UpgradeRefusal> {
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

/// Refuses pages of origins that the tenant does not allow. Programs other than browsers send no origin; nor does a page
/// that asks its own host with a plain GET, which says where it comes from in `Referer`.
fn check_origin(tenants: &Tenants, place: &Destination<'_>, headers: &HeaderMap) -> Result<(), UpgradeRefusal> {
    let is_upgrade = headers.contains_key(UPGRADE);
    let text = |value: &'_ HeaderValue| value.to_str().unwrap_or_default().to_owned();
    let mut origins: Vec<String> = headers.get_all(ORIGIN).iter().map(text).collect();
    if origins.is_empty() && !is_upgrade {
        origins.extend(headers.get(REFERER).map(text).map(|page| origin_of(&page).to_owned()));
        // A page of elsewhere that says nothing of itself, as in an image's address.
        let is_foreign = headers.get(SEC_FETCH_SITE).is_some_and(|site| site != "same-origin" && site != "none");
        if origins.is_empty() && is_foreign {
            origins.push(OPAQUE_ORIGIN.to_owned());
        }
    }
    if origins.iter().all(|origin| tenants.allows_origin(&place.tenant, origin)) {
        return Ok(());
    }
    Err(UpgradeRefusal::new(StatusCode::FORBIDDEN, "pages of this origin may not connect"))
}

/// The origin of an absolute address.
fn origin_of(address: &str) -> &str {
    let host = address.find("://").map_or(0, |end| end + 3);
    let end = address[host..].find(['/', '?', '#']).map_or(address.len(), |end| host + end);
    &address[..end]
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
async fn hand_over(fleet: Arc<Fleet>, request: Request<()>, seat: Seat, held: Box<dyn Send>) {
    let upgraded = match hyper::upgrade::on(request).await {
        Ok(upgraded) => upgraded,
        Err(why) => return tracing::debug!("an upgrade broke off: {why}"),
    };
    let Ok(parts) = upgraded.downcast::<TokioIo<ClientStream>>() else {
        return NOT_OURS.tell(|left_out| {
            tracing::error!(left_out, "an upgraded connection is not one that this server accepted");
        });
    };
    match parts.io.into_inner().detach() {
        Ok(stream) => socket::serve(Arc::clone(fleet.workers()), stream, &parts.read_buf, seat, held),
        Err(why) => NOT_MOVED.tell(|left_out| {
            tracing::warn!(left_out, "a socket cannot leave the thread that accepted it: {why}");
        }),
    }
}
