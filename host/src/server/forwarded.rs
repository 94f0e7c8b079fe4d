//! Who is behind a trusted proxy: its headers are read from the nearest hop outwards, as far as proxies of our own wrote
//! them.

use std::net::{IpAddr, Ipv6Addr};

use axum::http::header::FORWARDED;
use axum::http::{HeaderMap, HeaderName};

use super::head::{authority, host_of};
use crate::config::{ForwardedBy, Proxies};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_FORWARDED_PORT: HeaderName = HeaderName::from_static("x-forwarded-port");
const X_FORWARDED_PREFIX: HeaderName = HeaderName::from_static("x-forwarded-prefix");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
/// The longest path prefix that is believed.
const PREFIX_BYTES_MAX: usize = 256;

/// The other end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    pub address: IpAddr,
    /// Whether it is a trusted proxy, that speaks for its clients.
    pub is_proxy: bool,
    /// Whether a proxy said, by the PROXY protocol, that the client used TLS.
    pub tls: bool,
}

/// The client of a request, as the outermost of our own proxies saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteClient {
    pub address: IpAddr,
    /// Whether its connection has a place among those of its address; those of proxies have none.
    pub has_place: bool,
    /// Whether the client used TLS, which a proxy ended.
    pub tls: bool,
    /// The host that the client asked for, with its port, where a proxy says so.
    pub host: Option<String>,
    /// The path under which a proxy serves us, which it takes off.
    pub prefix: String,
}

impl RemoteClient {
    /// A client that is told of by nobody.
    fn direct(peer: Peer) -> Self {
        let address = peer.address.to_canonical();
        Self { address, has_place: !peer.is_proxy, tls: peer.tls, host: None, prefix: String::new() }
    }
}

/// The client of a request: the peer of the connection or, where that is a trusted proxy, whom its headers name.
pub fn client(headers: &HeaderMap, peer: Peer, proxies: &Proxies) -> RemoteClient {
    let direct = RemoteClient::direct(peer);
    match proxies.by {
        ForwardedBy::XForwardedFor if peer.is_proxy => by_x_forwarded(headers, direct, proxies),
        ForwardedBy::Forwarded if peer.is_proxy => by_forwarded(headers, direct, proxies),
        _ => direct,
    }
}

/// Whether a request lacks the header that a proxy should have written.
pub fn names_nobody(headers: &HeaderMap, by: ForwardedBy) -> bool {
    match by {
        ForwardedBy::XForwardedFor => !headers.contains_key(X_FORWARDED_FOR),
        ForwardedBy::Forwarded => !headers.contains_key(FORWARDED),
        ForwardedBy::ProxyProtocol | ForwardedBy::Nothing => false,
    }
}

fn by_x_forwarded(headers: &HeaderMap, direct: RemoteClient, proxies: &Proxies) -> RemoteClient {
    let hops = list(headers, &X_FORWARDED_FOR);
    let (address, believed) = walk(direct.address, hops.iter().map(|hop| address_of(hop)), proxies);
    // The value that the same proxy wrote. Most proxies replace the header instead of adding to it.
    let told = |name: &HeaderName| {
        let mut values = list(headers, name);
        let place = values.len().checked_sub(1)?.min(believed.saturating_sub(1));
        Some(values.swap_remove(place))
    };
    let tls = told(&X_FORWARDED_PROTO).is_some_and(|proto| is_secure(&proto));
    let port = told(&X_FORWARDED_PORT).and_then(|port| port.parse::<u16>().ok()).filter(|port| *port > 0);
    let host = told(&X_FORWARDED_HOST).and_then(|host| authority(&host));
    let host = match (host, port) {
        (Some(host), Some(port)) if !has_port(&host) => Some(with_port(&host, port, tls)),
        (Some(host), _) => Some(host),
        (None, Some(port)) => host_of(headers).map(|host| with_port(host, port, tls)),
        (None, None) => None,
    };
    RemoteClient { address, tls, host, prefix: prefix(headers), ..direct }
}

