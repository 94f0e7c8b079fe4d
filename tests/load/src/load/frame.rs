//! WebSocket framing (RFC 6455), as much as a client needs that sends short text frames: cheaper than a whole library,
//! since the load shares the machine with what it measures.

use anyhow::bail;

/// Appends a masked text frame.
pub fn put_text(buffer: &mut Vec<u8>, text: &[u8], mask: [u8; 4]) {
    put(buffer, 0x1, text, mask);
}

/// Appends the head of a masked frame of any length and kind, as an attacker sends it: what follows is up to the caller.
pub fn put_head(buffer: &mut Vec<u8>, first: u8, length: u64, mask: [u8; 4]) {
    buffer.push(first);
    match length {
        0..=125 => buffer.push(0x80 | length as u8),
        126..=0xFFFF => {
            buffer.push(0x80 | 126);
            buffer.extend_from_slice(&(length as u16).to_be_bytes());
        }
        _ => {
            buffer.push(0x80 | 127);
            buffer.extend_from_slice(&length.to_be_bytes());
        }
    }
    buffer.extend_from_slice(&mask);
}

/// Appends a masked pong.
pub fn put_pong(buffer: &mut Vec<u8>, body: &[u8], mask: [u8; 4]) {
    put(buffer, 0xA, body, mask);
}

fn put(buffer: &mut Vec<u8>, code: u8, body: &[u8], mask: [u8; 4]) {
    put_head(buffer, 0x80 | code, body.len() as u64, mask);
    buffer.extend(body.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
}

/// A frame of the server's, and where it is in the bytes.
#[derive(Debug, PartialEq)]
pub enum Frame<'a> {
    /// A whole text message.
    Text(&'a [u8]),
    /// Wants a pong of the same body.
    Ping(&'a [u8]),
    /// Wants nothing.
    Pong,
    /// The server closes, with a code (0 where it gives none) and a reason.
    Close {
        /// Why, for programs.
        code: u16,
        /// Why, for people.
        reason: String,
    },
}

/// The first frame in `bytes` and its length, none if it has not arrived in full. A server that sends what
/// Parlor never does is an error.
pub fn next(bytes: &[u8]) -> anyhow::Result<Option<(Frame<'_>, usize)>> {
    let [first, second, rest @ ..] = bytes else {
        return Ok(None);
    };
    let (length, header) = match second & 0x7F {
        126 => match rest {
            [a, b, ..] => (usize::from(u16::from_be_bytes([*a, *b])), 4),
            _ => return Ok(None),
        },
        127 => bail!("a frame of more than 65,535 bytes"),
        short => (usize::from(short), 2),
    };
    if second & 0x80 != 0 {
        bail!("a server must not mask its frames");
    }
    let Some(body) = bytes.get(header..header + length) else {
        return Ok(None);
    };
    let frame = match first {
        0x81 => Frame::Text(body),
        0x89 => Frame::Ping(body),
        0x8A => Frame::Pong,
        0x88 => close(body),
        other => bail!("a frame with the unexpected first byte {other:#04x}"),
    };
    Ok(Some((frame, header + length)))
}

fn close(body: &[u8]) -> Frame<'static> {
    match body {
        [a, b, reason @ ..] => {
            let reason = String::from_utf8_lossy(reason).into_owned();
            Frame::Close { code: u16::from_be_bytes([*a, *b]), reason }
        }
        _ => Frame::Close { code: 0, reason: String::new() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_masked_and_sized() {
        for length in [0, 125, 126, 60_000] {
            let (text, mut buffer) = (vec![b'x'; length], Vec::new());
            put_text(&mut buffer, &text, [1, 2, 3, 4]);
            let header = if length < 126 { 2 } else { 4 };
            assert_eq!(buffer.len(), header + 4 + length);
            assert_eq!(buffer[0], 0x81);
            assert_eq!(buffer[1] & 0x80, 0x80);
            let unmasked: Vec<u8> =
                buffer[header + 4..].iter().zip([1, 2, 3, 4].iter().cycle()).map(|(a, b)| a ^ b).collect();
            assert_eq!(unmasked, text);
        }
    }

    #[test]
    fn frames_are_read_only_when_whole() {
        let bytes = [&[0x81, 2][..], b"hi", &[0x81, 126, 0, 130], &[b'y'; 130]].concat();
        assert_eq!(next(&bytes).unwrap(), Some((Frame::Text(b"hi"), 4)));
        for cut in 0..bytes.len() - 4 {
            assert_eq!(next(&bytes[4..4 + cut]).unwrap(), None, "{cut} bytes");
        }
        assert_eq!(next(&bytes[4..]).unwrap(), Some((Frame::Text(&[b'y'; 130]), 134)));
    }

    #[test]
    fn a_close_has_its_code_and_reason() {
        let bytes = [&[0x88, 6][..], &1008u16.to_be_bytes(), b"slow"].concat();
        assert_eq!(next(&bytes).unwrap(), Some((Frame::Close { code: 1008, reason: "slow".to_owned() }, 8)));
    }
}
