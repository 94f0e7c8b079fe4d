//! How a client comes into a room of a plugin, whatever it speaks: which plugin that is, whether its page may connect, who it
//! is, and its seat.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::http::header::{ORIGIN, REFERER, UPGRADE};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};

use super::address;
use super::authorize::authorize;
use super::door::Door;
use super::escapes::decode_plain;
use super::known::Known;
use super::metrics::UpgradeCounts;
use super::refusal::UpgradeRefusal;
use super::resume::Resume;
use crate::clock::Instant;
use crate::deploy::Deploys;
use crate::fleet::{Fleet, NoRoom};
use crate::guest::instance::ConnectRequest;
use crate::model::meta::Meta;
use crate::model::names::{RoomId, TenantName};
use crate::model::visitor::Visitor;
use crate::plugin::version::Plugin;
use crate::room::handle::RoomClosed;
use crate::room::outbound::{Outbound, Wire};
use crate::session::Sessions;
use crate::socket::{Seat, SeatClaims};
use crate::tenant::Tenants;
use crate::tenant::account::CounterPlace;
use crate::traces::TraceParent;

/// How often to try again while an empty room of the tenant is to make a place.
const ROOM_POLL: Duration = Duration::from_millis(10);

/// Where a browser says from where its request comes (Fetch Metadata).
const SEC_FETCH_SITE: &str = "sec-fetch-site";
/// The origin of pages that have none to tell (RFC 6454, 6.1).
const OPAQUE_ORIGIN: &str = "null";

/// What it takes to let clients in.
pub struct Upgrading {
    pub fleet: Arc<Fleet>,
    pub tenants: Arc<Tenants>,
    pub door: Arc<Door>,
    pub deploys: Arc<Deploys>,
    pub counts: Arc<UpgradeCounts>,
    pub sessions: Arc<Sessions>,
    pub claims: Arc<SeatClaims>,
}

/// A client that asks to come into a room.
pub(super) struct Wish<'a> {
    pub(super) plugin: &'a Arc<Plugin>,
    pub(super) room: &'a RoomId,
    /// The address that the client is known by.
    pub(super) address: Option<std::net::IpAddr>,
    pub(super) connect: ConnectRequest,
    /// The address whose query may choose channels.
    pub(super) uri: &'a Uri,
    /// Whether it asks for a socket: then a fault of the plugin's `authorize` is put down to it.
    pub(super) is_earnest: bool,
}

/// Asks the plugin who the client is.
pub(super) async fn identify(fleet: &Fleet, wish: Wish<'_>) -> Result<Known, UpgradeRefusal> {
    let Wish { plugin, room, address, connect, uri, is_earnest } = wish;
    if let Some(why) = fleet.refuses(&plugin.key, room) {
        return Err(UpgradeRefusal::no_room(why));
    }
    // Before `authorize` names the user, the client is known by its address alone.
    let stranger = Visitor::new(address, None);
    fleet.admits(plugin, &stranger).map_err(UpgradeRefusal::no_room)?;
    let is_traced = plugin.account().traces.is_some();
    let trace = is_traced.then(|| TraceParent::of_headers(&connect.headers)).flatten();
    let (meta, is_named) = authorize(fleet, plugin, is_earnest.then_some(&stranger), connect, uri).await?;
    let visitor = Visitor::new(address, Some(meta.user_id.clone()));
    let pause = fleet.admits(plugin, &visitor).map_err(UpgradeRefusal::no_room)?;
    Ok(Known { meta, is_named, visitor, pause, since: address::since(uri), trace })
}

/// Counts an upgrade of an address, or what costs as much.
pub(super) fn count_upgrade(door: &Door, client: std::net::IpAddr) -> Result<(), UpgradeRefusal> {
    if door.may_upgrade(client) {
        return Ok(());
    }
    Err(UpgradeRefusal::too_many("too many upgrades of this address: upgrades-per-address-per-second"))
}

