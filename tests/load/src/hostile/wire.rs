//! An attacker's connection: what it sends is up to it, byte by byte; what it gets is read.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use super::seen::Seen;
use crate::load::clients::{dial, upgrade_request};
use crate::load::frame::{self, Frame};

/// How long a server may take for an answer; past it the attack looks whether it is over.
const STEP: Duration = Duration::from_millis(50);
/// How long an attacker waits for an answer in all.
const ANSWER: Duration = Duration::from_secs(70);
/// Bytes of an answer that are kept: the figures of several tenants are long.
const ANSWER_BYTES_MAX: usize = 1 << 20;
/// Attackers use the addresses from this one on, so that they are not taken for one.
const FIRST_ATTACKER: Ipv4Addr = Ipv4Addr::new(127, 0, 1, 0);

/// The address of the attacker of this number.
pub fn attacker(number: usize) -> Ipv4Addr {
    // 250 to a network of 256: .0 and .255 are left out.
    let place = number / 250 * 256 + number % 250 + 1;
    Ipv4Addr::from_bits(FIRST_ATTACKER.to_bits() + place as u32)
}

/// A connection that may be a WebSocket.
pub struct Wire {
    pub stream: TcpStream,
    partial: Vec<u8>,
    masks: u32,
}

/// Why there is no WebSocket.
pub enum Refused {
    /// An answer other than 101: the status and the body, and whether it says when to come again.
    Status { status: u16, words: String, retry_after: bool },
    /// No answer, or no connection.
    Broken(String),
}

impl Refused {
    /// In words, for the table.
    pub fn words(&self) -> String {
        match self {
            Self::Status { status, words, retry_after } => {
                let again = if *retry_after { ", Retry-After" } else { "" };
                let words = words.lines().next().unwrap_or_default();
                if words.is_empty() { format!("{status}{again}") } else { format!("{status} {words}{again}") }
            }
            Self::Broken(why) => why.clone(),
        }
    }
}

/// What came.
#[derive(Debug)]
pub enum Got {
    Text(Vec<u8>),
    Closed(String),
    Nothing,
}

impl Wire {
    /// A TCP connection, nothing sent.
    pub fn dial(from: Ipv4Addr, server: SocketAddr) -> Result<Self, Refused> {
        let stream =
            dial(from, server).map_err(|why| Refused::Broken(format!("no connection: {}", why.root_cause())))?;
        let timeouts = stream.set_read_timeout(Some(STEP)).and_then(|()| stream.set_write_timeout(Some(STEP)));
        timeouts.map_err(|why| Refused::Broken(why.to_string()))?;
        Ok(Self { stream, partial: Vec::new(), masks: 0 })
    }

    /// A WebSocket at this path.
    pub fn open(from: Ipv4Addr, server: SocketAddr, path: &str, seen: &Seen) -> Result<Self, Refused> {
        Self::open_sending(from, server, path, &[], seen)
    }

    /// The same, with bytes behind the request that do not wait for its answer.
    pub fn open_sending(
        from: Ipv4Addr,
        server: SocketAddr,
        path: &str,
        early: &[u8],
        seen: &Seen,
    ) -> Result<Self, Refused> {
        let mut wire = Self::dial(from, server)?;
        let request = [upgrade_request(server, path).as_bytes(), early].concat();
        wire.stream.write_all(&request).map_err(|why| Refused::Broken(format!("not written: {why}")))?;
        wire.await_upgrade(seen)?;
        Ok(wire)
    }

    /// Reads the answer to a request for a WebSocket.
    pub fn await_upgrade(&mut self, seen: &Seen) -> Result<(), Refused> {
        let answer = self.read_answer(seen)?;
        if answer.status == 101 {
            self.partial = answer.body;
            return Ok(());
        }
        Err(answer.into_refusal())
    }

    /// Sends a request, and reads the body of its answer.
    pub fn ask(&mut self, request: &str, seen: &Seen) -> Result<Vec<u8>, Refused> {
        self.stream.write_all(request.as_bytes()).map_err(|why| Refused::Broken(format!("not written: {why}")))?;
        let answer = self.read_answer(seen)?;
        if answer.status == 200 { Ok(answer.body) } else { Err(answer.into_refusal()) }
    }

