//! The PROXY protocol, versions 1 and 2: what a proxy says of its client before the first byte of the connection. It is read
//! to its last byte and no further, so that the connection goes on as one without it.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use tokio::io::{AsyncRead, AsyncReadExt as _};

/// The first bytes of version 2.
const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";
/// The first bytes of version 1.
const WORD: &[u8] = b"PROXY ";
/// The longest header of version 1.
const LINE_BYTES_MAX: usize = 107;
/// The longest rest of a header of version 2: addresses, and what else proxies tell.
const REST_BYTES_MAX: usize = 4_096;
/// Where a client used this port and plain HTTP comes out, its proxy has ended TLS.
const HTTPS_PORT: u16 = 443;
/// What a proxy says of the client's TLS, and the bit in it for having used it.
const TLV_SSL: u8 = 0x20;
const CLIENT_SSL: u8 = 1;

/// What a proxy said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProxyHeader {
    /// Whom it speaks for.
    Client { address: IpAddr, tls: bool },
    /// It speaks for itself, as in a health check, or does not know its client's address.
    Itself,
}

/// Why what came is no such header.
#[derive(Debug)]
pub enum BadProxyHeader {
    /// Nothing came at all: so look probes whether somebody listens.
    Nothing,
    Malformed(&'static str),
    Broken(io::Error),
}

impl fmt::Display for BadProxyHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("it ended before its first byte"),
            Self::Malformed(why) => write!(f, "its PROXY header is malformed: {why}"),
            Self::Broken(why) => write!(f, "it broke off within its PROXY header: {why}"),
        }
    }
}

impl From<io::Error> for BadProxyHeader {
    fn from(why: io::Error) -> Self {
        Self::Broken(why)
    }
}

/// Reads the header off a connection.
pub async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Result<ProxyHeader, BadProxyHeader> {
    // No header is shorter than this.
    let mut start = [0; SIGNATURE.len()];
    let first = stream.read(&mut start).await?;
    if first == 0 {
        return Err(BadProxyHeader::Nothing);
    }
    // What cannot become a header is not waited for.
    let (word, signature) = (first.min(WORD.len()), &SIGNATURE[..first]);
    if start[..word] != WORD[..word] && start[..first] != *signature {
        return Err(BadProxyHeader::Malformed("it begins with something else"));
    }
    stream.read_exact(&mut start[first..]).await?;
    if start == SIGNATURE {
        let mut fixed = [0; 4];
        stream.read_exact(&mut fixed).await?;
        let [command, family, length @ ..] = fixed;
        let length = usize::from(u16::from_be_bytes(length));
        if length > REST_BYTES_MAX {
            return Err(BadProxyHeader::Malformed("it is longer than 4096 bytes"));
        }
        let mut rest = vec![0; length];
        stream.read_exact(&mut rest).await?;
        return binary(command, family, &rest).map_err(BadProxyHeader::Malformed);
    }
    if !start.starts_with(WORD) {
        return Err(BadProxyHeader::Malformed("it begins with something else"));
    }
    let mut line = start.to_vec();
    while !line.ends_with(b"\r\n") {
        if line.len() == LINE_BYTES_MAX {
            return Err(BadProxyHeader::Malformed("it is longer than 107 bytes"));
        }
        line.push(stream.read_u8().await?);
    }
    text(&line[..line.len() - 2]).map_err(BadProxyHeader::Malformed)
}

/// Version 1, without the end of its line.
fn text(line: &[u8]) -> Result<ProxyHeader, &'static str> {
    let line = std::str::from_utf8(line).map_err(|_| "it is no text")?;
    let words: Vec<&str> = line.split(' ').collect();
    let (source, destination, ports) = match words[..] {
        ["PROXY", "UNKNOWN", ..] => return Ok(ProxyHeader::Itself),
        ["PROXY", "TCP4", source, destination, from, to] => {
            (v4(source).map(IpAddr::from), v4(destination).map(IpAddr::from), [from, to])
        }
        ["PROXY", "TCP6", source, destination, from, to] => {
            (v6(source).map(IpAddr::from), v6(destination).map(IpAddr::from), [from, to])
        }
        _ => return Err("it names neither TCP4, TCP6 nor UNKNOWN with what belongs to it"),
    };
    let (Some(address), Some(_)) = (source, destination) else { return Err("an address is none of its family") };
    let [Some(_), Some(to)] = ports.map(port) else { return Err("a port is none") };
    Ok(ProxyHeader::Client { address: address.to_canonical(), tls: to == HTTPS_PORT })
}

