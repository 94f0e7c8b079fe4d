//! Who may come in: bounds on the connections of the server and of each address, and which peers are our own proxies.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::http::HeaderMap;
use ipnet::IpNet;

use super::address::{self, RemoteClient};
use super::addresses::{AddressPlace, Addresses};
use crate::config::Config;
use crate::tenant::account::{Counter, CounterPlace};

/// The least `Retry-After`, and how far it varies, so that clients who were turned away together do not come back
/// together.
const RETRY_AFTER_SECONDS: (u64, u64) = (2, 8);

/// Counts connections and upgrades, and turns away those beyond the bounds.
#[derive(Debug)]
pub struct Door {
    connections: Arc<Counter>,
    addresses: Arc<Addresses>,
    trusted_proxies: Vec<IpNet>,
    /// How long the head of a request may take.
    pub handshake_wait: Duration,
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
        Self {
            connections: Arc::new(Counter::new(connections)),
            addresses: Arc::new(Addresses::new(config.limits())),
            trusted_proxies: config.trusted_proxies.clone(),
            handshake_wait: Duration::from_millis(config.limits().handshake_ms),
        }
    }

    /// Counts the open connections, and knows how many there may be.
    pub fn connections(&self) -> &Counter {
        &self.connections
    }

    /// Takes a place for a connection that was accepted.
    pub fn enter(&self, peer: IpAddr) -> Result<ConnectionPlace, TurnedAway> {
        let of_host = self.connections.place().ok_or(TurnedAway::HostIsFull)?;
        let of_address = if self.is_proxy(peer) {
            None
        } else {
            Some(Arc::new(self.addresses.connect(peer).ok_or(TurnedAway::AddressIsFull)?))
        };
        Ok(ConnectionPlace { _of_host: Arc::new(of_host), _of_address: of_address })
    }

    /// Takes a place for a client behind a trusted proxy, under the address that the proxy names. None for other
    /// clients: [`Door::enter`] gave them a place already.
    pub fn enter_behind_proxy(&self, peer: SocketAddr, client: IpAddr) -> Result<Option<AddressPlace>, TurnedAway> {
        if self.is_proxy(peer.ip()) {
            self.addresses.connect(client).map(Some).ok_or(TurnedAway::AddressIsFull)
        } else {
            Ok(None)
        }
    }

    /// Counts an upgrade of an address; false where it asks for too many.
    pub fn may_upgrade(&self, client: IpAddr) -> bool {
        self.addresses.upgrade(client)
    }

    /// The client that sent the request, seen through our own proxies.
    pub fn client(&self, headers: &HeaderMap, peer: SocketAddr) -> RemoteClient {
        address::client(headers, peer, &self.trusted_proxies)
    }

    /// The address that the client is known by; none where a proxy of ours names no client.
    pub fn address_of(&self, client: &RemoteClient) -> Option<IpAddr> {
        Some(client.address).filter(|address| !self.is_proxy(*address))
    }

    fn is_proxy(&self, peer: IpAddr) -> bool {
        let peer = peer.to_canonical();
        self.trusted_proxies.iter().any(|net| net.contains(&peer))
    }
}

/// The seconds for `Retry-After`: more than `wait`, and not the same for everybody.
pub fn retry_after_seconds(wait: Option<Duration>) -> u64 {
    let (least, spread) = RETRY_AFTER_SECONDS;
    let mut byte = [0];
    // If the system gives no randomness, everybody gets the same number, which is better than none.
    let _ = getrandom::fill(&mut byte);
    wait.map_or(least, |wait| wait.as_secs() + 1) + u64::from(byte[0]) % (spread + 1)
}
