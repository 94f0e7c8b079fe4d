//! What wit-bindgen makes of the contract in `wit/`. It lies here generated, so that a plugin's build compiles no
//! generator; a test of the repository (`tests/suite/tidy/bindings.rs`) compares it with the contract. Nothing else of this
//! crate is generated.
//!
//! It is compiled for every target: away from wasm the types are used as they are, and the functions, which would
//! panic there, are replaced by those of the test room (see `host`).
#![allow(missing_docs, unreachable_pub, unsafe_code)]
// Nobody wrote what is generated, so nobody explains or polishes it.
#![allow(clippy::undocumented_unsafe_blocks, clippy::uninlined_format_args)]

include!("../generated/bindings.rs");