fn by_forwarded(headers: &HeaderMap, direct: RemoteClient, proxies: &Proxies) -> RemoteClient {
    let elements = list(headers, &FORWARDED);
    let elements: Vec<Option<Vec<(&str, String)>>> = elements.iter().map(|element| parameters(element)).collect();
    let param = |element: &Option<Vec<(&str, String)>>, name: &str| {
        let mut found = element.iter().flatten().filter(|(key, _)| key.eq_ignore_ascii_case(name));
        // What is said twice is said by nobody.
        found.next().filter(|_| found.next().is_none()).map(|(_, value)| value.clone())
    };
    let hops = elements.iter().map(|element| param(element, "for").and_then(|node| address_of(&node)));
    let (address, believed) = walk(direct.address, hops, proxies);
    // What the outermost of our proxies says, or else the next one inwards.
    let told = |name: &str| elements.iter().take(believed).rev().find_map(|element| param(element, name));
    let tls = told("proto").is_some_and(|proto| is_secure(&proto));
    RemoteClient { address, tls, host: told("host").and_then(|host| authority(&host)), ..direct }
}

/// Follows hops from the nearest outwards, while they are proxies of ours: each wrote the hop that comes next. Answers
/// the address where that ends, and how many hops our proxies wrote. What cannot be read ends it at the proxy that wrote
/// it: whatever stands behind may be the client's own word.
fn walk(peer: IpAddr, hops: impl Iterator<Item = Option<IpAddr>>, proxies: &Proxies) -> (IpAddr, usize) {
    let (mut address, mut believed) = (peer, 0);
    for hop in hops {
        believed += 1;
        let Some(hop) = hop else { break };
        address = hop;
        if !proxies.trusts(hop) {
            break;
        }
    }
    (address, believed)
}

/// The elements of a header that is a list, in all its lines, the last one first. What is no text spoils no more than its
/// own element.
fn list(headers: &HeaderMap, name: &HeaderName) -> Vec<String> {
    let lines = headers.get_all(name).iter().rev().map(|line| String::from_utf8_lossy(line.as_bytes()));
    lines.flat_map(|line| split_from_end(&line, b',').map(str::to_owned).collect::<Vec<_>>()).collect()
}

/// Splits at a separator outside of quotes, the last part first. Read from its end, a list that a proxy added to is split
/// right there, whatever quotes the client opened before.
fn split_from_end(text: &str, separator: u8) -> impl Iterator<Item = &str> {
    let bytes = text.as_bytes();
    let mut rest = Some(text.len());
    std::iter::from_fn(move || {
        let end = rest?;
        let mut quoted = false;
        let mut at = end;
        while let Some(byte) = at.checked_sub(1).map(|before| bytes[before]) {
            if byte == separator && !quoted {
                rest = Some(at - 1);
                return Some(text[at..end].trim());
            }
            at -= 1;
            let is_escaped = || bytes[..at].iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 1;
            if byte == b'"' && !(quoted && is_escaped()) {
                quoted = !quoted;
            }
        }
        rest = None;
        Some(text[..end].trim())
    })
}

/// The parameters of an element of `Forwarded` (RFC 7239, 4); none where it is malformed.
fn parameters(element: &str) -> Option<Vec<(&str, String)>> {
    split_from_end(element, b';')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=')?;
            Some((name, unquoted(value)?))
        })
        .collect()
}

fn unquoted(value: &str) -> Option<String> {
    let Some(inner) = value.strip_prefix('"') else { return (!value.contains('"')).then(|| value.to_owned()) };
    let mut text = String::new();
    let mut letters = inner.strip_suffix('"')?.chars();
    while let Some(letter) = letters.next() {
        text.push(if letter == '\\' { letters.next()? } else { letter });
    }
    Some(text)
}

