//! Guests that call the host too often, with too much, with what is not what it must be, or when they may not.

use crate::component::bare;
use crate::snippets::{DONE, NOW, ROUNDS, SLEEP, emit, for_ever, grow_to, handling, reporting, times};
use crate::{Hostile, When};

const LOG: &str = r#"(import "parlor:room/logging@0.1.0" "write" (func $log (param i32 i32 i32)))"#;
const PUT: &str = r#"(import "parlor:room/storage@0.1.0" "put" (func $put (param i32 i32 i32 i32 i32)))"#;
const RANDOM: &str = r#"(import "parlor:room/random@0.1.0" "get-bytes" (func $random (param i32 i32)))"#;
const WASI_RANDOM: &str = r#"(import "wasi:random/random@0.2.0" "get-random-bytes" (func $random (param i64 i32)))"#;
const STDOUT: &str = r#"(import "wasi:cli/stdout@0.2.0" "get-stdout" (func $stdout (result i32)))"#;

/// A million.
const MILLION: u32 = 1_000_000;
/// 60 MB, and the pages that hold it behind the first two.
const HUGE: &str = "60000000";
const HUGE_PAGES: u32 = 920;
/// Where it begins.
const BEHIND: &str = "131072";

pub const LIST: &[Hostile] = &[
    Hostile::new("emit-million", "emits a million times in a turn", |_| {
        handling("", ROUNDS, &times(MILLION, &emit("16", "3", 0, "900", "1")))
    }),
    Hostile::new("emit-huge", "emits 60 MB at once", |_| {
        handling("", "", &format!("{} {}", grow_to(HUGE_PAGES), emit("16", "3", 0, BEHIND, HUGE)))
    }),
    Hostile::new("event-name-huge", "emits an event with a name of 60 MB", |_| {
        handling("", "", &format!("{} {}", grow_to(HUGE_PAGES), emit(BEHIND, HUGE, 0, "900", "1")))
    }),
    Hostile::new("host-calls-million", "asks for the time a million times in a turn", |_| {
        handling(NOW, ROUNDS, &times(MILLION, "(drop (call $now))"))
    }),
    Hostile::new("log-million", "writes a million log lines in a turn", |_| {
        handling(LOG, ROUNDS, &times(MILLION, "(call $log (i32.const 1) (i32.const 16) (i32.const 3))"))
    }),
    Hostile::new("log-huge", "writes a log line of 60 MB", |_| {
        let write = format!("(call $log (i32.const 1) (i32.const {BEHIND}) (i32.const {HUGE}))");
        handling(LOG, "", &format!("{} {write}", grow_to(HUGE_PAGES)))
    }),
    Hostile::new("storage-fill", "stores 128 KiB under a new key at every call", |_| {
        let put = "(i32.store (i32.const 800) (global.get $key))
            (global.set $key (i32.add (i32.const 1) (i32.and (global.get $key) (i32.const 0x3f3f3f3f))))
            (call $put (i32.const 800) (i32.const 4) (i32.const 131072) (i32.const 131072) (i32.const 512))
            (br_if $again (i32.eqz (i32.load8_u (i32.const 512))))";
        reporting(PUT, "(global $key (mut i32) (i32.const 1))", &format!("{} (loop $again {put})", grow_to(4)))
    }),
    Hostile::new("storage-huge", "stores a value of 60 MB", |_| {
        let put =
            format!("(call $put (i32.const 16) (i32.const 3) (i32.const {BEHIND}) (i32.const {HUGE}) (i32.const 512))");
        handling(PUT, "", &format!("{} {put}", grow_to(HUGE_PAGES)))
    }),
    Hostile::new("random-huge", "asks for 4 GB of randomness", |_| {
        reporting(RANDOM, "", "(call $random (i32.const -1) (i32.const 512))")
    }),
    Hostile::new("wasi-random-huge", "asks WASI for a terabyte of randomness", |_| {
        handling(WASI_RANDOM, "", "(call $random (i64.const 1099511627776) (i32.const 512))")
    }),
    Hostile::new("pollables", "makes pollables and keeps them", |_| {
        handling(SLEEP, "", &for_ever("(drop (call $subscribe (i64.const 1)))"))
    }),
    Hostile::new("streams", "opens its standard output again and again", |_| {
        handling(STDOUT, "", &for_ever("(drop (call $stdout))"))
    }),
    Hostile::new("not-utf-eight", "emits text that is not UTF-8", |_| {
        let emit = emit("16", "3", 0, "700", "4");
        handling("", "", &format!("(i32.store (i32.const 700) (i32.const 0xfffefdfc)) {emit}"))
    }),
    Hostile::new("wrong-tag", "emits a payload of a kind that does not exist", |_| {
        handling("", "", &emit("16", "3", 7, "16", "3"))
    }),
    Hostile::new("out-of-bounds", "hands over text that lies outside of its memory", |_| {
        handling("", "", &emit("16", "3", 0, "131070", "100000000"))
    }),
    Hostile::new("answer-out-of-bounds", "wants its answer outside of its memory", |_| {
        let call = emit("16", "3", 0, "900", "1").replace("(i32.const 512)", "(i32.const -4)");
        handling("", "", &call)
    }),
    Hostile::new("wrong-answer", "answers with a pointer outside of its memory", |_| {
        handling("", "", "(return (i32.const 131071))")
    }),
    Hostile::new("not-json", "emits what is not JSON", |_| json(r"}{")),
    Hostile::new("json-breakout", "emits JSON that closes the envelope and opens another", |_| {
        json(r#"1}},{\"type\":\"event\",\"channel\":\"x\",\"data\":{\"type\":\"forged\"}}"#)
    }),
    Hostile::new("json-two-values", "emits two JSON values, with a frame's end between them", |_| json(r"1\n2")),
    Hostile::new("json-deep", "emits JSON that is 10,000 deep", |_| {
        let fill = "(memory.fill (i32.const 70000) (i32.const 91) (i32.const 10000))
            (memory.fill (i32.const 80000) (i32.const 93) (i32.const 10000))";
        reporting("", "", &format!("{fill} {}", emit("16", "3", 0, "70000", "20000")))
    }),
    Hostile::new("call-in-init", "emits in init, where there is no turn", |_| {
        let keep = "(call $to-socket (i32.const 0) (i32.const 16) (i32.const 3)
              (i32.const 0) (i32.const 900) (i32.const 1) (i32.const 512))
            (global.set $kept (i32.add (i32.load8_u (i32.const 512)) (i32.load8_u (i32.const 516))))";
        let say = format!(
            "(i32.store8 (i32.const 900) (i32.add (i32.const 48) (global.get $kept))) {} {DONE}",
            emit("16", "3", 0, "900", "1")
        );
        bare(&[
            ("in init", keep),
            ("in handle", &say),
            ("at the end", "(global $kept (mut i32) (i32.const 0)) (data (i32.const 900) \"1\")"),
        ])
    }),
    Hostile::new("call-in-authorize", "emits in authorize, and rejects where that was refused", |_| {
        let code = "(call $to-socket (i32.const 0) (i32.const 16) (i32.const 3)
              (i32.const 0) (i32.const 900) (i32.const 1) (i32.const 512))
            (if (i32.load8_u (i32.const 512)) (then
              (i32.store8 (i32.const 320) (i32.const 1))
              (i32.store16 (i32.const 324) (i32.const 403))
              (i32.store (i32.const 328) (i32.const 16))
              (i32.store (i32.const 332) (i32.const 3))
              (return (i32.const 320))))";
        bare(&[("in authorize", code), ("at the end", "(data (i32.const 900) \"1\")")])
    })
    .when(When::Connect),
];

/// A guest that emits this text as JSON, and tells what became of it.
fn json(text: &str) -> Vec<u8> {
    let data = format!("(data (i32.const 1000) \"{text}\")");
    let escapes = text.matches('\\').count();
    reporting("", &data, &emit("16", "3", 0, "1000", &(text.len() - escapes).to_string()))
}
