//! Who a client is: the plugin's `authorize` says it, in an instance that belongs to no room, before there is a socket.

use std::sync::Arc;
use std::time::Duration;

use axum::http::header::COOKIE;
use axum::http::{HeaderMap, StatusCode, Uri};

use super::address;
use super::forwarded::RemoteClient;
use super::head::host_of;
use super::login;
use super::refusal::UpgradeRefusal;
use crate::fleet::Fleet;
use crate::guest::instance::ConnectRequest;
use crate::model::meta::Meta;
use crate::model::names::{DEFAULT, PluginKey, RoomId, is_short_name};
use crate::model::refusal::Refusal;
use crate::model::text::for_log;
use crate::model::visitor::Visitor;
use crate::plugin::version::{AuthorizeError, Plugin};
use crate::randomness;
use crate::room::owner::RoomOwner as _;

/// What the host itself adds to a request's headers; clients cannot send any of that name.
const OF_HOST: &str = "parlor-";
/// What a client of Socket.IO sent as `auth`.
pub(super) const AUTH: &str = "parlor-auth";
/// Which protocol the client speaks, where it is not Verani's.
pub(super) const WIRE: &str = "parlor-wire";

/// The request as the plugin's `authorize` gets it. `target` is the path and the query that it is to see, behind the
/// prefix of a proxy, and `added` are headers of the host's own.
pub(super) fn connect_request(
    client: &RemoteClient,
    own_host: bool,
    room: &RoomId,
    (target, headers): (&str, &HeaderMap),
    added: Vec<(&str, String)>,
) -> ConnectRequest {
    // There is one, since every request of HTTP/1.1 names it.
    let host = client.host.as_deref().or_else(|| host_of(headers)).unwrap_or_default();
    let prefix = &client.prefix;
    let scheme = if client.tls { "wss" } else { "ws" };
    // Where tenants share a host name, browsers send the cookies of one to the others.
    let shown =
        headers.iter().filter(|(name, _)| (own_host || **name != COOKIE) && !name.as_str().starts_with(OF_HOST));
    ConnectRequest {
        uri: format!("{scheme}://{host}{prefix}{target}"),
        room: room.as_str().to_owned(),
        headers: shown
            .filter_map(|(name, value)| {
                let value = value.to_str().ok()?;
                let value = if *name == COOKIE { login::without_ours(value)? } else { value.to_owned() };
                Some((name.as_str().to_owned(), value))
            })
            .chain(added.into_iter().map(|(name, value)| (name.to_owned(), value)))
            .collect(),
        remote: client.address.to_string(),
    }
}

/// Asks the plugin's `authorize`; answers who the client is, and whether the plugin said so. A client that is `blamed` bears the fault if the guest faults.
pub(super) async fn authorize(
    fleet: &Fleet,
    plugin: &Arc<Plugin>,
    blamed: Option<&Visitor>,
    connect: ConnectRequest,
    uri: &Uri,
) -> Result<(Meta, bool), UpgradeRefusal> {
    let limit = Duration::from_millis(plugin.limits().handshake_ms);
    // On a worker's thread, because this one accepts connections and a guest may take its time.
    let workers = fleet.workers();
    let (worker, guest) = (workers.least_busy(), Arc::clone(plugin));
    let slow = workers.slow_runtime(worker).clone();
    let asked = workers.runtime(worker).spawn(async move { guest.authorize(connect, &slow).await });
    let Ok(Ok(answer)) = tokio::time::timeout(limit, asked).await else {
        return Err(UpgradeRefusal::busy("the plugin did not authorize this connection in time: handshake-ms"));
    };
    match answer {
        Ok(Some(meta)) => Ok((meta, true)),
        Ok(None) => default_meta(plugin, uri).map(|meta| (meta, false)),
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
        Err(AuthorizeError::Faulted(why)) => {
            // The client hears of the penalty when it comes back. One that only asks has tried already.
            if let Some(blamed) = blamed {
                let _ = fleet.faulted(plugin, blamed);
            }
            Err(broken(plugin, &why))
        }
        Err(AuthorizeError::Broken(why)) => Err(broken(plugin, &why)),
    }
}

/// Logs and counts that the plugin's `authorize` failed. The client does not learn how.
fn broken(plugin: &Plugin, why: &str) -> UpgradeRefusal {
    plugin.authorize_failed(why);
    let PluginKey { tenant, plugin: name } = &plugin.key;
    tracing::warn!(tenant = tenant.as_str(), plugin = name.as_str(), version = plugin.version, "{}", for_log(why));
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
    randomness::fill(&mut bytes)?;
    Ok(format!("{:032x}", u128::from_ne_bytes(bytes)))
}