/// A place among the tenant's sockets.
pub(super) fn tenant_place(plugin: &Plugin) -> Result<CounterPlace, UpgradeRefusal> {
    let place = plugin.account().sockets.place();
    place.ok_or_else(|| UpgradeRefusal::busy("too many sockets: sockets-per-tenant"))
}

/// What a client asks for beside its room.
pub(super) struct Manner<'a> {
    /// Its namespace, where it speaks Socket.IO.
    pub(super) namespace: Option<&'a str>,
    /// Its place among the tenant's sockets; none where it is to take over one that has a place.
    pub(super) place: Option<CounterPlace>,
    /// How its seat outlives its line, where it is to.
    pub(super) resume: Option<Resume>,
}

/// The seat of a client that the plugin knows: its own from before its line broke, or a new one.
pub(super) async fn seat(
    fleet: &Arc<Fleet>,
    plugin: &Plugin,
    room: &RoomId,
    known: Known,
    manner: Manner<'_>,
) -> Result<Seat, UpgradeRefusal> {
    let Manner { namespace, place, resume } = manner;
    if let Some(resume) = &resume
        && let Some(seat) = resume.take_over(plugin, &known).await?
    {
        return Ok(seat);
    }
    let place = place.map_or_else(|| tenant_place(plugin), Ok)?;
    let Known { meta, is_named, visitor, pause, since, trace } = known;
    let claim = resume.as_ref().map(|resume| resume.draw(plugin, room)).transpose()?.flatten();
    let wire = namespace.map_or(Wire::Verani, |namespace| Wire::SocketIo {
        namespace: namespace.into(),
        // A client's `socket.id` and its plugin's client id are the same.
        sid: meta.client_id.as_str().into(),
        pid: claim.as_ref().map(|claim| claim.secret.as_str().into()),
    });
    let (of_tenant, latencies) = (Arc::clone(&plugin.account().outbound), Arc::clone(&plugin.totals.latencies));
    let outbound = Outbound::new(plugin.limits(), wire, visitor.into(), of_tenant, latencies, place);
    // Clients of Socket.IO get no answers, so nothing is left out for one.
    let since = if namespace.is_none() { since } else { Vec::new() };
    let outbound = Arc::new(outbound.missing(since).of_trace(trace));
    outbound.pause(pause);
    let claim = resume.and_then(|resume| resume.begin(plugin, is_named, claim, &outbound));
    let seat = take_seat(fleet, plugin, room, meta, outbound).await?;
    Ok(match claim {
        Some(claim) => seat.outliving(claim.into()),
        None => seat,
    })
}

/// The plugin that serves a path. While plugins of the tenant are still being loaded, it may be one of them: a client that
/// asks for a socket waits for it, and is told to try again where that takes long.
pub(super) async fn plugin_at(
    upgrading: &Upgrading,
    tenant: &TenantName,
    path: &str,
    waits: bool,
) -> Result<Arc<Plugin>, UpgradeRefusal> {
    let path = decode_plain(path);
    if let Some(plugin) = upgrading.fleet.at(tenant, &path) {
        return Ok(plugin);
    }
    let mut loading = upgrading.deploys.loading.watch();
    let end = Instant::now() + upgrading.door.handshake_wait;
    loop {
        // Before the look for the plugin: one that is not left any more serves by now, if it ever will.
        let left = loading.borrow_and_update().of(tenant);
        if let Some(plugin) = upgrading.fleet.at(tenant, &path) {
            return Ok(plugin);
        }
        if left == 0 {
            return Err(UpgradeRefusal::nobody());
        }
        let changed = tokio::time::timeout_at(end, loading.changed());
        if !waits || !matches!(changed.await, Ok(Ok(()))) {
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
pub(super) fn check_origin(tenants: &Tenants, tenant: &TenantName, headers: &HeaderMap) -> Result<(), UpgradeRefusal> {
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
    if origins.iter().all(|origin| tenants.allows_origin(tenant, origin)) {
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
