use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use wasmtime::{Config, Engine, Instance, Module, Store, UpdateDeadline};

use super::*;

/// A call is interrupted as it begins, by the host and in the function.
const CALLS: u32 = 2;
/// The size of the memory.
const MEMORY: u32 = 4 * PIECE;
/// A module that does what it is told, and what is small or large by itself.
const ACTS: &str = r#"(module
    (import "host" "nothing" (func))
    (memory (export "memory") 4)
    (func (export "fill") (param i32 i32 i32) local.get 0 local.get 1 local.get 2 memory.fill)
    (func (export "copy") (param i32 i32 i32) local.get 0 local.get 1 local.get 2 memory.copy)
    (func (export "small") (param i32 i32 i32) local.get 0 local.get 1 i32.const 100 memory.fill)
    (func (export "large") (param i32 i32 i32) local.get 0 local.get 1 i32.const 262144 memory.fill))"#;

fn wasm(text: &str) -> Vec<u8> {
    wat::parse_str(text).unwrap()
}

/// Does what is told with a memory of which each byte says where it was; answers the memory, or `None` if it trapped, and how
/// often it was interrupted.
fn run(module: &[u8], act: &str, operands: (i32, i32, i32)) -> (Option<Vec<u8>>, Vec<u8>, u32) {
    let mut config = Config::new();
    config.epoch_interruption(true);
    let engine = Engine::new(&config).unwrap();
    let module = Module::new(&engine, module).unwrap();
    let mut store = Store::new(&engine, ());
    let interrupts = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&interrupts);
    store.set_epoch_deadline(0);
    store.epoch_deadline_callback(move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
        Ok(UpdateDeadline::Continue(0))
    });
    let nothing = wasmtime::Func::wrap(&mut store, || ());
    let instance = Instance::new(&mut store, &module, &[nothing.into()]).unwrap();
    let memory = instance.get_memory(&mut store, "memory").unwrap();
    let bytes = memory.data_mut(&mut store);
    bytes.iter_mut().enumerate().for_each(|(at, byte)| *byte = (at ^ (at >> 8) ^ (at >> 16)) as u8);
    let function = instance.get_typed_func::<(i32, i32, i32), ()>(&mut store, act).unwrap();
    let done = function.call(&mut store, operands).is_ok();
    let bytes = memory.data(&store).to_vec();
    (done.then(|| bytes.clone()), bytes, interrupts.load(Ordering::Relaxed))
}

#[test]
fn in_pieces_everything_is_as_at_once() {
    let plain = wasm(ACTS);
    let pieces = in_pieces(&plain).unwrap();
    assert_ne!(plain, pieces);
    let (piece, all) = (PIECE as i32, MEMORY as i32);
    let lengths = [0, 1, piece - 1, piece, piece + 1, 2 * piece, 3 * piece + 5, all, all + 1, -1, i32::MIN];
    for length in lengths {
        for to in [0, 1, 10, piece, all - 1, all, all + 1, -1] {
            let fill = (to, 0x1a5, length);
            assert_eq!(run(&plain, "fill", fill).1, run(&pieces, "fill", fill).1, "fill {fill:?}");
            assert_eq!(run(&plain, "fill", fill).0.is_some(), run(&pieces, "fill", fill).0.is_some(), "fill {fill:?}");
            for from in [0, 3, 2 * piece, all - 1, -1] {
                let copy = (to, from, length);
                let (plain, pieces) = (run(&plain, "copy", copy), run(&pieces, "copy", copy));
                assert!(plain.0 == pieces.0 && plain.1 == pieces.1, "copy {copy:?}");
            }
        }
    }
}

#[test]
fn what_is_large_can_be_interrupted_and_what_is_known_to_be_small_stays() {
    let plain = wasm(ACTS);
    let pieces = in_pieces(&plain).unwrap();
    for (act, operands) in [("fill", (0, 7, MEMORY as i32)), ("copy", (1, 0, MEMORY as i32 - 1)), ("large", (0, 7, 0))]
    {
        let [at_once, in_pieces] = [&plain, &pieces].map(|module| run(module, act, operands).2);
        assert!(at_once <= CALLS && in_pieces >= MEMORY / PIECE, "{act}: {at_once}, {in_pieces}");
    }
    assert!(run(&pieces, "small", (0, 7, 0)).2 <= CALLS);
    let small = wasm("(module (memory 1) (func i32.const 0 i32.const 0 i32.const 9 memory.fill))");
    assert_eq!(in_pieces(&small).unwrap(), small);
}

#[test]
fn modules_of_nested_components_and_several_memories_are_found() {
    let module = "(core module (memory 1) (memory 1)
        (func (param i32 i32 i32) local.get 0 local.get 1 local.get 2 memory.copy 1 0))";
    let bytes = wasm(&format!("(component {module} (component {module}))"));
    let made = in_pieces(&bytes).unwrap();
    let calls = |bytes: &[u8]| bytes.windows(4).filter(|code| *code == [0xfc, 10, 1, 0]).count();
    // A function for each module does it twice forward, twice backward or at once.
    assert_eq!((calls(&bytes), calls(&made)), (2, 6));
    let mut config = Config::new();
    config.wasm_component_model(true);
    wasmtime::component::Component::new(&Engine::new(&config).unwrap(), &made).unwrap();
}

#[test]
fn a_call_is_as_long_as_the_instruction_and_may_be_longer() {
    for (function, length, code) in [
        (5, 3, vec![CALL, 0x85, 0]),
        (5, 4, vec![CALL, 0x85, 0x80, 0]),
        (300, 3, vec![CALL, 0xac, 2]),
        (20_000, 3, vec![CALL, 0xa0, 0x9c, 1]),
    ] {
        let mut made = Vec::new();
        call(&mut made, function, length);
        assert_eq!(made, code);
    }
}

#[test]
fn what_is_damaged_is_left_to_the_compiler() {
    let whole = wasm(&format!("(component (core {})", &ACTS[1..]));
    for length in 0..whole.len() {
        in_pieces(&whole[..length]);
    }
    for at in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[at] ^= 0xff;
        in_pieces(&damaged);
    }
    let mut nested = b"\0asm\x0d\0\x01\0".to_vec();
    for _ in 0..DEPTH_MAX {
        let mut outer = b"\0asm\x0d\0\x01\0".to_vec();
        section(&mut outer, COMPONENT_COMPONENT, &nested);
        nested = outer;
    }
    assert_eq!(in_pieces(&nested), None);
}
