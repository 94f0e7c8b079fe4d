//! Types and functions that are generated from the contract in `wit/`. Only `guest/` uses them.
#![allow(missing_docs, clippy::all, clippy::pedantic)]

wasmtime::component::bindgen!({
    path: "../wit",
    world: "plugin",
    imports: {
        "parlor:room/storage": async | trappable,
        default: trappable,
    },
    exports: { default: async },
    trappable_error_type: {
        "parlor:room/types.refusal" => super::call_error::CallError,
    },
    // A tape keeps what crosses the boundary.
    additional_derives: [serde::Deserialize, serde::Serialize],
    require_store_data_send: true,
});
