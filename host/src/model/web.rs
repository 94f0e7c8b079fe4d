//! Host names and origins, in the one form in which they are compared: small letters, no port that goes without saying,
//! no dot at the end, names of other alphabets as their `xn--` form.

use std::net::Ipv6Addr;

use url::{Host, Url};

/// A host name that a tenant is served at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostName(String);

impl HostName {
    /// Reads what an operator wrote. An error says what to write.
    pub fn configured(text: &str) -> Result<Self, String> {
        if let Ok(address) = text.parse::<Ipv6Addr>() {
            return Ok(Self(format!("[{address}]")));
        }
        let bare = text.split_once("://").map_or(text, |(_, rest)| rest);
        let (bare, rest) = bare.find(['/', '?', '#']).map_or((bare, ""), |end| bare.split_at(end));
        let name = without_port(bare);
        if bare != text || !rest.is_empty() || name != bare {
            let has = if bare != text && text.contains("://") {
                "scheme"
            } else if !rest.is_empty() {
                "path"
            } else {
                "port"
            };
            return Err(format!("{text:?} has a {has}, which no host name has: write {name:?}"));
        }
        check_letters(text, name)?;
        let no_name = |why| format!("{text:?} is no host name: {why}");
        let host = Host::parse(name.strip_suffix('.').unwrap_or(name)).map_err(no_name)?;
        Ok(Self(host.to_string()))
    }

