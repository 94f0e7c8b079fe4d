//! Pieces of text that several hostile guests share.

use crate::component::bare;

/// The end of a handler: nothing more happens, the turn may commit.
pub const DONE: &str = "(return (i32.const 384))";
/// A loop without an end.
pub const SPIN: &str = "(loop $again (br $again))";
/// The host's clock.
pub const NOW: &str = r#"(import "parlor:room/clock@0.1.0" "now" (func $now (result f64)))"#;
/// Waiting on a clock: a pollable of so many nanoseconds, and the wait for it.
pub const SLEEP: &str = r#"
    (import "wasi:clocks/monotonic-clock@0.2.0" "subscribe-duration" (func $subscribe (param i64) (result i32)))
    (import "wasi:io/poll@0.2.0" "[method]pollable.block" (func $block (param i32)))"#;

/// Tells the sender of the event what became of the call whose answer lies at 512: the number 0 where it was done, else
/// 1 and the place of the refusal among the contract's refusals.
const REPORT: &str = r#"
  (func $report (param $socket i32)
    (local $digit i32)
    (if (i32.load8_u (i32.const 512))
      (then (local.set $digit (i32.add (i32.const 1) (i32.load8_u (i32.const 516))))))
    (call $say-digit (local.get $socket) (local.get $digit)))
  (func $say-digit (param $socket i32) (param $digit i32)
    (i32.store8 (i32.const 900) (i32.add (i32.const 48) (local.get $digit)))
    (call $to-socket (local.get $socket) (i32.const 16) (i32.const 3)
      (i32.const 0) (i32.const 900) (i32.const 1) (i32.const 516)))"#;

/// A guest whose handler does this for the event `say` and then tells what became of it.
pub fn reporting(imports: &str, more: &str, mischief: &str) -> Vec<u8> {
    let end = format!("{REPORT}\n{more}");
    let handle = format!("{mischief}\n(call $report (local.get $socket)) {DONE}");
    bare(&[("more imports", imports), ("at the end", &end), ("in handle", &handle)])
}

/// A guest whose handler does this.
pub fn handling(imports: &str, more: &str, mischief: &str) -> Vec<u8> {
    bare(&[("more imports", imports), ("at the end", more), ("in handle", mischief)])
}

/// `(call $to-socket ...)` to the event's sender, with the event's place and length, the payload's tag, place and length.
pub fn emit(event: &str, event_bytes: &str, tag: u32, data: &str, data_bytes: &str) -> String {
    format!(
        "(call $to-socket (local.get $socket) (i32.const {event}) (i32.const {event_bytes}) (i32.const {tag}) \
         (i32.const {data}) (i32.const {data_bytes}) (i32.const 512))"
    )
}

/// Makes the memory as large as that, where it may be; for a trap where not, see `memory`.
pub fn grow_to(pages: u32) -> String {
    format!(
        "(if (i32.lt_u (memory.size) (i32.const {pages}))
           (then (drop (memory.grow (i32.sub (i32.const {pages}) (memory.size))))))"
    )
}

/// Repeats a code without an end.
pub fn for_ever(code: &str) -> String {
    format!("(loop $again {code} (br $again))")
}

/// Repeats a code so often, counting in a global variable that [`ROUNDS`] declares.
pub fn times(count: u32, code: &str) -> String {
    format!(
        "(global.set $rounds (i32.const {count}))
         (loop $again
           {code}
           (global.set $rounds (i32.sub (global.get $rounds) (i32.const 1)))
           (br_if $again (global.get $rounds)))"
    )
}

/// What [`times`] counts in.
pub const ROUNDS: &str = "(global $rounds (mut i32) (i32.const 0))";
