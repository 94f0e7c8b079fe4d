//! Engine.IO packets, protocol 4: what Socket.IO travels in, over WebSockets and over HTTP polling.
//!
//! A text frame of a WebSocket is one packet: a digit, and what belongs to it. A binary frame is the bytes of a message, without
//! a digit. A body of polling is several packets with the byte 0x1e between them; bytes stand in it as `b` and base64.

use bytes::Bytes;
use data_encoding::BASE64;

use super::{Frame, push_text};
use crate::model::base64;

/// What a message begins with.
pub const MESSAGE: char = '4';
/// The server asks whether the client is still there.
pub const PING: Frame = Frame::from_static("2");
/// The answer to a probe: the new transport works.
pub const PROBED: Frame = Frame::from_static("3probe");
/// Ends a request that waits for packets, and says nothing.
pub const NOOP: Frame = Frame::from_static("6");
/// The session ends.
pub const CLOSE: Frame = Frame::from_static("1");

/// Stands between two packets of a body. No packet has it within: JSON escapes it, and base64 has no such letter.
const SEPARATOR: char = '\u{1e}';

/// A packet from a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EnginePacket<'a> {
    Close,
    /// The first packet on a new transport, which takes over after [`EnginePacket::Upgrade`].
    Probe,
    /// The answer to the server's ping.
    Pong,
    Message(&'a str),
    /// A message of bytes.
    Bytes(Bytes),
    Upgrade,
    Noop,
}

/// Why a text is no packet, or a body no list of packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadEnginePacket {
    Empty,
    UnknownType,
    FromServer,
    TrailingData,
    NotBase64,
    NotUtf8,
    BodyTooLarge,
    TooManyPackets,
}

impl BadEnginePacket {
    pub const ALL: [Self; 8] = [
        Self::Empty,
        Self::UnknownType,
        Self::FromServer,
        Self::TrailingData,
        Self::NotBase64,
        Self::NotUtf8,
        Self::BodyTooLarge,
        Self::TooManyPackets,
    ];

    /// What is wrong, in words for whoever develops the client.
    pub fn words(self) -> &'static str {
        match self {
            Self::Empty => "the packet is empty",
            Self::UnknownType => "the packet begins with no type of Engine.IO 4: 0 to 6, or b",
            Self::FromServer => "only a server sends an open packet or a ping",
            Self::TrailingData => "a packet of this type carries no data",
            Self::NotBase64 => "what follows b is not base64 with padding",
            Self::NotUtf8 => "the body is not UTF-8",
            Self::BodyTooLarge => "the body is larger than maxPayload",
            Self::TooManyPackets => "the body has too many packets",
        }
    }
}

/// Decodes a client's packet: a text frame of a WebSocket, or a part of a body.
pub fn decode(packet: &str) -> Result<EnginePacket<'_>, BadEnginePacket> {
    if let Some(message) = packet.strip_prefix(MESSAGE) {
        return Ok(EnginePacket::Message(message));
    }
    if let Some(text) = packet.strip_prefix('b') {
        let bytes = base64::decode(text.as_bytes()).ok_or(BadEnginePacket::NotBase64)?;
        return Ok(EnginePacket::Bytes(bytes.into()));
    }
    match packet {
        "1" => Ok(EnginePacket::Close),
        "2probe" => Ok(EnginePacket::Probe),
        "3" => Ok(EnginePacket::Pong),
        "5" => Ok(EnginePacket::Upgrade),
        "6" => Ok(EnginePacket::Noop),
        "" => Err(BadEnginePacket::Empty),
        _ if packet.starts_with(['0', '2']) => Err(BadEnginePacket::FromServer),
        _ if packet.starts_with(['1', '3', '5', '6']) => Err(BadEnginePacket::TrailingData),
        _ => Err(BadEnginePacket::UnknownType),
    }
}

/// The packets of a POST, read one by one, so that the reader may wait between two of them.
#[derive(Debug)]
pub struct PollingBody {
    text: Frame,
    /// Where the next packet begins; past the end of the text after the last one.
    next: usize,
}

impl PollingBody {
    /// Takes a body of at most `bytes_max` bytes and `packets_max` packets.
    pub fn new(body: Bytes, bytes_max: usize, packets_max: usize) -> Result<Self, BadEnginePacket> {
        if body.len() > bytes_max {
            return Err(BadEnginePacket::BodyTooLarge);
        }
        let text = Frame::try_from(body).map_err(|_| BadEnginePacket::NotUtf8)?;
        if text.as_str().split(SEPARATOR).count() > packets_max {
            return Err(BadEnginePacket::TooManyPackets);
        }
        Ok(Self { text, next: 0 })
    }

    /// Decodes the next packet. None after the last one.
    pub fn next_packet(&mut self) -> Option<Result<EnginePacket<'_>, BadEnginePacket>> {
        let rest = self.text.as_str().get(self.next..)?;
        let packet = rest.split(SEPARATOR).next().unwrap_or(rest);
        self.next += packet.len() + SEPARATOR.len_utf8();
        Some(decode(packet))
    }
}

/// A body for a client that polls: encoded packets, joined.
#[derive(Debug, Default)]
pub struct PollingReply {
    text: String,
}

impl PollingReply {
    /// Adds a packet that is encoded already.
    pub fn push(&mut self, packet: &str) {
        self.separate();
        self.text.push_str(packet);
    }

    /// Adds a message of bytes.
    pub fn push_bytes(&mut self, bytes: &[u8]) {
        self.separate();
        self.text.push('b');
        BASE64.encode_append(bytes, &mut self.text);
    }

    fn separate(&mut self) {
        if !self.text.is_empty() {
            self.text.push(SEPARATOR);
        }
    }

    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// The body's bytes so far.
    pub fn len(&self) -> usize {
        self.text.len()
    }

    pub fn into_text(self) -> String {
        self.text
    }
}

/// What the first packet of a session tells its client.
#[derive(Debug, Clone, Copy)]
pub struct SessionTerms<'a> {
    pub sid: &'a str,
    /// Whether the client, which polls, may go on over a WebSocket.
    pub may_upgrade: bool,
    pub ping_interval_ms: u64,
    pub ping_timeout_ms: u64,
    /// The bytes of a client's packet, and of a body of several.
    pub max_payload: usize,
}

/// Encodes the first packet of a session.
pub fn open(terms: SessionTerms<'_>) -> Frame {
    let SessionTerms { sid, may_upgrade, ping_interval_ms, ping_timeout_ms, max_payload } = terms;
    let upgrades = if may_upgrade { r#"["websocket"]"# } else { "[]" };
    let mut out = r#"0{"sid":"#.to_owned();
    push_text(&mut out, sid);
    out.push_str(&format!(r#","upgrades":{upgrades},"pingInterval":{ping_interval_ms}"#));
    out.push_str(&format!(r#","pingTimeout":{ping_timeout_ms},"maxPayload":{max_payload}}}"#));
    Frame::from(out)
}

#[cfg(test)]
mod tests;
