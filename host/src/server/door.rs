//! Who may come in: bounds on the connections of the server and of each address, and which peers are our own proxies.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::http::HeaderMap;

use super::addresses::{AddressPlace, Addresses};
use super::forwarded::{self, Peer, RemoteClient};
use super::proxy_protocol::ProxyHeader;
use crate::config::{Config, ForwardedBy, Proxies};
use crate::seldom::Seldom;
use crate::tenant::account::{Counter, CounterPlace};

static NAMES_NOBODY: Seldom = Seldom::new();

/// Counts connections and upgrades, and turns away those beyond the bounds.
#[derive(Debug)]
pub struct Door {
    connections: Arc<Counter>,
    addresses: Arc<Addresses>,
    proxies: Proxies,
    /// How long the head of a request may take.
    pub handshake_wait: Duration,
    /// How long a connection may wait for its next request.
    pub keep_alive: Duration,
}

/// One connection's place among all, and among those of its address. Whoever serves the connection holds it.
#[derive(Debug, Clone)]
pub struct ConnectionPlace {
    _of_host: Arc<CounterPlace>,
    _of_address: Option<Arc<AddressPlace>>,
}

/// Why a connection is turned away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TurnedAway {
    HostIsFull,
    AddressIsFull,
}

impl Door {
    /// `connections` is how many the server may have at once.
    pub fn new(config: &Config, connections: usize) -> Self {
        config.proxies.advice().iter().for_each(|advice| tracing::warn!("{advice}"));
        Self {
            connections: Arc::new(Counter::new(connections)),
            addresses: Arc::new(Addresses::new(config.limits())),
            proxies: config.proxies.clone(),
            handshake_wait: Duration::from_millis(config.limits().handshake_ms),
            keep_alive: Duration::from_millis(config.limits().keep_alive_ms),
        }
    }

    /// Counts the open connections, and knows how many there may be.
    pub fn connections(&self) -> &Counter {
        &self.connections
    }

    /// Takes a place for a connection that was accepted.
    pub fn enter(&self, peer: IpAddr) -> Result<ConnectionPlace, TurnedAway> {
        let of_host = self.connections.place().ok_or(TurnedAway::HostIsFull)?;
        let of_address = if self.proxies.trusts(peer) {
            None
        } else {
            Some(Arc::new(self.addresses.connect(peer).ok_or(TurnedAway::AddressIsFull)?))
        };
        Ok(ConnectionPlace { _of_host: Arc::new(of_host), _of_address: of_address })
    }

    /// Takes a place for a client that has none, under the address that its proxy names.
    pub fn enter_behind_proxy(&self, client: &RemoteClient) -> Result<Option<AddressPlace>, TurnedAway> {
        if client.has_place {
            return Ok(None);
        }
        self.addresses.connect(client.address).map(Some).ok_or(TurnedAway::AddressIsFull)
    }

    /// Takes a place for a client that keeps no connection of its own, as one that polls: it counts as one all the same.
    pub fn enter_session(&self, client: &RemoteClient) -> Result<ConnectionPlace, TurnedAway> {
        self.enter(client.address)
    }

    /// Counts an upgrade of an address; false where it asks for too many.
    pub fn may_upgrade(&self, client: IpAddr) -> bool {
        self.addresses.upgrade(client)
    }

    /// Counts a request of an address; false where it asks for too many.
    pub fn may_request(&self, client: IpAddr) -> bool {
        self.addresses.request(client)
    }

    /// The other end of a connection that was accepted.
    pub fn peer(&self, address: IpAddr) -> Peer {
        Peer { address, is_proxy: self.proxies.trusts(address), tls: false }
    }

    /// Whether a connection begins with a header of the PROXY protocol.
    pub fn expects_proxy_header(&self, peer: Peer) -> bool {
        peer.is_proxy && self.proxies.by == ForwardedBy::ProxyProtocol
    }

    /// Takes note of whom a proxy speaks for: the connection gets its place among those of that address.
    pub fn introduce(
        &self,
        proxy: Peer,
        place: ConnectionPlace,
        told: ProxyHeader,
    ) -> Result<(Peer, ConnectionPlace), TurnedAway> {
        let ProxyHeader::Client { address, tls } = told else { return Ok((proxy, place)) };
        let of_address = self.addresses.connect(address).ok_or(TurnedAway::AddressIsFull)?;
        let client = Peer { address, is_proxy: false, tls };
        Ok((client, ConnectionPlace { _of_address: Some(Arc::new(of_address)), ..place }))
    }

    /// What the operator may have to change where a connection speaks no HTTP; none where it is a stranger's own fault.
    pub fn hint(&self, peer: Peer) -> Option<&'static str> {
        match (self.proxies.by, peer.is_proxy) {
            (ForwardedBy::ProxyProtocol, false) => Some("a PROXY header is taken from trusted-proxies alone"),
            (ForwardedBy::XForwardedFor | ForwardedBy::Forwarded, true) => {
                Some("a PROXY header is taken where forwarded-by is proxy-protocol; TLS and HTTP/2 end in the proxy")
            }
            _ => None,
        }
    }

    /// The client that sent the request, seen through our own proxies.
    pub fn client(&self, headers: &HeaderMap, peer: Peer) -> RemoteClient {
        forwarded::client(headers, peer, &self.proxies)
    }

    /// The address that the client is known by; none where a proxy of ours names no client.
    pub fn address_of(&self, client: &RemoteClient) -> Option<IpAddr> {
        Some(client.address).filter(|address| !self.proxies.trusts(*address))
    }

    /// Tells the operator of a proxy that names no client: all of its clients share one address then.
    pub fn check_forwarded(&self, headers: &HeaderMap, client: &RemoteClient) {
        if !client.has_place && forwarded::names_nobody(headers, self.proxies.by) {
            NAMES_NOBODY.tell(|left_out| {
                let (proxy, header) = (client.address, self.proxies.by.as_str());
                tracing::warn!(%proxy, left_out, "a trusted proxy names no client: forwarded-by is {header}, and it sends none");
            });
        }
    }
}