fn v4(text: &str) -> Option<Ipv4Addr> {
    text.parse().ok()
}

fn v6(text: &str) -> Option<Ipv6Addr> {
    text.parse().ok()
}

fn port(text: &str) -> Option<u16> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    text.parse().ok().filter(|_| is_number)
}

/// Version 2, behind its signature and its length.
fn binary(command: u8, family: u8, rest: &[u8]) -> Result<ProxyHeader, &'static str> {
    match command {
        0x20 => return Ok(ProxyHeader::Itself),
        0x21 => {}
        _ => return Err("its version is not 2, or its command neither LOCAL nor PROXY"),
    }
    if family & 0x0f > 2 {
        return Err("its transport is unknown");
    }
    let too_short = "it is too short for its addresses";
    let (address, rest) = match family >> 4 {
        // Unspecified, and a socket of the system: neither has an address.
        0 | 3 => return Ok(ProxyHeader::Itself),
        1 => {
            let (addresses, rest) = rest.split_first_chunk::<12>().ok_or(too_short)?;
            let [a, b, c, d, .., high, low] = *addresses;
            ((IpAddr::from([a, b, c, d]), [high, low]), rest)
        }
        2 => {
            let (addresses, rest) = rest.split_first_chunk::<36>().ok_or(too_short)?;
            let (source, ports) = addresses.split_first_chunk::<16>().ok_or(too_short)?;
            ((IpAddr::from(*source), [ports[18], ports[19]]), rest)
        }
        _ => return Err("its address family is unknown"),
    };
    let (address, to) = address;
    let tls = used_tls(rest)?.unwrap_or(u16::from_be_bytes(to) == HTTPS_PORT);
    Ok(ProxyHeader::Client { address: address.to_canonical(), tls })
}

