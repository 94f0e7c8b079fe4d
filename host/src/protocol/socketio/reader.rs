//! Puts the messages of one connection together: a packet is a text, or a text and the attachments that follow it.

use std::borrow::Cow;

use bytes::Bytes;

use super::{BadPacket, ClientContent, ClientPacket, decode};
use crate::model::body::{EventData, Payload};

/// Reads what a client sends, one message after the other. After an error nothing more can be read of that client.
#[derive(Debug)]
pub struct PacketReader {
    attachments_max: usize,
    bytes_max: usize,
    unfinished: Option<UnfinishedPacket>,
}

/// A packet whose attachments have not all come.
#[derive(Debug)]
struct UnfinishedPacket {
    packet: ClientPacket<'static>,
    /// Whether the only argument is the only attachment.
    is_bytes: bool,
    missing: usize,
    attachments: Vec<Bytes>,
    /// The bytes of the text and of the attachments so far.
    bytes: usize,
}

impl PacketReader {
    /// Takes packets of at most so many attachments, and so many bytes together with their text.
    pub const fn new(attachments_max: usize, bytes_max: usize) -> Self {
        Self { attachments_max, bytes_max, unfinished: None }
    }

    /// Whether the last packet still lacks attachments.
    pub fn is_waiting(&self) -> bool {
        self.unfinished.is_some()
    }

    /// Reads a message that is a text. None where attachments follow.
    pub fn read_text<'a>(&mut self, text: &'a str) -> Result<Option<ClientPacket<'a>>, BadPacket> {
        if self.unfinished.is_some() {
            return Err(BadPacket::TextBeforeAttachments);
        }
        if text.len() > self.bytes_max {
            return Err(BadPacket::TooLarge);
        }
        let decoded = decode(text, self.attachments_max)?;
        if decoded.attachments == 0 {
            return Ok(Some(decoded.packet));
        }
        let ClientPacket { namespace, content } = decoded.packet;
        self.unfinished = Some(UnfinishedPacket {
            packet: ClientPacket { namespace: Cow::Owned(namespace.into_owned()), content },
            is_bytes: decoded.is_bytes,
            missing: decoded.attachments,
            attachments: Vec::with_capacity(decoded.attachments),
            bytes: text.len(),
        });
        Ok(None)
    }

    /// Reads a message that is bytes. None where more attachments follow.
    pub fn read_bytes(&mut self, attachment: Bytes) -> Result<Option<ClientPacket<'static>>, BadPacket> {
        let mut unfinished = self.unfinished.take().ok_or(BadPacket::BytesWithoutPacket)?;
        unfinished.bytes = unfinished.bytes.saturating_add(attachment.len());
        if unfinished.bytes > self.bytes_max {
            return Err(BadPacket::TooLarge);
        }
        unfinished.attachments.push(attachment);
        unfinished.missing -= 1;
        if unfinished.missing == 0 {
            return Ok(Some(unfinished.finish()));
        }
        self.unfinished = Some(unfinished);
        Ok(None)
    }
}

impl UnfinishedPacket {
    fn finish(self) -> ClientPacket<'static> {
        let mut packet = self.packet;
        if let ClientContent::Event { data, .. } | ClientContent::Answer { data, .. } = &mut packet.content {
            attach(data, self.attachments, self.is_bytes);
        }
        packet
    }
}

fn attach(data: &mut EventData, mut attachments: Vec<Bytes>, is_bytes: bool) {
    match attachments.pop() {
        Some(bytes) if is_bytes => data.payload = Some(Payload::Binary(bytes.into())),
        last => {
            attachments.extend(last);
            data.attachments = attachments;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::socketio::encode;
}
