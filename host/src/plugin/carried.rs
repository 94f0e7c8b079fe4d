//! Configuration that a component carries: a custom section behind all others. Components that differ in nothing else share
//! their native code, so that one engine serves the source of many plugins.

use std::collections::BTreeMap;

use anyhow::{Context as _, ensure};

/// The name of the section.
const SECTION: &str = "parlor-config";
/// How many bytes of configuration a component carries at most.
const BYTES_MAX: usize = 1 << 20;
/// How many keys it carries at most: each takes memory beyond its bytes, which nobody is charged for.
const KEYS_MAX: usize = 256;
/// The bytes before a component's first section.
const HEADER_BYTES: usize = 8;
/// The first byte of a custom section.
const CUSTOM: u8 = 0;

/// A component, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CarryingComponent<'a> {
    /// All that is compiled.
    pub code: &'a [u8],
    carried: Option<&'a [u8]>,
}

impl<'a> CarryingComponent<'a> {
    /// Takes it apart. What is no component is code, and compiling it says what is wrong.
    pub fn of(bytes: &'a [u8]) -> Self {
        find(bytes).unwrap_or(Self { code: bytes, carried: None })
    }

    /// The configuration; empty where it carries none.
    pub fn config(&self) -> anyhow::Result<BTreeMap<String, String>> {
        let Some(carried) = self.carried else { return Ok(BTreeMap::new()) };
        let bytes = carried.len();
        ensure!(bytes <= BYTES_MAX, "carries a configuration of {bytes} bytes, at most {BYTES_MAX}");
        let config: BTreeMap<String, String> =
            serde_json::from_slice(carried).with_context(|| format!("its section {SECTION} is no object of texts"))?;
        let keys = config.len();
        ensure!(keys <= KEYS_MAX, "carries a configuration of {keys} keys, at most {KEYS_MAX}");
        Ok(config)
    }
}

/// Finds the section, if it is the last.
fn find(bytes: &[u8]) -> Option<CarryingComponent<'_>> {
    let mut at = HEADER_BYTES;
    while at < bytes.len() {
        let (size, body) = leb128(bytes, at + 1)?;
        let end = body.checked_add(size)?;
        if end == bytes.len() && bytes[at] == CUSTOM {
            let (name_size, name) = leb128(bytes, body)?;
            let data = name.checked_add(name_size)?;
            let is_ours = bytes.get(name..data)? == SECTION.as_bytes();
            return is_ours.then(|| CarryingComponent { code: &bytes[..at], carried: Some(&bytes[data..]) });
        }
        at = end;
    }
    None
}

/// A number of up to 32 bits, and where what follows it begins.
pub(super) fn leb128(bytes: &[u8], mut at: usize) -> Option<(usize, usize)> {
    let mut value = 0u32;
    for shift in (0..35).step_by(7) {
        let byte = *bytes.get(at)?;
        at += 1;
        value |= u32::from(byte & 0x7f).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some((value as usize, at));
        }
    }
    None
}

/// The component with this configuration behind it.
pub fn carrying(mut component: Vec<u8>, config: &BTreeMap<String, String>) -> anyhow::Result<Vec<u8>> {
    let config = serde_json::to_vec(config).context("the configuration")?;
    let bytes = config.len();
    ensure!(bytes <= BYTES_MAX, "the configuration that a component carries has {bytes} bytes, at most {BYTES_MAX}");
    let mut body = Vec::with_capacity(bytes + SECTION.len() + 1);
    push_leb128(&mut body, SECTION.len());
    body.extend_from_slice(SECTION.as_bytes());
    body.extend_from_slice(&config);
    component.push(CUSTOM);
    push_leb128(&mut component, body.len());
    component.append(&mut body);
    Ok(component)
}

fn push_leb128(bytes: &mut Vec<u8>, mut value: usize) {
    while value >= 0x80 {
        bytes.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(size: usize) -> BTreeMap<String, String> {
        BTreeMap::from([("source".to_owned(), "x".repeat(size))])
    }

    #[test]
    fn what_a_component_carries_is_taken_off_and_the_code_stays_as_it_was() {
        let plain = wat::parse_str("(component (core module) (@custom \"other\" \"words\"))").expect("a component");
        assert_eq!(CarryingComponent::of(&plain), CarryingComponent { code: &plain, carried: None });
        for size in [0, 100, 200, 20_000] {
            let bytes = carrying(plain.clone(), &config(size)).expect("a component");
            wasmparser::Parser::new(0).parse_all(&bytes).for_each(|part| drop(part.expect("a valid section")));
            let found = CarryingComponent::of(&bytes);
            assert_eq!((found.code, found.config().expect("a configuration")), (&plain[..], config(size)));
        }
    }

    #[test]
    fn what_is_cut_off_or_stands_elsewhere_is_code() {
        let plain = wat::parse_str("(component)").expect("a component");
        let whole = carrying(plain, &config(300)).expect("a component");
        for end in 0..whole.len() {
            assert_eq!(CarryingComponent::of(&whole[..end]).carried, None, "{end}");
        }
        let behind = [&whole[..], &[CUSTOM, 2, 1, b'x']].concat();
        assert_eq!(CarryingComponent::of(&behind).code, behind);
    }

    #[test]
    fn too_much_and_what_is_no_object_of_texts_is_refused() {
        assert!(carrying(Vec::new(), &config(BYTES_MAX)).is_err());
        let bad = CarryingComponent { code: &[], carried: Some(b"[1]") };
        assert!(bad.config().expect_err("no object").to_string().contains(SECTION));
        let keys: BTreeMap<String, String> = (0..=KEYS_MAX).map(|key| (key.to_string(), String::new())).collect();
        let many = serde_json::to_vec(&keys).expect("an object of texts");
        let many = CarryingComponent { code: &[], carried: Some(&many) };
        assert!(many.config().expect_err("too many").to_string().contains("257 keys, at most 256"));
        let much = vec![b' '; BYTES_MAX + 1];
        assert!(CarryingComponent { code: &[], carried: Some(&much) }.config().is_err());
    }
}