/// Whether the client used TLS, where the proxy says so behind the addresses.
fn used_tls(mut rest: &[u8]) -> Result<Option<bool>, &'static str> {
    let mut tls = None;
    while let [kind, high, low, behind @ ..] = rest {
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        let (value, next) = behind.split_at_checked(length).ok_or("a value is longer than the header")?;
        if *kind == TLV_SSL {
            tls = value.first().map(|bits| bits & CLIENT_SSL != 0);
        }
        rest = next;
    }
    if rest.is_empty() { Ok(tls) } else { Err("it ends within a value") }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read_all(bytes: &[u8]) -> (Result<ProxyHeader, String>, usize) {
        let mut rest = bytes;
        let read = read(&mut rest).await.map_err(|why| why.to_string());
        (read, rest.len())
    }

    fn client(address: &str, tls: bool) -> Result<ProxyHeader, String> {
        Ok(ProxyHeader::Client { address: address.parse().unwrap(), tls })
    }

    #[tokio::test]
    async fn a_line_of_version_1_is_read_to_its_end() {
        for (line, said) in [
            ("PROXY TCP4 203.0.113.7 10.0.0.1 51234 443", client("203.0.113.7", true)),
            ("PROXY TCP4 203.0.113.7 10.0.0.1 51234 80", client("203.0.113.7", false)),
            ("PROXY TCP6 2001:db8::7 ::1 1 65535", client("2001:db8::7", false)),
            ("PROXY TCP6 ::ffff:203.0.113.7 ::1 1 2", client("203.0.113.7", false)),
            ("PROXY UNKNOWN", Ok(ProxyHeader::Itself)),
            ("PROXY UNKNOWN ffff::1 ffff::2 65535 65535", Ok(ProxyHeader::Itself)),
        ] {
            let bytes = format!("{line}\r\nGET / HTTP/1.1\r\n");
            assert_eq!(read_all(bytes.as_bytes()).await, (said, "GET / HTTP/1.1\r\n".len()), "{line}");
        }
    }

    #[tokio::test]
    async fn what_is_no_header_is_refused() {
        let too_long = format!("PROXY UNKNOWN {}\r\n", "x".repeat(100));
        for bad in [
            "GET / HTTP/1.1\r\n\r\n",
            "PROXY TCP4 203.0.113.7 10.0.0.1 51234\r\n",
            "PROXY TCP4 203.0.113.7 10.0.0.1 51234 443 5\r\n",
            "PROXY TCP4 203.0.113.7  10.0.0.1 51234 443\r\n",
            "PROXY TCP4 2001:db8::7 ::1 1 2\r\n",
            "PROXY TCP6 1.2.3.4 ::1 1 2\r\n",
            "PROXY TCP4 1.2.3.4 1.2.3.4 +1 2\r\n",
            "PROXY TCP4 1.2.3.4 1.2.3.4 01 2\r\n",
            "PROXY TCP4 1.2.3.4 1.2.3.4 1 65536\r\n",
            "PROXY UDP4 1.2.3.4 1.2.3.4 1 2\r\n",
            "PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n\n",
            "PROXY\tTCP4 1.2.3.4 1.2.3.4 1 2\r\n",
            &too_long,
            "",
            "PROXY",
            "\r\n\r\n",
        ] {
            assert!(read_all(bad.as_bytes()).await.0.is_err(), "{bad:?}");
        }
        // Nobody waits for more of what cannot become a header.
        let (mut here, mut there) = tokio::io::duplex(64);
        tokio::io::AsyncWriteExt::write_all(&mut there, b"GET").await.unwrap();
        assert!(matches!(read(&mut here).await, Err(BadProxyHeader::Malformed(_))));
    }

    fn version_2(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
        let length = u16::try_from(rest.len()).unwrap().to_be_bytes();
        [&SIGNATURE[..], &[command, family], &length, rest, b"GET"].concat()
    }

    #[tokio::test]
    async fn a_header_of_version_2_is_read_to_its_end() {
        let v4 = [203, 0, 113, 7, 10, 0, 0, 1, 1, 2, 1, 187];
        let v6 = [&[0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7][..], &[0; 18], &[0, 80]].concat();
        let no_tls = [&v4[..], &[4, 0, 2, 9, 9], &[TLV_SSL, 0, 5, 0, 0, 0, 0, 0]].concat();
        let tls = [&v6[..], &[TLV_SSL, 0, 5, 1, 0, 0, 0, 0]].concat();
        for (bytes, said) in [
            (version_2(0x21, 0x11, &v4), client("203.0.113.7", true)),
            (version_2(0x21, 0x21, &v6), client("2001:db8::7", false)),
            (version_2(0x21, 0x11, &no_tls), client("203.0.113.7", false)),
            (version_2(0x21, 0x21, &tls), client("2001:db8::7", true)),
            (version_2(0x20, 0, &[]), Ok(ProxyHeader::Itself)),
            (version_2(0x20, 0x11, &v4), Ok(ProxyHeader::Itself)),
            (version_2(0x21, 0, &[1, 2, 3]), Ok(ProxyHeader::Itself)),
            (version_2(0x21, 0x31, &[0; 216]), Ok(ProxyHeader::Itself)),
        ] {
            assert_eq!(read_all(&bytes).await, (said, 3), "{bytes:?}");
        }
        for bad in [
            version_2(0x11, 0x11, &v4),
            version_2(0x22, 0x11, &v4),
            version_2(0x21, 0x41, &v4),
            version_2(0x21, 0x13, &v4),
            version_2(0x21, 0x11, &v4[..11]),
            version_2(0x21, 0x21, &v6[..35]),
            version_2(0x21, 0x11, &[&v4[..], &[1, 0, 9]].concat()),
            version_2(0x21, 0x11, &[&v4[..], &[1]].concat()),
            version_2(0x21, 0x11, &[0; REST_BYTES_MAX + 1]),
            version_2(0x21, 0x11, &v4)[..20].to_vec(),
            SIGNATURE.to_vec(),
        ] {
            assert!(read_all(&bad).await.0.is_err(), "{bad:?}");
        }
    }
}
