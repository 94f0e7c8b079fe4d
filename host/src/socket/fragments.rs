//! Counts the continuation frames in the bytes of a client. The WebSocket library shows a message as a whole: however many
//! frames it came in, empty ones above all, would count as one.

/// The first bytes of a frame that tell its length (RFC 6455, 5.2): two, and up to eight of a longer length.
const LENGTH_BYTES_MAX: usize = 10;
/// Every frame of a client has a mask behind its length.
const MASK_BYTES: u64 = 4;
/// The opcode of a frame that goes on with a message.
const CONTINUATION: u8 = 0;

/// How far the bytes of one socket are read.
#[derive(Debug, Default)]
pub struct Fragments {
    /// The first bytes of the frame that is being read.
    head: [u8; LENGTH_BYTES_MAX],
    head_bytes: usize,
    /// Bytes that are left of the frame behind that.
    rest: u64,
}

impl Fragments {
    /// Takes the next bytes; how many continuation frames begin in them.
    pub fn count(&mut self, mut bytes: &[u8]) -> u32 {
        let mut continuations = 0;
        loop {
            let passed = bytes.len().min(usize::try_from(self.rest).unwrap_or(usize::MAX));
            self.rest -= passed as u64;
            bytes = &bytes[passed..];
            let Some((next, behind)) = bytes.split_first() else { return continuations };
            bytes = behind;
            self.head[self.head_bytes] = *next;
            self.head_bytes += 1;
            if let Some(length) = self.length() {
                continuations += u32::from(self.head[0] & 0x0f == CONTINUATION);
                self.head_bytes = 0;
                self.rest = length.saturating_add(MASK_BYTES);
            }
        }
    }

    /// The length of the frame's payload, once its head is read as far as that.
    fn length(&self) -> Option<u64> {
        let head = &self.head[..self.head_bytes];
        let rest = head.get(2..)?;
        match head[1] & 0x7f {
            126 => rest.try_into().ok().map(|length| u64::from(u16::from_be_bytes(length))),
            127 => rest.try_into().ok().map(u64::from_be_bytes),
            length => Some(u64::from(length)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(first: u8, payload: usize) -> Vec<u8> {
        let length = match payload {
            0..=125 => vec![payload as u8],
            126..=0xffff => [&[126][..], &(payload as u16).to_be_bytes()].concat(),
            _ => [&[127][..], &(payload as u64).to_be_bytes()].concat(),
        };
        let mask = [0x80, 0, 1, 2];
        let is_masked = 0x80;
        [&[first, is_masked | length[0]], &length[1..], &mask, &vec![0; payload]].concat()
    }

    #[test]
    fn continuations_are_counted_whatever_lies_between_and_however_the_bytes_come() {
        let (text, binary, ping, continuation, last) = (0x01, 0x82, 0x89, 0x00, 0x80);
        let bytes: Vec<u8> = [
            frame(text, 0),
            frame(continuation, 0),
            frame(ping, 125),
            frame(continuation, 1),
            frame(continuation, 125),
            frame(continuation, 126),
            frame(last, 65_535),
            frame(binary, 65_536),
            frame(continuation, 70_000),
            frame(last, 0),
        ]
        .concat();
        for size in [1, 2, 3, 5, 4_096, bytes.len()] {
            let mut fragments = Fragments::default();
            assert_eq!(bytes.chunks(size).map(|part| fragments.count(part)).sum::<u32>(), 7, "in parts of {size}");
        }
    }
}
