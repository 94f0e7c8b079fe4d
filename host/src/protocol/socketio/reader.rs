//! Puts the messages of one connection together: a packet is a text, or a text and the attachments that follow it.

use bytes::Bytes;

use super::{BadPacket, ClientContent, ClientPacket, decode};
use crate::model::body::{EventData, Payload};
use crate::model::event::{ClientAnswer, ClientEvent, ClientMessage};

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
        self.unfinished = Some(UnfinishedPacket {
            packet: decoded.packet.into_owned(),
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
        if let ClientContent::Message(
            ClientMessage::Event(ClientEvent { data, .. }) | ClientMessage::Answer(ClientAnswer { data, .. }),
        ) = &mut packet.content
        {
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
    use proptest::prelude::*;

    use super::*;
    use crate::model::body::Body;
    use crate::model::json::Json;
    use crate::protocol::Packet;
    use crate::protocol::any_json::any_json;
    use crate::protocol::socketio::encode;

    const ONE: &str = r#"51-/chat,7["a",{"_placeholder":true,"num":0}]"#;
    const TWO: &str = r#"62-7[{"_placeholder":true,"num":1},{"_placeholder":true,"num":0}]"#;

    fn reader() -> PacketReader {
        PacketReader::new(16, 1000)
    }

    fn event_data(packet: Option<ClientPacket<'_>>) -> EventData {
        match packet.expect("a whole packet").content {
            ClientContent::Message(ClientMessage::Event(event)) => event.data,
            ClientContent::Message(ClientMessage::Answer(answer)) => answer.data,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_packet_without_attachments_is_whole_at_once() {
        let data = event_data(reader().read_text(r#"2["a",1]"#).unwrap());
        assert_eq!((data.arguments, data.attachments), (1, Vec::new()));
        let connects = reader().read_text("0/chat,").unwrap().expect("a whole packet");
        assert_eq!(connects.content, ClientContent::Connect(None));
    }

    #[test]
    fn the_only_argument_may_be_bytes() {
        let mut reader = reader();
        assert_eq!(reader.read_text(ONE), Ok(None));
        assert!(reader.is_waiting());
        let packet = reader.read_bytes(Bytes::from_static(b"xyz")).unwrap();
        assert!(!reader.is_waiting());
        assert_eq!(packet.as_ref().map(|packet| &*packet.namespace), Some("/chat"));
        let data = event_data(packet);
        assert_eq!(data.payload, Some(Payload::Binary(b"xyz".to_vec())));
        assert_eq!((data.arguments, data.attachments), (1, Vec::new()));
        // The next packet is one of its own.
        assert_eq!(reader.read_bytes(Bytes::new()), Err(BadPacket::BytesWithoutPacket));
    }

    #[test]
    fn attachments_come_in_the_order_of_their_numbers() {
        let mut reader = reader();
        assert_eq!(reader.read_text(TWO), Ok(None));
        assert_eq!(reader.read_bytes(Bytes::from_static(b"0")), Ok(None));
        let data = event_data(reader.read_bytes(Bytes::from_static(b"1")).unwrap());
        assert_eq!(data.attachments, [&b"0"[..], b"1"]);
        let array = Json::parse(r#"[{"_placeholder":true,"num":1},{"_placeholder":true,"num":0}]"#.to_owned()).unwrap();
        let Some(Payload::Json(payload)) = data.payload else { panic!("{data:?}") };
        assert_eq!((payload.text(), data.arguments), (array.text(), 2));
    }

    #[test]
    fn what_comes_out_of_turn_is_named() {
        let bytes = Bytes::from_static(b"x");
        assert_eq!(reader().read_bytes(bytes.clone()), Err(BadPacket::BytesWithoutPacket));
        assert_eq!(BadPacket::BytesWithoutPacket.words(), "bytes came that no packet announced");
        for text in [ONE, r#"2["a"]"#, "1", ""] {
            let mut reader = reader();
            assert_eq!(reader.read_text(TWO), Ok(None));
            assert_eq!(reader.read_bytes(bytes.clone()), Ok(None));
            assert_eq!(reader.read_text(text), Err(BadPacket::TextBeforeAttachments), "{text}");
        }
        assert!(BadPacket::TextBeforeAttachments.words().contains("still lacks attachments"));
    }

    #[test]
    fn a_packet_is_bounded_with_its_attachments() {
        let bytes_max = TWO.len() + 5;
        let read = |first: &'static [u8], second: &'static [u8]| {
            let mut reader = PacketReader::new(2, bytes_max);
            assert_eq!(reader.read_text(TWO), Ok(None));
            reader.read_bytes(Bytes::from_static(first))?;
            reader.read_bytes(Bytes::from_static(second)).map(|packet| packet.is_some())
        };
        assert_eq!(read(b"123", b"45"), Ok(true));
        assert_eq!(read(b"123", b"456"), Err(BadPacket::TooLarge));
        assert_eq!(read(b"123456", b""), Err(BadPacket::TooLarge));
        assert_eq!(PacketReader::new(2, TWO.len() - 1).read_text(TWO), Err(BadPacket::TooLarge));
        assert_eq!(PacketReader::new(1, bytes_max).read_text(TWO), Err(BadPacket::TooManyAttachments));
        assert!(BadPacket::TooLarge.words().contains("frame-bytes"));
    }

    /// Reads what the server would send, as if a client had sent it.
    fn read(packet: &Packet) -> EventData {
        let mut reader = PacketReader::new(16, 1 << 20);
        let text = packet.text.as_str().strip_prefix('4').expect("a message");
        let mut whole = reader.read_text(text).unwrap();
        for attachment in packet.attachments() {
            assert_eq!(whole, None);
            whole = reader.read_bytes(attachment.clone()).unwrap();
        }
        event_data(whole)
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            data in any_json(),
            attachments in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..9).prop_map(Bytes::from), 0..4),
        ) {
            // Each attachment stands somewhere. What the data itself has of placeholders, the writer makes harmless.
            let placed = (0..attachments.len()).map(|number| format!(r#",{{"_placeholder":true,"num":{number}}}"#));
            let text = format!("[{data}{}]", placed.collect::<String>());
            let json = Json::parse(text.clone()).unwrap();
            let body = Body { attachments: attachments.clone(), ..Body::of(Payload::Json(json)) };
            for packet in [encode::event("/", "a", &body, None), encode::answer("/", 1, Some(&body))] {
                let read = read(&packet);
                prop_assert_eq!(read.arguments, 1);
                prop_assert_eq!(&read.attachments, &attachments);
                let Some(Payload::Json(payload)) = read.payload else { panic!("{read:?}") };
                if attachments.is_empty() {
                    prop_assert_eq!(payload.text(), &text);
                }
            }
        }

        #[test]
        fn bytes_that_are_written_are_read(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            let body = Body::of(Payload::Binary(bytes.clone()));
            for packet in [encode::event("/", "a", &body, None), encode::answer("/", 1, Some(&body))] {
                prop_assert_eq!(read(&packet).payload, Some(Payload::Binary(bytes.clone())));
            }
        }
    }
}
