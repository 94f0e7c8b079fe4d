//! Where the server listens, as the operator writes it.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use serde::Deserialize;

/// What the path of a Unix socket begins with.
const UNIX: &str = "unix:";

/// An address to listen on.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum ListenAddress {
    Ip(SocketAddr),
    /// The server listens on every address that the name has when it starts.
    Name {
        host: String,
        port: u16,
    },
    Unix(PathBuf),
}

impl Default for ListenAddress {
    fn default() -> Self {
        Self::Ip(SocketAddr::from(([127, 0, 0, 1], 7070)))
    }
}

impl FromStr for ListenAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            "must be an IP address or a host name with a port from 0 to 65535, such as 127.0.0.1:7070, [::1]:7070 or \
             localhost:7070, or the path of a Unix socket, such as unix:/run/parlor.sock"
                .to_owned()
        };
        if let Some(path) = text.strip_prefix(UNIX) {
            return if path.is_empty() { Err(wrong()) } else { Ok(Self::Unix(path.into())) };
        }
        if let Ok(address) = text.parse() {
            return Ok(Self::Ip(address));
        }
        let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
        let is_part =
            |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
        let has_letter = host.bytes().any(|b| b.is_ascii_alphabetic());
        let is_name = has_letter && host.len() <= 253 && host.trim_end_matches('.').split('.').all(is_part);
        match port.parse() {
            Ok(port) if is_name => Ok(Self::Name { host: host.to_owned(), port }),
            _ => Err(wrong()),
        }
    }
}

impl TryFrom<String> for ListenAddress {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse().map_err(|why| format!("listen {why}"))
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(address) => write!(f, "{address}"),
            Self::Name { host, port } => write!(f, "{host}:{port}"),
            Self::Unix(path) => write!(f, "{UNIX}{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_names_and_paths_are_told_apart() {
        for good in
            ["127.0.0.1:0", "[::]:7070", "localhost:7070", "my-host.example.:80", "unix:/run/parlor.sock", "unix:x"]
        {
            assert_eq!(good.parse::<ListenAddress>().map(|address| address.to_string()).as_deref(), Ok(good));
        }
        for bad in [
            "",
            "nowhere",
            "127.0.0.1",
            "127.0.0.1:65536",
            "localhost:x",
            ":7070",
            "7070",
            "1.2.3:80",
            "a b:1",
            "unix:",
            "::1:80",
            "[::1]",
            "http://localhost:7070",
        ] {
            assert!(bad.parse::<ListenAddress>().is_err(), "{bad}");
        }
    }
}
