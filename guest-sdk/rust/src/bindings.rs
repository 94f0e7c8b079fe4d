//! What wit-bindgen makes of the contract in `wit/`. Nothing else of this crate is generated.
//!
//! It is compiled for every target: away from wasm the types are used as they are, and the functions, which would
//! panic there, are replaced by those of the test room (see `host`).
#![allow(missing_docs, unreachable_pub, unsafe_code)]

wit_bindgen::generate!({
    path: "wit",
    world: "plugin",
    pub_export_macro: true,
    export_macro_name: "export_plugin",
});
