//! What the address of a request means: the tenant, the path, the room, and the client behind proxies.

use std::net::{IpAddr, SocketAddr};

use axum::http::header::{FORWARDED, HOST};
use axum::http::{HeaderMap, Uri};
use ipnet::IpNet;

use super::escapes::decode_plain;
use crate::model::names::{RoomId, TenantName};
use crate::tenant::Tenants;

/// The tenant that a request is for, and the path of that tenant.
#[derive(Debug, PartialEq, Eq)]
pub struct Destination<'a> {
    pub tenant: TenantName,
    pub path: &'a str,
    /// Whether the host name belongs to the tenant alone. Only then are the request's cookies the tenant's.
    pub own_host: bool,
}

/// Finds the tenant of a request by its host name, then by `/t/<tenant>`, else `default`. None where `/t/` names no
/// tenant, or `default` itself.
pub fn destination<'a>(tenants: &Tenants, headers: &HeaderMap, uri: &'a Uri) -> Option<Destination<'a>> {
    let path = uri.path();
    let host = host_of(headers).map(|host| without_port(host).to_ascii_lowercase());
    if let Some(tenant) = host.and_then(|host| tenants.at_host(&host)) {
        return Some(Destination { tenant: tenant.clone(), path, own_host: true });
    }
    let Some(rest) = path.strip_prefix("/t/") else {
        return Some(Destination { tenant: TenantName::default_tenant(), path, own_host: false });
    };
    let end = rest.find('/')?;
    // The default tenant's rooms stand at the root alone, so that each room has one address.
    let tenant = TenantName::new(&rest[..end]).ok().filter(|name| !name.is_default())?;
    Some(Destination { tenant, path: &rest[end..], own_host: false })
}

/// The room that the query names. Its id may be percent-encoded. Refuses a query that names several, or whose key `room`
/// is percent-encoded.
pub fn room(uri: &Uri) -> Result<RoomId, &'static str> {
    let mut room = None;
    for pair in uri.query().unwrap_or_default().split('&') {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        if key != "room" {
            if key.contains('%') && form_urlencoded::parse(key.as_bytes()).any(|(key, _)| key == "room") {
                return Err("the query's key `room` must not be percent-encoded");
            }
            continue;
        }
        if room.is_some() {
            return Err("the query names `room` more than once");
        }
        let id = RoomId::new(&decode_plain(value));
        room = Some(id.map_err(|_| "a room's id must be 1 to 128 of A-Z, a-z, 0-9, ., _, ~ and -")?);
    }
    Ok(room.unwrap_or_else(RoomId::default_room))
}

/// The first value of a key of the query, decoded.
pub fn query_value(uri: &Uri, key: &str) -> Option<String> {
    let query = uri.query().unwrap_or_default();
    form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == key).map(|(_, value)| value.into_owned())
}

/// The client of a request, as the outermost of our own proxies saw it.
#[derive(Debug, PartialEq, Eq)]
pub struct RemoteClient {
    pub address: IpAddr,
    /// Whether the client used TLS, which a proxy ended.
    pub tls: bool,
}

/// The client of a request: the peer of the connection or, where that is a trusted proxy, whom its headers name.
pub fn client(headers: &HeaderMap, peer: SocketAddr, trusted: &[IpNet]) -> RemoteClient {
    let is_trusted = |address: IpAddr| trusted.iter().any(|net| net.contains(&address));
    let peer = peer.ip().to_canonical();
    if !is_trusted(peer) {
        return RemoteClient { address: peer, tls: false };
    }
    let hops = forwarded_for(headers);
    // From the last hop to the first: our proxies append, so whatever a stranger wrote stands before what they added.
    let address = |hop: &String| hop.parse::<IpAddr>().ok().map(|address| address.to_canonical());
    let stranger = hops.iter().rev().map(address).find(|hop| !hop.is_some_and(is_trusted));
    let address = stranger.flatten().unwrap_or(peer);
    let proto = header_text(headers, "x-forwarded-proto").or_else(|| forwarded_param(headers, "proto").pop());
    RemoteClient { address, tls: proto.is_some_and(|proto| proto.eq_ignore_ascii_case("https")) }
}