/// The address of a hop, in the one form that it is compared in: `1.2.3.4`, `1.2.3.4:80`, `::1`, `[::1]:80`, `fe80::1%eth0`.
fn address_of(hop: &str) -> Option<IpAddr> {
    // A port may be a name of the proxy's own (RFC 7239, 6.3).
    let is_port =
        |port: &str| port.starts_with('_') || (!port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()));
    let v6 = |text: &str| text.split('%').next()?.parse::<Ipv6Addr>().ok().map(IpAddr::from);
    let address = if let Some(rest) = hop.strip_prefix('[') {
        let (address, port) = rest.split_once(']')?;
        v6(address).filter(|_| port.is_empty() || port.strip_prefix(':').is_some_and(is_port))
    } else {
        let without_port = hop.split_once(':').filter(|(_, port)| is_port(port)).map_or(hop, |(address, _)| address);
        without_port.parse::<IpAddr>().ok().or_else(|| v6(hop))
    };
    address.map(|address| address.to_canonical())
}

fn is_secure(proto: &str) -> bool {
    proto.eq_ignore_ascii_case("https") || proto.eq_ignore_ascii_case("wss")
}

fn has_port(host: &str) -> bool {
    host.rsplit_once(':').is_some_and(|(_, port)| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()))
}

/// A host with this port instead of its own; without one where the scheme implies it.
fn with_port(host: &str, port: u16, tls: bool) -> String {
    let name = if has_port(host) { host.rsplit_once(':').map_or(host, |(name, _)| name) } else { host };
    if port == if tls { 443 } else { 80 } { name.to_owned() } else { format!("{name}:{port}") }
}

