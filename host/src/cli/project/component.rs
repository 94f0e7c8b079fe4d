//! A component of a core module, for languages whose compilers make no components themselves.

use std::sync::OnceLock;

use anyhow::{Context as _, anyhow};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::{Resolve, SourceMap, WorldId};

use crate::cli::sdk;

/// The contract's world, which every module of a plugin is one of.
const WORLD: &str = "plugin";
/// What the adapter stands for, and the adapter, which `build/preview1.rs` makes.
const PREVIEW1: &str = "wasi_snapshot_preview1";
const PREVIEW1_ADAPTER: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/preview1.wasm"));

/// What a core module imports beside the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModuleSystem {
    /// Nothing.
    None,
    /// WASI's preview 1, as far as the runtimes of Go and C need it: an adapter makes the interfaces of today of it.
    Preview1,
}

/// Makes a component of a core module: with the contract's world in it, importing only what the module imports.
pub fn component_of(module: &[u8], system: ModuleSystem) -> anyhow::Result<Vec<u8>> {
    let (resolve, world) = contract()?;
    let mut module = module.to_vec();
    embed_component_metadata(&mut module, resolve, *world, StringEncoding::UTF8)
        .context("what was built is no core module of WebAssembly")?;
    let no_plugin = "what was built is no plugin: it does not fit the contract";
    let mut encoder = ComponentEncoder::default().validate(true).module(&module).context(no_plugin)?;
    if system == ModuleSystem::Preview1 {
        encoder = encoder.adapter(PREVIEW1, PREVIEW1_ADAPTER).context("the adapter of WASI")?;
    }
    encoder.encode().context(no_plugin)
}

/// The contract that this program carries, parsed once.
fn contract() -> anyhow::Result<&'static (Resolve, WorldId)> {
    static CONTRACT: OnceLock<Result<(Resolve, WorldId), String>> = OnceLock::new();
    let parsed = CONTRACT.get_or_init(|| parse().map_err(|why| format!("{why:#}")));
    parsed.as_ref().map_err(|why| anyhow!("the contract: {why}"))
}

fn parse() -> anyhow::Result<(Resolve, WorldId)> {
    let mut files = SourceMap::default();
    for (name, text) in sdk::CONTRACT {
        files.push_str(name, *text);
    }
    let group = files.parse().map_err(|(_, why)| anyhow!("{why}"))?;
    let mut resolve = Resolve::default();
    let package = resolve.push_group(group)?;
    let world = resolve.select_world(&[package], Some(WORLD))?;
    Ok((resolve, world))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A plugin whose functions all do nothing, with these imports of its own.
    fn module(imports: &str) -> Vec<u8> {
        let handle = "(param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 f64)";
        let text = format!(
            "(module {imports} (memory (export \"memory\") 1)
               (func (export \"cabi_realloc\") (param i32 i32 i32 i32) (result i32) i32.const 64)
               (func (export \"parlor:room/guest@0.1.0#init\") (result i32) i32.const 0)
               (func (export \"parlor:room/guest@0.1.0#authorize\")
                 (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32) i32.const 0)
               (func (export \"parlor:room/guest@0.1.0#handle\") {handle} (result i32) i32.const 0))"
        );
        wat::parse_str(text).expect("a module")
    }

    #[test]
    fn a_component_imports_what_its_module_imports_and_no_more() {
        let now = "(import \"parlor:room/clock@0.1.0\" \"now\" (func (result f64)))";
        let component = component_of(&module(now), ModuleSystem::None).expect("a component");
        let text = String::from_utf8_lossy(&component).into_owned();
        assert!(text.contains("parlor:room/clock@0.1.0") && !text.contains("parlor:room/storage"));
    }

    #[test]
    fn wasi_is_adapted_where_a_language_needs_it_and_unknown_elsewhere() {
        let exit = "(import \"wasi_snapshot_preview1\" \"proc_exit\" (func (param i32)))";
        let component = component_of(&module(exit), ModuleSystem::Preview1).expect("a component");
        assert!(String::from_utf8_lossy(&component).contains("wasi:cli/exit@0.2"));
        let why = component_of(&module(exit), ModuleSystem::None).expect_err("no adapter");
        assert!(format!("{why:#}").contains("wasi_snapshot_preview1"), "{why:#}");
    }

    #[test]
    fn what_is_no_plugin_is_refused_with_what_it_lacks() {
        let why = component_of(b"\0asm\x01\0\0\0", ModuleSystem::None).expect_err("no exports");
        assert!(format!("{why:#}").contains("parlor:room/guest@0.1.0"), "{why:#}");
        assert!(component_of(b"no module", ModuleSystem::None).is_err());
    }
}
