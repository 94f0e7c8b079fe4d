//! Bytes as text in JSON: base64 with its padding (RFC 4648, 4).

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

pub(crate) fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let word = three.iter().fold(0, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        for place in 0..4 {
            let digit = char::from(DIGITS[(word >> (18 - 6 * place)) as usize & 63]);
            text.push(if place <= three.len() { digit } else { '=' });
        }
    }
    text
}

/// Reads what [`encode`] wrote; none for any other text.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    for four in text.as_bytes().chunks(4) {
        let digits = four.iter().take_while(|digit| **digit != b'=').count();
        let mut word = 0;
        for digit in &four[..digits] {
            word = word << 6 | value(*digit)?;
        }
        word <<= 6 * (4 - digits);
        bytes.extend(word.to_be_bytes().into_iter().skip(1).take(digits.saturating_sub(1)));
    }
    // Only one text stands for some bytes.
    (encode(&bytes) == text).then_some(bytes)
}

fn value(digit: u8) -> Option<u32> {
    Some(u32::from(match digit {
        b'A'..=b'Z' => digit - b'A',
        b'a'..=b'z' => digit - b'a' + 26,
        b'0'..=b'9' => digit - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    }))
}

#[cfg(test)]
mod tests {
    use super::{decode, encode};

    #[test]
    fn bytes_come_back_and_nothing_else_is_taken() {
        // The vectors of RFC 4648, 10.
        for (bytes, text) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("foobar", "Zm9vYmFy")]
        {
            assert_eq!(encode(bytes.as_bytes()), text);
            assert_eq!(decode(text).as_deref(), Some(bytes.as_bytes()), "{text}");
        }
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(decode(&encode(&all)), Some(all));
        for bad in ["Zg", "Zg=", "Zh==", "Zg==Zg==", "=", "====", "Z===", "Zm9v\n", "Zm_-", "Zg= ="] {
            assert_eq!(decode(bad), None, "{bad}");
        }
    }
}
