//! Lets the client of a session into namespaces: each is a plugin's path, and its plugin says who the client is.

use std::sync::Arc;

use axum::http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode, Uri};
use futures_util::future::{BoxFuture, FutureExt as _};
use parking_lot::Mutex;

use super::address::{self, Destination};
use super::authorize::{AUTH, WIRE, connect_request};
use super::entry::{self, Manner, Upgrading, Wish, plugin_at};
use super::forwarded::RemoteClient;
use super::refusal::UpgradeRefusal;
use super::resume::Resume;
use crate::model::json::Json;
use crate::model::names::{RoomId, TenantName};
use crate::plugin::version::Plugin;
use crate::session::{NotAdmitted, Reception};
use crate::socket::Seat;
use crate::tenant::account::CounterPlace;

/// The most bytes of what a client sends as `auth`, which its plugin gets as a header.
const AUTH_BYTES_MAX: usize = 4 << 10;
/// The keys of an address's query that belong to Engine.IO: transport, versions, session, and what keeps caches away.
const OF_ENGINE: [&str; 5] = ["EIO", "transport", "sid", "t", "b64"];

/// Lets one session's client into namespaces.
pub(super) struct SessionReception {
    upgrading: Arc<Upgrading>,
    client: Arc<SessionClient>,
    /// The session's place among the tenant's sockets, which its first seat takes over.
    place: Mutex<Option<CounterPlace>>,
}

/// The client of a session, as its first request tells of it.
struct SessionClient {
    tenant: TenantName,
    own_host: bool,
    remote: RemoteClient,
    uri: Uri,
    headers: HeaderMap,
}

impl SessionReception {
    pub(super) fn new(
        upgrading: &Arc<Upgrading>,
        place: &Destination<'_>,
        remote: &RemoteClient,
        request: &Request<()>,
        of_tenant: CounterPlace,
    ) -> Self {
        let client = SessionClient {
            tenant: place.tenant.clone(),
            own_host: place.own_host,
            remote: remote.clone(),
            // Copied, because slices of the HTTP connection's buffer would keep its 8 KiB for as long as the session lives.
            uri: request.uri().to_string().parse().unwrap_or_default(),
            headers: request.headers().iter().filter_map(copied).collect(),
        };
        Self { upgrading: Arc::clone(upgrading), client: Arc::new(client), place: Mutex::new(Some(of_tenant)) }
    }
}

impl Reception for SessionReception {
    fn connect(&self, namespace: &str, auth: Option<Json>) -> BoxFuture<'static, Result<Seat, NotAdmitted>> {
        let (upgrading, client) = (Arc::clone(&self.upgrading), Arc::clone(&self.client));
        let (namespace, place) = (namespace.to_owned(), self.place.lock().take());
        async move {
            let plugin = plugin_of(&upgrading, &client.tenant, &namespace).await?;
            let admitted = admit(&upgrading, &plugin, &client, &namespace, auth, place).await;
            admitted.map_err(|refused| refused.into_not_admitted())
        }
        .boxed()
    }
}

fn copied((name, value): (&HeaderName, &HeaderValue)) -> Option<(HeaderName, HeaderValue)> {
    // What was a value once is one again.
    Some((name.clone(), HeaderValue::from_bytes(value.as_bytes()).ok()?))
}

/// The plugin of a namespace: the one at that path. `/` is also the tenant's default, or its only plugin.
async fn plugin_of(upgrading: &Upgrading, tenant: &TenantName, namespace: &str) -> Result<Arc<Plugin>, NotAdmitted> {
    let found = plugin_at(upgrading, tenant, namespace, true).await;
    match found {
        Ok(plugin) => Ok(plugin),
        Err(refused) if refused.is_nobody() && namespace == "/" => {
            let default = upgrading.tenants.settings(tenant).socket_io_default.clone();
            let plugin = upgrading.fleet.default_of(tenant, default.as_ref());
            plugin.ok_or(NotAdmitted::NoSuchNamespace)
        }
        Err(refused) if refused.is_nobody() => Err(NotAdmitted::NoSuchNamespace),
        Err(refused) => Err(refused.into_not_admitted()),
    }
}

async fn admit(
    upgrading: &Upgrading,
    plugin: &Arc<Plugin>,
    client: &SessionClient,
    namespace: &str,
    auth: Option<Json>,
    place: Option<CounterPlace>,
) -> Result<Seat, UpgradeRefusal> {
    let Upgrading { fleet, door, .. } = upgrading;
    entry::count_upgrade(door, client.remote.address)?;
    let auth = auth.map(Json::into_text);
    if auth.as_ref().is_some_and(|auth| auth.len() > AUTH_BYTES_MAX) {
        let words = format!("auth is larger than {AUTH_BYTES_MAX} bytes");
        return Err(UpgradeRefusal::new(StatusCode::PAYLOAD_TOO_LARGE, words));
    }
    let room = room(client, auth.as_deref())?;
    let place = place.map_or_else(|| entry::tenant_place(plugin), Ok)?;
    let target = target(client, plugin.path.as_str());
    let mut added = vec![(WIRE, "socket.io".to_owned())];
    added.extend(auth.clone().map(|auth| (AUTH, auth)));
    let connect = connect_request(&client.remote, client.own_host, &room, (&target, &client.headers), added);
    let address = door.address_of(&client.remote);
    let wish = Wish { plugin, room: &room, address, connect, uri: &client.uri, is_earnest: true };
    let known = entry::identify(fleet, wish).await?;
    let said = (namespace, auth.as_deref());
    let resume = Resume::asked(&upgrading.claims, plugin, &room, &client.uri, Some(said));
    let manner = Manner { namespace: Some(namespace), place: Some(place), resume };
    entry::seat(fleet, plugin, &room, known, manner).await
}

/// The room that a client wants: `auth.room`, else `?room=` of its address, else the default one.
fn room(client: &SessionClient, auth: Option<&str>) -> Result<RoomId, UpgradeRefusal> {
    #[derive(serde::Deserialize)]
    struct WithRoom {
        room: Option<serde_json::Value>,
    }
    let bad = |words: &str| UpgradeRefusal::new(StatusCode::BAD_REQUEST, words);
    let named = auth.and_then(|auth| serde_json::from_str::<WithRoom>(auth).ok()).and_then(|auth| auth.room);
    match named {
        None => address::room(&client.uri).map_err(bad),
        Some(serde_json::Value::String(name)) => {
            RoomId::new(&name).map_err(|_| bad("auth.room must be 1 to 128 of A-Z, a-z, 0-9, ., _, ~ and -"))
        }
        Some(_) => Err(bad("auth.room must be a string")),
    }
}

/// The address as the plugin is to see it: its own path with the prefix of the tenant, and the client's query without what
/// belongs to Engine.IO.
fn target(client: &SessionClient, plugin_path: &str) -> String {
    let path = client.uri.path().trim_end_matches('/');
    let prefix = path.strip_suffix(address::ENGINE).unwrap_or_default();
    let query = client.uri.query().unwrap_or_default().split('&');
    let kept: Vec<&str> = query.filter(|pair| !pair.is_empty() && !is_of_engine(pair)).collect();
    let mark = if kept.is_empty() { "" } else { "?" };
    format!("{prefix}{plugin_path}{mark}{}", kept.join("&"))
}

fn is_of_engine(pair: &str) -> bool {
    OF_ENGINE.contains(&pair.split('=').next().unwrap_or_default())
}
