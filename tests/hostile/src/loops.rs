//! Guests that do not come back: loops, waits, and single instructions that nothing can interrupt.

use crate::component::bare;
use crate::snippets::{NOW, SLEEP, SPIN, for_ever, grow_to, handling};
use crate::{Hostile, Plan, When};

/// As many pages of 64 KiB as an instance may have by default, less some.
const PAGES: u32 = 1_000;
/// What of them lies behind the two pages that the smallest plugin works in.
const BYTES: u32 = PAGES * 65_536 - 131_072;
/// An hour, in nanoseconds.
const HOUR: &str = "(i64.const 3600000000000)";

pub const LIST: &[Hostile] = &[
    Hostile::new("spin-handler", "loops for ever in a handler", |_| handling("", "", SPIN)),
    Hostile::new("spin-realloc", "loops for ever in the allocation of an argument", |_| {
        bare(&[("in realloc", &format!("(if (i32.eq (local.get $size) (i32.const 7777)) (then {SPIN}))"))])
    })
    .payload(7_775),
    Hostile::new("spin-authorize", "loops for ever in authorize", |_| bare(&[("in authorize", SPIN)]))
        .when(When::Connect),
    Hostile::new("spin-init", "loops for ever in init", |_| bare(&[("in init", SPIN)])).when(When::Load),
    Hostile::new("spin-start", "loops for ever in its start function", |_| {
        bare(&[("at the end", &format!("(func $first {SPIN}) (start $first)"))])
    })
    .when(When::Load),
    Hostile::new("spin-init-later", "loads well, then loops for ever in the init of rooms", |plan| {
        later(plan, "", SPIN)
    })
    .when(When::Open),
    Hostile::new("sleep-init-later", "loads well, then sleeps an hour in the init of rooms", |plan| {
        later(plan, SLEEP, &format!("(call $block (call $subscribe {HOUR}))"))
    })
    .when(When::Open),
    Hostile::new("sleep-handler", "sleeps an hour in a handler, in a poll", |_| {
        handling(SLEEP, "", &format!("(call $block (call $subscribe {HOUR}))"))
    }),
    Hostile::new("sleep-authorize", "sleeps an hour in authorize", |_| {
        bare(&[("more imports", SLEEP), ("in authorize", &format!("(call $block (call $subscribe {HOUR}))"))])
    })
    .when(When::Connect),
    Hostile::new("wake-handler", "sleeps again and again, a microsecond each time", |_| {
        handling(
            &format!("{SLEEP} {DROP_POLLABLE}"),
            "(global $pollable (mut i32) (i32.const 0))",
            &for_ever(
                "(global.set $pollable (call $subscribe (i64.const 1000)))
                 (call $block (global.get $pollable)) (call $drop-pollable (global.get $pollable))",
            ),
        )
    }),
    Hostile::new("fill-for-ever", "fills all its memory, one instruction, again and again", |_| {
        handling("", "", &format!("{} {}", grow_to(PAGES), for_ever(&fill())))
    }),
    Hostile::new("fill-once", "fills all its memory once, one instruction", |_| {
        handling("", "", &format!("{} {}", grow_to(PAGES), fill()))
    })
    .bearable(),
    Hostile::new("copy-for-ever", "copies all its memory, one instruction, again and again", |_| {
        handling("", "", &format!("{} {}", grow_to(PAGES), for_ever(&copy())))
    }),
    Hostile::new("copy-once", "copies all its memory once, one instruction", |_| {
        handling("", "", &format!("{} {}", grow_to(PAGES), copy()))
    })
    .bearable(),
];

const DROP_POLLABLE: &str =
    r#"(import "wasi:io/poll@0.2.0" "[resource-drop]pollable" (func $drop-pollable (param i32)))"#;

/// Does this in `init`, from the plan's time on.
fn later(plan: &Plan, imports: &str, mischief: &str) -> Vec<u8> {
    let from = plan.quiet_until_ms;
    let code = format!("(if (f64.gt (call $now) (f64.const {from:.1})) (then {mischief}))");
    bare(&[("more imports", &format!("{NOW} {imports}")), ("in init", &code)])
}

fn fill() -> String {
    format!("(memory.fill (i32.const 131072) (i32.const 7) (i32.const {BYTES}))")
}

fn copy() -> String {
    format!("(memory.copy (i32.const 131072) (i32.const 131136) (i32.const {}))", BYTES - 64)
}
