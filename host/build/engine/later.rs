//! What of the contract came after its first edition and the engine imports: a plugin that calls none of it is given a component that
//! does not import it either, so that a host without it serves the plugin, and a tenant who was not granted it.
//!
//! That component is a custom section of the engine's own, behind all others. Of the engine's module it has the import section
//! alone, since everything else is the same.

use anyhow::Context as _;
use wasm_encoder::reencode::{self, Reencode};
use wasm_encoder::{
    CodeSection, Component, CustomSection, Encode as _, ExportKind, ExportSection, Function, FunctionSection,
    ImportSection, Module, RawSection, TypeSection, ValType,
};
use wasmparser::{Imports, Parser, Payload};
use wit_component::ComponentEncoder;

/// What the section is called; `build/engine.mjs` looks for it.
const SECTION: &str = "parlor-first-edition";
/// The functions: their interface and name, and how many parameters the canonical ABI gives them.
const LATER: [(&str, &str, usize); 4] = [
    ("parlor:room/history@0.1.0", "keep", 6),
    ("parlor:room/history@0.1.0", "position", 3),
    ("parlor:room/history@0.1.0", "read", 7),
    ("parlor:room/sockets@0.1.0", "of-channel", 6),
];
/// The module that has them where the host has not: each ends the call.
const NOWHERE: &str = "not-imported";
/// Of a component and of a module.
const CORE_MODULE: u8 = 1;
const IMPORTS: u8 = 2;

/// The engine's component with the section. `module` is the engine's, which knows the contract.
pub fn with_first_edition(component: &[u8], module: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut renamed = Module::new();
    Renamed.parse_core_module(&mut renamed, Parser::new(0), module).context("the engine's imports")?;
    let renamed = renamed.finish();
    let mut encoder = ComponentEncoder::default().validate(true).module(&renamed)?.adapter(NOWHERE, &nowhere())?;
    let earlier = without_code(&encoder.encode().context("the engine's component without what came later")?)?;
    let mut whole = component.to_vec();
    whole.push(0);
    CustomSection { name: SECTION.into(), data: earlier.into() }.encode(&mut whole);
    Ok(whole)
}

/// Looks for them in a module of ours.
struct Renamed;

impl Reencode for Renamed {
    type Error = std::convert::Infallible;

    fn parse_imports(
        &mut self,
        section: &mut ImportSection,
        mut imports: Imports<'_>,
    ) -> Result<(), reencode::Error<Self::Error>> {
        if let Imports::Single(_, import) = &mut imports
            && LATER.iter().any(|(module, name, _)| import.module == *module && import.name == *name)
        {
            import.module = NOWHERE;
        }
        reencode::utils::parse_imports(self, section, imports)
    }
}

/// A module whose functions all end the call.
fn nowhere() -> Vec<u8> {
    let (mut types, mut functions, mut code, mut exports) =
        (TypeSection::new(), FunctionSection::new(), CodeSection::new(), ExportSection::new());
    for (number, (_, name, parameters)) in (0..).zip(LATER) {
        types.ty().function(vec![ValType::I32; parameters], []);
        functions.function(number);
        exports.export(name, ExportKind::Func, number);
        let mut body = Function::new([]);
        body.instructions().unreachable().end();
        code.function(&body);
    }
    let mut module = Module::new();
    module.section(&types).section(&functions).section(&exports).section(&code);
    module.finish()
}

/// A component whose first module has its imports alone.
fn without_code(component: &[u8]) -> anyhow::Result<Vec<u8>> {
    let (mut kept, mut is_first, mut depth) = (Component::new(), true, 0_u32);
    for payload in Parser::new(0).parse_all(component) {
        let payload = payload?;
        let is_outer = depth == 0;
        match &payload {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            _ => {}
        }
        let Some((id, range)) = payload.as_section().filter(|_| is_outer) else { continue };
        let content = component.get(range).context("a section of the component")?;
        if id == CORE_MODULE && std::mem::take(&mut is_first) {
            kept.section(&RawSection { id, data: &imports_of(content)? });
        } else {
            kept.section(&RawSection { id, data: content });
        }
    }
    Ok(kept.finish())
}

fn imports_of(module: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut kept = Module::new();
    for payload in Parser::new(0).parse_all(module) {
        if let Some((id @ IMPORTS, range)) = payload?.as_section() {
            kept.section(&RawSection { id, data: module.get(range).context("the imports of the engine's module")? });
        }
    }
    Ok(kept.finish())
}
