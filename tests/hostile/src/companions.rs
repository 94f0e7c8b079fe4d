//! Guests that do nothing forbidden, and that hostile clients need.

use crate::hooks::on_hook;
use crate::snippets::{DONE, SLEEP, handling};
use crate::{Hostile, When};

pub const LIST: &[Hostile] = &[
    Hostile::new("connect-slow", "sleeps 300 ms in $connect", |_| {
        on_hook("$connect", SLEEP, "", "(call $block (call $subscribe (i64.const 300000000)))")
    })
    .when(When::Connect)
    .bearable(),
    Hostile::new("shout", "sends every event to everyone in the room", |_| {
        let import = r#"(import "parlor:room/outbox@0.1.0" "to-channel"
            (func $to-channel (param i32 i32 i32 i32 i32 i32 i32 i32)))"#;
        let shout = "(call $to-channel (i32.const 700) (i32.const 7) (local.get $name) (local.get $name-len)
            (local.get $tag) (local.get $payload) (local.get $payload-len) (i32.const 512))";
        handling(import, "(data (i32.const 700) \"default\")", &format!("{shout} {DONE}"))
    })
    .bearable(),
];
