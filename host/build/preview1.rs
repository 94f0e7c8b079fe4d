//! The adapter that lets core modules of Go and C be components: WASI's preview 1, as far as their runtimes need it, over the
//! interfaces of today. It leads to the clocks, to randomness, and to standard output and error; all else is not there.
//!
//! It has no memory of its own and asks for none. That matters: Go's runtime takes all that memory grows by for its own, and
//! an adapter that lets the memory grow would have its state overwritten.

use std::path::Path;

use anyhow::Context as _;
use wasm_encoder::{
    BlockType, CodeSection, ConstExpr, EntityType, ExportKind, ExportSection, Function, FunctionSection, GlobalSection,
    GlobalType, ImportSection, InstructionSink, MemArg, MemoryType, Module, TypeSection, ValType,
};
use wit_component::{StringEncoding, embed_component_metadata};
use wit_parser::{Resolve, SourceMap};

use ValType::{I32, I64};

/// What the adapter imports, in the words of WIT.
const WORLD: &str = "package parlor:preview1;
world adapter {
  import wasi:cli/stdout@0.2.0;
  import wasi:cli/stderr@0.2.0;
  import wasi:cli/exit@0.2.0;
  import wasi:clocks/wall-clock@0.2.0;
  import wasi:clocks/monotonic-clock@0.2.0;
  import wasi:random/random@0.2.0;
}
package wasi:io@0.2.0 {
  interface error { resource error; }
  interface streams {
    use error.{error};
    resource output-stream {
      blocking-write-and-flush: func(contents: list<u8>) -> result<_, stream-error>;
    }
    variant stream-error { last-operation-failed(error), closed }
  }
}
package wasi:cli@0.2.0 {
  interface stdout { use wasi:io/streams@0.2.0.{output-stream}; get-stdout: func() -> output-stream; }
  interface stderr { use wasi:io/streams@0.2.0.{output-stream}; get-stderr: func() -> output-stream; }
  interface exit { exit: func(status: result); }
}
package wasi:clocks@0.2.0 {
  interface wall-clock { record datetime { seconds: u64, nanoseconds: u32 } now: func() -> datetime; }
  interface monotonic-clock { now: func() -> u64; }
}
package wasi:random@0.2.0 {
  interface random { get-random-u64: func() -> u64; }
}";

/// The imports, by their index: module, function, parameters, results.
const IMPORTS: [(&str, &str, &[ValType], &[ValType]); 7] = [
    ("wasi:cli/stdout@0.2.0", "get-stdout", &[], &[I32]),
    ("wasi:cli/stderr@0.2.0", "get-stderr", &[], &[I32]),
    ("wasi:io/streams@0.2.0", "[method]output-stream.blocking-write-and-flush", &[I32; 4], &[]),
    ("wasi:cli/exit@0.2.0", "exit", &[I32], &[]),
    ("wasi:clocks/wall-clock@0.2.0", "now", &[I32], &[]),
    ("wasi:clocks/monotonic-clock@0.2.0", "now", &[], &[I64]),
    ("wasi:random/random@0.2.0", "get-random-u64", &[], &[I64]),
];
const GET_STDOUT: u32 = 0;
const GET_STDERR: u32 = 1;
const WRITE: u32 = 2;
const EXIT: u32 = 3;
const WALL_CLOCK: u32 = 4;
const MONOTONIC_CLOCK: u32 = 5;
const RANDOM: u32 = 6;

/// Where the host writes what its functions return: 16 bytes that may be the module's own, and that are put back.
const RETURNED_AT: i32 = 4_096;
/// How many bytes a stream takes at once.
const WRITE_BYTES_MAX: i32 = 4_096;
/// The numbers of errors of preview 1.
const BAD_FILE: i32 = 8;
const NOT_THERE: i32 = 52;
const NANOS: i64 = 1_000_000_000;

