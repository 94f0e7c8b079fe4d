//! Bounds for each address: its connections at once, and its requests and its upgrades a second.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use crate::clock::Instant;
use crate::model::limits::Limits;
use crate::model::rate::Rate;
use crate::model::visitor::subscriber;

/// After so many new addresses the table forgets those that have nothing open.
const PRUNE_STEP: usize = 1_024;

/// The addresses that are connected, or that connected or asked for something a moment ago.
#[derive(Debug)]
pub struct Addresses {
    known: Mutex<AddressTable>,
    connections_max: usize,
    /// The rates that an address begins with.
    requests: Rate,
    upgrades: Rate,
    start: Instant,
}

#[derive(Debug, Default)]
struct AddressTable {
    entries: HashMap<IpAddr, AddressUse>,
    prune_at: usize,
}

#[derive(Debug)]
struct AddressUse {
    connections: usize,
    requests: Rate,
    upgrades: Rate,
}

/// A place among an address's connections. Dropping it gives the place back.
#[derive(Debug)]
pub struct AddressPlace {
    addresses: Arc<Addresses>,
    address: IpAddr,
}

impl Addresses {
    pub fn new(limits: &Limits) -> Self {
        Self {
            known: Mutex::default(),
            connections_max: limits.sockets_per_address,
            requests: Rate::new(limits.requests_per_address_per_second, limits.requests_per_address_burst),
            upgrades: Rate::new(limits.upgrades_per_address_per_second, limits.upgrades_per_address_burst),
            start: Instant::now(),
        }
    }

    /// Takes a place among an address's connections; none where it has as many as it may.
    pub fn connect(self: &Arc<Self>, address: IpAddr) -> Option<AddressPlace> {
        let address = subscriber(address);
        let taken = self.with(address, |entry| {
            let free = entry.connections < self.connections_max;
            entry.connections += usize::from(free);
            free
        });
        taken.then(|| AddressPlace { addresses: Arc::clone(self), address })
    }

    /// Counts a request of an address; false where there were too many.
    pub fn request(&self, address: IpAddr) -> bool {
        let now = self.start.elapsed();
        self.with(subscriber(address), |entry| entry.requests.allows(1, now))
    }

    /// Counts an upgrade of an address; false where there were too many.
    pub fn upgrade(&self, address: IpAddr) -> bool {
        self.upgrade_at(address, self.start.elapsed())
    }

    fn upgrade_at(&self, address: IpAddr, now: Duration) -> bool {
        self.with(subscriber(address), |entry| entry.upgrades.allows(1, now))
    }

    fn with<T>(&self, address: IpAddr, change: impl FnOnce(&mut AddressUse) -> T) -> T {
        let mut known = self.known.lock();
        if known.entries.len() >= known.prune_at {
            let now = self.start.elapsed();
            let is_idle = |entry: &AddressUse| entry.requests.is_idle(now) && entry.upgrades.is_idle(now);
            known.entries.retain(|_, entry| entry.connections > 0 || !is_idle(entry));
            known.prune_at = known.entries.len() + PRUNE_STEP;
        }
        let Self { requests, upgrades, .. } = *self;
        change(known.entries.entry(address).or_insert(AddressUse { connections: 0, requests, upgrades }))
    }
}

impl Drop for AddressPlace {
    fn drop(&mut self) {
        self.addresses.with(self.address, |entry| entry.connections = entry.connections.saturating_sub(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses() -> Arc<Addresses> {
        Arc::new(Addresses::new(&Limits {
            sockets_per_address: 2,
            upgrades_per_address_per_second: 10,
            upgrades_per_address_burst: 3,
            ..Limits::default()
        }))
    }

    #[test]
    fn an_address_has_so_many_places() {
        let addresses = addresses();
        let [one, two] = ["203.0.113.1", "203.0.113.2"].map(|text| text.parse::<IpAddr>().unwrap());
        let _first = addresses.connect(one).unwrap();
        let second = addresses.connect("::ffff:203.0.113.1".parse().unwrap()).unwrap();
        assert!(addresses.connect(one).is_none() && addresses.connect(two).is_some());
        drop(second);
        assert!(addresses.connect(one).is_some());
    }

    #[test]
    fn a_network_of_ipv6_is_one_address() {
        let addresses = addresses();
        let upgrade_at = |text: &str, ms| addresses.upgrade_at(text.parse().unwrap(), Duration::from_millis(ms));
        let upgrade = |text: &str| upgrade_at(text, 1);
        assert!(upgrade("2001:db8::1") && upgrade("2001:db8::2") && upgrade("2001:db8::ffff:1"));
        assert!(!upgrade("2001:db8::3") && upgrade("2001:db8:0:1::3"));
        assert!(upgrade_at("2001:db8::3", 101) && !upgrade_at("2001:db8::3", 101));
    }

    #[test]
    fn who_is_gone_is_forgotten() {
        let addresses = addresses();
        for number in 0..5_000u32 {
            drop(addresses.connect(std::net::Ipv4Addr::from_bits(number).into()));
        }
        assert!(addresses.known.lock().entries.len() <= 2 * PRUNE_STEP);
    }
}
