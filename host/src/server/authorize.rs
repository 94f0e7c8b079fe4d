//! Who a client is: the plugin's `authorize` says it, in an instance that belongs to no room, before there is a socket.

use std::sync::Arc;
use std::time::Duration;

use axum::http::header::{AUTHORIZATION, COOKIE};
use axum::http::{Request, StatusCode, Uri};

use super::address::{self, Destination};
use super::forwarded::RemoteClient;
use super::head::host_of;
use super::refusal::UpgradeRefusal;
use crate::fleet::Fleet;
use crate::guest::instance::ConnectRequest;
use crate::model::meta::Meta;
use crate::model::names::{DEFAULT, PluginKey, RoomId, is_short_name};
use crate::model::refusal::Refusal;
use crate::model::text::for_log;
use crate::model::visitor::Visitor;
use crate::plugin::version::{AuthorizeError, Plugin};
use crate::room::owner::RoomOwner as _;

/// The request as the plugin's `authorize` gets it.
pub(super) fn connect_request(
    client: &RemoteClient,
    place: &Destination<'_>,
    room: &RoomId,
    request: &Request<()>,
    bearer: Option<&str>,
) -> ConnectRequest {
    let headers = request.headers();
    // There is one, since every request of HTTP/1.1 names it.
    let host = client.host.as_deref().or_else(|| host_of(headers)).unwrap_or_default();
    let prefix = &client.prefix;
    let token = bearer.filter(|_| !headers.contains_key(AUTHORIZATION));
    let token = token.map(|token| (AUTHORIZATION.as_str().to_owned(), format!("Bearer {token}")));
    let scheme = if client.tls { "wss" } else { "ws" };
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    // Where tenants share a host name, browsers send the cookies of one to the others.
    let shown = headers.iter().filter(|(name, _)| place.own_host || **name != COOKIE);
    ConnectRequest {
        uri: format!("{scheme}://{host}{prefix}{path}"),
        room: room.as_str().to_owned(),
        headers: shown
            .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))
            .chain(token)
            .collect(),
        remote: client.address.to_string(),
    }
}

/// Asks the plugin's `authorize`. A client that is `blamed` bears the fault if the guest faults.
pub(super) async fn authorize(
    fleet: &Fleet,
    plugin: &Arc<Plugin>,
    blamed: Option<&Visitor>,
    connect: ConnectRequest,
    uri: &Uri,
) -> Result<Meta, UpgradeRefusal> {
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
    getrandom::fill(&mut bytes)?;
    Ok(format!("{:032x}", u128::from_ne_bytes(bytes)))
}