type Body = fn(&mut InstructionSink<'_>);
/// What the adapter exports: a name, its parameters, how many numbers of 32 bits it needs beside them, and what it does. Two
/// of 64 bits stand behind them.
/// Each answers the number of an error, but for `proc_exit`.
type Exported = (&'static str, &'static [ValType], u32, Body);

const EXPORTS: [Exported; 16] = [
    ("args_sizes_get", &[I32; 2], 0, nothing_in_both),
    ("args_get", &[I32; 2], 0, succeed),
    ("environ_sizes_get", &[I32; 2], 0, nothing_in_both),
    ("environ_get", &[I32; 2], 0, succeed),
    ("clock_time_get", &[I32, I64, I32], 0, clock_time_get),
    ("random_get", &[I32; 2], 0, random_get),
    ("sched_yield", &[], 0, succeed),
    ("proc_exit", &[I32], 0, proc_exit),
    ("poll_oneoff", &[I32; 4], 3, poll_oneoff),
    ("fd_write", &[I32; 4], 5, fd_write),
    ("fd_read", &[I32; 4], 0, fd_read),
    ("fd_close", &[I32], 0, succeed),
    ("fd_fdstat_get", &[I32; 2], 0, fd_fdstat_get),
    ("fd_fdstat_set_flags", &[I32; 2], 0, succeed),
    ("fd_prestat_get", &[I32; 2], 0, bad_file),
    ("fd_prestat_dir_name", &[I32; 3], 0, bad_file),
];

/// What Go's library for files imports, and what answers that it is not there.
const MISSING: [(&str, &[ValType]); 30] = [
    ("clock_res_get", &[I32; 2]),
    ("fd_advise", &[I32, I64, I64, I32]),
    ("fd_allocate", &[I32, I64, I64]),
    ("fd_datasync", &[I32]),
    ("fd_fdstat_set_rights", &[I32, I64, I64]),
    ("fd_filestat_get", &[I32; 2]),
    ("fd_filestat_set_size", &[I32, I64]),
    ("fd_filestat_set_times", &[I32, I64, I64, I32]),
    ("fd_pread", &[I32, I32, I32, I64, I32]),
    ("fd_pwrite", &[I32, I32, I32, I64, I32]),
    ("fd_readdir", &[I32, I32, I32, I64, I32]),
    ("fd_renumber", &[I32; 2]),
    ("fd_seek", &[I32, I64, I32, I32]),
    ("fd_sync", &[I32]),
    ("fd_tell", &[I32; 2]),
    ("path_create_directory", &[I32; 3]),
    ("path_filestat_get", &[I32; 5]),
    ("path_filestat_set_times", &[I32, I32, I32, I32, I64, I64, I32]),
    ("path_link", &[I32; 7]),
    ("path_open", &[I32, I32, I32, I32, I32, I64, I64, I32, I32]),
    ("path_readlink", &[I32; 6]),
    ("path_remove_directory", &[I32; 3]),
    ("path_rename", &[I32; 6]),
    ("path_symlink", &[I32; 5]),
    ("path_unlink_file", &[I32; 3]),
    ("proc_raise", &[I32]),
    ("sock_accept", &[I32; 3]),
    ("sock_recv", &[I32; 6]),
    ("sock_send", &[I32; 5]),
    ("sock_shutdown", &[I32; 2]),
];

/// Writes the adapter.
pub fn write(file: &Path) -> anyhow::Result<()> {
    let mut sources = SourceMap::default();
    sources.push_str("preview1.wit", WORLD);
    let world = sources.parse().map_err(|(_, why)| anyhow::anyhow!("the adapter's world: {why}"))?;
    let mut resolve = Resolve::default();
    let package = resolve.push_group(world).context("the adapter's world")?;
    let world = resolve.select_world(&[package], Some("adapter")).context("the adapter's world")?;
    let mut module = module();
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).context("the adapter's module")?;
    std::fs::write(file, module).with_context(|| format!("cannot write {}", file.display()))
}

fn module() -> Vec<u8> {
    let missing = MISSING.map(|(name, parameters)| (name, parameters, 0, not_there as Body));
    let exported: Vec<Exported> = EXPORTS.into_iter().chain(missing).collect();
    let mut types = TypeSection::new();
    let mut imports = ImportSection::new();
    let memory = MemoryType { minimum: 0, maximum: None, memory64: false, shared: false, page_size_log2: None };
    imports.import("env", "memory", EntityType::Memory(memory));
    for (module, name, parameters, results) in IMPORTS {
        imports.import(module, name, EntityType::Function(types.len()));
        types.ty().function(parameters.iter().copied(), results.iter().copied());
    }
    let mut functions = FunctionSection::new();
    let mut exports = ExportSection::new();
    let mut code = CodeSection::new();
    for (name, parameters, locals, body) in exported {
        exports.export(name, ExportKind::Func, IMPORTS.len() as u32 + functions.len());
        functions.function(types.len());
        let result = (name != "proc_exit").then_some(I32);
        types.ty().function(parameters.iter().copied(), result);
        let mut function = Function::new([(locals, I32), (2, I64)]);
        let mut sink = function.instructions();
        body(&mut sink);
        sink.end();
        code.function(&function);
    }
    // The streams of standard output and error, one more than their handles: zero is that there is none yet.
    let mut globals = GlobalSection::new();
    for _ in [GET_STDOUT, GET_STDERR] {
        globals.global(GlobalType { val_type: I32, mutable: true, shared: false }, &ConstExpr::i32_const(0));
    }
    let mut module = Module::new();
    module.section(&types).section(&imports).section(&functions).section(&globals).section(&exports).section(&code);
    module.finish()
}

