//! Base64 in JSON texts, read as others do.

use data_encoding::BASE64;

/// The bytes of one text in base64 with its padding (RFC 4648, section 4). The library alone would also take several such
/// texts behind each other, `AQ==Ag==`, which no client's own decoder reads.
pub fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let padding = text.iter().position(|byte| *byte == b'=').map_or(&[][..], |at| &text[at..]);
    let is_one_text = padding.len() <= 2 && padding.iter().all(|byte| *byte == b'=');
    BASE64.decode(text).ok().filter(|_| is_one_text)
}

/// Appends bytes as a JSON string.
pub fn push_text(out: &mut String, bytes: &[u8]) {
    out.push('"');
    BASE64.encode_append(bytes, out);
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_text_with_its_padding_is_base64() {
        for (text, bytes) in [("", &b""[..]), ("AQ==", &[1]), ("AQI=", &[1, 2]), ("+/8A", &[0xfb, 0xff, 0])] {
            assert_eq!(decode(text.as_bytes()).as_deref(), Some(bytes), "{text}");
        }
        for text in
            ["AQ==Ag==", "+AA=+a0A", "AQI=AQI=", "AQ=", "AQ", "A===", "AQID====", "====", "AR==", "AQ ==", "b_-_"]
        {
            assert_eq!(decode(text.as_bytes()), None, "{text}");
        }
    }
}