/// The path that our proxies take off, one behind the other; nothing where it is no path.
fn prefix(headers: &HeaderMap) -> String {
    let mut parts = list(headers, &X_FORWARDED_PREFIX);
    parts.reverse();
    let whole: String = parts.iter().map(|part| part.trim_end_matches('/')).collect();
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte);
    let is_path = whole.starts_with('/')
        && whole.len() <= PREFIX_BYTES_MAX
        && whole.bytes().all(is_letter)
        && !whole.split('/').skip(1).any(|segment| ["", ".", ".."].contains(&segment));
    if is_path { whole } else { String::new() }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn seen(by: ForwardedBy, lines: &[(&str, &str)]) -> RemoteClient {
        seen_of(by, &lines.iter().map(|(name, value)| (*name, value.as_bytes())).collect::<Vec<_>>())
    }

    fn seen_of(by: ForwardedBy, lines: &[(&str, &[u8])]) -> RemoteClient {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            let name: HeaderName = name.parse().unwrap();
            headers.append(name, HeaderValue::from_bytes(value).unwrap());
        }
        let proxies = Proxies::new(&["10.0.0.0/8".to_owned()], Some(by)).unwrap();
        let peer = Peer { address: "10.0.0.1".parse().unwrap(), is_proxy: true, tls: false };
        client(&headers, peer, &proxies)
    }

    #[test]
    fn an_unreadable_hop_ends_at_the_proxy_that_wrote_it() {
        for (lines, address) in [
            (&["203.0.113.7"][..], "203.0.113.7"),
            (&["9.9.9.9, 203.0.113.7, 10.0.0.2"], "203.0.113.7"),
            (&["203.0.113.7, ::ffff:10.0.0.2"], "203.0.113.7"),
            (&["::ffff:203.0.113.7"], "203.0.113.7"),
            (&["203.0.113.7:51234"], "203.0.113.7"),
            (&["2001:db8::7"], "2001:db8::7"),
            (&["[2001:db8::7]:443"], "2001:db8::7"),
            (&["[2001:db8::7]"], "2001:db8::7"),
            (&["fe80::1%eth0"], "fe80::1"),
            (&["9.9.9.9", "203.0.113.7", "10.0.0.9"], "203.0.113.7"),
            (&["9.9.9.9, 10.0.0.7"], "9.9.9.9"),
            (&["10.0.0.7"], "10.0.0.7"),
            (&["9.9.9.9, unknown"], "10.0.0.1"),
            (&["9.9.9.9, unknown, 10.0.0.2"], "10.0.0.2"),
            (&["9.9.9.9, _hidden"], "10.0.0.1"),
            (&["9.9.9.9,"], "10.0.0.1"),
            (&["9.9.9.9, , 10.0.0.2"], "10.0.0.2"),
            (&["9.9.9.9", "caf\u{e9}"], "10.0.0.1"),
            (&["9.9.9.9, caf\u{e9}, 203.0.113.7"], "203.0.113.7"),
            (&["\", 203.0.113.7"], "203.0.113.7"),
            (&["9.9.9.9, 1.2.3.4:x"], "10.0.0.1"),
            (&["203.0.113.7:_x"], "203.0.113.7"),
            (&["9.9.9.9, 1.2.3"], "10.0.0.1"),
            (&["9.9.9.9, [::1]x"], "10.0.0.1"),
            (&["9.9.9.9, unix:"], "10.0.0.1"),
            (&[""], "10.0.0.1"),
            (&[], "10.0.0.1"),
        ] {
            let lines: Vec<_> = lines.iter().map(|line| ("x-forwarded-for", *line)).collect();
            assert_eq!(seen(ForwardedBy::XForwardedFor, &lines).address.to_string(), address, "{lines:?}");
        }
    }

    proptest! {
        /// Whatever a client writes into the header, on the line that the proxy adds to or on others.
        #[test]
        fn what_a_proxy_adds_is_the_nearest_hop(
            written in proptest::collection::vec(prop_oneof![0x20..0x7fu8, 0x80..=0xffu8, Just(b'"'), Just(b'\\')], 0..40),
            is_own_line in any::<bool>(),
        ) {
            for (by, name, added) in [
                (ForwardedBy::XForwardedFor, "x-forwarded-for", "2001:db8::7"),
                (ForwardedBy::Forwarded, "forwarded", "proto=http;for=\"[2001:db8::7]:_a\""),
            ] {
                let added = added.as_bytes();
                let lines = if is_own_line { vec![written.clone(), added.to_vec()] } else { vec![[&written, &b", "[..], added].concat()] };
                let lines: Vec<_> = lines.iter().map(|line| (name, &line[..])).collect();
                let seen = seen_of(by, &lines);
                prop_assert_eq!((&*seen.address.to_string(), seen.tls), ("2001:db8::7", false));
            }
        }
    }

    #[test]
    fn the_standard_header_is_read_from_its_end() {
        for (line, address, tls, host) in [
            ("for=203.0.113.7;proto=https", "203.0.113.7", true, None),
            ("for=\"[2001:db8::7]:443\";proto=https;host=app.example", "2001:db8::7", true, Some("app.example")),
            ("For=203.0.113.7 ; Proto=HTTPS", "203.0.113.7", true, None),
            (
                "for=203.0.113.7;proto=https, for=10.0.0.2;proto=http;host=a.example",
                "203.0.113.7",
                true,
                Some("a.example"),
            ),
            ("for=9.9.9.9;proto=https;host=evil, for=203.0.113.7;proto=http", "203.0.113.7", false, None),
            ("for=_hidden, for=10.0.0.2", "10.0.0.2", false, None),
            // A client that opens a quote, or writes a whole element, hides nothing of what the proxy adds.
            ("for=\"9.9.9.9, for=203.0.113.7", "203.0.113.7", false, None),
            ("for=\"9.9.9.9\\, for=\"203.0.113.7:80\"", "203.0.113.7", false, None),
            ("for=\"1.1.1.1, for=9.9.9.9\"", "10.0.0.1", false, None),
            ("proto=https;host=\"app.example:8443\"", "10.0.0.1", true, Some("app.example:8443")),
            ("for=9.9.9.9;for=8.8.8.8", "10.0.0.1", false, None),
            ("for=203.0.113.7;host=\"a b\"", "203.0.113.7", false, None),
            ("nonsense", "10.0.0.1", false, None),
        ] {
            let seen = seen(ForwardedBy::Forwarded, &[("forwarded", line), ("x-forwarded-for", "8.8.8.8")]);
            assert_eq!((&*seen.address.to_string(), seen.tls, seen.host.as_deref()), (address, tls, host), "{line}");
        }
    }

    #[test]
    fn what_the_client_saw_is_put_together() {
        for (lines, tls, host, prefix) in [
            (&[("proto", "wss")][..], true, None, ""),
            (&[("proto", "https,https")], true, None, ""),
            (&[("proto", "HTTPS")], true, None, ""),
            (&[("proto", "ws")], false, None, ""),
            (&[("proto", "https"), ("for", "203.0.113.7"), ("proto", "http")], false, None, ""),
            (&[("for", "203.0.113.7, 10.0.0.2"), ("proto", "https, http")], true, None, ""),
            (&[("host", "app.example")], false, Some("app.example"), ""),
            (&[("host", "evil.example, app.example:81")], false, Some("app.example:81"), ""),
            (&[("host", "app.example"), ("port", "8443"), ("proto", "https")], true, Some("app.example:8443"), ""),
            (&[("host", "app.example"), ("port", "443"), ("proto", "https")], true, Some("app.example"), ""),
            (&[("host", "app.example:1"), ("port", "2")], false, Some("app.example:1"), ""),
            (&[("port", "8443"), ("proto", "https")], true, Some("inner:8443"), ""),
            (&[("port", "80")], false, Some("inner"), ""),
            (&[("port", "0")], false, None, ""),
            (&[("host", "a/b")], false, None, ""),
            (&[("host", "user@a")], false, None, ""),
            (&[("host", "a:b")], false, None, ""),
            (&[("prefix", "/rt")], false, None, "/rt"),
            (&[("prefix", "/rt/, /b/")], false, None, "/rt/b"),
            (&[("prefix", "/")], false, None, ""),
            (&[("prefix", "//evil.example")], false, None, ""),
            (&[("prefix", "/a/../b")], false, None, ""),
            (&[("prefix", "rt")], false, None, ""),
            (&[("prefix", "/a?b")], false, None, ""),
        ] {
            let lines: Vec<_> = lines.iter().map(|(name, value)| (format!("x-forwarded-{name}"), *value)).collect();
            let mut lines: Vec<_> = lines.iter().map(|(name, value)| (name.as_str(), *value)).collect();
            lines.push(("host", "inner:80"));
            let seen = seen(ForwardedBy::XForwardedFor, &lines);
            assert_eq!((seen.tls, seen.host.as_deref(), &*seen.prefix), (tls, host, prefix), "{lines:?}");
        }
    }

    #[test]
    fn one_source_is_believed_and_of_trusted_peers_alone() {
        let both = [("forwarded", "for=198.51.100.1;proto=https"), ("x-forwarded-for", "203.0.113.7")];
        let (by_list, by_standard) = (seen(ForwardedBy::XForwardedFor, &both), seen(ForwardedBy::Forwarded, &both));
        assert_eq!((&*by_list.address.to_string(), by_list.tls), ("203.0.113.7", false));
        assert_eq!((&*by_standard.address.to_string(), by_standard.tls), ("198.51.100.1", true));
        for nobody in [ForwardedBy::ProxyProtocol, ForwardedBy::Nothing] {
            assert_eq!(seen(nobody, &both).address.to_string(), "10.0.0.1");
        }
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", HeaderValue::from_static("203.0.113.7"));
        let stranger = Peer { address: "::ffff:192.0.2.1".parse().unwrap(), is_proxy: false, tls: false };
        let proxies = Proxies::new(&["10.0.0.0/8".to_owned()], None).unwrap();
        assert_eq!(client(&headers, stranger, &proxies).address.to_string(), "192.0.2.1");
    }
}
