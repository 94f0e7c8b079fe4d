//! A client within the process: it comes in as every client does, past the listeners and the bounds on addresses, and its
//! connection lies in memory.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use axum::http::{HeaderMap, StatusCode, Uri};
use tokio::io::{DuplexStream, duplex};

use super::address;
use super::authorize::connect_request;
use super::entry::{self, Manner, Wish, check_origin};
use super::escapes::decode_plain;
use super::forwarded::RemoteClient;
use super::known::Known;
use super::refusal::UpgradeRefusal;
use crate::fleet::Fleet;
use crate::model::meta::Meta;
use crate::model::names::{RoomId, TenantName};
use crate::plugin::version::Plugin;
use crate::socket::{self, DetachedStream};
use crate::tenant::Tenants;

/// Bytes that wait in either direction of a connection.
const BUFFER_BYTES: usize = 1 << 20;
/// From where the client comes.
const ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Who asks for a socket, and for which.
pub enum InsideClient<'a> {
    /// Whoever the plugin says, by the request's path, query and headers.
    Request { uri: &'a Uri, headers: &'a HeaderMap },
    /// This one, past the plugin's `authorize`.
    Member { plugin: &'a Arc<Plugin>, room: &'a RoomId, meta: Meta },
}

/// Lets a client into a room of this tenant. Answers the client's end of a WebSocket behind its 101, or the status and
/// the words of the refusal.
pub async fn connect(
    fleet: &Arc<Fleet>,
    tenants: &Tenants,
    tenant: &TenantName,
    client: InsideClient<'_>,
) -> Result<DuplexStream, (u16, String)> {
    admit(fleet, tenants, tenant, client).await.map_err(UpgradeRefusal::into_parts)
}

async fn admit(
    fleet: &Arc<Fleet>,
    tenants: &Tenants,
    tenant: &TenantName,
    client: InsideClient<'_>,
) -> Result<DuplexStream, UpgradeRefusal> {
    let (plugin, room, known) = match client {
        InsideClient::Request { uri, headers } => {
            let served = fleet.at(tenant, &decode_plain(uri.path()));
            let plugin = served.ok_or_else(UpgradeRefusal::nobody)?;
            let room = address::room(uri).map_err(|why| UpgradeRefusal::new(StatusCode::BAD_REQUEST, why))?;
            check_origin(tenants, tenant, headers)?;
            let remote =
                RemoteClient { address: ADDRESS, has_place: false, tls: false, host: None, prefix: String::new() };
            let target = uri.path_and_query().map_or("/", |path| path.as_str());
            let connect = connect_request(&remote, true, &room, (target, headers), Vec::new());
            let wish = Wish { plugin: &plugin, room: &room, address: Some(ADDRESS), connect, uri, is_earnest: true };
            let known = entry::identify(fleet, wish).await?;
            (plugin, room, known)
        }
        InsideClient::Member { plugin, room, meta } => {
            (Arc::clone(plugin), room.clone(), Known::as_told(meta, ADDRESS))
        }
    };
    let place = Some(entry::tenant_place(&plugin)?);
    let manner = Manner { namespace: None, place, resume: None };
    let seat = entry::seat(fleet, &plugin, &room, known, manner).await?;
    let (ours, theirs) = duplex(BUFFER_BYTES);
    socket::serve(Arc::clone(fleet.workers()), DetachedStream::Memory(ours), Vec::new(), seat, Box::new(()));
    Ok(theirs)
}
