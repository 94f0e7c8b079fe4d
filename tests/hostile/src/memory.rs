//! Guests that want more space than there is for them: memories, tables, the stack.

use crate::component::{bare, with_core_instances};
use crate::snippets::{for_ever, grow_to, handling};
use crate::{Hostile, When};

pub const LIST: &[Hostile] = &[
    Hostile::new("grow-memory", "grows its memory until it may not, then traps", |_| {
        handling("", "", &for_ever("(if (i32.lt_s (memory.grow (i32.const 16)) (i32.const 0)) (then unreachable))"))
    }),
    Hostile::new("hold-memory", "keeps nearly as much memory as it may, every page of it touched", |_| {
        let touch = "(loop $touch
            (i32.store8 (global.get $place) (i32.const 7))
            (global.set $place (i32.add (global.get $place) (i32.const 4096)))
            (br_if $touch (i32.lt_u (global.get $place) (i32.const 65000000))))";
        handling("", "(global $place (mut i32) (i32.const 131072))", &format!("{} {touch}", grow_to(1_000)))
    })
    .bearable(),
    Hostile::new("grow-table", "grows its table until it may not, then traps", |_| {
        let grow = "(if (i32.lt_s (table.grow $t (ref.null func) (i32.const 1000)) (i32.const 0)) (then unreachable))";
        handling("", "(table $t 1 funcref)", &for_ever(grow))
    }),
    Hostile::new("recursion", "calls itself without an end", |_| {
        handling("", "(func $deep (result i32) (i32.add (call $deep) (i32.const 1)))", "(drop (call $deep))")
    }),
    Hostile::new("memory-at-load", "declares a memory of 125 MiB", |_| bare(&[("at the end", "(memory $more 2000)")]))
        .when(When::Load),
    Hostile::new("memories-at-load", "declares ten memories", |_| bare(&[("at the end", &"(memory 1)".repeat(9))]))
        .when(When::Load),
    Hostile::new("table-at-load", "declares a table of ten million elements", |_| {
        bare(&[("at the end", "(table 10000000 funcref)")])
    })
    .when(When::Load),
    Hostile::new("memories-together", "makes three core instances with a memory of 62 MiB each", |_| {
        with_core_instances(&bare(&[]), "(module (memory 1000))", 3)
    })
    .when(When::Load),
    Hostile::new("core-instances", "makes 100 core instances", |_| with_core_instances(&bare(&[]), "(module)", 100))
        .when(When::Load),
    Hostile::new("core-instance-memories", "makes 50 core instances with a memory each", |_| {
        with_core_instances(&bare(&[]), "(module (memory 100))", 50)
    })
    .when(When::Load),
];