fn at(offset: u64) -> MemArg {
    MemArg { offset, align: 0, memory_index: 0 }
}

fn succeed(body: &mut InstructionSink<'_>) {
    body.i32_const(0);
}

fn bad_file(body: &mut InstructionSink<'_>) {
    body.i32_const(BAD_FILE);
}

fn not_there(body: &mut InstructionSink<'_>) {
    body.i32_const(NOT_THERE);
}

/// There are no arguments, and no environment.
fn nothing_in_both(body: &mut InstructionSink<'_>) {
    body.local_get(0).i32_const(0).i32_store(at(0));
    body.local_get(1).i32_const(0).i32_store(at(0));
    body.i32_const(0);
}

/// Calls a function of the host with where to write its result as the last argument. The result is in two locals then, from
/// `first` on, and the memory is as it was.
fn call_with_result(body: &mut InstructionSink<'_>, function: u32, first: u32) {
    for half in [0, 8] {
        body.i32_const(RETURNED_AT).i64_load(at(half)).local_set(first + half as u32 / 8);
    }
    body.i32_const(RETURNED_AT).call(function);
    for half in [0, 8] {
        let local = first + half as u32 / 8;
        body.i32_const(RETURNED_AT).i64_load(at(half));
        body.i32_const(RETURNED_AT).local_get(local).i64_store(at(half));
        body.local_set(local);
    }
}

/// The parameters: which clock, a precision, where to.
fn clock_time_get(body: &mut InstructionSink<'_>) {
    const SECONDS: u32 = 3;
    const NANOSECONDS: u32 = 4;
    body.local_get(0).i32_eqz().if_(BlockType::Empty);
    call_with_result(body, WALL_CLOCK, SECONDS);
    body.local_get(2).local_get(SECONDS).i64_const(NANOS).i64_mul();
    body.local_get(NANOSECONDS).i64_const(u32::MAX.into()).i64_and().i64_add();
    body.i64_store(at(0));
    body.else_();
    body.local_get(2).call(MONOTONIC_CLOCK).i64_store(at(0));
    body.end();
    body.i32_const(0);
}

/// The parameters: where to, and how many bytes: eight at a time, then one at a time.
fn random_get(body: &mut InstructionSink<'_>) {
    for bytes in [8, 1] {
        body.block(BlockType::Empty).loop_(BlockType::Empty);
        body.local_get(1).i32_const(bytes).i32_lt_u().br_if(1);
        body.local_get(0).call(RANDOM);
        if bytes == 8 {
            body.i64_store(at(0));
        } else {
            body.i64_store8(at(0));
        }
        body.local_get(0).i32_const(bytes).i32_add().local_set(0);
        body.local_get(1).i32_const(bytes).i32_sub().local_set(1);
        body.br(0).end().end();
    }
    body.i32_const(0);
}

fn proc_exit(body: &mut InstructionSink<'_>) {
    body.local_get(0).i32_const(0).i32_ne().call(EXIT).unreachable();
}