/// The host name that the client asked for.
pub fn host_of(headers: &HeaderMap) -> Option<&str> {
    headers.get(HOST)?.to_str().ok()
}

/// A host name without its port; brackets of an IPv6 address stay.
pub fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    }
}

fn forwarded_for(headers: &HeaderMap) -> Vec<String> {
    let standard = forwarded_param(headers, "for");
    let hops = if standard.is_empty() {
        let lists = headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
        lists.flat_map(|list| list.split(',')).map(|hop| hop.trim().to_owned()).collect()
    } else {
        standard
    };
    hops.into_iter().map(|hop| bare_address(&hop)).collect()
}

/// The values of one parameter of `Forwarded` (RFC 7239), in order.
fn forwarded_param(headers: &HeaderMap, name: &str) -> Vec<String> {
    let lists = headers.get_all(FORWARDED).iter().filter_map(|value| value.to_str().ok());
    let pairs = lists.flat_map(|list| list.split([',', ';'])).filter_map(|pair| pair.trim().split_once('='));
    pairs
        .filter(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim_matches('"').to_owned())
        .collect()
}

/// An address without its port or brackets: `1.2.3.4:80`, `[::1]:80`.
fn bare_address(hop: &str) -> String {
    if let Some((address, _)) = hop.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return address.to_owned();
    }
    match hop.split_once(':') {
        Some((address, port)) if !port.contains(':') => address.to_owned(),
        _ => hop.to_owned(),
    }
}

fn header_text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_is_named_once_and_plainly() {
        let named = |uri: &str| room(&uri.parse().unwrap()).map(|room| room.as_str().to_owned());
        assert_eq!(named("/ws").as_deref(), Ok("default"));
        assert_eq!(named("/ws?token=a%20b&room=A.b-1").as_deref(), Ok("A.b-1"));
        // `URLSearchParams` of browsers encodes the tilde.
        assert_eq!(named("/ws?room=%41.b%7Ec%7e").as_deref(), Ok("A.b~c~"));
        for bad in ["/ws?room=a&room=a", "/ws?r%6Fom=a", "/ws?room=", "/ws?room", "/ws?room=a+b", "/ws?room=a&r%6Fom=b"]
        {
            assert!(named(bad).is_err(), "{bad}");
        }
        for bad in ["a%2Fb", "a%20b", "%C3%A9", "a%00", "%", "%7", "%zz", "%257E", "a/b"] {
            assert!(named(&format!("/ws?room={bad}")).is_err(), "{bad}");
        }
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", "9.9.9.9, 203.0.113.7, 10.0.0.2".parse().unwrap());
        headers.insert("x-forwarded-proto", "https".parse().unwrap());
        let trusted = ["10.0.0.0/8".parse().unwrap()];
        let seen = |peer: &str| client(&headers, peer.parse().unwrap(), &trusted);
        assert_eq!(seen("10.0.0.1:5"), RemoteClient { address: "203.0.113.7".parse().unwrap(), tls: true });
        assert_eq!(seen("192.0.2.1:5"), RemoteClient { address: "192.0.2.1".parse().unwrap(), tls: false });
        // A hop of ours in the form of IPv6 is ours all the same.
        headers.insert("x-forwarded-for", "203.0.113.7, ::ffff:10.0.0.2".parse().unwrap());
        let mapped = client(&headers, "10.0.0.1:5".parse().unwrap(), &trusted);
        assert_eq!(mapped, RemoteClient { address: "203.0.113.7".parse().unwrap(), tls: true });
        let mut standard = HeaderMap::new();
        standard.insert(FORWARDED, "for=\"[2001:db8::1]:80\";proto=https, for=10.1.1.1".parse().unwrap());
        let via = client(&standard, "10.0.0.1:5".parse().unwrap(), &trusted);
        assert_eq!(via, RemoteClient { address: "2001:db8::1".parse().unwrap(), tls: true });
    }
}