    /// Reads an answer, its body as far as `Content-Length` says.
    pub fn read_answer(&mut self, seen: &Seen) -> Result<Answer, Refused> {
        let (mut bytes, mut buffer) = (Vec::new(), [0; 4_096]);
        let end = Instant::now() + ANSWER;
        loop {
            if let Some(answer) = Answer::read(&bytes) {
                return Ok(answer);
            }
            match self.stream.read(&mut buffer) {
                Ok(0) => return Err(Refused::Broken("the connection was ended without an answer".to_owned())),
                Ok(count) => bytes.extend_from_slice(&buffer[..count]),
                Err(why) if is_pause(&why) => {}
                Err(why) => return Err(Refused::Broken(format!("the connection broke: {}", why.kind()))),
            }
            if seen.is_over() || Instant::now() > end || bytes.len() > ANSWER_BYTES_MAX {
                return Err(Refused::Broken("no answer".to_owned()));
            }
        }
    }

    /// Sends bytes as they are; false where the connection does not take them now, or at all.
    pub fn send(&mut self, bytes: &[u8]) -> bool {
        self.stream.write_all(bytes).is_ok()
    }

    /// Sends a text frame.
    pub fn text(&mut self, text: &[u8]) -> bool {
        self.masks = self.masks.wrapping_mul(0x9E37_79B1).wrapping_add(0x7F4A_7C15);
        let mut bytes = Vec::with_capacity(text.len() + 14);
        frame::put_text(&mut bytes, text, self.masks.to_le_bytes());
        self.send(&bytes)
    }

    /// The next thing that comes within a step.
    pub fn receive(&mut self) -> Got {
        let mut buffer = [0; 16_384];
        loop {
            match frame::next(&self.partial) {
                Ok(Some((Frame::Text(text), length))) => {
                    let text = text.to_vec();
                    self.partial.drain(..length);
                    return Got::Text(text);
                }
                Ok(Some((Frame::Ping(_) | Frame::Pong, length))) => drop(self.partial.drain(..length)),
                Ok(Some((Frame::Close { code, reason }, _))) => return Got::Closed(format!("{code} {reason}")),
                Ok(None) => match self.stream.read(&mut buffer) {
                    Ok(0) => return Got::Closed("ended without a close frame".to_owned()),
                    Ok(count) => self.partial.extend_from_slice(&buffer[..count]),
                    Err(why) if is_pause(&why) => return Got::Nothing,
                    Err(why) => return Got::Closed(format!("cut off: {}", why.kind())),
                },
                Err(why) => return Got::Closed(format!("a frame that is none: {why}")),
            }
        }
    }
}

/// An answer over HTTP.
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    /// None where it has not come in full.
    fn read(bytes: &[u8]) -> Option<Self> {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let status = head.split(' ').nth(1)?.parse().ok()?;
        let length = head.to_ascii_lowercase();
        let length =
            length.split_once("\r\ncontent-length:").and_then(|(_, rest)| rest.lines().next()?.trim().parse().ok());
        let body = &bytes[end..];
        (body.len() >= length.unwrap_or(0)).then(|| Self { status, head, body: body.to_vec() })
    }

    /// An answer that lets nobody in.
    pub fn into_refusal(self) -> Refused {
        let words = String::from_utf8_lossy(&self.body).into_owned();
        let retry_after = self.head.to_ascii_lowercase().contains("\r\nretry-after:");
        Refused::Status { status: self.status, words, retry_after }
    }
}

/// Whether nothing is wrong but the time.
fn is_pause(why: &std::io::Error) -> bool {
    matches!(why.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_when_it_is_whole() {
        let text = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\nRetry-After: 5\r\n\r\nbusy";
        assert!(Answer::read(&text[..text.len() - 1]).is_none());
        let answer = Answer::read(text).unwrap();
        assert_eq!((answer.status, &answer.body[..]), (503, &b"busy"[..]));
    }

    #[test]
    fn attackers_have_addresses_of_their_own() {
        assert_eq!(attacker(0), Ipv4Addr::new(127, 0, 1, 1));
        assert_eq!(attacker(249), Ipv4Addr::new(127, 0, 1, 250));
        assert_eq!(attacker(250), Ipv4Addr::new(127, 0, 2, 1));
    }
}
