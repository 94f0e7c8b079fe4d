//! Files that are no plugins.

use crate::component::bare;
use crate::{Hostile, Plan, When};

/// A component may be 64 MiB; this is one more.
const OVERSIZE_BYTES: usize = 65 << 20;

pub const LIST: &[Hostile] = &[
    file("empty", "is empty", |_| Vec::new()),
    file("noise", "is noise behind a component's header", |_| [&bare(&[])[..8], &noise(100_000)].concat()),
    file("truncated", "is the first half of a component", |_| {
        let mut bytes = bare(&[]);
        bytes.truncate(bytes.len() / 2);
        bytes
    }),
    file("corrupt", "is a component with every hundredth byte turned", |_| {
        let mut bytes = bare(&[]);
        bytes[8..].iter_mut().step_by(100).for_each(|byte| *byte ^= 0x55);
        bytes
    }),
    file("core-module", "is a core module", |_| wat("(module (memory 1))")),
    file("wrong-world", "is a component of another world", |_| {
        wat("(component (core module $m (func (export \"run\"))) (core instance $i (instantiate $m))
            (func (export \"run\") (canon lift (core func $i \"run\"))))")
    }),
    file("unknown-import", "imports what no host has", |_| wat("(component (import \"novel:host/thing\" (func)))")),
    file("precompiled", "is native code that poses as a component", |_| precompiled()),
    file("oversized", "is a component of 65 MiB", |_| {
        let mut bytes = bare(&[]);
        // A custom section, which every reader skips.
        let name = b"\x04bulk";
        let body = OVERSIZE_BYTES - bytes.len();
        bytes.push(0);
        let length = body + name.len();
        bytes.extend((0..5).map(|place| (length >> (7 * place)) as u8 & 0x7F | if place < 4 { 0x80 } else { 0 }));
        bytes.extend_from_slice(name);
        bytes.resize(bytes.len() + body, 0);
        bytes
    }),
];

const fn file(name: &'static str, what: &'static str, make: fn(&Plan) -> Vec<u8>) -> Hostile {
    Hostile::new(name, what, make).when(When::Load)
}

fn wat(text: &str) -> Vec<u8> {
    wat::parse_str(text).unwrap_or_else(|why| panic!("{why}"))
}

/// Bytes without a pattern, the same at each call.
fn noise(count: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_7F4A_7C15u64;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    std::iter::repeat_with(next).take(count).collect()
}

/// An ELF file that says of itself what wasmtime says of components that it compiled: 64 bits, little-endian, its own
/// OS/ABI number, a flag for components; behind it noise that would be run as code.
fn precompiled() -> Vec<u8> {
    let mut bytes = vec![0; 64];
    bytes[..9].copy_from_slice(&[0x7F, b'E', b'L', b'F', 2, 1, 1, 200, 0]);
    // e_type: relocatable; e_machine: x86-64; e_version; e_flags: a component; e_ehsize.
    bytes[16..24].copy_from_slice(&[1, 0, 62, 0, 1, 0, 0, 0]);
    bytes[48] = 2;
    bytes[52] = 64;
    bytes.extend(noise(4_096));
    bytes
}
