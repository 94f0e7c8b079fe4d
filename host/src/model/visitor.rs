//! Who is behind a socket, as far as the faults of a plugin's code can be put down to somebody.

use std::collections::HashSet;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

/// A client: the user whom `authorize` named, at an address.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Visitor {
    address: Option<IpAddr>,
    user: Option<String>,
}

/// What a visitor is known by, and what two visitors may have in common.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Party {
    User(String),
    Address(IpAddr),
    /// Nobody knows the address: it may be anybody's.
    UnknownAddress,
}

impl Visitor {
    /// A visitor at an address; none where nobody knows it, as behind a proxy that names no client. The user is none
    /// before `authorize` answered.
    pub fn new(address: Option<IpAddr>, user: Option<String>) -> Self {
        Self { address: address.map(subscriber), user }
    }

    /// The address under which to count the visitor.
    pub fn address(&self) -> Option<IpAddr> {
        self.address
    }

    pub fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// What can be blamed: the user and the address, where they are known.
    pub fn blamable(&self) -> impl Iterator<Item = Party> {
        self.user.clone().map(Party::User).into_iter().chain(self.address.map(Party::Address))
    }

    /// Whether both may be the same client: they have a user or an address in common.
    pub fn is_related(&self, other: &Self) -> bool {
        self.blamable().any(|party| other.blamable().any(|other| other == party))
    }

    /// What makes it related to others. For IPv6 that is the network of 48 bits: whoever has one has 65,536 of 64 bits.
    fn parties(&self) -> impl Iterator<Item = Party> {
        let address = match self.address {
            Some(address) => Party::Address(network(address, 48)),
            None => Party::UnknownAddress,
        };
        self.user.clone().map(Party::User).into_iter().chain([address])
    }
}

/// How many of these groups have neither a user nor an address in common with one counted before. A group of nobody does
/// not count, and neither does a second one with an address that nobody knows.
pub fn unrelated<'a>(groups: impl Iterator<Item = &'a [Arc<Visitor>]>) -> usize {
    let mut counted = HashSet::new();
    let is_unrelated = |group: &&[Arc<Visitor>]| {
        let parties: Vec<Party> = group.iter().flat_map(|visitor| visitor.parties()).collect();
        let is_unrelated = !parties.is_empty() && !parties.iter().any(|seen| counted.contains(seen));
        if is_unrelated {
            counted.extend(parties);
        }
        is_unrelated
    };
    groups.filter(is_unrelated).count()
}

/// The address under which to count. For IPv6 that is the network of 64 bits, since one customer gets at least so much
/// (RFC 6177).
pub fn subscriber(address: IpAddr) -> IpAddr {
    network(address, 64)
}

/// The network of an IPv6 address, by the number of its bits; an IPv4 address as it is.
fn network(address: IpAddr, bits: u32) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << (128 - bits))).into(),
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visitor(address: &str, user: &str) -> Arc<Visitor> {
        Arc::new(Visitor::new(address.parse().ok(), (!user.is_empty()).then(|| user.to_owned())))
    }

    #[test]
    fn who_shares_a_user_or_an_address_is_related() {
        let count = |groups: &[Vec<Arc<Visitor>>]| unrelated(groups.iter().map(Vec::as_slice));
        let (ada, bob) = (visitor("203.0.113.1", "ada"), visitor("203.0.113.2", "bob"));
        assert!(ada.is_related(&visitor("203.0.113.9", "ada")) && ada.is_related(&visitor("203.0.113.1", "eve")));
        assert!(!ada.is_related(&bob) && !visitor("", "").is_related(&visitor("", "")));
        assert_eq!(count(&[vec![ada.clone()], vec![bob.clone()]]), 2);
        assert_eq!(count(&[vec![ada.clone()], vec![visitor("203.0.113.9", "ada")]]), 1);
        assert_eq!(count(&[vec![ada.clone()], vec![visitor("::ffff:203.0.113.1", "eve")]]), 1);
        // One visitor of two groups is enough.
        assert_eq!(count(&[vec![ada.clone(), bob.clone()], vec![bob]]), 1);
        assert_eq!(count(&[vec![], vec![ada]]), 1);
        assert_eq!(count(&[vec![visitor("", "x")], vec![visitor("", "y")]]), 1);
        assert_eq!(count(&[vec![visitor("2001:db8::1", "x")], vec![visitor("2001:db8:0:7::2", "y")]]), 1);
        assert_eq!(count(&[vec![visitor("2001:db8::1", "x")], vec![visitor("2001:db8:1::2", "y")]]), 2);
    }
}
