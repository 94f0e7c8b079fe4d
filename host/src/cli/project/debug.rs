//! A module without what only a debugger wants, which for one in C is 50 times its code. The names of functions stay: a fault
//! names those that it was in.

use wasm_encoder::{Module, RawSection};
use wasmparser::{Parser, Payload};

/// What sections for debuggers are called.
const DEBUG: &str = ".debug_";

/// The module without them. One that cannot be read is as it was: who makes a component of it says what is wrong.
pub fn without_debug(module: &[u8]) -> Vec<u8> {
    trimmed(module).unwrap_or_else(|| module.to_vec())
}

fn trimmed(module: &[u8]) -> Option<Vec<u8>> {
    let mut kept = Module::new();
    for payload in Parser::new(0).parse_all(module) {
        let payload = payload.ok()?;
        let is_debug = matches!(&payload, Payload::CustomSection(section) if section.name().starts_with(DEBUG));
        if let Some((id, range)) = payload.as_section().filter(|_| !is_debug) {
            kept.section(&RawSection { id, data: module.get(range)? });
        }
    }
    Some(kept.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_code_stay() {
        let text =
            "(module $called (func $named (export \"f\")) (@custom \".debug_info\" \"xyz\") (@custom \"own\" \"abc\"))";
        let module = wat::parse_str(text).expect("a module");
        let trimmed = without_debug(&module);
        let has = |name: &str| trimmed.windows(name.len()).any(|bytes| bytes == name.as_bytes());
        assert!(has("named") && has("own") && !has(".debug_info"), "{trimmed:?}");
        assert_eq!(without_debug(b"no module"), b"no module");
    }
}