    /// The host name in a `Host` header, of which the port is left out.
    pub fn requested(authority: &str) -> Self {
        let name = without_port(authority);
        let inner = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        if let Some(address) = inner.and_then(|inner| inner.parse::<Ipv6Addr>().ok()) {
            return Self(format!("[{address}]"));
        }
        Self(name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it names this machine itself.
    pub fn is_loopback(&self) -> bool {
        matches!(&*self.0, "localhost" | "127.0.0.1" | "[::1]")
    }
}

/// An origin whose pages may connect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageOrigin(String);

impl PageOrigin {
    /// All origins there are.
    pub const ANY: &str = "*";
    /// What browsers say for pages without an origin of their own: files, pages in a sandbox.
    const NONE_OF_ITS_OWN: &str = "null";

    /// Reads what an operator wrote: `*`, `null`, or an origin. An error says what to write.
    pub fn configured(text: &str) -> Result<Self, String> {
        if text == Self::ANY || text == Self::NONE_OF_ITS_OWN {
            return Ok(Self(text.to_owned()));
        }
        let Some((scheme, rest)) = text.split_once("://").filter(|(scheme, _)| is_scheme(scheme)) else {
            let host = text.trim_start_matches("https:").trim_start_matches("http:").trim_matches('/');
            check_letters(text, host)?;
            return Err(format!("{text:?} has no scheme: write {:?}", format!("https://{host}")));
        };
        let scheme = scheme.to_ascii_lowercase();
        match &*scheme {
            "ws" | "wss" => {
                let page = scheme.replace("ws", "http");
                return Err(format!("{text:?} is the address of a socket: write {:?}", format!("{page}://{rest}")));
            }
            "file" => return Err(format!("{text:?} is no origin: browsers say \"null\" for pages from files")),
            _ => {}
        }
        if let Some(end) = rest.find(['/', '?', '#']) {
            let origin = format!("{scheme}://{}", &rest[..end]);
            return Err(format!("{text:?} has a path, which no origin has: write {origin:?}"));
        }
        if rest.contains('@') {
            return Err(format!("{text:?} has a user, which no origin has"));
        }
        check_letters(text, without_port(rest))?;
        let url = Url::parse(&format!("{scheme}://{rest}")).map_err(|why| format!("{text:?} is no origin: {why}"))?;
        let origin = url.origin();
        let own = if origin.is_tuple() { origin.ascii_serialization() } else { format!("{scheme}://{rest}") };
        Ok(Self(own.to_ascii_lowercase()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is the one in an `Origin` header.
    pub fn matches(&self, requested: &str) -> bool {
        if self.0 == Self::ANY {
            return true;
        }
        let implied = match requested.split_once("://") {
            Some((scheme, _)) if scheme.eq_ignore_ascii_case("https") => ":443",
            Some((scheme, _)) if scheme.eq_ignore_ascii_case("http") => ":80",
            _ => "",
        };
        self.0.eq_ignore_ascii_case(requested.strip_suffix(implied).unwrap_or(requested))
    }
}

/// A host name without its port; brackets of an IPv6 address stay.
fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    }
}

/// Whether a text is a token (RFC 9110, 5.6.2), as the name of a subprotocol is.
pub fn is_token(text: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(is_letter)
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|letter: char| letter.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

/// Refuses what stands in no name, though a URL could have it.
fn check_letters(text: &str, name: &str) -> Result<(), String> {
    if name.contains('*') {
        return Err(format!("{text:?}: * stands for no part of a name: write each name"));
    }
    match name.chars().find(|letter| letter.is_whitespace() || letter.is_control() || "%@\\".contains(*letter)) {
        Some(letter) => Err(format!("{text:?} has {letter:?}, which no host name has")),
        None if name.is_empty() => Err(format!("{text:?} names no host")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_name_has_one_form() {
        for (text, name) in [
            ("Rooms.Acme.Example", "rooms.acme.example"),
            ("acme.example.", "acme.example"),
            ("bücher.example", "xn--bcher-kva.example"),
            ("xn--bcher-kva.example", "xn--bcher-kva.example"),
            ("127.0.0.1", "127.0.0.1"),
            ("2001:DB8:0::1", "[2001:db8::1]"),
            ("[2001:db8::1]", "[2001:db8::1]"),
            ("localhost", "localhost"),
        ] {
            assert_eq!(HostName::configured(text).map(|host| host.0).as_deref(), Ok(name));
        }
        for (header, name) in [
            ("ACME.example.:8080", "acme.example"),
            ("[2001:DB8::1]:443", "[2001:db8::1]"),
            ("acme.example", "acme.example"),
            ("127.0.0.1:7070", "127.0.0.1"),
        ] {
            assert_eq!(HostName::requested(header).as_str(), name);
        }
    }

    #[test]
    fn a_host_name_that_no_request_has_is_told_how_to_write() {
        for (text, words) in [
            ("https://acme.example", "scheme, which no host name has: write \"acme.example\""),
            ("https://acme.example:8080/x", "scheme, which no host name has: write \"acme.example\""),
            ("acme.example:8080", "port, which no host name has: write \"acme.example\""),
            ("[::1]:80", "port, which no host name has: write \"[::1]\""),
            ("acme.example/rooms", "path, which no host name has: write \"acme.example\""),
            ("*.acme.example", "write each name"),
            ("*", "write each name"),
            ("", "names no host"),
            (" acme.example", "' '"),
            ("a b", "' '"),
            ("user@acme.example", "'@'"),
        ] {
            let why = HostName::configured(text).unwrap_err();
            assert!(why.contains(words) && why.contains(&format!("{text:?}")), "{why}");
        }
    }

    #[test]
    fn an_origin_is_compared_as_browsers_write_it() {
        for (text, header) in [
            ("https://Acme.Example", "https://acme.example"),
            ("https://acme.example", "HTTPS://ACME.example:443"),
            ("https://acme.example:443", "https://acme.example"),
            ("http://localhost:80", "http://localhost"),
            ("http://localhost:3000", "http://localhost:3000"),
            ("https://bücher.example", "https://xn--bcher-kva.example"),
            ("https://[2001:DB8::1]:8443", "https://[2001:db8::1]:8443"),
            ("capacitor://localhost", "capacitor://localhost"),
            ("chrome-extension://abcdefgh", "chrome-extension://abcdefgh"),
            ("null", "null"),
            ("*", "https://whoever.example"),
            ("*", "null"),
        ] {
            assert!(PageOrigin::configured(text).unwrap().matches(header), "{text} {header}");
        }
        for (text, header) in [
            ("https://acme.example", "http://acme.example"),
            ("https://acme.example", "https://acme.example:80"),
            ("https://acme.example", "https://acme.example.evil.example"),
            ("https://acme.example", "null"),
            ("null", "https://null"),
        ] {
            assert!(!PageOrigin::configured(text).unwrap().matches(header), "{text} {header}");
        }
    }

    #[test]
    fn an_origin_that_no_page_has_is_told_how_to_write() {
        for (text, words) in [
            ("acme.example", "no scheme: write \"https://acme.example\""),
            ("acme.example:8443", "no scheme: write \"https://acme.example:8443\""),
            ("//acme.example", "no scheme: write \"https://acme.example\""),
            ("https://acme.example/", "path, which no origin has: write \"https://acme.example\""),
            ("https://acme.example/app?x", "path, which no origin has: write \"https://acme.example\""),
            ("wss://acme.example", "write \"https://acme.example\""),
            ("ws://acme.example:1", "write \"http://acme.example:1\""),
            ("file:///home", "\"null\""),
            ("https://*.acme.example", "write each name"),
            ("https://a@acme.example", "has a user"),
            ("https://", "names no host"),
            (" https://acme.example", "' '"),
            ("https://acme.example ", "' '"),
            ("https://acme.example:99999", "port"),
            ("https:acme.example", "no scheme: write \"https://acme.example\""),
            ("", "names no host"),
        ] {
            let why = PageOrigin::configured(text).unwrap_err();
            assert!(why.contains(words) && why.contains(&format!("{text:?}")), "{text}: {why}");
        }
    }
}
