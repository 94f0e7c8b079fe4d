//! The component of the health check: a plugin that answers each event `say` with the same event.
//!
//! It is assembled while the program is built, with the crates that wasmtime's macros are built with anyway.

use std::path::Path;

use anyhow::Context as _;
use wasm_encoder::{
    BlockType, CodeSection, ConstExpr, DataSection, EntityType, ExportKind, ExportSection, Function, FunctionSection,
    GlobalSection, GlobalType, ImportSection, InstructionSink, MemArg, MemorySection, MemoryType, Module, TypeSection,
    ValType,
};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::{Resolve, SourceMap};

use crate::read;

/// The files of the contract that the plugin uses.
const CONTRACT: [&str; 4] = ["types.wit", "events.wit", "outbox.wit", "guest.wit"];
/// The plugin's own world.
const WORLD: &str = "package parlor:room@0.1.0;\nworld probe { import events; import outbox; export guest; }";

const NAME: &str = "say";
const NAME_AT: i32 = 16;
const PATH: &str = "/health";
const PATH_AT: i32 = 32;
/// Where `init` puts `ok({ name, path })`. What no function writes to is zero, which is `ok(none)`.
const DEFINITION_AT: i32 = 256;
/// `ok(none)`, which `authorize` and `handle` return.
const NOTHING_AT: i32 = 320;
/// Where the host writes what its own functions return.
const RETURNED_AT: i32 = 512;
/// Arguments of an event go to the second page, over and over: an event of the health check takes a few bytes of it.
const ARGUMENTS_FROM: i32 = 65_536;
const ARGUMENTS_TO: i32 = 131_000;

/// The functions by their index: imports come first.
const ON: u32 = 0;
const TO_SOCKET: u32 = 1;
const REALLOC: u32 = 2;
const INIT: u32 = 3;
const AUTHORIZE: u32 = 4;
const HANDLE: u32 = 5;

/// Writes the component.
pub fn write(root: &Path, file: &Path) -> anyhow::Result<()> {
    let mut sources = SourceMap::default();
    for name in CONTRACT {
        sources.push_str(name, read(&root.join("wit").join(name))?);
    }
    sources.push_str("world.wit", WORLD);
    let contract = sources.parse().map_err(|(_, why)| anyhow::anyhow!("the contract: {why}"))?;
    let mut resolve = Resolve::default();
    let package = resolve.push_group(contract).context("the contract")?;
    let world = resolve.select_world(&[package], Some("probe")).context("the probe's world")?;
    let mut module = module();
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).context("the probe's module")?;
    let mut encoder = ComponentEncoder::default().validate(true).module(&module).context("the probe's module")?;
    let component = encoder.encode().context("the probe's component")?;
    std::fs::write(file, component).with_context(|| format!("cannot write {}", file.display()))
}

/// The core module, as the canonical ABI wants it.
fn module() -> Vec<u8> {
    use ValType::{F64, I32};
    let handle: Vec<ValType> = [I32; 14].into_iter().chain([F64]).collect();
    let mut types = TypeSection::new();
    let signatures: [(&[ValType], &[ValType]); 6] = [
        (&[I32; 3], &[]),
        (&[I32; 7], &[]),
        (&[I32; 4], &[I32]),
        (&[], &[I32]),
        (&[I32; 8], &[I32]),
        (&handle, &[I32]),
    ];
    for (parameters, results) in signatures {
        types.ty().function(parameters.iter().copied(), results.iter().copied());
    }
    let mut imports = ImportSection::new();
    imports.import("parlor:room/events@0.1.0", "on", EntityType::Function(ON));
    imports.import("parlor:room/outbox@0.1.0", "to-socket", EntityType::Function(TO_SOCKET));
    let mut functions = FunctionSection::new();
    let mut code = CodeSection::new();
    for (index, body) in [(REALLOC, realloc()), (INIT, init()), (AUTHORIZE, authorize()), (HANDLE, handle_event())] {
        functions.function(index);
        code.function(&body);
    }
    let mut memories = MemorySection::new();
    memories.memory(MemoryType { minimum: 2, maximum: None, memory64: false, shared: false, page_size_log2: None });
    let mut globals = GlobalSection::new();
    let free = GlobalType { val_type: I32, mutable: true, shared: false };
    globals.global(free, &ConstExpr::i32_const(ARGUMENTS_FROM));
    let mut exports = ExportSection::new();
    exports.export("memory", ExportKind::Memory, 0);
    exports.export("cabi_realloc", ExportKind::Func, REALLOC);
    for (name, index) in [("init", INIT), ("authorize", AUTHORIZE), ("handle", HANDLE)] {
        exports.export(&format!("parlor:room/guest@0.1.0#{name}"), ExportKind::Func, index);
    }
    let mut data = DataSection::new();
    data.active(0, &ConstExpr::i32_const(NAME_AT), NAME.bytes());
    data.active(0, &ConstExpr::i32_const(PATH_AT), PATH.bytes());
    let mut module = Module::new();
    module.section(&types).section(&imports).section(&functions).section(&memories).section(&globals);
    module.section(&exports).section(&code).section(&data);
    module.finish()
}

/// A function with so many locals beside its parameters.
fn function(locals: u32, write: impl FnOnce(&mut InstructionSink<'_>)) -> Function {
    let mut function = Function::new([(locals, ValType::I32)]);
    let mut body = function.instructions();
    write(&mut body);
    body.end();
    function
}

/// `realloc(old, old size, alignment, size)`: a place for an argument. Nothing is ever freed.
fn realloc() -> Function {
    const SIZE: u32 = 3;
    const PLACE: u32 = 4;
    const FREE: u32 = 0;
    function(1, |body| {
        body.global_get(FREE).local_get(SIZE).i32_add().i32_const(ARGUMENTS_TO).i32_gt_u().if_(BlockType::Empty);
        body.i32_const(ARGUMENTS_FROM).global_set(FREE).end();
        body.global_get(FREE).i32_const(7).i32_add().i32_const(-8).i32_and().local_set(PLACE);
        body.local_get(PLACE).local_get(SIZE).i32_add().global_set(FREE);
        body.local_get(PLACE);
    })
}

/// Registers for the event, and says what the plugin is.
fn init() -> Function {
    function(0, |body| {
        body.i32_const(NAME_AT).i32_const(NAME.len() as i32).i32_const(RETURNED_AT).call(ON);
        let definition = [NAME_AT, NAME.len() as i32, PATH_AT, PATH.len() as i32];
        for (place, word) in (1..).zip(definition) {
            body.i32_const(DEFINITION_AT + 4 * place).i32_const(word);
            body.i32_store(MemArg { offset: 0, align: 2, memory_index: 0 });
        }
        body.i32_const(DEFINITION_AT);
    })
}

fn authorize() -> Function {
    function(0, |body| {
        body.i32_const(NOTHING_AT);
    })
}

/// Sends the event's payload back to its socket, under the event's name.
fn handle_event() -> Function {
    const NAME_AND_LENGTH: [u32; 2] = [2, 3];
    /// Of the payload: its kind, where it is, and its length.
    const PAYLOAD: [u32; 3] = [8, 9, 10];
    const SOCKET: u32 = 12;
    function(0, |body| {
        for parameter in [SOCKET].into_iter().chain(NAME_AND_LENGTH).chain(PAYLOAD) {
            body.local_get(parameter);
        }
        body.i32_const(RETURNED_AT).call(TO_SOCKET);
        body.i32_const(NOTHING_AT);
    })
}
