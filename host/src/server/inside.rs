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
use super::resume::Resume;
use crate::fleet::Fleet;
use crate::model::meta::Meta;
use crate::model::names::{RoomId, TenantName};
use crate::plugin::version::Plugin;
use crate::socket::{self, DetachedStream, SeatClaims};
use crate::tenant::Tenants;

/// Bytes that wait in either direction of a connection.
const BUFFER_BYTES: usize = 1 << 20;
/// From where the client comes.
const ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// The server that clients come in to.
pub struct InsideServer<'a> {
    pub fleet: &'a Arc<Fleet>,
    pub tenants: &'a Tenants,
    pub claims: &'a Arc<SeatClaims>,
}

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
    server: InsideServer<'_>,
    tenant: &TenantName,
    client: InsideClient<'_>,
) -> Result<DuplexStream, (u16, String)> {
    admit(server, tenant, client).await.map_err(UpgradeRefusal::into_parts)
}

async fn admit(
    InsideServer { fleet, tenants, claims }: InsideServer<'_>,
    tenant: &TenantName,
    client: InsideClient<'_>,
) -> Result<DuplexStream, UpgradeRefusal> {
    let (plugin, room, known, resume) = match client {
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
            let resume = Resume::asked(claims, &plugin, &room, uri, None);
            (plugin, room, known, resume)
        }
        InsideClient::Member { plugin, room, meta } => {
            (Arc::clone(plugin), room.clone(), Known::as_told(meta, ADDRESS), None)
        }
    };
    let goes_on = resume.as_ref().is_some_and(Resume::goes_on);
    let place = if goes_on { None } else { Some(entry::tenant_place(&plugin)?) };
    let manner = Manner { namespace: None, place, resume };
    let seat = entry::seat(fleet, &plugin, &room, known, manner).await?;
    let (ours, theirs) = duplex(BUFFER_BYTES);
    socket::serve(Arc::clone(fleet.workers()), DetachedStream::Memory(ours), Vec::new(), seat, Box::new(()));
    Ok(theirs)
}
