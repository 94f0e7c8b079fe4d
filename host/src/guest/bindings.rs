//! The contract, as generated from `wit/`. Nothing outside of `plugin` sees these types.
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
        "parlor:room/types.refusal" => super::imports::CallError,
    },
    require_store_data_send: true,
});