/// The parameters: subscriptions of 48 bytes, room for events of 32, how many, and where to say how many happened. All of
/// them have happened at once: whoever sleeps looks at the clock and asks again, until the bound of CPU time ends the call.
fn poll_oneoff(body: &mut InstructionSink<'_>) {
    const IN: u32 = 0;
    const OUT: u32 = 1;
    const COUNT: u32 = 2;
    const LEFT: u32 = 4;
    body.local_get(COUNT).local_set(LEFT);
    body.block(BlockType::Empty).loop_(BlockType::Empty);
    body.local_get(LEFT).i32_eqz().br_if(1);
    // The word of the subscriber, no error, and the kind of the subscription.
    body.local_get(OUT).local_get(IN).i64_load(at(0)).i64_store(at(0));
    body.local_get(OUT).local_get(IN).i64_load8_u(at(8)).i64_const(16).i64_shl().i64_store(at(8));
    body.local_get(OUT).i64_const(0).i64_store(at(16));
    body.local_get(OUT).i64_const(0).i64_store(at(24));
    body.local_get(IN).i32_const(48).i32_add().local_set(IN);
    body.local_get(OUT).i32_const(32).i32_add().local_set(OUT);
    body.local_get(LEFT).i32_const(1).i32_sub().local_set(LEFT);
    body.br(0).end().end();
    body.local_get(3).local_get(COUNT).i32_store(at(0));
    body.i32_const(0);
}

/// The parameters: a file, parts of 8 bytes (an address and a length), how many, and where to say how much was written.
fn fd_write(body: &mut InstructionSink<'_>) {
    const FILE: u32 = 0;
    const PARTS: u32 = 1;
    const COUNT: u32 = 2;
    const STREAM: u32 = 4;
    const ADDRESS: u32 = 5;
    const LEFT: u32 = 6;
    const ONCE: u32 = 7;
    const WRITTEN: u32 = 8;
    const RESULT: u32 = 9;
    for (file, stream) in [(1, GET_STDOUT), (2, GET_STDERR)] {
        body.local_get(FILE).i32_const(file).i32_eq().if_(BlockType::Empty);
        body.global_get(stream).i32_eqz().if_(BlockType::Empty);
        body.call(stream).i32_const(1).i32_add().global_set(stream);
        body.end();
        body.global_get(stream).local_set(STREAM);
        body.end();
    }
    body.local_get(STREAM).i32_eqz().if_(BlockType::Empty).i32_const(BAD_FILE).return_().end();
    body.block(BlockType::Empty).loop_(BlockType::Empty);
    body.local_get(COUNT).i32_eqz().br_if(1);
    body.local_get(PARTS).i32_load(at(0)).local_set(ADDRESS);
    body.local_get(PARTS).i32_load(at(4)).local_set(LEFT);
    body.local_get(WRITTEN).local_get(LEFT).i32_add().local_set(WRITTEN);
    body.block(BlockType::Empty).loop_(BlockType::Empty);
    body.local_get(LEFT).i32_eqz().br_if(1);
    body.i32_const(WRITE_BYTES_MAX).local_get(LEFT);
    body.local_get(LEFT).i32_const(WRITE_BYTES_MAX).i32_gt_u().select().local_set(ONCE);
    body.local_get(STREAM).i32_const(1).i32_sub();
    body.local_get(ADDRESS).local_get(ONCE);
    call_with_result(body, WRITE, RESULT);
    body.local_get(ADDRESS).local_get(ONCE).i32_add().local_set(ADDRESS);
    body.local_get(LEFT).local_get(ONCE).i32_sub().local_set(LEFT);
    body.br(0).end().end();
    body.local_get(PARTS).i32_const(8).i32_add().local_set(PARTS);
    body.local_get(COUNT).i32_const(1).i32_sub().local_set(COUNT);
    body.br(0).end().end();
    body.local_get(3).local_get(WRITTEN).i32_store(at(0));
    body.i32_const(0);
}

/// Whoever reads is at the end.
fn fd_read(body: &mut InstructionSink<'_>) {
    body.local_get(3).i32_const(0).i32_store(at(0));
    body.i32_const(0);
}

/// The parameters: a file, and where to describe it. The three standard streams are devices of characters that can be read
/// and written: where nobody can seek, libraries take them for terminals, and write line by line.
fn fd_fdstat_get(body: &mut InstructionSink<'_>) {
    const DEVICE: i64 = 2;
    const READ_AND_WRITE: i64 = (1 << 1) | (1 << 6);
    body.local_get(0).i32_const(2).i32_gt_u().if_(BlockType::Empty).i32_const(BAD_FILE).return_().end();
    body.local_get(1).i64_const(DEVICE).i64_store(at(0));
    body.local_get(1).i64_const(READ_AND_WRITE).i64_store(at(8));
    body.local_get(1).i64_const(READ_AND_WRITE).i64_store(at(16));
    body.i32_const(0);
}
