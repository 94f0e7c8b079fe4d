//! Percent-encoding in addresses. A character that needs no encoding may be encoded all the same, and means the same (RFC
//! 3986, 2.3 and 6.2.2.2): browsers write `~` in a query as `%7E`. Whatever else is encoded stays as it is.

use std::borrow::Cow;

/// The text with the characters decoded that need no encoding: letters, digits, `-`, `.`, `_` and `~`.
pub fn decode_plain(text: &str) -> Cow<'_, str> {
    let Some(first) = text.find('%') else { return Cow::Borrowed(text) };
    let mut out = String::with_capacity(text.len());
    let (before, mut left) = text.split_at(first);
    out.push_str(before);
    while let Some(next) = left.chars().next() {
        let plain = left.strip_prefix('%').and_then(plain_character);
        out.push(plain.unwrap_or(next));
        left = &left[if plain.is_some() { 3 } else { next.len_utf8() }..];
    }
    Cow::Owned(out)
}

/// The character that two hexadecimal digits stand for, where it needs no encoding.
fn plain_character(digits: &str) -> Option<char> {
    let digits = digits.get(..2).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
    let character = char::from(u8::from_str_radix(digits, 16).ok()?);
    (character.is_ascii_alphanumeric() || "-._~".contains(character)).then_some(character)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_needs_no_encoding_is_decoded_and_nothing_else() {
        for (text, plain) in [
            ("a~b", "a~b"),
            ("a%7Eb%7e", "a~b~"),
            ("%61%2D%2e%5F%39%5A", "a-._9Z"),
            ("%2F%2f%20%25%00%ff%C3%A9", "%2F%2f%20%25%00%ff%C3%A9"),
            ("%257E", "%257E"),
            ("%7", "%7"),
            ("%", "%"),
            ("%+7%-1%zz", "%+7%-1%zz"),
            ("%é1", "%é1"),
            ("ü%7E", "ü~"),
        ] {
            assert_eq!(decode_plain(text), plain);
        }
    }
}
