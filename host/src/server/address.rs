//! What the address of a request means: the tenant, the path and the room.

use axum::http::Uri;

use super::escapes::decode_plain;
use crate::model::names::{RoomId, TenantName, is_short_name};
use crate::model::web::HostName;
use crate::tenant::Tenants;

/// Where each tenant serves clients of Socket.IO.
pub const ENGINE: &str = "/socket.io";

/// How many channels a client may ask of when it comes back; others are ignored.
const SINCE_MAX: usize = 64;

/// The tenant that a request is for, and the path of that tenant.
#[derive(Debug, PartialEq, Eq)]
pub struct Destination<'a> {
    pub tenant: TenantName,
    pub path: &'a str,
    /// Whether the host name belongs to the tenant alone. Only then are the request's cookies the tenant's.
    pub own_host: bool,
}

/// Finds the tenant of a request by the first of its hosts that is a tenant's, then by `/t/<tenant>`, else `default`.
/// None where `/t/` names no tenant, or `default` itself.
pub fn destination<'a>(tenants: &Tenants, hosts: &[Option<&str>], uri: &'a Uri) -> Option<Destination<'a>> {
    let path = uri.path();
    let mut hosts = hosts.iter().flatten().map(|host| HostName::requested(host));
    if let Some(tenant) = hosts.find_map(|host| tenants.at_host(&host)) {
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

/// The channels of which the client wants to hear what it missed, each with the position up to which it heard all:
/// `since=CHANNEL:POSITION`, as often as there are channels. None for `0`: the client wants all that is kept.
pub fn since(uri: &Uri) -> Vec<(String, Option<String>)> {
    let query = uri.query().unwrap_or_default();
    let values = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == "since").map(|(_, value)| value);
    let channel = |value: &str| match value.rsplit_once(':') {
        Some((channel, "0" | "")) => (channel.to_owned(), None),
        Some((channel, position)) => (channel.to_owned(), Some(position.to_owned())),
        None => (value.to_owned(), None),
    };
    let mut wanted: Vec<(String, Option<String>)> = Vec::new();
    for (name, position) in values.take(SINCE_MAX).map(|value| channel(&value)) {
        if is_short_name(&name) && !wanted.iter().any(|(known, _)| *known == name) {
            wanted.push((name, position));
        }
    }
    wanted
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
}
